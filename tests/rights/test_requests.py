"""Requests with their clocks: opened, acknowledged, checked, answered, closed; and what is forgotten then."""

import pytest
from sqlalchemy import select, text

from mailer.core.errors import Conflict, InvalidAddress, InvalidInput, NotFound
from mailer.rights import answers, copies, requests, watch
from mailer.rights.models import AccessCopy
from mailer.staff import accounts
from mailer.staff.roles import Role
from tests.conftest import FixedClock
from tests.rights.conftest import People


def state(people: People, number: int) -> tuple[str, str]:
    with people.world.unit() as ctx:
        row = requests.get(ctx, number)
        return row.state, row.outcome


def test_a_stranger_s_request_is_acknowledged_with_its_number_and_day(people: People) -> None:
    """M30, A13 and S29."""
    with people.world.unit() as ctx:
        made = requests.open_request(ctx, "question", source="public", contact="asker@example.org", note="Why?")
    [letter] = people.world.letters("acknowledgement")
    assert letter.detail["number"] == made.id and letter.detail["due_on"] == "2 April 2026"
    with people.world.unit() as ctx:
        row = requests.get(ctx, made.id)
        assert requests.words_of(ctx, people.world.services.opener, row) == requests.Words("Why?", "asker@example.org")
        raw = ctx.db.execute(text("SELECT sealed_note::text || sealed_contact::text FROM rights_request")).scalar_one()
        assert b"asker".hex() not in raw


def test_a_bad_kind_a_long_note_and_a_bad_address_open_nothing(people: People) -> None:
    with people.world.unit() as ctx:
        with pytest.raises(InvalidInput):
            requests.open_request(ctx, "gossip", source="public", contact="a@example.org")
        with pytest.raises(InvalidInput):
            requests.open_request(ctx, "question", source="public", contact="a@example.org", note="x" * 4001)
    with pytest.raises(InvalidAddress), people.world.unit() as ctx:
        requests.open_request(ctx, "question", source="public", contact="nonsense")
    with people.world.unit() as ctx:
        assert requests.load(ctx).open == 0


def test_a_fresh_link_shows_whose_the_request_is(people: People) -> None:
    """Only their own word behind it counts: until then the desk may not hand anything out."""
    point, other = people.join("known@example.org"), people.join("other@example.org")
    with people.world.unit() as ctx:
        made = requests.open_request(ctx, "access", source="public", contact="known@example.org")
        assert requests.person_of(ctx, made) is None
        assert [each.id for each in requests.in_doubt(ctx, point)] == [made.id]
        assert not requests.in_doubt(ctx, other)
        with pytest.raises(NotFound):
            requests.answered(ctx, other, made.id, theirs=True)
        requests.answered(ctx, point, made.id, theirs=True)
    with people.world.unit() as ctx:
        row = requests.get(ctx, made.id)
        known = requests.person_of(ctx, row)
        assert row.identity == "fresh_link" and known is not None and known.id == point.person_id
        with pytest.raises(NotFound):
            requests.answered(ctx, point, made.id, theirs=False)


def test_a_request_that_another_wrote_with_this_address_is_closed(people: People) -> None:
    point = people.join("known@example.org")
    with people.world.unit() as ctx:
        made = requests.open_request(ctx, "erasure", source="public", contact="known@example.org", note="Erase me")
        mine = requests.open_request(ctx, "question", source="desk", point=point)
        requests.answered(ctx, point, made.id, theirs=False)
        assert [each.id for each in requests.in_doubt(ctx, point)] == [mine.id]
    assert state(people, made.id) == ("closed", "not theirs")


@pytest.mark.parametrize("kind", sorted(requests.NEEDS_IDENTITY))
def test_identity_cannot_be_waived_where_data_would_be_handed_out_or_changed(people: People, kind: str) -> None:
    with people.world.unit() as ctx:
        made = requests.open_request(ctx, kind, source="desk", point=people.join("known@example.org"))
        with pytest.raises(InvalidInput):
            requests.identify(ctx, made, "not_needed")
        assert made.identity == "unchecked"


def test_an_answer_goes_out_stops_the_clock_and_the_words_are_forgotten_after_it(people: People) -> None:
    with people.world.unit() as ctx:
        made = requests.open_request(ctx, "question", source="public", contact="asker@example.org", note="Why?")
        answers.say(ctx, made, "Because.", by="staff:1")
    assert state(people, made.id) == ("closed", "answered")
    with people.world.unit() as ctx:
        assert requests.get(ctx, made.id).sealed_contact is not None, "the answer still waits"
        ctx.db.execute(text("UPDATE single_message SET state = 'expired'"))
        requests.sweep(ctx)
    with people.world.unit() as ctx:
        row = requests.get(ctx, made.id)
        assert (row.sealed_contact, row.sealed_note, row.contact_fingerprint) == (None, None, None)
    with pytest.raises(Conflict), people.world.unit() as ctx:
        answers.say(ctx, requests.get(ctx, made.id), "Again.", by="staff:1")


def test_two_months_more_are_taken_once_and_the_person_is_told_why(people: People) -> None:
    point = people.join("known@example.org")
    with people.world.unit() as ctx:
        made = requests.open_request(ctx, "complaint", source="desk", point=point, note="You broke it")
        answers.extend(ctx, made, "We asked our printer.", by="staff:1")
    with people.world.unit() as ctx:
        assert requests.get(ctx, made.id).due_at.date().isoformat() == "2026-06-02"
    [letter] = [each for each in people.world.letters("rights_answer") if each.detail["template"] == "rights_extended"]
    assert letter.detail["why"] == "We asked our printer." and letter.detail["due_on"] == "2 June 2026"
    with pytest.raises(Conflict), people.world.unit() as ctx:
        answers.extend(ctx, requests.get(ctx, made.id), "Again.", by="staff:1")


def test_officers_are_reminded_once_a_step_and_an_overdue_request_raises_an_alarm(
        people: People, clock: FixedClock) -> None:
    """S29."""
    with people.world.unit() as ctx:
        officer = accounts.add(ctx, email="pia@cadenza.example", name="Piazzolina", roles=(Role.PRIVACY_OFFICER,),
                               password="violet kettle drum").id
        requests.open_request(ctx, "question", source="public", contact="asker@example.org")

    def told() -> list[str]:
        with people.world.unit() as ctx:
            watch.sweep(ctx)
            watch.sweep(ctx)
        return [str(each.detail["text"]) for each in people.world.letters("staff")
                if each.subject == f"staff:{officer}"]

    assert told() == []
    clock.advance(days=4)
    assert len(told()) == 1 and "not acknowledged in time" in told()[0]
    clock.advance(days=21)
    assert len(told()) == 2 and "days left" in told()[1]
    clock.advance(days=5)
    assert len(told()) == 3
    clock.advance(days=5)
    assert len(told()) == 4 and "overdue" in told()[3]
    with people.world.unit() as ctx:
        found = ctx.db.execute(text("SELECT act, count(*) FROM audit_entry WHERE act LIKE '%overdue' GROUP BY act"))
        assert {act: count for act, count in found} == {"request_overdue": 1, "acknowledgement_overdue": 1}
        assert requests.load(ctx).overdue == 1


def test_whom_people_may_turn_to_is_the_authority_until_another_is_named(people: People) -> None:
    """S29."""
    with people.world.unit() as ctx:
        assert watch.escalation(ctx) == watch.AUTHORITY
        watch.set_escalation(ctx, "Datatilsynet, Oslo")
        assert watch.escalation(ctx) == "Datatilsynet, Oslo"
        with pytest.raises(InvalidInput):
            watch.set_escalation(ctx, "x" * 301)


def test_a_copy_is_gone_after_seven_days(people: People, clock: FixedClock) -> None:
    point = people.join("known@example.org")
    with people.world.unit() as ctx:
        person = requests.person_of(ctx, requests.open_request(ctx, "access", source="self", point=point))
        assert person is not None
        copies.build(ctx, people.world.services.opener, person, by="self")
    clock.advance(days=7, seconds=1)
    with people.world.unit() as ctx:
        assert copies.current(ctx, point.person_id) is None
        watch.sweep(ctx)
        assert not ctx.db.scalars(select(AccessCopy)).all()
