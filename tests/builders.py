"""A small world to test in, made with the product's own verbs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from mailer.audience import contact_points
from mailer.audience.models import ContactPoint
from mailer.consent import standing
from mailer.context import Context
from mailer.core.links import Link
from mailer.core.modes import Mode
from mailer.lists import catalogue, forms
from mailer.lists.forms import Definition
from mailer.organisation import profile
from mailer.outbox import singles
from mailer.outbox.models import SingleMessage
from mailer.policy import notices
from mailer.services import Services, unit_of_work
from mailer.subscriptions import claims, confirm, join
from mailer.subscriptions.answers import Answers
from mailer.suppression import registry

TOPICS = ("New releases", "Sheet music", "Events")


@dataclass(frozen=True)
class AList:
    """A list of the world: its id, its name, its topics' ids by name."""

    id: int
    name: str
    topics: dict[str, int]


@dataclass(frozen=True)
class ALetter:
    """A single message that waits: its class and what its template says."""

    id: int
    kind: str
    subject: str
    detail: dict[str, Any]


class World:
    """An organisation with a notice; lists, forms and people as a test asks for them."""

    def __init__(self, services: Services, mode: Mode = Mode.LIVE) -> None:
        self.services = services
        with self.unit() as ctx:
            profile.ensure_instance(ctx)
            row = profile.ensure_row(ctx)
            row.name, row.postal_address, row.help_email = "Cadenza", "1 Quay Street\nBergen", "help@cadenza.example"
            row.public_url, row.mode = "https://news.cadenza.example", mode
            notices.publish(ctx, "2.1", "# What we do\n\nWe *keep* little.", ctx.clock.now() - timedelta(days=1))

    @contextmanager
    def unit(self) -> Iterator[Context]:
        with unit_of_work(self.services) as ctx:
            yield ctx

    def a_list(self, name: str = "Cadenza news", topics: Sequence[str] = TOPICS) -> AList:
        with self.unit() as ctx:
            made = catalogue.create_list(ctx, name, topics)
            return AList(made.id, name, {topic.name: topic.id for topic in catalogue.topics_of(ctx, made.id)})

    def a_form(self, of: AList, slug: str = "news", **says: Any) -> str:
        definition = Definition(**{"title": "Get news", "topics": tuple(of.topics.values())} | says)
        with self.unit() as ctx:
            forms.create_form(ctx, slug=slug, list_id=of.id, name=f"Form {slug}", definition=definition,
                              notice=notices.in_force(ctx))
        return slug

    def asked(self, address: str, topics: Sequence[int], form: str = "news", **answers: Any) -> str | None:
        """Ask by a form; the token of the link that was mailed for it, if one was."""
        before = {letter.id for letter in self.letters("confirmation")}
        with self.unit() as ctx:
            _, version = forms.current(ctx, form)
            join.ask(ctx, version, Answers(channel="email", address=address, topics=frozenset(topics), **answers))
        new = [letter for letter in self.letters("confirmation") if letter.id not in before]
        return str(new[0].detail["link"]).rpartition("/")[2] if new else None

    def subscribed(self, address: str, topics: Sequence[int], form: str = "news", **answers: Any) -> int:
        """Ask and confirm; the id of the contact point."""
        token = self.asked(address, topics, form, **answers)
        assert token
        with self.unit() as ctx:
            confirm.confirm(ctx, token)
        point = self.point(address)
        assert point
        return point.id

    def letters(self, kind: str | None = None) -> list[ALetter]:
        """Single messages, oldest first."""
        with self.unit() as ctx:
            rows = ctx.db.scalars(select(SingleMessage).order_by(SingleMessage.id)).all()
            return [ALetter(row.id, row.kind, row.subject, singles.detail_of(self.services.opener, row))
                    for row in rows if kind in (None, row.kind)]

    def point(self, address: str) -> ContactPoint | None:
        with self.unit() as ctx:
            return contact_points.find(ctx, "email", contact_points.parse(ctx, "email", address))

    def stands(self, address: str) -> dict[tuple[int, str], str]:
        """State by topic and purpose."""
        point = self.point(address)
        with self.unit() as ctx:
            return {(row.topic_id, row.purpose): row.state for row in standing.of(ctx, point.id)} if point else {}

    def stopped(self, address: str) -> set[tuple[str, int]]:
        """Reasons and scopes on the stop list."""
        with self.unit() as ctx:
            identity = contact_points.parse(ctx, "email", address).identity
            found = registry.entries(ctx, "email", ctx.sealer.fingerprints("email", identity))
            return {(entry.reason, entry.list_id) for entry in found}

    def link(self, link: Link, contact_point_id: int, second: int = 0) -> str:
        """The path of a link that stands in a message."""
        return f"/{claims.PATHS[link]}/{self.services.signer.sign(link, contact_point_id, second)}"
