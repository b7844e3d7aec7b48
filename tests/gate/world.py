"""People, lists and campaigns for the gate's tests, written straight into the tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import count
from typing import Any

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from mailer.audience.models import ContactPoint, PendingRequest, Person, PersonKey, Preference, RequestKey
from mailer.campaigns.models import Campaign
from mailer.consent.models import Standing
from mailer.context import Context
from mailer.core.messages import MessageClass, Purpose
from mailer.core.modes import Mode
from mailer.core.reasons import Reason
from mailer.core.vault import Use
from mailer.gate.decide import Answers, Ask, Powers, decide_campaign
from mailer.gate.terms import CampaignTerms
from mailer.lists.models import MailingList, Topic
from mailer.organisation.profile import ensure_row
from mailer.outbox.models import SingleMessage
from mailer.outbox.partitions import ensure_month
from mailer.services import Services
from mailer.staff.models import Staff
from mailer.suppression.models import DomainRule, Suppression

MONTH = date(2026, 3, 1)
NUMBERS = count(1)


@dataclass
class World:
    """One list with topics, and a campaign to all or some of them."""

    ctx: Context
    services: Services
    list_id: int
    topics: list[int]

    @property
    def db(self) -> Session:
        return self.ctx.db

    @property
    def now(self) -> datetime:
        return self.ctx.clock.now()

    def person(self, state: str | None = "live", *, topic: int | None = None, mode: Mode = Mode.LIVE,
               name: str | None = None, channel: str = "email", keyed: bool = True, **preference: Any) -> ContactPoint:
        """Somebody with an answer to a topic (the first, unless said)."""
        number = next(NUMBERS)
        person = Person(subject=self.ctx.tokens.new_id(), joined_on=self.now.date(), mode=mode)
        self.db.add(person)
        self.db.flush()
        key, address = self.ctx.sealer.new_key(person=person.id), address_of(number)
        if name:
            person.sealed_first_name = key.seal(name, table="person", row=person.id, field="first_name")
        if keyed:
            self.db.add(PersonKey(person_id=person.id, wrapped=key.wrapped))
        point = ContactPoint(
            person_id=person.id, channel=channel, mode=mode, fingerprint_version=1, domain_hash=bytes(8),
            sealed=key.seal(address, table="contact_point", row=person.id, field="address"),
            fingerprint=self.ctx.sealer.fingerprint(channel, address), has_name=bool(name))
        self.db.add(point)
        self.db.flush()
        self.db.add(Preference(contact_point_id=point.id, **preference))
        if state:
            self.answers(point, state, topic=topic, mode=mode)
        self.db.flush()
        return point

    def answers(self, point: ContactPoint, state: str, *, topic: int | None = None, mode: Mode = Mode.LIVE,
                purpose: Purpose = Purpose.OWN_OFFERS) -> None:
        topic = self.topics[0] if topic is None else topic
        self.db.merge(Standing(
            contact_point_id=point.id, list_id=self.list_id, topic_id=topic, purpose=purpose, state=state, mode=mode,
            since=self.now, seq=0))
        self.db.flush()

    def stop(self, fingerprint: bytes, reason: Reason, *, list_id: int = 0, topic_id: int = 0,
             until: date | None = None, channel: str = "email") -> None:
        self.db.merge(Suppression(
            channel=channel, fingerprint=fingerprint, list_id=list_id, topic_id=topic_id, reason=reason,
            fingerprint_version=1, mode=Mode.LIVE, day=self.now.date(), until=until))
        self.db.flush()

    def rule_domain_of(self, point: ContactPoint) -> None:
        """A rule of the organisation for this person's mail domain alone."""
        point.domain_hash = point.id.to_bytes(8, "big")
        self.db.add(DomainRule(domain_hash=point.domain_hash, name=f"d{point.id}.example", day=self.now.date(),
                               by="staff:1"))
        self.db.flush()

    def asks_to_join(self, address: str = "waits@example.org", source: str = "form") -> PendingRequest:
        pending = PendingRequest(
            reserved_person_id=10_000 + next(NUMBERS), channel="email", mode=Mode.LIVE, list_id=self.list_id,
            sealed=b"", fingerprint=self.ctx.sealer.fingerprint("email", address), fingerprint_version=1,
            domain_hash=bytes(8), topic_ids=self.topics[:1], asked_at=self.now, source=source,
            expires_at=self.now.replace(year=2027))
        key = self.ctx.sealer.new_key(person=pending.reserved_person_id)
        pending.sealed = key.seal(address, table="contact_point", row=pending.reserved_person_id, field="address")
        self.db.add(pending)
        self.db.flush()
        self.db.add(RequestKey(request_id=pending.id, wrapped=key.wrapped))
        self.db.flush()
        return pending

    def staff(self, address: str, *, state: str = "active", verified: bool = True) -> Staff:
        member = Staff(
            state=state, email_fingerprint=self.ctx.sealer.fingerprint("email", address), sealed_email=b"",
            sealed_name=b"", email_verified=verified, created_at=self.now)
        self.db.add(member)
        self.db.flush()
        member.sealed_email = self.ctx.sealer.seal_shared(
            Use.STAFF, address.encode(), table="staff", row=member.id, field="email")
        self.db.flush()
        return member

    def single(self, kind: MessageClass, *, point: ContactPoint | None = None,
               pending: PendingRequest | None = None, staff: Staff | None = None) -> SingleMessage:
        number = next(NUMBERS)
        message = SingleMessage(
            kind=kind, subject=f"s{number}", occasion="", channel="email", created_at=self.now,
            contact_point_id=point.id if point else None, pending_request_id=pending.id if pending else None,
            staff_id=staff.id if staff else None, not_after=self.now.replace(year=2027))
        self.db.add(message)
        self.db.flush()
        self.db.refresh(message)
        return message

    def campaign(self, *, mode: Mode = Mode.LIVE, topics: Sequence[int] | None = None,
                 kind: MessageClass = MessageClass.CAMPAIGN, purpose: Purpose = Purpose.OWN_OFFERS,
                 fields: tuple[str, ...] = (), month: date = MONTH) -> CampaignTerms:
        """A campaign that has begun, with the month's leaves."""
        ensure_month(self.ctx, month)
        row = Campaign(name="spring", mode=mode, list_id=self.list_id, created_at=self.now, changed_at=self.now,
                       started_at=self.now, month=month, state="sending")
        self.db.add(row)
        self.db.flush()
        return CampaignTerms(row.id, month, self.list_id, tuple(topics or self.topics[:1]), purpose, kind, "email",
                             mode, fields)

    def plan(self, terms: CampaignTerms, *points: ContactPoint) -> None:
        for point in points:
            self.db.execute(text(
                "INSERT INTO message (month, campaign_id, contact_point_id, block) VALUES (:month, :campaign, :id, 1)"),
                {"month": terms.month, "campaign": terms.campaign_id, "id": point.id})

    def decide(self, terms: CampaignTerms, *points: ContactPoint, attempt: int = 0,
               cursor: psycopg.Cursor[Any] | None = None) -> Answers:
        cursor = cursor or raw(self.ctx)
        powers = Powers(self.services.opener, self.services.sealer, self.ctx.clock, terms.channel, terms.mode)
        answers = decide_campaign(cursor, powers, terms, 7, [Ask(point.id, attempt) for point in points], 99.5)
        self.db.expire_all()
        return answers


def raw(ctx: Context) -> psycopg.Cursor[Any]:
    ctx.db.flush()
    return ctx.db.connection().connection.cursor()  # type: ignore[return-value]  # The pool's proxy hides its type.


def address_of(number: int) -> str:
    return f"person{number}@example.org"


def make(ctx: Context, services: Services, *, topics: int = 2, mode: Mode = Mode.LIVE) -> World:
    number = next(NUMBERS)
    ensure_row(ctx).mode = mode
    mailing_list = MailingList(name=f"list {number}", created_at=ctx.clock.now())
    ctx.db.add(mailing_list)
    ctx.db.flush()
    rows = [Topic(list_id=mailing_list.id, name=f"topic {each}") for each in range(topics)]
    ctx.db.add_all(rows)
    ctx.db.flush()
    return World(ctx, services, mailing_list.id, [row.id for row in rows])
