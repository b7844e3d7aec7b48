"""A report of a child: one answer, stopped at once, erased in time or lifted by an adult (decision 41)."""

from sqlalchemy import select

from mailer.audience.queries import Scope
from mailer.audience.queries import people as listed
from mailer.rights import children, requests
from mailer.rights.models import ChildReport
from tests.conftest import FixedClock
from tests.rights.conftest import People


def reports(people: People) -> list[tuple[str, str | None]]:
    with people.world.unit() as ctx:
        rows = ctx.db.scalars(select(ChildReport).order_by(ChildReport.id)).all()
        return [(row.state, requests.get(ctx, row.request_id).outcome if row.request_id else None) for row in rows]


def report(people: People, address: str) -> None:
    with people.world.unit() as ctx:
        children.report(ctx, address)


def test_a_known_address_is_stopped_hidden_and_told_at_once(people: People) -> None:
    """S26."""
    people.join("kid@example.org")
    report(people, "kid@example.org")
    assert set(people.world.stands("kid@example.org").values()) == {"ended"}
    assert people.world.stopped("kid@example.org") == {("child", 0)}
    assert [each.detail["template"] for each in people.world.letters("rights_answer")] == ["child_reported"]
    with people.world.unit() as ctx:
        assert not listed(ctx, Scope()).rows


def test_an_unknown_address_is_stopped_alike_and_nothing_of_it_is_kept_but_a_fingerprint(people: People) -> None:
    report(people, "nobody@example.org")
    report(people, "nobody@example.org")
    assert people.world.stopped("nobody@example.org") == {("child", 0)}
    assert reports(people) == [("open", "")] and not people.world.letters("rights_answer")


def test_the_child_is_erased_by_itself_on_the_seventh_day(people: People, clock: FixedClock) -> None:
    """S26."""
    people.join("kid@example.org")
    report(people, "kid@example.org")
    with people.world.unit() as ctx:
        assert children.erase_due(ctx) == 0
    clock.advance(days=7)
    with people.world.unit() as ctx:
        assert children.erase_due(ctx) == 1
    assert people.world.point("kid@example.org") is None
    assert people.world.stopped("kid@example.org") == {("child", 0), ("erased", 0)}
    assert reports(people) == [("erased", "erased")]


def test_an_adult_s_objection_lifts_it_and_revives_nothing(people: People, clock: FixedClock) -> None:
    people.join("adult@example.org")
    report(people, "adult@example.org")
    with people.world.unit() as ctx:
        found = ctx.db.scalars(select(ChildReport)).one()
        children.object_to(ctx, found, by="self")
    clock.advance(days=8)
    with people.world.unit() as ctx:
        assert children.erase_due(ctx) == 0
    assert people.world.stopped("adult@example.org") == set()
    assert set(people.world.stands("adult@example.org").values()) == {"ended"}
    assert reports(people) == [("objected", "an adult objected")]
