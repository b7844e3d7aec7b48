"""Tables of tell-a-friend: what is sealed until the one message is handed over, and codes that lift a "never"."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from mailer.audience.models import MODES
from mailer.db import Model, personal

GONE = "emptied at hand-over, row deleted after 30 days"


class FriendSetting(Model):
    """What a list offers: text to share, and mail by our server where the policy pack allows that too."""

    __tablename__ = "friend_setting"

    list_id: Mapped[int] = mapped_column(ForeignKey("mailing_list.id"), primary_key=True, autoincrement=False)
    shares: Mapped[bool] = mapped_column(default=False)
    by_mail: Mapped[bool] = mapped_column(default=False)


class FriendRequest(Model):
    """One message that somebody asked us to pass on (decision 27).

    Sealed under a key of its own, made for the number in `reserved` as for a person: both addresses as a contact
    point's address is, name and words as table `friend_request`, that number, fields `sender_name` and `words`. The
    friend's address goes at hand-over, or 24 hours after it was typed; the sender stays 30 days, for the friend's page.
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
    sealed_sender: Mapped[bytes | None] = mapped_column(info=personal("sender's address", erase=GONE))
    sealed_sender_name: Mapped[bytes | None] = mapped_column(info=personal("sender's first name", erase=GONE))
    sealed_words: Mapped[bytes | None] = mapped_column(info=personal("sender's words", erase=GONE))
    friend_fingerprint: Mapped[bytes] = mapped_column(info=personal("address fingerprint", erase=GONE))
    sender_fingerprint: Mapped[bytes] = mapped_column(info=personal("address fingerprint", erase=GONE))
    fingerprint_version: Mapped[int] = mapped_column(SmallInteger)
    domain_hash: Mapped[bytes] = mapped_column(info=personal("mail domain, keyed hash", erase=GONE))
    asked_at: Mapped[datetime]
    pressed_at: Mapped[datetime | None]
    handed_on: Mapped[date | None]
    reported: Mapped[bool] = mapped_column(default=False)


class FriendKey(Model):
    """The key of one friend request; deleting it makes the request unreadable."""

    __tablename__ = "friend_key"
    __table_args__ = {"schema": "vault"}

    friend_request_id: Mapped[int] = mapped_column(
        ForeignKey("friend_request.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    wrapped: Mapped[bytes] = mapped_column(info=personal("key", erase="delete row"))


class NeverCode(Model):
    """A code that lifts "never write to me", by its keyed hash (decision 26)."""

    __tablename__ = "never_code"

    hash: Mapped[bytes] = mapped_column(primary_key=True)
    channel: Mapped[str]
    fingerprint: Mapped[bytes] = mapped_column(
        info=personal("address fingerprint", erase="kept, so that the person may lift their own word"))
    fingerprint_version: Mapped[int] = mapped_column(SmallInteger)
    day: Mapped[date]
