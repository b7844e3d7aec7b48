"""What staff do for a person who wrote, rang or came: stop everything, hold everything back, or lift a stop."""

from datetime import date

from mailer.audience.models import ContactPoint, Preference
from mailer.audit import trail
from mailer.consent import ledger
from mailer.consent.ledger import Evidence
from mailer.context import Context
from mailer.core.errors import InvalidInput, NotAllowed, NotFound
from mailer.core.reasons import Reason
from mailer.outbox.keep_back import keep_back
from mailer.suppression import registry
from mailer.suppression.registry import Stop

REPORTED = {"phone": "by phone", "letter": "by letter", "desk": "at the desk"}
"""How a person told us."""
LIFTED_BECAUSE = {"mistake": "It was entered by mistake", "person_asked": "The person asked for it",
                  "not_a_child": "The person is not a child"}
OFFICER_LIFTS = frozenset({Reason.STAFF_STOP, Reason.CHILD})
"""What the officer may take off the list, with a reason (decision 2)."""
WRITTEN = {"letter": "In a letter", "email": "In an email of their own", "desk": "In writing, at the desk"}
WRITING_LIFTS = frozenset({Reason.COMPLAINED, Reason.NEVER})
"""What goes by the person's own written act alone, which the officer records. Nothing else is lifted here."""


def stop(ctx: Context, point: ContactPoint, *, reported: str) -> int:
    """End every consent of this channel and put the address on the stop list; how many consents ended.

    The person's own confirmation lifts it again, nobody else's act does. Raises: InvalidInput naming `reported`;
    NotFound once erased.
    """
    if reported not in REPORTED:
        raise InvalidInput(field="reported", why="Choose how the person told us.")
    ended = ledger.end_all(ctx, point, evidence=Evidence(how="staff_stop", source=reported))
    registry.suppress(ctx, channel=point.channel, fingerprint=point.fingerprint, reason=Reason.STAFF_STOP,
                      version=point.fingerprint_version)
    keep_back(ctx, [point.id])
    trail.record(ctx, "stop_for_person", f"contact_point:{point.id}", reported=reported, ended=len(ended))
    return len(ended)


def hold(ctx: Context, point: ContactPoint, on: bool) -> None:
    """Send nothing but answers to rights requests while it lasts; consents stay. Raises: NotFound once erased."""
    preference = ctx.db.get(Preference, point.id, with_for_update=True)
    if preference is None:
        raise NotFound(contact_point=point.id)
    if preference.hold == on:
        return
    preference.hold = on
    if on:
        keep_back(ctx, [point.id])
    trail.record(ctx, "hold_on" if on else "hold_off", f"contact_point:{point.id}")


def lift(ctx: Context, entry: Stop, *, why: str = "", written: str = "", written_on: date | None = None) -> None:
    """Take one entry off the stop list. It grants nothing: whoever was stopped has to ask, and confirm, anew.

    Raises: NotAllowed for a reason that only the person's own act lifts; InvalidInput naming `why`, `written` or
    `written_on`; NotFound when it is not there any more.
    """
    if entry.reason in OFFICER_LIFTS:
        if why not in LIFTED_BECAUSE:
            raise InvalidInput(field="why", why="Choose why it is lifted.")
        said = {"why": why}
    elif entry.reason in WRITING_LIFTS:
        if written not in WRITTEN:
            raise InvalidInput(field="written", why="Choose how the person wrote.")
        if written_on is None or written_on > ctx.clock.now().date():
            raise InvalidInput(field="written_on", why="Type the day on which they wrote, such as 2026-03-01.")
        said = {"written": written, "written_on": written_on.isoformat()}
    else:
        raise NotAllowed(reason=entry.reason)
    lifted = registry.lift(ctx, channel=entry.channel, fingerprints=ctx.sealer.with_newer([entry.fingerprint]),
                           reasons=[entry.reason], list_id=entry.list_id, topic_id=entry.topic_id)
    if not lifted:
        raise NotFound(what="stop_list_entry")
    trail.record(ctx, "stop_lifted", "stop_list", reason=entry.reason, channel=entry.channel, list=entry.list_id,
                 topic=entry.topic_id, **said)
