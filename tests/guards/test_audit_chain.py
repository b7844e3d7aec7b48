"""M24. The audit trail is chained, and whoever changes it is named by the row; bulk looks and exports are told."""

import pytest
from sqlalchemy import text

from mailer import wiring
from mailer.audience import show
from mailer.audience.models import ContactPoint
from mailer.audit import alarms, seal, trail
from mailer.audit.walk import Verdict
from mailer.core.exits import ExitKind
from mailer.exits import fence
from mailer.rights import disclosures
from mailer.services import Services, unit_of_work
from mailer.staff.roles import Role
from mailer.subscriptions.reapply import apply_exits
from tests.people.builders import a_list, join
from tests.people.test_chain import tamper
from tests.web.staff_world import Team, text_of


@pytest.fixture
def chained(services: Services) -> Services:
    for number in range(10):
        with unit_of_work(services, actor="staff:1") as ctx:
            trail.record(ctx, "did", f"thing:{number}", why="because", many=[number, "é"])
    for _ in range(3):
        sealed(services, 4)
    return services


def sealed(services: Services, size: int = 5000) -> int:
    with unit_of_work(services) as ctx:
        return seal.seal_batch(ctx, size)


def checked(services: Services) -> Verdict:
    with unit_of_work(services) as ctx:
        return seal.verify(ctx, fence.remembered_heads(
            ctx.db, wiring.exits_folder(services.settings), ExitKind.AUDIT_HEAD))


def test_a_whole_trail_verifies_and_holds_nothing_back(chained: Services) -> None:
    """M24. The officer can show that nothing was touched; sending goes on."""
    assert checked(chained) == Verdict(10, True)
    with unit_of_work(chained) as ctx:
        assert not fence.check(ctx.db, wiring.exits_folder(chained.settings), ctx.host).refuses


@pytest.mark.parametrize("change", [
    "at = at + interval '1 second'", "actor = 'staff:2'", "act = 'undid'", "about = 'thing:99'",
    "detail = jsonb_set(detail, '{why}', '\"for fun\"')"])
def test_an_edited_entry_is_named(chained: Services, change: str) -> None:
    """M24. Any column of any entry."""
    tamper(chained, f"UPDATE audit_entry SET {change} WHERE seq = 7")
    assert checked(chained) == Verdict(7, False, 7)


def test_a_trail_that_a_restore_cut_short_stops_no_message_and_is_given_up_with_the_exits(chained: Services) -> None:
    """M24. Who puts an old database back sees the cut until the exits are applied; nobody waits for their news."""
    tamper(chained, "DELETE FROM audit_seal WHERE number > 8", "DELETE FROM audit_head WHERE number > 8",
           "DELETE FROM audit_entry WHERE seq > 8")
    folder = wiring.exits_folder(chained.settings)
    with unit_of_work(chained) as ctx:
        assert not fence.check(ctx.db, folder, ctx.host).refuses
    assert checked(chained).first_bad == 9
    with unit_of_work(chained) as ctx:
        assert apply_exits(ctx, folder, forget=lambda _ctx, _line: None) == 1
    assert checked(chained).ok


@pytest.mark.parametrize(("cut", "first_bad"), [
    (["DELETE FROM audit_entry WHERE seq = 6"], 6),
    (["DELETE FROM audit_entry WHERE seq = 6", "DELETE FROM audit_seal WHERE seq = 6"], 7),
    (["DELETE FROM audit_entry WHERE seq > 8", "DELETE FROM audit_seal WHERE seq > 8",
      "DELETE FROM audit_head WHERE number > 8"], 9),
    (["DELETE FROM audit_entry", "DELETE FROM audit_seal", "DELETE FROM audit_head"], 1)])
def test_what_was_taken_out_shows_even_at_the_end(chained: Services, cut: list[str], first_bad: int) -> None:
    """M24. Heads are kept outside the database, so a cut tail shows as well."""
    tamper(chained, *cut)
    assert (checked(chained).ok, checked(chained).first_bad) == (False, first_bad)


def test_the_database_refuses_to_change_the_trail_at_all(chained: Services) -> None:
    """M24. The chain is the second lock; the first is that nothing is changed by ordinary means."""
    with pytest.raises(Exception, match="audit_entry"), unit_of_work(chained) as ctx:
        ctx.db.execute(text("UPDATE audit_entry SET act = 'nothing' WHERE seq = 3"))


def test_the_officer_is_told_of_an_export_of_many_people_and_of_no_small_one(services: Services, team: Team) -> None:
    """M24. On Home under Needs you, and in the audit log."""
    officer = team.browser("rosalindquin@example.org", Role.PRIVACY_OFFICER)
    few = {"reason": "own_records", "recipient": "our own desk", "categories": ["address"]}
    with unit_of_work(services, actor="operator") as ctx:
        disclosures.record(ctx, "export", people=alarms.MANY - 1, **few)  # type: ignore[arg-type]  # As it is called.
    assert "Data of many people left" not in text_of(officer.get("/staff"))
    with unit_of_work(services, actor="operator") as ctx:
        disclosures.record(ctx, "export", people=alarms.MANY, **few)  # type: ignore[arg-type]  # As it is called.
    assert "Data of many people left in one export" in text_of(officer.get("/staff"))
    assert [entry.detail["people"] for entry in team.acts(alarms.BULK_EXPORT)] == [alarms.MANY]


def test_the_officer_is_told_when_a_day_of_looks_is_used_up(services: Services, team: Team) -> None:
    """M24, M23. Fifty looks at addresses in a day are told on Home."""
    officer = team.browser("rosalindquin@example.org", Role.PRIVACY_OFFICER)
    member = team.add("lou@example.org", Role.LIST_MANAGER)
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx)
        join(ctx, "looked.at.often@example.org", made.id, topics)
        point = ctx.db.query(ContactPoint).one()
        for _ in range(show.LOOKS_A_DAY):
            show.look(ctx, services.opener, point, staff_id=member, reason="delivery_problem")
    assert "A colleague has looked at 50 addresses in a day" in text_of(officer.get("/staff"))
