"""Asking us to write to a friend, and the press by which the sender shows that it was they (decision 27).

Nothing that a page or the sender's mailbox shows depends on what we know of the friend: the gate alone looks, when the
message is about to go.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select

from mailer.context import Context
from mailer.core.jobs import Job
from mailer.core.links import Link
from mailer.core.messages import MessageClass
from mailer.friends import settings
from mailer.friends.models import FriendKey, FriendRequest, FriendSenderKey
from mailer.friends.settings import Offer
from mailer.friends.words import CHANNEL, Checked, Typed, check
from mailer.organisation import profile
from mailer.outbox import singles
from mailer.subscriptions import limits, links, words
from mailer.subscriptions.limits import Allowance
from mailer.subscriptions.links import Outcome

SEALED_FOR = timedelta(hours=24)
"""So long a friend's address lies here at most, pressed or not."""
A_DAY = 3
FRIENDS = Allowance("friend", A_DAY, 30 * A_DAY)
"""Three friends a day for one sender."""
PAIR = Allowance("friend_pair", 1, 1)
"""Who asked for a friend is not asked to press for the same one again."""
MARK_BYTES = 8


@dataclass(frozen=True)
class Answer:
    """How it stands with the link in the sender's mail, and when they asked."""

    outcome: Outcome
    day: date


def ask(ctx: Context, offer: Offer, typed: Typed, *, trapped: bool = False) -> None:
    """Seal what was typed and mail the sender a link to press, or do nothing; the same work is done either way.

    `trapped` says that a field was filled which no person sees. Raises: UnfitAnswers.
    """
    asked = check(ctx, typed)
    bucket = limits.bucket(ctx, asked.sender)
    limits.alone(ctx, bucket)
    pair = _pair(ctx, *(ctx.sealer.fingerprint(CHANNEL, each.identity) for each in (asked.sender, asked.friend)))
    may = (offer.by_mail and not trapped and asked.sender.identity != asked.friend.identity,
           limits.left(ctx, bucket, FRIENDS), limits.left(ctx, pair, PAIR), not _was_reported(ctx, asked))
    attempt = ctx.db.begin_nested()
    limits.spend(ctx, bucket, FRIENDS.kind)
    limits.spend(ctx, pair, PAIR.kind)
    _mail_press(ctx, _keep(ctx, offer, asked))
    if all(may):
        attempt.commit()
    else:
        attempt.rollback()
    ctx.nudge(Job.SINGLES)


def look(ctx: Context, raw: str) -> Answer:
    """What pressing would do; changes nothing. Raises: BadToken."""
    found = links.look(ctx, links.Purpose.PRESS, raw)
    return _described(ctx, found, ctx.db.get(FriendRequest, found.friend_request_id)
                      if found.friend_request_id else None)


def press(ctx: Context, raw: str) -> Answer:
    """Let the message go, as far as the gate does; an answer other than OPEN changed nothing. Raises: BadToken."""
    found = links.take(ctx, links.Purpose.PRESS, raw)
    request = ctx.db.get(FriendRequest, found.friend_request_id, with_for_update=True,
                         populate_existing=True) if found.friend_request_id else None
    answer = _described(ctx, found, request)
    offer = settings.offer_of(ctx, request.list_id) if request else None
    if answer.outcome is not Outcome.OPEN or request is None or offer is None:
        return answer
    links.use_up(ctx, found)
    now = ctx.clock.now()
    mark = int.from_bytes(ctx.tokens.random_bytes(MARK_BYTES), "big") >> 1
    request.state, request.pressed_at, request.mark = "pressed", now, mark
    url = profile.current(ctx).public_url
    singles.enqueue(
        ctx, MessageClass.INVITATION, subject=f"friend_request:{request.id}", occasion="once", channel=CHANNEL,
        friend_request_id=request.id, not_after=request.asked_at + SEALED_FOR,
        detail={"page": f"{url}/friend/{ctx.signer.sign(Link.FRIEND, request.id, mark)}",
                "join": f"{url}/join/{offer.slug}", "list_name": offer.list_name})
    return answer


def forget_pair(ctx: Context, request: FriendRequest) -> None:
    """A request that nobody pressed for does not keep its sender from asking again."""
    limits.forget(ctx, _pair(ctx, request.sender_fingerprint, request.friend_fingerprint), PAIR.kind)


def _described(ctx: Context, found: links.Found, request: FriendRequest | None) -> Answer:
    if found.outcome is not Outcome.OPEN:
        return Answer(found.outcome, found.day)
    now = ctx.clock.now()
    if (request is None or request.state != "asked" or request.mode != profile.current(ctx).mode
            or not _offered(ctx, request.list_id)):
        return Answer(Outcome.WITHDRAWN, found.day)
    if request.asked_at + SEALED_FOR <= now:
        return Answer(Outcome.EXPIRED, found.day)
    return Answer(Outcome.OPEN, found.day)


def _offered(ctx: Context, list_id: int) -> bool:
    offer = settings.offer_of(ctx, list_id)
    return offer is not None and offer.by_mail


def _keep(ctx: Context, offer: Offer, asked: Checked) -> FriendRequest:
    owner = ctx.db.execute(select(func.nextval(func.pg_get_serial_sequence("person", "id")))).scalar_one()
    key, sender_key = ctx.sealer.new_key(person=owner), ctx.sealer.new_key(person=owner)
    request = FriendRequest(
        reserved=owner, mode=profile.current(ctx).mode, list_id=offer.list_id, asked_at=ctx.clock.now(),
        sealed_friend=key.seal(asked.friend.normalised, table="contact_point", row=owner, field="address"),
        sealed_sender=sender_key.seal(asked.sender.normalised, table="contact_point", row=owner, field="address"),
        sealed_sender_name=sender_key.seal(asked.first_name, table="friend_request", row=owner, field="sender_name"),
        sealed_words=key.seal(asked.words, table="friend_request", row=owner, field="words") if asked.words else None,
        friend_fingerprint=ctx.sealer.fingerprint(CHANNEL, asked.friend.identity),
        sender_fingerprint=ctx.sealer.fingerprint(CHANNEL, asked.sender.identity),
        fingerprint_version=ctx.sealer.fingerprint_version, domain_hash=ctx.sealer.domain_hash(asked.friend.domain))
    ctx.db.add(request)
    ctx.db.flush()
    ctx.db.add_all([FriendKey(friend_request_id=request.id, wrapped=key.wrapped),
                    FriendSenderKey(friend_request_id=request.id, wrapped=sender_key.wrapped)])
    ctx.db.flush()
    return request


def _mail_press(ctx: Context, request: FriendRequest) -> None:
    """To the sender's own mailbox; it names neither the friend nor the words, as anybody may have typed both."""
    raw = links.issue(ctx, links.Purpose.PRESS, friend_request_id=request.id)
    singles.enqueue(
        ctx, MessageClass.PRESS, subject=f"friend_request:{request.id}", occasion="once", channel=CHANNEL,
        friend_request_id=request.id, not_after=request.asked_at + SEALED_FOR,
        detail={"asked_on": words.full_day(ctx.clock.now().date()),
                "link": f"{profile.current(ctx).public_url}/friend/press/{raw}"})


def _was_reported(ctx: Context, asked: Checked) -> bool:
    """Whether a friend of these days said that they did not know this sender."""
    return ctx.db.scalar(select(FriendRequest.id).where(
        FriendRequest.sender_fingerprint.in_(ctx.sealer.fingerprints(CHANNEL, asked.sender.identity)),
        FriendRequest.reported).limit(1)) is not None


def _pair(ctx: Context, sender: bytes, friend: bytes) -> bytes:
    return ctx.sealer.bucket(f"friend_pair/{profile.current(ctx).mode}", f"{sender.hex()}/{friend.hex()}")
