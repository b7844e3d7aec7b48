"""Trial: the team's own mailboxes get mail for real, everybody else's stays in the Outbox."""

from contextlib import closing

from sqlalchemy import text

from mailer.core.channel import Fate
from mailer.practice import box
from mailer.practice.transport import PracticeTransport, TrialTransport
from mailer.services import Services, unit_of_work
from mailer.staff import accounts
from mailer.staff.roles import Role
from tests.channels.smtp_world import MemoryJournal, a_parcel, send
from tests.fakes.transport import FakeTransport


def a_colleague(services: Services, address: str) -> None:
    with unit_of_work(services) as ctx:
        accounts.add(ctx, name="Dana", email=address, roles=[Role.ADMIN])
        ctx.db.execute(text("UPDATE staff SET email_verified = true, state = 'active'"))


def a_trial(services: Services) -> tuple[FakeTransport, TrialTransport]:
    real = FakeTransport()
    practice = PracticeTransport(services.engine, services.clock, services.sealer, "email")
    return real, TrialTransport(real, practice, services.engine, services.clock, services.sealer)


def test_only_the_team_gets_mail_and_each_way_shows_in_the_code(services: Services) -> None:
    a_colleague(services, "dana@example.org")
    real, trial = a_trial(services)
    sent = [a_parcel(1, address="dana@example.org")._replace(campaign_id=7), a_parcel(2)._replace(campaign_id=7)]
    journal = MemoryJournal()

    with closing(trial.wire()) as wire:
        assert wire.room(9) == 9
        outcomes = {outcome.row: outcome for outcome in send(wire, sent, journal)}

    assert {outcome.fate for outcome in outcomes.values()} == {Fate.ACCEPTED}
    assert (outcomes[1].code, outcomes[2].code) == ("250 2.0.0", "practice")
    assert [parcel.clearance.row for parcel in real.delivered] == [1]
    assert journal.begun == outcomes
    with unit_of_work(services) as ctx:
        assert box.count(ctx.db, staff_only_of=None) == 1


def test_fifty_a_day_leave_and_the_rest_is_kept(services: Services) -> None:
    a_colleague(services, "dana@example.org")
    real, trial = a_trial(services)
    sent = [a_parcel(row, address="dana@example.org")._replace(campaign_id=7) for row in range(55)]

    with closing(trial.wire()) as wire:
        outcomes = send(wire, sent)

    assert len(real.delivered) == TrialTransport.A_DAY
    assert sum(outcome.code == "practice" for outcome in outcomes) == 5
