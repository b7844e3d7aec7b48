"""Limits are set by name, checked, told in words, and nothing personal of them is written down for ever."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select, text

from mailer.audit.models import AuditEntry
from mailer.context import Context
from mailer.core.errors import InvalidInput, NotFound
from mailer.core.lanes import OWN, lane_of
from mailer.outbox import lanes
from mailer.outbox.lanes import Place, Wish
from mailer.services import Services, unit_of_work
from mailer.settings import Fixed
from tests.conftest import FixedClock

RELAY = Place("server", "relay")


def knowing(ctx: Context, *servers: tuple[str, int]) -> Context:
    """The same unit of work where SMTP_URL names these servers."""
    return replace(ctx, fixed=Fixed(mail_servers=servers))


@pytest.mark.parametrize("wish, field", [
    (Wish(burst=5), "per_second"), (Wish(per_second=0), "per_second"), (Wish(per_second=-1), "per_second"),
    (Wish(per_second=float("nan")), "per_second"), (Wish(per_second=float("inf")), "per_second"),
    (Wish(per_second=1, burst=0), "burst"), (Wish(per_second=1, burst=10**30), "burst"),
    (Wish(per_second=1, per_day=9), "warm_up"), (Wish(per_second=1, per_day=-1), "warm_up"),
    (Wish(per_second=1, per_day=86_400), "warm_up"), (Wish(per_second=1, per_day=100, factor=1), "factor"),
    (Wish(per_second=1, per_day=100, factor=10.5), "factor"),
])
def test_a_limit_that_makes_no_sense_is_refused_and_the_field_named(services: Services, wish: Wish, field: str
                                                                   ) -> None:
    with unit_of_work(services) as ctx, pytest.raises(InvalidInput) as refused:
        lanes.set_limit(ctx, RELAY, wish)
    assert refused.value.context["field"] == field


def test_what_is_not_given_stays_and_a_warm_up_begins_again_only_when_it_changes(
        services: Services, clock: FixedClock) -> None:
    with unit_of_work(services) as ctx:
        made = lanes.set_limit(ctx, RELAY, Wish(per_second=2.5, per_day=1_000))
    assert (made.limit.burst, made.limit.ramp_from, made.today) == (3, date(2026, 3, 2), 1_000)
    assert made.full_on == date(2026, 3, 10)
    clock.advance(days=2)
    with unit_of_work(services) as ctx:
        again = lanes.set_limit(ctx, RELAY, Wish(burst=7, per_day=1_000))
        assert (again.limit.per_second, again.limit.burst, again.today) == (2.5, 7, 4_000)
        slower = lanes.set_limit(ctx, RELAY, Wish(factor=1.5))
        assert (slower.limit.ramp_from, slower.today) == (date(2026, 3, 4), 1_000)
        ended = lanes.set_limit(ctx, RELAY, Wish(per_day=0))
        assert (ended.today, ended.full_on, lanes.ramp(ended, 9)) == (None, None, [])
        assert lanes.described(ended) == "At most 2.5 a second, 7 at once."


def test_a_warm_up_is_told_day_by_day(services: Services) -> None:
    with unit_of_work(services) as ctx:
        made = lanes.set_limit(ctx, RELAY, Wish(per_second=0.1, per_day=2_000))
        assert [allowed for _, allowed in lanes.ramp(made, 30)] == [2_000, 4_000, 8_000]
        assert lanes.described(made) == ("At most 0.1 a second, 1 at once. Warm-up: 2,000 today, each day 2 times as "
                                         "many, the whole from 5 March 2026.")


def test_a_domain_is_known_by_the_lane_of_its_hash_however_it_is_typed(services: Services) -> None:
    with unit_of_work(services) as ctx:
        at = lanes.place(ctx, "domain", " BÜCHER.example ")
        assert at.name == "xn--bcher-kva.example"
        assert at.lane == lane_of(ctx.sealer.domain_hash("xn--bcher-kva.example")) >= OWN


@pytest.mark.parametrize("scope, name", [
    ("planet", "x"), ("server", "other"), ("server", ""), ("server", "a\nb"), ("sender", "news"), ("domain", "@"),
    ("domain", "a b.example"), ("domain", "")])
def test_a_name_that_stands_for_nothing_is_refused(services: Services, scope: str, name: str) -> None:
    with unit_of_work(services) as ctx, pytest.raises(InvalidInput):
        lanes.place(knowing(ctx, ("relay", 1)), scope, name)


def test_the_audit_trail_says_who_and_what_but_no_address_and_no_domain(services: Services) -> None:
    with unit_of_work(services) as ctx:
        for scope, name in (("sender", "News@Example.org"), ("domain", "quill.example"), ("server", "relay")):
            lanes.set_limit(ctx, lanes.place(ctx, scope, name), Wish(per_second=5))
        lanes.remove(ctx, lanes.place(ctx, "sender", "news@example.org"))
    with unit_of_work(services) as ctx:
        noted = [(each.act, each.about, str(each.detail)) for each in ctx.db.scalars(select(AuditEntry))]
        assert [act for act, _, _ in noted] == ["speed_limit_set"] * 3 + ["speed_limit_removed"]
        assert "example" not in str(noted)
        assert [(each.scope, each.name) for each in lanes.listed(ctx)] == [
            ("server", "relay"), ("domain", "quill.example")]
        with pytest.raises(NotFound):
            lanes.remove(ctx, Place("server", "nowhere"))


def test_lanes_left_alone_are_shown_and_named_only_where_someone_typed_the_name(services: Services) -> None:
    """Decision 12: a domain's name is kept only where it points at nobody."""
    with unit_of_work(services) as ctx:
        at = lanes.place(ctx, "domain", "big.example")
        lanes.set_limit(ctx, at, Wish(per_second=5))
        ctx.db.execute(text("""
            INSERT INTO lane_hold (lane, until, step, code) VALUES
            (3, clock_timestamp() + interval '40 seconds', 0, '421'),
            (4, clock_timestamp() - interval '40 seconds', 0, '421'),
            (:own, clock_timestamp() + interval '10 seconds', 1, '451 4.7.1'),
            (:other, clock_timestamp() + interval '10 seconds', 1, '421')"""), {"own": at.lane, "other": OWN | 5})
        found = [(each.name, each.shared, each.code) for each in lanes.held(ctx)]
    assert sorted(found) == [("", False, "421"), ("", True, "421"), ("big.example", False, "451 4.7.1")]


def test_every_server_is_shown_with_its_weight_and_its_rest(services: Services) -> None:
    with unit_of_work(services) as ctx:
        ctx.db.execute(text("INSERT INTO server_hold (server, until, since, step, code) VALUES "
                            "('b', clock_timestamp() + interval '60 seconds', clock_timestamp(), 1, '535 5.7.8')"))
        states = lanes.server_states(knowing(ctx, ("a", 3), ("b", 1)))
        assert [(each.name, each.weight, each.hold.why if each.hold else "") for each in states] == [
            ("a", 3, ""), ("b", 1, "refused our user name or password (535 5.7.8)")]
        assert [each.name for each in lanes.server_states(ctx)] == ["b"]
