"""Links that work once: a random token, kept hashed, that keeps no name once it is used, withdrawn or too old."""

import base64
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from mailer.context import Context
from mailer.core.errors import BadToken
from mailer.subscriptions.models import SingleUseLink

TOKEN_BYTES = 16
TOKEN_LENGTH = 26
"""16 octets (OWASP ASVS 7.2.3: at least 128 random bits) in base32 without padding."""
KEPT = timedelta(days=90)
"""So long an old link gets a true answer (decision 18)."""
LASTS = {"confirm": timedelta(days=7), "fresh": timedelta(minutes=30), "start": timedelta(days=1),
         "address": timedelta(days=7), "press": timedelta(hours=24)}


NOBODY = {"pending_request_id": None, "contact_point_id": None, "address_change_id": None, "friend_request_id": None}


class Purpose(StrEnum):
    """What a link is for; one never passes for another."""

    CONFIRM = "confirm"
    FRESH = "fresh"
    START = "start"
    ADDRESS = "address"
    PRESS = "press"


class Outcome(StrEnum):
    """How it stands with a link; an unknown one is told apart by BadToken."""

    OPEN = "open"
    USED = "used"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Found:
    """What is known of a link: `day` is that of its use once it was used, before that of its making."""

    hash: bytes
    outcome: Outcome
    day: date
    pending_request_id: int | None
    contact_point_id: int | None
    address_change_id: int | None = None
    friend_request_id: int | None = None


def issue(ctx: Context, purpose: Purpose, *, pending_request_id: int | None = None,
          contact_point_id: int | None = None, address_change_id: int | None = None,
          friend_request_id: int | None = None, expires_at: datetime | None = None) -> str:
    """Make a link's token; the caller puts it into the message that carries it and nowhere else."""
    raw = ctx.tokens.random_bytes(TOKEN_BYTES)
    now = ctx.clock.now()
    ctx.db.add(SingleUseLink(
        hash=sha256(raw).digest(), purpose=purpose, day=now.date(), outcome=Outcome.OPEN,
        expires_at=expires_at or now + LASTS[purpose], pending_request_id=pending_request_id,
        contact_point_id=contact_point_id, address_change_id=address_change_id, friend_request_id=friend_request_id))
    ctx.db.flush()
    return written(raw)


def written(raw: bytes) -> str:
    """A token's octets as links carry them: lower-case base32 without padding."""
    return base64.b32encode(raw).decode().rstrip("=").lower()


def look(ctx: Context, purpose: Purpose, token: str) -> Found:
    """How it stands with a link; changes nothing. Raises: BadToken when it is cut, unknown or of another purpose."""
    return _found(ctx.db, hash_of(token), purpose, ctx.clock.now(), lock=False)


def take(ctx: Context, purpose: Purpose, token: str) -> Found:
    """As `look`, with the row locked: of two presses at once the second sees what the first did."""
    return _found(ctx.db, hash_of(token), purpose, ctx.clock.now(), lock=True)


def close_for_request(ctx: Context, pending_request_id: int, outcome: Outcome) -> None:
    """Close every open link of a request; from then on none of them says whose it was."""
    ctx.db.execute(update(SingleUseLink).where(
        SingleUseLink.pending_request_id == pending_request_id, SingleUseLink.outcome == Outcome.OPEN).values(
            outcome=outcome, day=ctx.clock.now().date(), **NOBODY))


def use_up(ctx: Context, found: Found) -> None:
    """Close a link that was taken: from now on it says no more whose it was."""
    ctx.db.execute(update(SingleUseLink).where(SingleUseLink.hash == found.hash).values(
        outcome=Outcome.USED, day=ctx.clock.now().date(), **NOBODY))


def expire(ctx: Context) -> int:
    """Close links whose time is over, and forget those that were closed 90 days ago; the count closed."""
    now = ctx.clock.now()
    closed = ctx.db.scalars(update(SingleUseLink).where(
        SingleUseLink.outcome == Outcome.OPEN, SingleUseLink.expires_at <= now).values(
            outcome=Outcome.EXPIRED, day=now.date(), **NOBODY).returning(
                SingleUseLink.hash)).all()
    ctx.db.execute(delete(SingleUseLink).where(
        SingleUseLink.outcome != Outcome.OPEN, SingleUseLink.day < (now - KEPT).date()))
    return len(closed)


def hash_of(token: str) -> bytes:
    """What is kept of a token. Raises: BadToken when it is cut or not of our making."""
    if len(token) != TOKEN_LENGTH or not token.isascii() or token != token.lower():
        raise BadToken()
    try:
        raw = base64.b32decode(token.upper() + "======")
    except ValueError as error:
        raise BadToken() from error
    # The last letter holds two bits that mean nothing: only the one spelling is ours.
    if written(raw) != token:
        raise BadToken()
    return sha256(raw).digest()


def _found(session: Session, hash: bytes, purpose: Purpose, now: datetime, *, lock: bool) -> Found:
    wanted = select(SingleUseLink).where(SingleUseLink.hash == hash, SingleUseLink.purpose == purpose)
    if lock:
        wanted = wanted.with_for_update()
    link = session.scalars(wanted, execution_options={"populate_existing": True}).one_or_none()
    if link is None:
        raise BadToken()
    outcome = Outcome(link.outcome)
    if outcome is Outcome.OPEN and link.expires_at <= now:
        outcome = Outcome.EXPIRED
    elif outcome is Outcome.OPEN and all(getattr(link, name) is None for name in NOBODY):
        outcome = Outcome.WITHDRAWN
    return Found(hash, outcome, link.day, link.pending_request_id, link.contact_point_id,
                 link.address_change_id, link.friend_request_id)
