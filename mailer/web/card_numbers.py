"""Card numbers are taken by no form (promises C7 and T22): one look at everything posted, before any page reads it."""

from collections.abc import Iterator

from flask import Flask, request

from mailer.core.card_numbers import holds_card_number
from mailer.core.errors import MailerError

EXEMPT_FIELDS = frozenset({"csrf_token", "stamp", "phone"})
"""Our own stamps, and typed phone fields, which may look like cards (decision 34)."""
EXEMPT_ENDPOINTS = frozenset({"public_leave.one_click"})
"""Nothing that it is given is read (RFC 8058 §3.2)."""
SAID_IN_PLACE = frozenset({
    ("public_join.ask", "first_name"), ("public_friend.ask", "words"), ("public_me.name", "first_name"),
    ("public_contact.send", "note"),
})
"""Fields whose own check refuses the same beside the field."""


class CardNumber(MailerError):
    """A posted field holds a card number; the number is named nowhere."""

    code = "card_number"
    status = 422


def install(app: Flask) -> None:
    """Look before every request."""

    app.before_request(_refuse)


def _refuse() -> None:
    if request.endpoint in EXEMPT_ENDPOINTS:
        return
    for name, text in _texts():
        if name not in EXEMPT_FIELDS and (request.endpoint, name) not in SAID_IN_PLACE \
                and "password" not in name and holds_card_number(text):
            raise CardNumber(field=name)


def _texts() -> Iterator[tuple[str, str]]:
    for values in (request.args, request.form):
        for name, texts in values.lists():
            yield from ((name, text) for text in texts)
    for name, file in request.files.items(multi=True):
        yield name, file.filename or ""
    if request.is_json:
        yield "json", request.get_data(as_text=True)
