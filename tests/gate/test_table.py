"""The table of purpose and suppression, written out as the documents print it."""

from datetime import UTC, datetime, timedelta

import pytest

from mailer.core.messages import MessageClass
from mailer.core.modes import Mode
from mailer.core.reasons import SUPPRESSING, Reason
from mailer.gate.rules import CLEAR, Consent, Facts, Refuse, Sent, Verdict, verdict
from mailer.gate.table import TABLE, Cell

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
COLUMNS = ("campaign", "partner_offer", "confirmation", "press", "acknowledgement", "invitation", "service_notice",
           "policy_notice", "rights_answer", "fresh_link", "reply", "staff_invitation", "test", "staff")
PRINTED = """
               camp part conf pres ackn invi serv poli righ fres repl sinv test staf
unsubscribed   no   no   yes  yes  yes  no   yes  yes  yes  yes  yes  no   yes  yes
post_code      no   no   yes  yes  yes  no   yes  yes  yes  yes  yes  no   yes  yes
staff_stop     no   no   yes  yes  yes  no   yes  yes  yes  yes  yes  no   yes  yes
stopped        no   no   STA  STA  STA  no   no   no   yes  yes  yes  no   yes  yes
doubtful       no   no   STA  STA  STA  no   no   no   yes  yes  yes  no   yes  yes
erased         no   no   yes  yes  yes  no   no   no   yes  yes  yes  no   yes  yes
bounced        no   no   1/30 1/30 1/30 no   no   no   no   no   yes  no   yes  yes
gone_away      no   no   1/30 1/30 1/30 no   no   no   no   no   yes  no   yes  yes
complained     no   no   no   no   no   no   no   no   yes  yes  yes  no   yes  yes
friend_only    no   no   yes  yes  yes  no   no   no   yes  yes  yes  no   yes  yes
never          no   no   no   no   no   no   no   no   few  few  yes  no   yes  yes
child          no   no   no   no   no   no   no   no   few  few  yes  no   yes  yes
law            no   no   no   no   no   no   no   no   few  few  yes  no   yes  yes
domain_rule    no   no   no   no   no   no   no   no   few  few  yes  no   yes  yes
hold           no   no   no   no   no   no   no   no   yes  yes  yes  no   yes  yes
not_me         no   no   no   no   no   no   no   no   yes  yes  yes  no   yes  yes
paused         no   no   yes  yes  yes  no   yes  yes  yes  yes  yes  no   yes  yes
cap            no   no   yes  yes  yes  no   yes  yes  yes  yes  yes  no   yes  yes
"""
ROWS = [line.split() for line in PRINTED.strip().splitlines()[1:]]
CELLS = [(Reason(row[0]), MessageClass(column), cell)
         for row in ROWS for column, cell in zip(COLUMNS, row[1:], strict=True)]


def someone(reason: Reason, kind: MessageClass) -> Facts:
    """Somebody who may be written to in every way but for this one reason."""
    facts = Facts(consent=Consent.LIVE, partner=True, mode=Mode.LIVE, consent_mode=Mode.LIVE,
                  team=kind in (MessageClass.TEST, MessageClass.STAFF))
    match reason:
        case Reason.PAUSED:
            return facts._replace(paused_until=NOW + timedelta(days=3))
        case Reason.CAP:
            return facts._replace(every_days=7, last_campaign_on=NOW.date() - timedelta(days=1))
        case _:
            return facts._replace(suppressed=frozenset({reason}))


def answers(reason: Reason, kind: MessageClass) -> dict[str, Verdict]:
    facts = someone(reason, kind)
    return {
        "plain": verdict(facts, kind, NOW),
        "after one this month": verdict(facts._replace(sent=Sent(0, 1, NOW - timedelta(days=9))), kind, NOW),
        "by START": verdict(facts._replace(by_start=True), kind, NOW),
        "the sixth today": verdict(facts._replace(sent=Sent(5, 5, NOW - timedelta(hours=1))), kind, NOW),
    }


@pytest.mark.parametrize(("reason", "kind", "cell"), CELLS, ids=[f"{r}-{k}" for r, k, _ in CELLS])
def test_the_gate_answers_as_the_printed_table_says(reason: Reason, kind: MessageClass, cell: str) -> None:
    said, no = answers(reason, kind), Refuse(reason)

    match cell:
        case "yes":
            assert said["plain"] == said["after one this month"] == said["by START"] == CLEAR
        case "no":
            assert set(map(repr, said.values())) == {repr(no)}
        case "1/30":
            assert (said["plain"], said["after one this month"]) == (CLEAR, no)
        case "STA":
            assert (said["plain"], said["by START"]) == (no, CLEAR)
        case "few":
            assert said["plain"] == said["after one this month"] == CLEAR
            assert said["the sixth today"] != CLEAR
        case _:
            pytest.fail(f"the table has no {cell}")


def test_the_printed_table_has_a_row_for_every_reason_a_stop_list_entry_may_carry() -> None:
    assert {row[0] for row in ROWS} == {*SUPPRESSING, "domain_rule", "paused", "cap"}
    assert set(COLUMNS) == set(MessageClass)


def test_every_reason_has_a_cell_for_every_class_of_message() -> None:
    assert set(TABLE) == set(Reason)
    for row in TABLE.values():
        assert set(row) == set(MessageClass)
        assert all(isinstance(cell, Cell) for cell in row.values())


def test_a_person_of_whom_nothing_speaks_against_it_is_written_to_in_every_class() -> None:
    for kind in MessageClass:
        facts = Facts(consent=Consent.LIVE, partner=True, consent_mode=Mode.LIVE,
                      team=kind in (MessageClass.TEST, MessageClass.STAFF))
        assert verdict(facts, kind, NOW) == CLEAR
