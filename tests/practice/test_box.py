"""What the Outbox keeps is found by those who may see it, and by nobody else."""

import pytest
from sqlalchemy import text

from mailer.core.errors import NotFound
from mailer.core.messages import MessageClass
from mailer.outbox import singles
from mailer.practice import box
from mailer.services import Services, unit_of_work
from mailer.staff import accounts
from mailer.staff.roles import Role
from tests.practice.kept import a_letter_body, keep


def test_messages_come_newest_first_and_in_pages(services: Services) -> None:
    made = [keep(services, f"p{n}@example.org", a_letter_body(services)) for n in range(5)]
    with unit_of_work(services) as ctx:
        first = [item.id for item in box.listed(ctx.db, staff_only_of=None, size=2)]
        second = [item.id for item in box.listed(ctx.db, staff_only_of=None, before=first[-1], size=2)]
        assert first + second == made[:0:-1]
        assert (box.count(ctx.db, staff_only_of=None), box.count_new(ctx.db, staff_only_of=None)) == (5, 5)


def test_a_mark_goes_from_one_message_or_from_all(services: Services) -> None:
    one = keep(services, "a@example.org", a_letter_body(services))
    keep(services, "b@example.org", a_letter_body(services))
    with unit_of_work(services) as ctx:
        box.mark_seen(ctx.db, one, staff_only_of=None)
        assert box.count_new(ctx.db, staff_only_of=None) == 1
        box.mark_seen(ctx.db, staff_only_of=None)
        assert box.count_new(ctx.db, staff_only_of=None) == 0


def test_a_search_looks_into_subject_and_shown_recipient(services: Services) -> None:
    keep(services, "dana@example.org", a_letter_body(services, subject="Frühling im Laden"))
    keep(services, "emil@example.net", a_letter_body(services, subject="Other news"))
    with unit_of_work(services) as ctx:
        def found(words: str) -> list[str]:
            masked = box.find(ctx.db, services.opener, words, lambda item, to: ctx.channels[item.channel].mask(to),
                              staff_only_of=None)
            return [box.recipient(services.opener, item) for item in masked]

        assert found("FRÜHLING") == ["dana@example.org"]
        assert found("news example.net") == ["emil@example.net"]
        assert found("dana") == [], "a mask must not be guessed by searching"
        assert found("100%") == []


def test_what_is_kept_is_sealed_and_goes_when_it_is_emptied(services: Services) -> None:
    """Decision 32: sealed at rest, emptied on going Live."""
    keep(services, "canaryaddress@example.org", a_letter_body(services, subject="Canarysubject"))
    with unit_of_work(services) as ctx:
        rows = str(ctx.db.execute(text("SELECT encode(sealed_to, 'escape'), encode(sealed_body, 'escape') "
                                       "FROM practice_item")).all())
        assert "anaryaddress" not in rows and "anarysubject" not in rows
        assert box.empty(ctx.db) == 1
        assert box.count(ctx.db, staff_only_of=None) == 0


def test_staff_mail_is_shown_to_the_one_it_is_for(services: Services) -> None:
    with unit_of_work(services) as ctx:
        ana, cem = (accounts.add(ctx, email=email, name="Quilliam", roles=[Role.COMPOSER], password=None).id
                    for email in ("ana@example.org", "cem@example.org"))
        single = singles.enqueue(
            ctx, MessageClass.STAFF, subject=f"staff:{ana}", occasion="one", channel="email", staff_id=ana,
            detail={"title": "x", "text": "y"}, not_after=ctx.clock.now())
    item = keep(services, "ana@example.org", a_letter_body(services), single_id=single)
    with unit_of_work(services) as ctx:
        assert box.get(ctx.db, item, staff_only_of=ana).id == item
        assert box.listed(ctx.db, staff_only_of=cem) == []
        assert box.count_new(ctx.db, staff_only_of=cem) == 0
        box.mark_seen(ctx.db, staff_only_of=cem)
        assert box.count_new(ctx.db, staff_only_of=ana) == 1
        for number, member in ((item, cem), (0, ana), (-1, None), (1 << 70, None)):
            with pytest.raises(NotFound):
                box.get(ctx.db, number, staff_only_of=member)
