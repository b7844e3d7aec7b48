"""The chain over the ledger, and what it gives away."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from mailer import wiring
from mailer.consent import ledger, seal
from mailer.consent.verify import Verdict, verify
from mailer.core.exits import ExitKind, Head
from mailer.core.messages import Purpose
from mailer.core.tokens import SystemTokens
from mailer.core.vault import KeyRing, Sealer
from mailer.exits import fence, file
from mailer.services import Services, unit_of_work
from tests.conftest import FixedClock
from tests.people.builders import EVIDENCE, a_list, join


def folder_of(services: Services) -> Path:
    return wiring.exits_folder(services.settings)


def checked(services: Services) -> Verdict:
    with unit_of_work(services) as ctx:
        return verify(ctx, fence.remembered_heads(ctx.db, folder_of(services)))


def sealed(services: Services, size: int = 5000) -> int:
    with unit_of_work(services) as ctx:
        return seal.seal_batch(ctx, size)


def tamper(services: Services, *statements: str, **values: object) -> None:
    """What somebody with the database's own powers could do."""
    with Session(services.engine) as session, session.begin():
        session.execute(text("SET LOCAL session_replication_role = 'replica'"))
        for statement in statements:
            session.execute(text(statement), values)


@pytest.fixture
def chained(services: Services) -> Services:
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx, topics=("One", "Two"))
        for n in range(5):
            join(ctx, f"chain{n}@example.org", made.id, topics)
    for _ in range(3):
        sealed(services, 4)
    return services


def test_a_whole_chain_verifies(chained: Services) -> None:
    assert checked(chained) == Verdict(10, True)
    assert sealed(chained) == 0


@pytest.mark.parametrize(("column", "change"), [
    ("sealed", "set_byte(sealed, 3, 255 - get_byte(sealed, 3))"), ("subject", "gen_random_uuid()"),
    ("at", "at + interval '1 microsecond'"), ("act", "'refused'"), ("channel", "'sms'"), ("list_id", "list_id + 1"),
    ("topic_id", "topic_id + 1"), ("purpose", "'service'"), ("mode", "'live'")])
def test_one_changed_value_in_any_column_names_its_row(chained: Services, column: str, change: str) -> None:
    """Promise section 3, 5: flip one byte in any row and the verifier names the row."""
    tamper(chained, f"UPDATE ledger_entry SET {column} = {change} WHERE seq = 7")
    assert checked(chained) == Verdict(7, False, 7)


@pytest.mark.parametrize(("cut", "first_bad"), [
    (["DELETE FROM ledger_entry WHERE seq = 6"], 6),
    (["DELETE FROM ledger_entry WHERE seq = 6", "DELETE FROM ledger_seal WHERE seq = 6"], 7),
    (["DELETE FROM ledger_entry WHERE seq > 8", "DELETE FROM ledger_seal WHERE seq > 8",
      "DELETE FROM ledger_head WHERE number > 8"], 9),
    (["DELETE FROM ledger_entry", "DELETE FROM ledger_seal", "DELETE FROM ledger_head"], 1),
    (["DELETE FROM ledger_head WHERE number > 8"], 9),
])
def test_what_was_taken_out_shows(chained: Services, cut: list[str], first_bad: int) -> None:
    """Decision 20: heads in the exits file show a tail that was cut."""
    tamper(chained, *cut)
    verdict = checked(chained)
    assert (verdict.ok, verdict.first_bad) == (False, first_bad)


def rewrite(services: Services, sign: Callable[[int, bytes], bytes]) -> None:
    with Session(services.engine) as session, session.begin():
        session.execute(text("SET LOCAL session_replication_role = 'replica'"))
        session.execute(text("UPDATE ledger_entry SET act = 'refused' WHERE seq = 2"))
        link = seal.FIRST
        for row in session.execute(text("SELECT * FROM ledger_entry ORDER BY seq")).all():
            link = seal.next_link(link, row)
            session.execute(text("UPDATE ledger_seal SET hash = :h WHERE seq = :s"), {"h": link, "s": row.seq})
            session.execute(text("UPDATE ledger_head SET hash = :h, signature = :g WHERE number = :s"),
                            {"h": link, "g": sign(row.seq, link), "s": row.seq})


def test_a_chain_rewritten_without_the_key_shows(chained: Services) -> None:
    """Decision 20."""
    folder_of(chained).joinpath(chained.exits_log.host + ".jsonl").unlink()
    stranger = Sealer(KeyRing({1: bytes(range(32))}), SystemTokens())
    rewrite(chained, lambda number, link: stranger.sign(seal.signed(number, link)))
    assert checked(chained).first_bad == 4


def test_a_chain_rewritten_even_with_the_key_shows_against_the_exits_file(chained: Services) -> None:
    """Decision 20."""
    rewrite(chained, lambda number, link: chained.sealer.sign(seal.signed(number, link)))
    assert checked(chained).first_bad == 4


def test_heads_lie_in_the_exits_file_and_anybody_can_check_them(chained: Services) -> None:
    """Decision 20."""
    with unit_of_work(chained) as ctx:
        heads = list(fence.remembered_heads(ctx.db, folder_of(chained)))
        assert [head.number for head in heads] == [4, 8, 10]
        assert all(ctx.sealer.is_ours(seal.signed(head.number, head.hash), head.signature) for head in heads)
        assert not ctx.sealer.is_ours(seal.signed(4, heads[1].hash), heads[0].signature)


def test_two_sealers_at_once_make_one_chain(services: Services) -> None:
    """Decision 20: one sealer."""
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx)
        for n in range(30):
            join(ctx, f"two{n}@example.org", made.id, topics)
    counts: list[int] = []

    def work() -> None:
        for _ in range(15):
            counts.append(sealed(services, 3))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Who finds the other at work leaves it to that one, so a few rows may wait for the next round.
    while (last := sealed(services)) > 0:
        counts.append(last)
    assert sum(counts) == 30
    assert checked(services) == Verdict(30, True)


def test_a_row_committed_after_younger_ones_were_sealed_is_sealed_too(services: Services) -> None:
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx)
        early, late = (join(ctx, f"{name}@example.org", made.id, topics) for name in ("early", "late"))
    sealed(services)
    consent = {"list_id": made.id, "topic_id": topics[0], "purpose": Purpose.OWN_OFFERS, "evidence": EVIDENCE}
    with unit_of_work(services) as slow:
        ledger.end(slow, early, **consent)
        for _ in range(4):
            with unit_of_work(services) as quick:
                ledger.end(quick, late, **consent)
            assert sealed(services) == 1
            assert sealed(services) == 0
    assert sealed(services) == 1
    assert checked(services) == Verdict(7, True)


def test_a_head_written_twice_is_one_line_with_one_name(services: Services, clock: FixedClock) -> None:
    line = Head(7, bytes(range(32)), bytes(64)).line(clock.now())
    services.exits_log.append([line, line])
    [part] = file.parts(folder_of(services) / (services.exits_log.host + ".jsonl"))
    assert part.lines == [line, line] and line.kind is ExitKind.HEAD
