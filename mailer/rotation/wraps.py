"""Keys of people and requests wrapped anew, and what lives long under instance keys sealed anew."""

from sqlalchemy import ARRAY, BigInteger, LargeBinary, bindparam, select, text

from mailer.context import Context
from mailer.core.errors import KeyProblem
from mailer.core.vault import Use
from mailer.organisation.models import DkimKey
from mailer.staff.models import Staff

CHUNK = 5000

KEYS = {
    "vault.person_key": ("person_id", "k.person_id", ""),
    "vault.request_key": ("request_id", "o.reserved_person_id", "JOIN pending_request o ON o.id = k.request_id"),
    "vault.friend_key": ("friend_request_id", "o.reserved", "JOIN friend_request o ON o.id = k.friend_request_id"),
    "vault.friend_sender_key": ("friend_request_id", "o.reserved",
                                "JOIN friend_request o ON o.id = k.friend_request_id"),
}
"""Each table with its key, whose number stands in what is wrapped, and how that is found."""

SOME = """
    SELECT k.{id}, {owner}, k.wrapped FROM {table} k {join}
    WHERE k.{id} > :after AND get_byte(k.wrapped, 0) <> :active
    ORDER BY k.{id} LIMIT :most FOR UPDATE OF k SKIP LOCKED
"""
CHANGE = """
    UPDATE {table} k SET wrapped = new.wrapped FROM unnest(:ids, :wraps) AS new(id, wrapped) WHERE k.{id} = new.id
"""
COUNT = "SELECT count(*) FROM {table} WHERE get_byte(wrapped, 0) <> :active"


def wrap_some(ctx: Context, table: str, after: int = 0) -> int | None:
    """Wrap some keys under the master key in use; where to go on, None at the end. What does not unwrap is left."""
    name, owner, join = KEYS[table]
    active = ctx.sealer.fingerprint_version
    rows = ctx.db.execute(text(SOME.format(table=table, id=name, owner=owner, join=join)),
                          {"after": after, "active": active, "most": CHUNK}).all()
    if not rows:
        return None
    ids, wraps = [], []
    for number, whose, wrapped in rows:
        try:
            wraps.append(ctx.sealer.wrap_again(bytes(wrapped), person=whose))
            ids.append(number)
        except KeyProblem:
            continue
    ctx.db.execute(text(CHANGE.format(table=table, id=name)).bindparams(
        bindparam("ids", type_=ARRAY(BigInteger)), bindparam("wraps", type_=ARRAY(LargeBinary))),
        {"ids": ids, "wraps": wraps})
    return int(rows[-1][0])


def seal_again(ctx: Context) -> int:
    """Seal what staff and signing keys keep for long under the key in use; how many rows. Letters fade by themselves.

    A colleague's fingerprint bears no version; it is as old as what is sealed beside it.
    """
    active, changed = ctx.sealer.fingerprint_version, 0
    for member in ctx.db.scalars(select(Staff).where(Staff.state != "removed").with_for_update()):
        version = member.sealed_email[0]
        if version < active:
            member.email_fingerprint = ctx.sealer.layer_up(member.email_fingerprint, version)
        for field in ("email", "name", "totp"):
            sealed = getattr(member, f"sealed_{field}")
            if sealed and sealed[0] != active:
                setattr(member, f"sealed_{field}", ctx.sealer.seal_shared_again(
                    Use.STAFF, sealed, table="staff", row=member.id, field=field))
                changed += 1
    for key in ctx.db.scalars(select(DkimKey).with_for_update()):
        if key.sealed and key.sealed[0] != active:
            key.sealed = ctx.sealer.seal_shared_again(
                Use.DKIM, key.sealed, table="dkim_key", row=f"{key.domain}/{key.selector}", field="sealed")
            changed += 1
    ctx.db.flush()
    return changed


def remaining(ctx: Context) -> dict[str, int]:
    """How many keys of each table are wrapped under an older master key; tables without any are left out."""
    active = ctx.sealer.fingerprint_version
    counts = {table: int(ctx.db.scalar(text(COUNT.format(table=table)), {"active": active}) or 0) for table in KEYS}
    return {table: number for table, number in counts.items() if number}
