"""How far the database has followed a rotation of keys, and whether this process's key file fits it (decision 17)."""

from sqlalchemy import text

from mailer.context import Context

ROTATING = 0x6D61696C6B657973
"""The advisory lock that each step of a rotation holds while it changes fingerprints."""

STATE = text("SELECT key_required, key_settled, key_check FROM instance")


def misfit(ctx: Context) -> str:
    """What is wrong between key file and database, in words; nothing when they fit.

    The key file may lack a key that the stop list is kept under, and a database that was put back may lie under older
    keys than those in use: then look-ups would miss people who must not be written to.
    """
    found = ctx.db.execute(STATE).first()
    if found is None:
        return ""
    if not ctx.sealer.knows_version(found.key_required):
        return f"key {found.key_required} in the key file (copy the file from the host that rotated)"
    if found.key_check is not None and bytes(found.key_check) != ctx.sealer.key_check(found.key_required):
        return f"the right key {found.key_required} in the key file (copy the file from the host that rotated)"
    if ctx.sealer.fingerprint_version > found.key_settled:
        return "fingerprints under the newest key (run mailer keys rotate --resume)"
    return ""
