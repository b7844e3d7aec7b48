"""Tables of tell-a-friend: what is sealed until the one message is handed over, marks, and codes that lift "never"."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from mailer.audience.models import MODES
from mailer.db import Model, personal

GONE = "emptied at hand-over, row deleted after 30 days"
SENDER_GONE = "delete row, also after 30 days"


class FriendSetting(Model):
    """What a list offers: text to share, and mail by our server where the policy pack allows that too."""

    __tablename__ = "friend_setting"

    list_id: Mapped[int] = mapped_column(ForeignKey("mailing_list.id"), primary_key=True, autoincrement=False)
    shares: Mapped[bool] = mapped_column(default=False)
    by_mail: Mapped[bool] = mapped_column(default=False)


class FriendRequest(Model):
    """One message that somebody asked us to pass on (decision 27).

    Sealed under two keys of its own, made for the number in `reserved` as for a person: both addresses as a contact
    point's address is, name and words as table `friend_request`, that number, fields `sender_name` and `words`. The
    friend's address and the words, with the key that opens them, go at hand-over, or 24 hours after they were typed;
    the sender stays 30 days, for the friend's page. `handed_on` is the day on which the gate let the one message go:
    from then on the stop list's `friend_only` is this request's own doing. `mark` leads to the friend's fingerprint
    until hand-over; afterwards only the link in the friend's message knows which mark belongs to which request.
    """

    __tablename__ = "friend_request"
    __table_args__ = (
        CheckConstraint(MODES, name="mode"),
        CheckConstraint("state IN ('asked', 'pressed', 'handed', 'over')", name="state"),
        Index(None, "friend_fingerprint"),
        Index(None, "sender_fingerprint", "asked_at"),
        Index(None, "asked_at"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    reserved: Mapped[int]
    mode: Mapped[str]
    state: Mapped[str] = mapped_column(default="asked")
    list_id: Mapped[int] = mapped_column(ForeignKey("mailing_list.id"))
    sealed_friend: Mapped[bytes | None] = mapped_column(info=personal("friend's address", erase=GONE))
    sealed_sender: Mapped[bytes | None] = mapped_column(info=personal("sender's address", erase=SENDER_GONE))
    sealed_sender_name: Mapped[bytes | None] = mapped_column(
        info=personal("sender's first name", erase=SENDER_GONE))
    sealed_words: Mapped[bytes | None] = mapped_column(info=personal("sender's words", erase=GONE))
    friend_fingerprint: Mapped[bytes] = mapped_column(info=personal("address fingerprint", erase=GONE))
    sender_fingerprint: Mapped[bytes] = mapped_column(info=personal("address fingerprint", erase=SENDER_GONE))
    fingerprint_version: Mapped[int] = mapped_column(SmallInteger)
    domain_hash: Mapped[bytes] = mapped_column(info=personal("mail domain, keyed hash", erase=GONE))
    asked_at: Mapped[datetime]
    pressed_at: Mapped[datetime | None]
    handed_on: Mapped[date | None]
    mark: Mapped[int | None]
    reported: Mapped[bool] = mapped_column(default=False)


class FriendKey(Model):
    """The key of the friend's address and the words; deleting it makes both unreadable, in old copies too."""

    __tablename__ = "friend_key"
    __table_args__ = {"schema": "vault"}

    friend_request_id: Mapped[int] = mapped_column(
        ForeignKey("friend_request.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    wrapped: Mapped[bytes] = mapped_column(info=personal("key", erase="delete row"))


class FriendSenderKey(Model):
    """The key of what we know of the sender, kept as long as the request."""

    __tablename__ = "friend_sender_key"
    __table_args__ = {"schema": "vault"}

    friend_request_id: Mapped[int] = mapped_column(
        ForeignKey("friend_request.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    wrapped: Mapped[bytes] = mapped_column(info=personal("key", erase="delete row"))


class FriendMark(Model):
    """A random number in the link of a friend's message, and the fingerprint for which that link may say "never".

    No request names it once its message was handed over, so no row joins a sender with a friend.
    """

    __tablename__ = "friend_mark"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    fingerprint: Mapped[bytes] = mapped_column(
        info=personal("address fingerprint", erase="kept, so that the friend can still say never"))
    fingerprint_version: Mapped[int] = mapped_column(SmallInteger)


class NeverCode(Model):
    """A code that lifts "never write to me", by its keyed hash (decision 26)."""

    __tablename__ = "never_code"
    __table_args__ = (Index(None, "fingerprint"),)

    hash: Mapped[bytes] = mapped_column(primary_key=True)
    channel: Mapped[str]
    fingerprint: Mapped[bytes] = mapped_column(
        info=personal("address fingerprint", erase="kept, so that the person may lift their own word"))
    fingerprint_version: Mapped[int] = mapped_column(SmallInteger)
    day: Mapped[date]
