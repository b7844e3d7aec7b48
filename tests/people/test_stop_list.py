"""The stop list: one entry per reason and scope, lifted only by name."""

from datetime import timedelta

import pytest

from mailer.core.exits import ExitKind
from mailer.core.reasons import Reason
from mailer.services import Services, unit_of_work
from mailer.suppression import registry
from tests.conftest import FixedClock
from tests.people.test_exits import leave, lines_of, people


def test_suppressing_twice_is_suppressing_once(services: Services) -> None:
    _, [point] = people(services, 1)
    assert leave(services, point) is True
    assert leave(services, point) is False
    with unit_of_work(services) as ctx:
        assert len(registry.entries(ctx, "email", [point.fingerprint])) == 1
        assert [line.kind for line in lines_of(services)] == [ExitKind.EXIT]


def test_reasons_and_scopes_stand_side_by_side_and_only_the_named_are_lifted(services: Services) -> None:
    """Decision 2: one entry per reason and scope."""
    list_id, [point] = people(services, 1)
    for reason, scope in ((Reason.UNSUBSCRIBED, 0), (Reason.UNSUBSCRIBED, list_id), (Reason.COMPLAINED, 0)):
        assert leave(services, point, reason, scope)
    with unit_of_work(services) as ctx:
        about = {"channel": "email", "fingerprints": [point.fingerprint], "reasons": [Reason.UNSUBSCRIBED]}
        assert [each.list_id for each in registry.lift(ctx, list_id=list_id, **about)] == [list_id]
        assert [each.list_id for each in registry.lift(ctx, **about)] == [0]
        assert registry.lift(ctx, **about) == []
        assert [each.reason for each in registry.entries(ctx, "email", [point.fingerprint])] == ["complained"]


def test_an_entry_with_an_end_ends_by_itself_and_only_grows_stricter(services: Services, clock: FixedClock) -> None:
    """Decision 5: not_me holds for 30 days."""
    _, [point] = people(services, 1)
    today = clock.now().date()

    def not_me(days: int | None) -> bool:
        with unit_of_work(services) as ctx:
            return registry.suppress(ctx, channel="email", fingerprint=point.fingerprint, reason=Reason.NOT_ME,
                                     until=None if days is None else today + timedelta(days=days))

    def holds() -> int:
        with unit_of_work(services) as ctx:
            return len(registry.entries(ctx, "email", [point.fingerprint]))

    assert [not_me(30), not_me(10), not_me(31)] == [True, False, True]
    clock.advance(days=30)
    assert holds() == 1
    clock.advance(days=1)
    assert holds() == 0
    assert [not_me(None), not_me(99)] == [True, False]
    clock.advance(days=400)
    assert holds() == 1


def test_a_reason_that_is_no_stop_is_not_put_on_the_list(services: Services) -> None:
    _, [point] = people(services, 1)
    with pytest.raises(ValueError, match="does not suppress"):
        leave(services, point, Reason.PAUSED)
