"""The sign-up page, and the one that says to look into one's mail."""

from collections.abc import Mapping
from typing import Any

from flask import Response, request, url_for

from mailer.context import Context
from mailer.core.errors import NotFound
from mailer.lists import forms
from mailer.lists.forms import Definition
from mailer.lists.models import FormVersion
from mailer.subscriptions import join as joining
from mailer.subscriptions.age import UnderAge
from mailer.subscriptions.answers import Answers, UnfitAnswers
from mailer.web import form_page
from mailer.web.doors import LIMITER
from mailer.web.public.door import CHANNEL, LONGEST_ECHO, ids, public_blueprint, typed
from mailer.web.support import brand_of, open_to_all, public_page, unit

join = public_blueprint("public_join")

TRIES = "20/hour"
"""For one network; each address has limits of its own besides (decision 25)."""
FREQUENCIES = {"as_it_happens": 0, "weekly": 7, "monthly": 30}
ADDRESS = "Enter an email address, like name@example.com"
SENTENCES = {
    ("topics", "none"): "Pick at least one kind of news",
    ("age", "blank"): "Say how old you are, in whole years, like 34",
    ("first_name", "too_long"): "A first name has at most 60 letters",
    ("first_name", "control_character"): "The first name holds a line break or a sign that cannot be seen",
    ("first_name", "card_number"): "This looks like a card number. We take none",
}
CHANGED = "This form has changed since you opened it. What you typed is still here: read it again, then send it"
SENT_AGAIN = "If a message was due, it is on its way once more. We send a second one a day at most."
TRAP = "website"


@join.get("/join/<slug>")
@open_to_all
def show(slug: str) -> Response:
    """The form as it now is."""
    with unit() as ctx:
        shown = _shown(ctx, _current(ctx, slug))
    return _form_page(slug, shown, {}, {})


@join.post("/join/<slug>")
@open_to_all
@LIMITER.shared_limit(TRIES, scope="join")
def ask(slug: str) -> Response:
    """Take the request; the page that follows is the same for every address. Any site may hold our form."""
    with unit() as ctx:
        version = _current(ctx, slug)
        shown = _shown(ctx, version)
    if typed("form_version") != str(version.version):
        return _form_page(slug, shown, _values(), {"main": CHANGED}, 409)
    try:
        with unit() as ctx:
            joining.ask(ctx, version, _answers(), trapped=bool(typed(TRAP)))
    except UnderAge:
        return public_page("public/not_taken.html")
    except UnfitAnswers as error:
        return _form_page(slug, shown, _values(), _sentences(error.faults), 422)
    return _check_inbox(slug)


@join.post("/join/<slug>/resend")
@open_to_all
@LIMITER.shared_limit(TRIES, scope="join")
def resend(slug: str) -> Response:
    """Send the link once more, where there is one to send; the page does not tell."""
    with unit() as ctx:
        joining.resend(ctx, _current(ctx, slug), CHANNEL, typed("email"))
    return _check_inbox(slug, SENT_AGAIN)


def _current(ctx: Context, slug: str) -> FormVersion:
    if not forms.SLUG.fullmatch(slug):
        raise NotFound(form="")
    return forms.current(ctx, slug)[1]


def _shown(ctx: Context, version: FormVersion) -> dict[str, Any]:
    """The form as its template wants it."""
    return form_page.shown(ctx, Definition.from_json(version.definition), version.version, brand_of(ctx)["name"])


def _form_page(slug: str, shown: Mapping[str, Any], values: Mapping[str, Any], errors: Mapping[str, str],
               status: int = 200) -> Response:
    return public_page("public/join.html", status, action=url_for("public_join.ask", slug=slug), form=shown,
                       values=values, errors=errors, lang=shown["language"], stamp=None)


def _check_inbox(slug: str, answer: str = "") -> Response:
    email = typed("email")[:LONGEST_ECHO]
    return public_page(
        "public/check_inbox.html", email=email, change_url=url_for("public_join.show", slug=slug),
        resend_action=url_for("public_join.resend", slug=slug), resend_fields={"email": email}, answer=answer,
        outbox_url="/outbox", stamp=None)


def _answers() -> Answers:
    return Answers(
        channel=CHANNEL, address=typed("email"), first_name=typed("first_name"),
        topics=ids("topics"),
        every_days=FREQUENCIES.get(typed("frequency"), 0), format=typed("format") or "html",
        partner_offers=_answer("partner_offers"), share=_answer("share"), age=typed("age"))


def _answer(name: str) -> bool | None:
    """What was said to a question that one need not answer: of a yes and a no the no counts, silence is neither."""
    said = request.form.getlist(name)
    return False if "no" in said else True if "yes" in said else None


def _values() -> dict[str, Any]:
    """What was typed, to be shown again; an age never is."""
    return {
        "email": typed("email")[:LONGEST_ECHO], "first_name": typed("first_name")[:LONGEST_ECHO],
        "topics": [str(topic) for topic in ids("topics")],
        "frequency": typed("frequency"), "format": typed("format"),
        "partner_offers": request.form.getlist("partner_offers"), "share": request.form.getlist("share"),
    }


def _sentences(faults: Mapping[str, str]) -> dict[str, str]:
    return {field: SENTENCES.get((field, why), ADDRESS) for field, why in faults.items()}
