"""Those who asked and have not confirmed: kept apart under a key of their own, and gone after their time."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from mailer.audience.models import PendingRequest, RequestKey
from mailer.context import Context
from mailer.core.channel import Address
from mailer.core.modes import Mode

ROUND = 1000


def add(ctx: Context, *, channel: str, address: Address, list_id: int, topic_ids: Sequence[int],
        form_version_id: int | None, notice_id: int | None, first_name: str | None, partner_offers: bool | None,
        format: str, every_days: int, language: str, source: str, mode: Mode, expires_at: datetime,
        share: bool | None = None, partner_list: int | None = None, collector: str = "", policy: str = ""
        ) -> PendingRequest:
    """Keep a request to join. An open one of this address and list is overwritten and keeps its id and its links."""
    person_id = ctx.db.execute(select(func.nextval(func.pg_get_serial_sequence("person", "id")))).scalar_one()
    key = ctx.sealer.new_key(person=person_id)
    asked = {
        "reserved_person_id": person_id, "channel": channel, "mode": mode, "list_id": list_id,
        "form_version_id": form_version_id, "notice_id": notice_id,
        "sealed": key.seal(address.normalised, table="contact_point", row=person_id, field="address"),
        "sealed_first_name": key.seal(first_name, table="person", row=person_id, field="first_name")
        if first_name else None,
        "fingerprint": _newest_fingerprint(ctx, channel, address, list_id),
        "fingerprint_version": ctx.sealer.fingerprint_version, "domain_hash": ctx.sealer.domain_hash(address.domain),
        "language": language, "topic_ids": sorted(set(topic_ids)), "partner_offers": partner_offers,
        "format": format, "every_days": every_days, "asked_at": ctx.clock.now(), "expires_at": expires_at,
        "source": source, "share": share, "partner_list": partner_list, "collector": collector, "policy": policy,
    }
    request = ctx.db.scalars(
        insert(PendingRequest).values(**asked).on_conflict_do_update(
            index_elements=["channel", "fingerprint", "list_id"], set_=asked).returning(PendingRequest),
        execution_options={"populate_existing": True}).one()
    ctx.db.execute(insert(RequestKey).values(request_id=request.id, wrapped=key.wrapped).on_conflict_do_update(
        index_elements=["request_id"], set_={"wrapped": key.wrapped}))
    return request


def discard(ctx: Context, pending: PendingRequest) -> None:
    """Forget a request, its key and its mail; doing so twice changes nothing."""
    ctx.db.execute(delete(PendingRequest).where(PendingRequest.id == pending.id))


def expire(ctx: Context) -> int:
    """Forget up to a thousand requests whose time is over; the count forgotten."""
    due = select(PendingRequest.id).where(PendingRequest.expires_at <= ctx.clock.now()).order_by(
        PendingRequest.expires_at).limit(ROUND).with_for_update(skip_locked=True)
    return len(ctx.db.scalars(delete(PendingRequest).where(PendingRequest.id.in_(due)).returning(
        PendingRequest.id)).all())


def _newest_fingerprint(ctx: Context, channel: str, address: Address, list_id: int) -> bytes:
    newest = ctx.sealer.fingerprint(channel, address.identity)
    others = [each for each in ctx.sealer.fingerprints(channel, address.identity) if each != newest]
    if others:
        # While keys rotate, the open request may carry another layer; it must be met, not doubled.
        ctx.db.execute(update(PendingRequest).where(
            PendingRequest.channel == channel, PendingRequest.list_id == list_id,
            PendingRequest.fingerprint.in_(others)).values(
                fingerprint=newest, fingerprint_version=ctx.sealer.fingerprint_version))
    return newest
