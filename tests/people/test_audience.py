"""Who asked, who confirmed, and who may look."""

import pytest
from sqlalchemy import func, select, text

from mailer.audience import contact_points, pending, people, reveal, show
from mailer.audience.models import ContactPoint, PendingRequest, Person, PersonKey
from mailer.audit.models import AuditEntry
from mailer.core.errors import Conflict, InvalidAddress, InvalidInput, KeyProblem, TooMany, UnknownChannel
from mailer.core.modes import Mode
from mailer.services import Services, unit_of_work
from tests.conftest import FixedClock
from tests.people.builders import a_list, ask, join


def test_confirming_moves_what_is_sealed_and_opens_nothing(services: Services) -> None:
    """Decision 2."""
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx)
        request = ask(ctx, "Zarathine@Example.org", made.id, topics)
        sealed = request.sealed
        opened = services.opener.openings
        point = people.admit(ctx, request)
        assert services.opener.openings == opened
        assert point.sealed == sealed
        assert ctx.db.scalar(select(func.count()).select_from(PendingRequest)) == 0
        wrapped = ctx.db.get_one(PersonKey, point.person_id).wrapped
        assert reveal.reveal(services.opener, wrapped=wrapped, person_id=point.person_id, sealed=point.sealed
                             ) == "Zarathine@example.org"
        assert show.first_name(ctx, services.opener, ctx.db.get_one(Person, point.person_id)) == "Quillonwick"
        assert show.masked(ctx, services.opener, point) == "Z•••@example.org"


def test_a_value_moved_to_another_person_does_not_open(services: Services) -> None:
    """Decision 15: table, row and field are bound in."""
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx)
        one, two = (join(ctx, f"person{n}@example.org", made.id, topics) for n in (1, 2))
        wrapped = ctx.db.get_one(PersonKey, one.person_id).wrapped
        with pytest.raises(KeyProblem):
            reveal.reveal(services.opener, wrapped=wrapped, person_id=one.person_id, sealed=two.sealed)
        with pytest.raises(KeyProblem):
            reveal.reveal(services.opener, wrapped=wrapped, person_id=two.person_id, sealed=one.sealed)


def test_two_spellings_of_one_mailbox_are_found_as_one(services: Services) -> None:
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx)
        point = join(ctx, "dana@BÜCHER.example", made.id, topics)
        for spelling in ("Dana@bücher.example", " dana@xn--bcher-kva.example "):
            found = contact_points.find(ctx, "email", contact_points.parse(ctx, "email", spelling))
            assert found is not None and found.id == point.id
        assert contact_points.find(ctx, "email", contact_points.parse(ctx, "email", "dan@bücher.example")) is None


def test_asking_again_overwrites_the_open_request_and_keeps_its_link(services: Services) -> None:
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx, topics=("One", "Two"))
        first = ask(ctx, "again@example.org", made.id, topics[:1]).id
        second = ask(ctx, "AGAIN@example.org", made.id, topics, every_days=7)
        assert second.id == first and second.topic_ids == sorted(topics) and second.every_days == 7
        assert show.open_pending(ctx, services.opener, second) == "AGAIN@example.org"


def test_pressing_confirm_twice_makes_one_person(services: Services) -> None:
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx)
        request = ask(ctx, "twice@example.org", made.id, topics)
        people.admit(ctx, request)
        with pytest.raises(Conflict):
            people.admit(ctx, request)
        assert ctx.db.scalar(select(func.count()).select_from(ContactPoint)) == 1


def test_somebody_known_who_joins_a_second_list_stays_one_person(services: Services) -> None:
    """Decision 1."""
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx)
        other, other_topics = a_list(ctx, "Other")
        both = [ask(ctx, "known@example.org", *rest) for rest in ((made.id, topics), (other.id, other_topics))]
        first, second = (people.admit(ctx, each) for each in both)
        assert first.id == second.id
        assert ctx.db.scalar(select(func.count()).select_from(Person)) == 1


def test_confirming_again_in_live_makes_a_practice_person_real_and_never_back(services: Services) -> None:
    """Decision 32."""
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx)
        for mode, expected in ((Mode.PRACTICE, "practice"), (Mode.LIVE, "live"), (Mode.PRACTICE, "live")):
            assert people.admit(ctx, ask(ctx, "real@example.org", made.id, topics, mode=mode)).mode == expected


def test_a_request_is_gone_with_its_key_after_its_time(services: Services, clock: FixedClock) -> None:
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx)
        ask(ctx, "late@example.org", made.id, topics)
        assert pending.expire(ctx) == 0
    clock.advance(days=7)
    with unit_of_work(services) as ctx:
        assert pending.expire(ctx) == 1
        assert ctx.db.scalar(text("SELECT count(*) FROM vault.request_key")) == 0


def test_only_addresses_of_a_channel_we_have_are_read(services: Services) -> None:
    with unit_of_work(services) as ctx:
        with pytest.raises(UnknownChannel):
            contact_points.parse(ctx, "pigeon", "dana@example.org")
        with pytest.raises(InvalidAddress):
            contact_points.parse(ctx, "email", "dana")


def staff(services: Services) -> int:
    with unit_of_work(services) as ctx:
        return int(ctx.db.execute(text(
            "INSERT INTO staff (state, email_fingerprint, sealed_email, sealed_name, totp_confirmed, totp_last_step, "
            "email_verified, created_at, failed_tries) VALUES ('active', 'f', 's', 's', false, 0, false, now(), 0) "
            "RETURNING id")).scalar_one())


def test_a_look_needs_a_reason_from_the_list_and_is_kept(services: Services) -> None:
    """Decision 30."""
    who = staff(services)
    with unit_of_work(services, actor=f"staff:{who}") as ctx:
        made, topics = a_list(ctx)
        point = join(ctx, "seen@example.org", made.id, topics)
        with pytest.raises(InvalidInput):
            show.look(ctx, services.opener, point, staff_id=who, reason="curiosity")
        assert show.look(ctx, services.opener, point, staff_id=who, reason=show.REASONS[0]) == "seen@example.org"
        ctx.db.flush()
        entry = ctx.db.scalars(select(AuditEntry).where(AuditEntry.act == "reveal_address")).one()
        assert (entry.actor, entry.about) == (f"staff:{who}", f"contact_point:{point.id}")


def test_the_fifty_first_look_of_a_day_is_refused_and_the_officer_is_told(
        services: Services, clock: FixedClock) -> None:
    """Decision 30."""
    who = staff(services)
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx)
        point = join(ctx, "often@example.org", made.id, topics)
        for _ in range(show.LOOKS_A_DAY):
            show.look(ctx, services.opener, point, staff_id=who, reason=show.REASONS[0])
        with pytest.raises(TooMany) as refused:
            show.look(ctx, services.opener, point, staff_id=who, reason=show.REASONS[0])
        assert refused.value.context["wait"] == 9 * 3600
        ctx.db.flush()
        assert ctx.db.scalar(select(func.count()).where(AuditEntry.act == "reveals_used_up")) == 1
        clock.advance(hours=9)
        assert show.look(ctx, services.opener, point, staff_id=who, reason=show.REASONS[0])
