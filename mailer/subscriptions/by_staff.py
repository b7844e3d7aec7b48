"""What staff do for a person who wrote, rang or came: stop everything, or hold everything back."""

from mailer.audience.models import ContactPoint, Preference
from mailer.audit import trail
from mailer.consent import ledger
from mailer.consent.ledger import Evidence
from mailer.context import Context
from mailer.core.errors import InvalidInput, NotFound
from mailer.core.reasons import Reason
from mailer.outbox.keep_back import keep_back
from mailer.suppression import registry

REPORTED = {"phone": "by phone", "letter": "by letter", "desk": "at the desk"}
"""How a person told us."""


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
