"""Builds messages the slow and obvious way. The compiler must build the same; letters are built here alone."""

import html
from email.message import EmailMessage
from email.policy import SMTP, Policy
from urllib.parse import urlsplit

from mailer.channels.email import headers, quoted, render
from mailer.core.channel import Copy, Letter, Recipient

ONE_CLICK = ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
"""RFC 8058 §3.1."""

_SET_HERE = frozenset({
    "from", "to", "cc", "bcc", "sender", "subject", "date", "message-id", "mime-version", "return-path",
    "content-type", "content-transfer-encoding", "content-disposition", "content-id",
})


class _Written(str):
    """A header value that is already fit for the wire: the standard library must not read and fold it again."""

    name: str

    def __new__(cls, name: str, value: str) -> "_Written":
        written = super().__new__(cls, value)
        written.name = name
        return written

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}\r\n"


def compose(letter: Letter) -> bytes:
    """A single message, marked as sent by a machine (RFC 3834 §5). Raises: UnsafeHeader."""
    extra = [headers.further(name, value) for name, value in letter.headers]
    given = [name.lower() for name, _ in extra]
    if len(set(given)) < len(given) or not _SET_HERE.isdisjoint(given):
        raise headers.UnsafeHeader(field="header name")
    lines = [
        ("From", headers.mailbox(letter.sender.name, letter.sender.address, "From")),
        ("To", headers.address(letter.to, "To")),
        ("Subject", headers.unstructured(letter.subject, "Subject")),
        ("Date", headers.date(letter.date)),
        ("Message-ID", headers.message_id(letter.message_id)),
        *([] if "auto-submitted" in given else [("Auto-Submitted", "auto-generated")]),
        *([] if "content-language" in given else [("Content-Language", headers.checked(letter.language, "language"))]),
        *extra,
    ]
    return quoted.without_leading_dots(_message(lines, letter.text, letter.html))


def compose_campaign(copy: Copy, recipient: Recipient) -> bytes:
    """A campaign's message to one person, built from the beginning. Raises: UnsafeHeader."""
    rendered = render.campaign(copy)
    holes = rendered.holes
    lines = [
        ("To", headers.address(recipient.address, "To")),
        ("Subject", headers.unstructured(holes.fill(rendered.subject, recipient), "Subject")),
        ("Date", headers.date(recipient.date)),
        ("Message-ID", headers.message_id(recipient.message_id)),
        *constant_headers(copy),
    ]
    if copy.one_click:
        lines.append(("List-Unsubscribe", headers.url(recipient.links.one_click, "List-Unsubscribe")))
    return _message(
        lines, holes.fill(rendered.text, recipient),
        None if recipient.text_only else holes.fill(rendered.html, recipient, html.escape))


def constant_headers(copy: Copy) -> list[tuple[str, str]]:
    """The headers that are the same for everyone. Raises: UnsafeHeader."""
    host = urlsplit(copy.brand.public_url).hostname or copy.sender.address.rpartition("@")[2]
    lines = [
        ("From", headers.mailbox(copy.sender.name, copy.sender.address, "From")),
        ("List-Id", headers.list_id(copy.list_name, copy.list_label, headers.host(host, "List-Id"))),
    ]
    return [*lines, ONE_CLICK] if copy.one_click else lines


def _message(lines: list[tuple[str, str]], text: str, page: str | None) -> bytes:
    message = EmailMessage(policy=SMTP)
    for name, value in lines:
        message[name] = _Written(name, value)
    message.set_content(text, subtype="plain", charset="utf-8", cte="quoted-printable")
    if page is not None:
        message.add_alternative(page, subtype="html", charset="utf-8", cte="quoted-printable")
        # "=_" cannot occur in quoted-printable (RFC 2045 §6.7), so no part can hold the boundary.
        message.set_boundary("=_mailer_part")
    # Plain UTF-8 in headers only where an address cannot be written otherwise (RFC 6531 §3.4).
    plain = all(value.isascii() for _, value in lines)
    return message.as_bytes(policy=SMTP.clone(utf8=not plain))
