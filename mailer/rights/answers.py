"""Letters that answer a request; each goes to the person it is from, or to the address that it was asked from."""

from datetime import timedelta
from typing import Any

from mailer.context import Context
from mailer.core.card_numbers import holds_card_number
from mailer.core.errors import InvalidInput
from mailer.core.links import Link
from mailer.core.messages import MessageClass
from mailer.outbox import singles
from mailer.rights import requests
from mailer.rights.models import AccessCopy, RightsRequest
from mailer.subscriptions import claims, words

TRIED_FOR = timedelta(days=7)
LONGEST = 4000


def reachable(request: RightsRequest) -> bool:
    """Whether there is an address to answer to."""
    return request.contact_point_id is not None or request.sealed_contact is not None


def say(ctx: Context, request: RightsRequest, text: str, *, by: str, outcome: str = "answered") -> None:
    """Answer in the officer's own words, by mail where there is an address, and stop the clock.

    Raises: InvalidInput naming `answer`; Conflict when another closed it.
    """
    _fits("answer", text)
    if reachable(request):
        _letter(ctx, request, "rights_words", {"text": text.strip()})
    requests.close(ctx, request, outcome, by=by)


def extend(ctx: Context, request: RightsRequest, why: str, *, by: str) -> None:
    """Take two months more and tell the person why, as the law wants (GDPR Art. 12 (3)).

    Raises: InvalidInput naming `why`; Conflict when it is closed or was extended already.
    """
    _fits("why", why)
    requests.extend(ctx, request, by=by)
    if reachable(request):
        zone = words.zone(ctx)
        _letter(ctx, request, "rights_extended", {
            "why": why.strip(), "due_on": words.full_day(request.due_at.astimezone(zone).date())})


def send_copy(ctx: Context, request: RightsRequest, copy: AccessCopy, *, by: str) -> None:
    """Tell the person that the copy is ready; it opens with a link that they ask for then.

    Raises: InvalidInput where there is nobody to tell; Conflict when another closed it.
    """
    if request.contact_point_id is None:
        raise InvalidInput(field="identity", why="Make sure first who asks, by a fresh link.")
    zone = words.zone(ctx)
    _letter(ctx, request, "rights_copy", {
        "link": claims.url(ctx, Link.PREFERENCES, request.contact_point_id, claims.today(ctx)),
        "until": words.full_day(copy.expires_at.astimezone(zone).date())})
    requests.close(ctx, request, "copy sent", by=by)


def _fits(field: str, text: str) -> None:
    """Raises: InvalidInput."""
    if not text.strip():
        raise InvalidInput(field=field, why="Write at least a line.")
    if len(text) > LONGEST:
        raise InvalidInput(field=field, why=f"Use at most {LONGEST:,} characters.")
    if holds_card_number(text):
        raise InvalidInput(field=field, why="Leave out the card number: we never keep one.")


def _letter(ctx: Context, request: RightsRequest, template: str, detail: dict[str, Any]) -> None:
    to_person = request.contact_point_id is not None
    singles.enqueue(
        ctx, MessageClass.RIGHTS_ANSWER, subject=f"rights_request:{request.id}", occasion=template,
        channel=requests.CHANNEL, contact_point_id=request.contact_point_id,
        rights_request_id=None if to_person else request.id, not_after=ctx.clock.now() + TRIED_FOR,
        detail={"template": template, "number": request.id, "asked": requests.NAMES[request.kind], **detail})
