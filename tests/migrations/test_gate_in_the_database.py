"""The database's own lock: nothing was handed over without a recorded yes (the gate's sixth lock, decision 1)."""

from datetime import UTC, date, datetime

import pytest
from psycopg import errors
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from mailer.core.messages import State
from mailer.outbox import partitions
from mailer.services import Services, unit_of_work

pytestmark = pytest.mark.migrations

MARCH = date(2026, 3, 1)
NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
MESSAGE = ("INSERT INTO message (campaign_id, contact_point_id, month, block, attempt, decided, cleared, state, code) "
           "VALUES (1, 7, :month, 1, 1, :decided, :cleared, :state, :code)")
DECISION = ("INSERT INTO decision (campaign_id, contact_point_id, month, attempt, cleared, reason, at) "
            "VALUES (1, :person, :month, :attempt, :cleared, :reason, :at)")
SAYS_YES = sorted({State.HANDED, State.ACCEPTED, State.FAILED, State.UNCERTAIN})
SINGLE = ("INSERT INTO single_message (class, subject, occasion, channel, staff_id, state, decided, cleared, code, "
          "created_at, not_after) SELECT 'staff', 's', 'o', 'email', id, :state, :decided, :cleared, :code, now(), "
          "now() FROM staff")
STAFF = ("INSERT INTO staff (state, email_fingerprint, sealed_email, sealed_name, totp_confirmed, totp_last_step, "
         "email_verified, created_at, failed_tries) VALUES ('active', 'x', 'x', 'x', false, 0, true, now(), 0)")


@pytest.fixture
def a_month(services: Services) -> Services:
    with unit_of_work(services) as ctx:
        partitions.ensure_month(ctx, MARCH)
    return services


def write(services: Services, *statements: tuple[str, dict[str, object]]) -> None:
    with services.engine.begin() as connection:
        for statement, values in statements:
            connection.execute(text(statement), {"month": MARCH, "at": NOW, "person": 7, **values})


def decision(**says: object) -> tuple[str, dict[str, object]]:
    return DECISION, {"attempt": 1, "cleared": True, "reason": None, **says}


def message(state: str, **says: object) -> tuple[str, dict[str, object]]:
    return MESSAGE, {"state": state, "decided": 1, "cleared": True, "code": None, **says}


def refusal(services: Services, *statements: tuple[str, dict[str, object]]) -> BaseException | None:
    with pytest.raises(DBAPIError) as refused:
        write(services, *statements)
    return refused.value.orig


@pytest.mark.parametrize("state", SAYS_YES)
@pytest.mark.parametrize("says", [{"decided": None, "cleared": None}, {"decided": 1, "cleared": None},
                                  {"decided": None, "cleared": True}, {"decided": 1, "cleared": False}])
def test_a_row_past_the_gate_must_name_a_yes_in_full(a_month: Services, state: str, says: dict[str, object]) -> None:
    """No null switches the foreign key off: the CHECK wants both columns."""
    assert isinstance(refusal(a_month, decision(), message(state, **says)), errors.CheckViolation)


@pytest.mark.parametrize("state", SAYS_YES)
def test_the_yes_it_names_must_have_been_recorded(a_month: Services, state: str) -> None:
    assert isinstance(refusal(a_month, message(state)), errors.ForeignKeyViolation)


@pytest.mark.parametrize("says", [{"person": 8}, {"attempt": 2}, {"cleared": False, "reason": "unsubscribed"}])
def test_a_yes_for_somebody_else_another_attempt_or_a_no_does_not_do(a_month: Services, says: dict[str, object]
                                                                    ) -> None:
    assert isinstance(refusal(a_month, decision(**says), message("handed")), errors.ForeignKeyViolation)


def test_a_recorded_yes_lets_it_through(a_month: Services) -> None:
    write(a_month, decision(), message("handed"))


def test_the_yes_cannot_be_taken_away_afterwards(a_month: Services) -> None:
    write(a_month, decision(), message("handed"))
    assert isinstance(refusal(a_month, ("DELETE FROM decision", {})), errors.ForeignKeyViolation)


def test_a_refused_row_says_why_and_claims_no_yes(a_month: Services) -> None:
    assert isinstance(refusal(a_month, decision(), message("refused", code="cap")), errors.CheckViolation)
    assert isinstance(refusal(a_month, message("refused", cleared=None, decided=None)), errors.CheckViolation)
    write(a_month, message("refused", cleared=None, decided=None, code="campaign_stopped"))


def test_a_refusal_has_a_reason_and_a_yes_has_none(a_month: Services) -> None:
    assert isinstance(refusal(a_month, decision(cleared=False)), errors.CheckViolation)
    assert isinstance(refusal(a_month, decision(reason="cap")), errors.CheckViolation)


def test_a_month_is_made_once_by_whoever_comes_first(a_month: Services) -> None:
    for _ in range(2):
        with unit_of_work(a_month) as ctx:
            partitions.ensure_month(ctx, MARCH)
    with a_month.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM pg_inherits WHERE inhparent = 'message'::regclass")) == 1


def test_nothing_is_written_into_a_month_that_was_not_opened(a_month: Services) -> None:
    assert isinstance(refusal(a_month, (MESSAGE, {"month": date(2031, 1, 1), "state": "ready", "decided": None,
                                                  "cleared": None, "code": None})), errors.CheckViolation)


@pytest.mark.parametrize("state", SAYS_YES)
def test_single_messages_are_locked_alike(services: Services, state: str) -> None:
    no_yes: dict[str, object] = {"state": state, "decided": None, "cleared": None, "code": None}
    assert isinstance(refusal(services, (STAFF, {}), (SINGLE, no_yes)), errors.CheckViolation)
    unrecorded = no_yes | {"decided": 1, "cleared": True}
    assert isinstance(refusal(services, (STAFF, {}), (SINGLE, unrecorded)), errors.ForeignKeyViolation)


def test_a_campaign_is_sent_only_when_its_sum_holds(services: Services) -> None:
    campaign = ("INSERT INTO campaign (name, state, mode, list_id, version, created_at, changed_at, planned_through, "
                "next_block, planning_done, stopping, sample, planned, accepted, refused, failed, expired, uncertain) "
                "SELECT 'C', 'sent', 'live', id, 1, now(), now(), 0, 1, true, false, false, 10, :accepted, 1, 0, 0, 0 "
                "FROM mailing_list")
    a_list = ("INSERT INTO mailing_list (name, public_text, archived, sample, created_at) "
              "VALUES ('L', '', false, false, now())", {})
    assert isinstance(refusal(services, a_list, (campaign, {"accepted": 8})), errors.CheckViolation)
    write(services, a_list, (campaign, {"accepted": 9}))
