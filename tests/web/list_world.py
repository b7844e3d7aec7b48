"""A list, its form and its people, made by the product's own verbs through its own doors."""

import re
from dataclasses import dataclass

from sqlalchemy import text

from mailer.audience.models import ContactPoint
from mailer.core.modes import Mode
from mailer.lists import catalogue, forms
from mailer.lists.forms import Definition
from mailer.organisation import profile
from mailer.outbox import singles
from mailer.outbox.models import SingleMessage
from mailer.policy import notices
from mailer.services import Services, unit_of_work
from mailer.subscriptions import confirm, join
from mailer.subscriptions.answers import Answers
from tests.people import builders

CANARY = "zanzibarowl@canary-quill.example"


@dataclass
class Club:
    """One list with two topics, a notice, a form in version 1."""

    services: Services
    list_id: int = 0
    topics: tuple[int, ...] = ()
    form_id: int = 0

    def __post_init__(self) -> None:
        with unit_of_work(self.services) as ctx:
            profile.ensure_instance(ctx)
            row = profile.ensure_row(ctx)
            row.name, row.postal_address, row.help_email = "Cadenza Music", "1 Quay Street", "help@cadenza.example"
            made = catalogue.create_list(ctx, "Concert news", ["New releases", "Events"], "What we play, and where.")
            self.list_id = made.id
            self.topics = tuple(topic.id for topic in catalogue.topics_of(ctx, made.id))
            notice = notices.publish(ctx, "1", "How we use it.", ctx.clock.now(), starter=True)
            self.form_id = forms.create_form(ctx, slug="concert-news", list_id=made.id, name="Website", notice=notice,
                                             definition=Definition(title="Get concert news", topics=self.topics)).id

    def ask_only(self, address: str, *, first_name: str = "") -> None:
        """Ask to join by the form, whatever comes of it."""
        with unit_of_work(self.services) as ctx:
            _, version = forms.current(ctx, "concert-news")
            join.ask(ctx, version, Answers("email", address, frozenset(self.topics[:1]), first_name))

    def ask(self, address: str, *, first_name: str = "") -> int:
        """Ask to join by the form; the number of the request."""
        self.ask_only(address, first_name=first_name)
        return int(self.one("SELECT max(id) FROM pending_request"))

    def mailed(self, request_id: int) -> str:
        """The confirmation as the worker's hands leave it: decided, accepted; the token that was in it."""
        with unit_of_work(self.services) as ctx:
            single = ctx.db.query(SingleMessage).filter_by(pending_request_id=request_id).one()
            link = singles.detail_of(self.services.opener, single)["link"]
            ctx.db.execute(text("INSERT INTO single_decision (single_id, attempt, cleared, at) "
                                "VALUES (:id, 1, true, :at)"), {"id": single.id, "at": ctx.clock.now()})
            ctx.db.execute(text("UPDATE single_message SET state = 'accepted', attempt = 1, decided = 1, "
                                "cleared = true, sealed_detail = NULL WHERE id = :id"), {"id": single.id})
        found = re.search(r"/confirm/([a-z2-7]+)$", link)
        assert found
        return found[1]

    def confirmed(self, address: str, *, first_name: str = "") -> int:
        """Somebody who asked, was mailed and confirmed; the number of their contact point."""
        self.confirm(self.mailed(self.ask(address, first_name=first_name)))
        return int(self.one("SELECT max(id) FROM contact_point"))

    def confirm(self, raw: str) -> None:
        with unit_of_work(self.services) as ctx:
            confirm.confirm(ctx, raw)

    def added(self, address: str) -> ContactPoint:
        """Somebody who is on the list, in the shortest way."""
        with unit_of_work(self.services) as ctx:
            return builders.join(ctx, address, self.list_id, list(self.topics[:1]))

    def campaign(self, name: str = "Spring tour") -> int:
        """A draft to the first topic."""
        with unit_of_work(self.services) as ctx:
            found = ctx.db.scalar(text(
                "INSERT INTO campaign (name, state, mode, list_id, topic_id, version, created_at, changed_at, "
                "planned_through, next_block, planning_done, stopping, sample) VALUES (:name, 'draft', :mode, :list, "
                ":topic, 1, :at, :at, 0, 1, false, false, false) RETURNING id"),
                {"name": name, "mode": Mode.PRACTICE, "list": self.list_id, "topic": self.topics[0],
                 "at": ctx.clock.now()})
        return int(found or 0)

    def one(self, query: str, **values: object) -> int:
        with unit_of_work(self.services) as ctx:
            return int(ctx.db.scalar(text(query), values) or 0)
