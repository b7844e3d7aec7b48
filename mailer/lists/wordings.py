"""Words exactly as people saw them, each kept once."""

from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from mailer.context import Context
from mailer.lists.models import Wording


def keep(ctx: Context, text: str, language: str) -> Wording:
    """The stored wording with exactly these words; the same words are kept once."""
    digest = sha256(text.encode()).digest()
    kept = select(Wording).where(Wording.sha256 == digest)
    return ctx.db.scalars(kept).first() or ctx.db.scalars(insert(Wording).values(
        sha256=digest, language=language, text=text).on_conflict_do_nothing().returning(Wording)
    ).first() or ctx.db.scalars(kept).one()
