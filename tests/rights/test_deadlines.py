"""Legal time limits as days, held against vectors that were worked out apart."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mailer.rights import deadlines

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "deadlines.json").read_text())["vectors"]
MONTHS = {"GDPR Art. 12(3): one month": deadlines.ANSWER_MONTHS,
          "GDPR Art. 12(3) extended": deadlines.EXTENDED_MONTHS}
OURS = [(each, months) for each in VECTORS for rule, months in MONTHS.items() if each["rule"].startswith(rule)]


@pytest.mark.parametrize(("vector", "months"), OURS, ids=[each["id"] for each, _ in OURS])
def test_an_answer_is_due_on_the_same_date_of_the_month_or_on_its_last_day(vector: dict[str, str], months: int) -> None:
    """S29. Regulation 1182/71 Art. 3; a weekend never makes it later with us."""
    assert deadlines.months_after(date.fromisoformat(vector["event"]), months) == date.fromisoformat(vector["latest"])


def test_there_are_vectors_of_both_rules() -> None:
    assert {months for _, months in OURS} == {1, 3}


def test_a_day_ends_where_the_organisation_is() -> None:
    zone = ZoneInfo("Pacific/Auckland")
    # It is the first of March there already.
    asked = datetime(2026, 2, 28, 12, 0, tzinfo=UTC)
    due = deadlines.answer_by(asked, zone)
    assert due.astimezone(zone).isoformat() == "2026-04-01T23:59:59+13:00"
    assert deadlines.days_left(due, asked, zone) == 31
    assert deadlines.answer_by(asked, zone, extended=True).astimezone(zone).date() == date(2026, 6, 1)
