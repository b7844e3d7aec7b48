"""Whatever people do, in whatever order, what stands is what the ledger says."""

from collections.abc import Iterator
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from mailer.audience.models import ContactPoint, Person
from mailer.consent import ledger, seal
from mailer.consent.models import LedgerEntry, Standing
from mailer.consent.verify import verify
from mailer.context import Context
from mailer.core.messages import Purpose
from mailer.services import Services, unit_of_work
from tests.people.builders import EVIDENCE, a_list, join

PURPOSES = st.sampled_from([Purpose.OWN_OFFERS, Purpose.PARTNER_OFFERS])
PLACES = st.integers(0, 2)


def replayed(ctx: Context) -> dict[tuple[int, int, int, str], tuple[str, int]]:
    """The standing of everybody, from the ledger alone."""
    points = {subject: point for subject, point in ctx.db.execute(
        select(Person.subject, ContactPoint.id).join(ContactPoint, ContactPoint.person_id == Person.id))}
    state: dict[tuple[int, int, int, str], tuple[str, int]] = {}
    for row in ctx.db.scalars(select(LedgerEntry).order_by(LedgerEntry.seq)):
        name = (points[row.subject], row.list_id, row.topic_id, row.purpose)
        before = state.get(name, ("", 0))[0]
        if not (before == "refused" and row.act == "ended"):
            state[name] = (ledger.STATE[ledger.Act(row.act)], row.seq)
    return state


class Lives(RuleBasedStateMachine):
    services: ClassVar[Services]

    def __init__(self) -> None:
        super().__init__()
        with unit_of_work(self.services) as ctx:
            name = ctx.tokens.new_id().hex
            made = [a_list(ctx, f"{name} {n}", ("One", "Two")) for n in range(2)]
            self.lists = [(each.id, topics) for each, topics in made]
            self.points = [join(ctx, f"{name}{n}@example.org", *self.lists[n % 2]) for n in range(3)]

    @rule(verb=st.sampled_from(["grant", "refuse", "end"]), who=PLACES, where=st.integers(0, 1),
          topic=st.integers(0, 1), purpose=PURPOSES)
    def act(self, verb: str, who: int, where: int, topic: int, purpose: Purpose) -> None:
        list_id, topics = self.lists[where]
        with unit_of_work(self.services) as ctx:
            getattr(ledger, verb)(ctx, self.points[who], list_id=list_id, topic_id=topics[topic], purpose=purpose,
                                  evidence=EVIDENCE)

    @rule(who=PLACES, where=st.sampled_from([0, 1, None]))
    def leave(self, who: int, where: int | None) -> None:
        with unit_of_work(self.services) as ctx:
            list_id = None if where is None else self.lists[where][0]
            gone = ledger.end_all(ctx, self.points[who], list_id=list_id, evidence=EVIDENCE)
            live = ctx.db.scalars(select(Standing).where(
                Standing.contact_point_id == self.points[who].id, Standing.state == "live")).all()
            assert all(list_id is not None and row.list_id != list_id for row in live)
            assert len(set(gone)) == len(gone)

    @rule(size=st.integers(1, 4))
    def seal(self, size: int) -> None:
        with unit_of_work(self.services) as ctx:
            seal.seal_batch(ctx, size)

    @invariant()
    def what_stands_is_what_the_ledger_says(self) -> None:
        with unit_of_work(self.services) as ctx:
            standing = {(row.contact_point_id, row.list_id, row.topic_id, row.purpose): (row.state, row.seq)
                        for row in ctx.db.scalars(select(Standing))}
            assert standing == replayed(ctx)

    def teardown(self) -> None:
        with unit_of_work(self.services) as ctx:
            assert verify(ctx).ok


@pytest.fixture
def lives(services: Services) -> Iterator[type[Lives]]:
    Lives.services = services
    yield Lives


def test_the_projection_equals_a_replay_of_the_ledger(lives: type[Lives]) -> None:
    """Decision 2: `standing` is made from the ledger."""
    run_state_machine_as_test(lives, settings=settings(
        max_examples=12, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)))
