"""Whatever people do, in whatever order: nobody is written to without having agreed to just that."""

import os
from typing import ClassVar
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as some
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from mailer.consent import seal, verify
from mailer.exits import fence
from mailer.services import Services
from tests.conftest import FixedClock, administer
from tests.fakes.smtp_server import SmtpServer
from tests.flows.life import EVERYTHING, Life
from tests.flows.world import Sending

MANY = os.environ.get("HYPOTHESIS_PROFILE") == "full"
EXAMPLES, STEPS = (100 if MANY else 12), 30
AT_ONCE = 4
"""People of one example."""
who = some.integers(0, AT_ONCE - 1)
which = some.integers(0, 3)


class AnyOrder(RuleBasedStateMachine):
    """The acts as rules over one world, whose people are others in every example."""

    life: ClassVar[Life]
    kept_as: ClassVar[str]

    @initialize()
    def begin(self) -> None:
        self.people = [self.life.somebody_new() for _ in range(AT_ONCE)]
        self.life.kept = None

    @rule(person=who, place=which)
    def ask(self, person: int, place: int) -> None:
        list_id = self.life.topics[place][0]
        self.life.ask(self.people[person], list_id, {self.life.topics[place]})

    @rule(person=who, place=which)
    def join(self, person: int, place: int) -> None:
        self.ask(person, place)
        self.confirm(person)

    @rule(person=who)
    def confirm(self, person: int) -> None:
        if self.people[person] in self.life.asked:
            self.life.confirm(self.people[person])

    @rule(person=who, place=some.none() | which, whole=some.booleans())
    def leave(self, person: int, place: int | None, whole: bool) -> None:
        scope = EVERYTHING if place is None else self.life.topics[place]
        self.life.leave(self.people[person], (scope[0], 0) if whole else scope)

    @rule(person=who)
    def take_back(self, person: int) -> None:
        self.life.take_back(self.people[person])

    @rule(person=who)
    def pause(self, person: int) -> None:
        self.life.pause(self.people[person])

    @rule(person=who, on=some.booleans())
    def hold(self, person: int, on: bool) -> None:
        self.life.hold(self.people[person], on)

    @rule(person=who)
    def stop_another(self, person: int) -> None:
        self.life.stop_another(self.people[person])

    @rule(person=who)
    def erase(self, person: int) -> None:
        self.life.erase(self.people[person])

    @rule(person=who, place=which)
    def bring(self, person: int, place: int) -> None:
        self.life.bring(self.people[person], self.life.topics[place])

    @rule(sender=who, friend=who)
    def tell_a_friend(self, sender: int, friend: int) -> None:
        self.life.tell(self.people[sender], self.people[friend])

    @rule(person=who, to=who)
    def change_address(self, person: int, to: int) -> None:
        self.life.move(self.people[person], self.people[to])

    @rule(days=some.sampled_from([1, 40]))
    def wait(self, days: int) -> None:
        self.life.clock.advance(days=days)

    @rule()
    def back_up(self) -> None:
        self.life.back_up(self.kept_as)

    @precondition(lambda self: self.life.kept is not None)
    @rule()
    def put_back(self) -> None:
        self.life.put_back(self.kept_as)

    @rule(place=which, whole=some.booleans())
    def campaign(self, place: int, whole: bool) -> None:
        list_id, topic_id = self.life.topics[place]
        self.life.campaign(list_id, None if whole else topic_id)

    @invariant()
    def the_database_knows_every_exit(self) -> None:
        with self.life.house.unit() as ctx:
            folder = self.life.world.services.settings.data_dir / "exits"
            assert not fence.check(ctx.db, folder, ctx.host).refuses

    def teardown(self) -> None:
        for list_id in self.life.slugs:
            self.life.campaign(list_id, None)
        with self.life.house.unit() as ctx:
            while seal.seal_batch(ctx):
                continue
        with self.life.house.unit() as ctx:
            assert verify.verify(ctx).ok


@pytest.mark.timeout(900)
def test_in_any_order_nobody_is_written_to_without_a_live_consent(
        services: Services, server: SmtpServer, clock: FixedClock) -> None:
    """C1, M8, M17, T6, T13; section 3, items 3, 4 and 20. The ledger verifies after every run."""
    world = Sending(services, server)
    template = f"kept_{uuid4().hex[:12]}"
    try:
        run_state_machine_as_test(  # type: ignore[no-untyped-call] # hypothesis types it not.
            type("InThisWorld", (AnyOrder,), {"life": Life(world, clock), "kept_as": template}), settings=settings(
                max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, print_blob=True, database=None,
                derandomize=not MANY, suppress_health_check=list(HealthCheck)))
    finally:
        world.close()
        administer(services.settings.database_url, f"DROP DATABASE IF EXISTS {template} WITH (FORCE)")
