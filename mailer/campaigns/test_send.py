"""A test of a campaign, to members of the team only: never to anybody on a list (promise 3.15)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text

from mailer.audit import trail
from mailer.campaigns import compose
from mailer.context import Context
from mailer.core.errors import InvalidInput
from mailer.core.messages import MessageClass
from mailer.outbox import singles

AT_MOST = 5
NOT_AFTER = timedelta(hours=24)

ON_THE_TEAM = text("SELECT id FROM staff WHERE id = ANY(:ids) AND state = 'active'")


@dataclass(frozen=True)
class MadeUp:
    """Somebody made up, whose version of a message can be looked at and sent as a test."""

    key: str
    label: str
    first_name: str = ""
    text_only: bool = False


PEOPLE = (
    MadeUp("ada", "Ada (has everything)", "Ada"),
    MadeUp("bo", "Bo (no name, text only)", text_only=True),
    MadeUp("olanrewaju", "Ọlánrewájú-Featherstonehaugh (a very long name)", "Ọlánrewájú-Featherstonehaugh"),
    MadeUp("eunji", "Eun-ji 은지 (lives abroad)", "Eun-ji 은지"),
    MadeUp("max", "Max (the least we may know)"),
)


def person(key: str) -> MadeUp:
    """The test person of that key; the first where there is none."""
    return next((each for each in PEOPLE if each.key == key), PEOPLE[0])


def send(ctx: Context, campaign_id: int, *, staff_ids: Sequence[int], as_person: MadeUp, press: str) -> int:
    """Send each of these colleagues this person's version; how many messages that makes.

    `press` names one press of the button: the same press again sends nothing. Raises: InvalidInput naming `test`.
    """
    chosen = list(dict.fromkeys(staff_ids))
    if not 1 <= len(chosen) <= AT_MOST:
        raise InvalidInput(field="test", why=f"Choose one to {AT_MOST} colleagues.")
    if set(ctx.db.scalars(ON_THE_TEAM, {"ids": chosen})) != set(chosen):
        raise InvalidInput(field="test", why="Choose colleagues from the list; tests go to the team only.")
    campaign = compose.lock(ctx, campaign_id)
    detail = {"text_only": as_person.text_only,
              "fields": {"first name": as_person.first_name} if as_person.first_name else {}}
    sent = [singles.enqueue(
        ctx, MessageClass.TEST, subject=f"staff:{staff_id}", occasion=f"campaign:{campaign_id}:{press}", detail=detail,
        staff_id=staff_id, campaign_id=campaign_id, not_after=ctx.clock.now() + NOT_AFTER) for staff_id in chosen]
    made = sum(1 for each in sent if each is not None)
    if made:
        campaign.tested_content_id = campaign.content_id
        trail.record(ctx, "campaign_tested", f"campaign:{campaign_id}", to=chosen)
    return made
