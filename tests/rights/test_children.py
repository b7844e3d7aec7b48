"""A report of a child: one answer, stopped at once, erased in time or lifted by an adult (decision 41)."""

from sqlalchemy import select

from mailer.audience.models import ContactPoint, PendingRequest
from mailer.audience.queries import Scope
from mailer.audience.queries import people as listed
from mailer.rights import children, requests
from mailer.rights.models import ChildReport
from mailer.rotation import rotate
from mailer.subscriptions import address as changing
from mailer.subscriptions import confirm
from mailer.subscriptions.links import Outcome
from mailer.suppression.models import Suppression
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


def test_a_report_withdraws_a_change_of_address_that_waits(people: People) -> None:
    """S26: whoever was reported is found where the report looks for them."""
    point = people.join("kid@example.org")
    with people.world.unit() as ctx:
        changing.ask(ctx, ctx.db.get_one(ContactPoint, point.id), "new@example.org", source="preferences")
    raw = str(people.world.letters("confirmation")[-1].detail["link"]).rpartition("/")[2]
    report(people, "kid@example.org")
    with people.world.unit() as ctx:
        assert not changing.waiting(ctx, point.id)
        assert changing.look(ctx, raw).outcome is Outcome.WITHDRAWN


def test_an_unknown_address_is_stopped_alike_and_nothing_of_it_is_kept_but_a_fingerprint(people: People) -> None:
    report(people, "nobody@example.org")
    report(people, "nobody@example.org")
    assert people.world.stopped("nobody@example.org") == {("child", 0)}
    assert reports(people) == [("open", "")] and not people.world.letters("rights_answer")


def test_who_asked_to_join_with_a_reported_address_joins_no_more_known_or_not(people: People) -> None:
    """S26: the link in the message is over, and what was asked is forgotten."""
    people.join("kid@example.org")
    other = people.world.a_list("Another list", ("Letters",))
    people.world.a_form(other, slug="other")
    for address in ("kid@example.org", "nobody@example.org"):
        token = people.world.asked(address, tuple(other.topics.values()), form="other")
        report(people, address)
        with people.world.unit() as ctx:
            assert token and confirm.confirm(ctx, token).outcome is Outcome.WITHDRAWN
            assert not ctx.db.scalars(select(PendingRequest)).all()
    assert people.world.point("nobody@example.org") is None


def test_a_report_while_a_new_key_waits_is_kept_under_the_version_that_it_names(people: People) -> None:
    """S26: else the next rotation would lose it."""
    rotate.add(people.world.services.settings.key_file, people.world.services.tokens)
    assert people.world.services.sealer.knows_version(2)
    report(people, "kid@example.org")
    with people.world.unit() as ctx:
        [kept], [stop] = ctx.db.scalars(select(ChildReport)).all(), ctx.db.scalars(select(Suppression)).all()
        for row in (kept, stop):
            assert (row.fingerprint, row.fingerprint_version) == (ctx.sealer.fingerprint("email", "kid@example.org"), 1)


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
