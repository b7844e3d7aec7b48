"""An address lent for one message: spent when the gate lets that message go, whoever asked (decision 27, T5)."""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA

from mailer.context import Context
from mailer.core.reasons import Reason
from mailer.gate.lent import Lent
from mailer.gate.rules import CLEAR, Refuse, Verdict, Wait, day
from mailer.organisation import profile
from mailer.suppression import alone, registry

BUSY = timedelta(seconds=1)
KNOWN = text("""
    SELECT EXISTS (SELECT FROM contact_point WHERE channel = 'email' AND fingerprint = ANY(:prints)), mode
    FROM friend_request WHERE id = :id
""").bindparams(bindparam("prints", type_=ARRAY(BYTEA)))
HANDED = text("UPDATE friend_request SET handed_on = :day WHERE id = :id")
MARKED = text("""
    INSERT INTO friend_mark (id, fingerprint, fingerprint_version) VALUES (:mark, :print, :version)
    ON CONFLICT DO NOTHING
""")


def spend(ctx: Context, lent: Lent, now: datetime) -> Verdict:
    """Spend the friend's one message for ever, or say why it may not go.

    The stop-list entry stands in the transaction of the clearance: of two requests at once one finds it there. A
    later try of the same request, whose first was never begun, has spent it already. Whoever has an address with us
    is written to as themselves or not at all.
    """
    if not alone.may_hold(ctx, lent.fingerprint):
        return Wait(Reason.FRIEND_ONLY, now + BUSY)
    prints = ctx.sealer.with_newer([lent.fingerprint])
    known, mode = ctx.db.execute(KNOWN, {"prints": prints, "id": lent.request_id}).one()
    if mode != profile.mode(ctx):
        return Refuse(Reason.PRACTICE_CONSENT)
    if known:
        return Refuse(Reason.LIMIT)
    if lent.handed:
        return CLEAR
    if not registry.suppress(ctx, channel="email", fingerprint=lent.fingerprint, reason=Reason.FRIEND_ONLY,
                             version=lent.version):
        return Refuse(Reason.FRIEND_ONLY)
    ctx.db.execute(HANDED, {"day": day(now), "id": lent.request_id})
    ctx.db.execute(MARKED, {"mark": lent.mark, "print": lent.fingerprint, "version": lent.version})
    return CLEAR
