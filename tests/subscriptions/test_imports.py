"""An import only adds: with a stated basis, never over a stop or an answer."""

from datetime import date, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import text

from mailer.audience.models import ContactPoint
from mailer.core.errors import InvalidInput
from mailer.core.reasons import SUPPRESSING, Reason
from mailer.subscriptions import confirm, leave
from mailer.subscriptions.imports import Approval, Bad, Basis, Imported, ImportRow, import_people
from mailer.suppression import domains, registry
from tests.builders import AList, World
from tests.conftest import START

BASIS = Basis("Old shop", date(2025, 5, 1), "Yes, send me your news.", "Old Shop Ltd", "https://oldshop.example/privacy")
NUMBERS = count(1)
OFFICER = Approval("staff:4", "file 12/2026")


@pytest.fixture
def news(world: World) -> AList:
    made = world.a_list()
    world.a_form(made)
    return made


def rows(*addresses: str, basis: Basis | None = BASIS) -> list[ImportRow]:
    return [ImportRow(number, address, basis) for number, address in enumerate(addresses, 1)]


def bring(world: World, news: AList, *addresses: str, approval: Approval | None = None) -> Imported:
    with world.unit() as ctx:
        return import_people(ctx, rows(*addresses), list_id=news.id, approval=approval)


def test_people_are_asked_and_nothing_stands_before_their_own_press(world: World, news: AList) -> None:
    """A2, T4: the default asks each by one message."""
    assert bring(world, news, "dana@example.org").new == 1
    assert world.stands("dana@example.org") == {}
    [letter] = world.letters()
    assert letter.kind == "staff_invitation" and letter.detail["template"] == "invitation_to_list"
    with world.unit() as ctx:
        token = letter.detail["link"].rpartition("/")[2]
        assert confirm.look(ctx, token).agreed == ("New releases, Sheet music and Events, by email, as it happens.",)
        confirm.confirm(ctx, token)
    assert set(world.stands("dana@example.org").values()) == {"live"}
    with world.unit() as ctx:
        sources = ctx.db.execute(text("SELECT field, source, collector, policy FROM field_source")).all()
    assert ("email", "import: Old shop", "Old Shop Ltd", "https://oldshop.example/privacy") in sources


@pytest.mark.parametrize("basis", [
    None, Basis("", date(2025, 5, 1)), Basis("Old shop", None), Basis("  ", None), Basis("x" * 201, date(2025, 5, 1)),
    Basis("Old shop", START.date() + timedelta(days=1))])
def test_an_import_that_does_not_say_where_and_when_is_refused_whole(
        world: World, news: AList, basis: Basis | None) -> None:
    """M28."""
    mixed = [*rows("a@example.org"), ImportRow(2, "b@example.org", basis)]
    with pytest.raises(InvalidInput) as refused, world.unit() as ctx:
        import_people(ctx, mixed, list_id=news.id)
    assert (refused.value.context["field"], refused.value.context["row"]) == ("basis", 2)
    assert world.letters() == []


def test_proof_needs_its_words_and_an_officer_who_says_where_it_was_approved(world: World, news: AList) -> None:
    """M28, 2.6."""
    for approval in (Approval("", "file 12"), Approval("staff:4", " ")):
        with pytest.raises(InvalidInput) as refused:
            bring(world, news, "a@example.org", approval=approval)
        assert refused.value.context["field"] == "approval"
    with pytest.raises(InvalidInput) as refused, world.unit() as ctx:
        import_people(ctx, rows("a@example.org", basis=Basis("Old shop", date(2025, 5, 1))), list_id=news.id,
                      approval=OFFICER)
    assert refused.value.context["field"] == "basis"


def test_approved_proof_is_a_consent_that_names_source_day_words_and_officer(world: World, news: AList) -> None:
    assert bring(world, news, "dana@example.org", approval=OFFICER).new == 1
    assert set(world.stands("dana@example.org").values()) == {"live"} and world.letters() == []
    assert bring(world, news, "dana@example.org", approval=OFFICER).here == 1
    with world.unit() as ctx:
        assert ctx.db.scalar(text("SELECT count(*) FROM wording WHERE text = 'Yes, send me your news.'")) == 1
        noted = ctx.db.scalar(text("SELECT detail FROM audit_entry WHERE act = 'import_people' ORDER BY seq LIMIT 1"))
    assert noted["approved_by"] == "staff:4" and noted["reference"] == "file 12/2026" and noted["new"] == 1


@pytest.mark.parametrize("approval", [None, OFFICER])
@pytest.mark.parametrize("reason", SUPPRESSING)
@pytest.mark.parametrize("scope", ["all", "list"])
def test_nobody_on_the_stop_list_is_reached_for_any_reason(
        world: World, news: AList, reason: Reason, approval: Approval | None, scope: str) -> None:
    """T6; section 2, item 13; section 3, item 4: friend, never, erased and all others, and no entry goes."""
    with world.unit() as ctx:
        registry.suppress(ctx, channel="email", fingerprint=ctx.sealer.fingerprint("email", "dana@example.org"),
                          reason=reason, list_id=news.id if scope == "list" else 0)
    done = bring(world, news, "dana@example.org", "eve@example.org", approval=approval)
    assert (done.new, done.left_out) == (1, {str(reason): 1})
    assert world.stopped("dana@example.org") == {(str(reason), news.id if scope == "list" else 0)}
    assert world.point("dana@example.org") is None
    assert not any("dana" in str(letter.detail) for letter in world.letters())


def test_an_entry_for_another_list_or_a_rule_for_the_domain_counts_as_it_says(world: World, news: AList) -> None:
    other = world.a_list("Another list", ("Other",))
    with world.unit() as ctx:
        registry.suppress(ctx, channel="email", fingerprint=ctx.sealer.fingerprint("email", "dana@example.org"),
                          reason=Reason.UNSUBSCRIBED, list_id=other.id)
        domains.add(ctx, "ruled.example")
    done = bring(world, news, "dana@example.org", "eve@ruled.example")
    assert (done.new, done.left_out) == (1, {"domain_rule": 1})


def test_who_left_or_ended_a_topic_is_not_brought_back(world: World, news: AList) -> None:
    """Item 13: the answer of a person stays as it is."""
    everything = list(news.topics.values())
    point = world.subscribed("dana@example.org", everything)
    with world.unit() as ctx:
        leave.leave(ctx, ctx.db.get_one(ContactPoint, point), how="one_click")
        # Even where the entry is gone, as a restore of an older list might have it, the ledger still knows.
        registry.lift(ctx, channel="email", fingerprints=[ctx.sealer.fingerprint("email", "dana@example.org")],
                      reasons=[Reason.UNSUBSCRIBED])
    for approval in (None, OFFICER):
        assert bring(world, news, "dana@example.org", approval=approval).left_out == {"unsubscribed": 1}
    assert set(world.stands("dana@example.org").values()) == {"ended"}


def test_bad_rows_are_named_by_number_and_the_others_are_taken(world: World, news: AList) -> None:
    """W8: bad addresses, a double, a card number; a row that waits already is here."""
    world.asked("waits@example.org", [news.topics["Events"]])
    lines = [*rows("good@example.org", "no address", "GOOD@example.org", "waits@example.org", "b@", "c@example.org")]
    lines.append(ImportRow(7, "card@example.org", BASIS, first_name="4111 1111 1111 1111"))
    with world.unit() as ctx:
        done = import_people(ctx, lines, list_id=news.id)
    assert (done.new, done.here, done.left_out) == (2, 1, {})
    assert [bad.number for bad in done.bad] == [2, 3, 5, 7]
    assert Bad(3, "email", "double") in done.bad and Bad(7, "first_name", "card_number") in done.bad


def test_an_address_is_asked_no_oftener_than_by_forms(world: World, news: AList) -> None:
    """Decision 25."""
    for _ in range(2):
        world.asked("dana@example.org", [news.topics["Events"]])
        with world.unit() as ctx:
            ctx.db.execute(text("DELETE FROM pending_request"))
    assert bring(world, news, "dana@example.org").left_out == {"limit": 1}


def test_invitations_are_paced_and_each_may_be_confirmed_for_a_week_from_its_own_mail(
        world: World, news: AList) -> None:
    """2.6: one confirmation message each, paced."""
    assert bring(world, news, *(f"person{n}@example.org" for n in range(5))).new == 5
    with world.unit() as ctx:
        waits = [wait.total_seconds() if wait else 0 for (wait,) in ctx.db.execute(text(
            "SELECT until - clock_timestamp() FROM single_message ORDER BY id"))]
        lasts = sorted(at - START for (at,) in ctx.db.execute(text("SELECT expires_at FROM pending_request")))
    gap = 3600 / 1000
    assert waits[0] == 0 and all(gap * n - 2 < wait <= gap * n for n, wait in enumerate(waits) if n)
    assert lasts[0] == timedelta(days=7) and lasts[-1] == timedelta(days=7, seconds=4 * gap)


def test_an_unknown_list_or_a_topic_of_another_is_refused(world: World, news: AList) -> None:
    other = world.a_list("Another list", ("Other",))
    for list_id, topics in ((0, ()), (1 << 70, ()), (news.id, (other.topics["Other"],))):
        with pytest.raises(InvalidInput), world.unit() as ctx:
            import_people(ctx, rows("a@example.org"), list_id=list_id, topic_ids=topics)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(some.lists(some.tuples(some.sampled_from(["a", "b", "c"]), some.sampled_from(
    ["ask", "prove", "leave", "stop", "no"])), max_size=8))
def test_whatever_came_before_an_import_changes_no_answer_and_lifts_no_stop(
        world: World, acts: list[tuple[str, str]]) -> None:
    """Section 2, item 13, in random orders: what is stopped, ended or refused before is so after."""
    number = world.a_list(f"List {next(NUMBERS)}")
    for who, act in acts:
        address = f"{who}{number.id}@example.org"
        point = world.point(address)
        before, stopped = world.stands(address), world.stopped(address)
        if act in ("ask", "prove"):
            bring(world, number, address, approval=OFFICER if act == "prove" else None)
            after = world.stands(address)
            assert all(after[key] == state for key, state in before.items())
            assert world.stopped(address) == stopped
            assert not stopped or after == before
        elif act == "stop":
            with world.unit() as ctx:
                registry.suppress(ctx, channel="email", fingerprint=ctx.sealer.fingerprint("email", address),
                                  reason=Reason.COMPLAINED)
        elif point is not None:
            with world.unit() as ctx:
                leave.leave(ctx, ctx.db.get_one(ContactPoint, point.id), how="one_click",
                            list_id=number.id if act == "no" else None)
