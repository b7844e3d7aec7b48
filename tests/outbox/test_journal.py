"""What survives of a slice when its process does not (decision 8)."""

import fcntl
import multiprocessing
import os
import resource
import stat
import threading
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.core.channel import Clearance, Fate, Outcome
from mailer.core.errors import InvalidInput
from mailer.outbox.journal import SIZE, START_AT, Begun, FileJournal, dead_journals, remove_drafts


def clearance(row: int, slice_id: int = 7) -> Clearance:
    return Clearance(slice=slice_id, row=row, attempt=3, channel="email", address="canary@example.org", begin_before=0)


def accepted(row: int) -> Outcome:
    return Outcome(row, Fate.ACCEPTED, "250 2.0.0")


def left_behind(folder: Path, rows: int = 3) -> Path:
    """The file of a process that died with row `rows` in the air."""
    journal = FileJournal(folder, "w", chunk=16)
    journal.start_slice(7, "campaign")
    for row in range(1, rows + 1):
        journal.begin(clearance(row))
        if row < rows:
            journal.end(clearance(row), accepted(row))
    journal.close()
    return journal.path


def test_a_draft_that_a_killed_process_left_goes_after_an_hour_and_no_other_file(tmp_path: Path) -> None:
    """A kill between draft and name; the draft of one that is just being made is locked, or young."""
    old, young, made = (tmp_path / f".w-{number}-1" for number in range(3))
    for path in (old, young, made):
        path.write_bytes(b"")
    living = FileJournal(tmp_path, "w")
    moment = datetime(2026, 3, 2, 12, tzinfo=UTC)
    for path, hours in ((old, 2), (young, 0.5), (made, 2), (living.path, 2)):
        then = (moment - timedelta(hours=hours)).timestamp()
        os.utime(path, (then, then))
    with made.open() as locked:
        fcntl.flock(locked, fcntl.LOCK_EX)
        remove_drafts(tmp_path, moment - timedelta(hours=1))
        remove_drafts(tmp_path / "none", moment)
    assert {path.name for path in tmp_path.iterdir()} == {young.name, made.name, living.path.name}
    living.close()


def test_a_dead_journal_tells_what_had_begun_and_how_it_ended(tmp_path: Path) -> None:
    path = left_behind(tmp_path)

    [dead] = dead_journals(tmp_path)

    assert (dead.path, dead.whole, dead.slices[7].kind) == (path, True, "campaign")
    assert list(dead.slices[7].begun.values()) == [
        Begun(1, 3, accepted(1)), Begun(2, 3, accepted(2)), Begun(3, 3, None)]


@pytest.mark.parametrize("outcome", [
    Outcome(1, Fate.DEFERRED, "421 4.7.28", lane_down=True),
    Outcome(1, Fate.FAILED, "550 5.7.26", operator=True),
    Outcome(1, Fate.UNCERTAIN, "lost", operator=True, lane_down=True),
    Outcome(1, Fate.UNBEGUN),
])
def test_every_sort_of_outcome_is_read_as_it_was_written(tmp_path: Path, outcome: Outcome) -> None:
    journal = FileJournal(tmp_path, "w")
    journal.begin(clearance(1))
    journal.end(clearance(1), outcome)
    journal.close()

    [dead] = dead_journals(tmp_path)

    assert dead.slices[7].begun[1].outcome == outcome


def test_a_slice_that_was_started_and_not_begun_is_named(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path, "w")
    journal.start_slice(8, "single")
    journal.close()

    [dead] = dead_journals(tmp_path)

    assert (dead.slices[8].kind, dead.slices[8].begun) == ("single", {})


def test_the_journal_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path, "w")
    journal.begin(clearance(1))

    assert list(dead_journals(tmp_path)) == []


def test_what_was_forgotten_does_not_come_back(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path, "w")
    for row in range(1, 5):
        journal.begin(clearance(row))
        journal.end(clearance(row), accepted(row))
    journal.forget()
    journal.start_slice(9, "campaign")
    journal.begin(clearance(1, slice_id=9))
    journal.close()

    [dead] = dead_journals(tmp_path)

    assert dead.whole
    assert {key: list(noted.begun) for key, noted in dead.slices.items()} == {9: [1]}


def test_a_journal_that_owes_nothing_leaves_no_file(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path, "w")
    journal.begin(clearance(1))
    journal.forget()

    journal.close()

    assert list(tmp_path.iterdir()) == []


def test_a_forgotten_journal_of_a_dead_process_owes_nothing(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path, "w")
    journal.begin(clearance(1))
    journal.forget()
    copy = tmp_path / "dead-0.journal"
    copy.write_bytes(journal.path.read_bytes())

    [dead] = dead_journals(tmp_path)

    assert (dead.path, dead.whole, dead.slices) == (copy, True, {})


def test_a_dead_journal_is_read_again_until_it_is_removed(tmp_path: Path) -> None:
    left_behind(tmp_path)

    assert len(list(dead_journals(tmp_path))) == 1
    for dead in dead_journals(tmp_path):
        assert list(dead_journals(tmp_path)) == [], "two processes must not both have it"
        dead.remove()

    assert list(dead_journals(tmp_path)) == []


def test_a_new_process_never_writes_over_what_a_dead_one_left(tmp_path: Path) -> None:
    first = left_behind(tmp_path)

    second = FileJournal(tmp_path, "w")

    assert (first.name, second.path.name) == ("w-0.journal", "w-1.journal")


def test_only_its_owner_can_read_it_and_it_holds_no_address(tmp_path: Path) -> None:
    path = left_behind(tmp_path / "journal")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert b"canary" not in path.read_bytes()


@pytest.mark.parametrize("name", ["", "../w", "w/x", "w.x", "ä"])
def test_a_worker_name_cannot_lead_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput):
        FileJournal(tmp_path, name)


def test_it_grows_when_a_slice_is_larger_than_what_was_reserved(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path, "w", chunk=4)
    for row in range(50):
        journal.begin(clearance(row))
    journal.close()

    [dead] = dead_journals(tmp_path)

    assert dead.whole
    assert list(dead.slices[7].begun) == list(range(50))


@settings(max_examples=200, deadline=None)
@given(cut=st.integers(0, SIZE - 1), noise=st.binary(min_size=1, max_size=SIZE))
def test_a_record_torn_at_the_end_was_not_begun(tmp_path_factory: pytest.TempPathFactory, cut: int, noise: bytes
                                                ) -> None:
    path = left_behind(tmp_path_factory.mktemp("torn"))
    end = START_AT + 6 * SIZE
    with path.open("r+b") as file:
        file.seek(end)
        file.write(bytes(path.read_bytes()[end - SIZE:end][:cut]) + noise[:SIZE - cut])

    [dead] = dead_journals(path.parent)

    assert [begun.outcome for begun in dead.slices[7].begun.values()] == [accepted(1), accepted(2), None]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=2000))
def test_any_file_at_all_can_be_read(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("noise")
    (folder / "w-0.journal").write_bytes(content)

    [dead] = dead_journals(folder)

    assert not dead.whole
    assert dead.slices == {}


def test_damage_in_the_middle_leaves_nobody_taken_for_unbegun(tmp_path: Path) -> None:
    path = left_behind(tmp_path)
    with path.open("r+b") as file:
        file.seek(START_AT + 3 * SIZE + 5)
        file.write(b"\xff")

    [dead] = dead_journals(tmp_path)

    assert not dead.whole
    assert set(dead.slices[7].begun) == {1, 2, 3}


def test_after_the_host_was_restarted_what_is_not_named_may_have_begun(tmp_path: Path) -> None:
    """Nothing is synced, so a power cut may have lost any page."""
    path = left_behind(tmp_path)
    with path.open("r+b") as file:
        file.seek(8)
        file.write(b"0" * 36)

    [dead] = dead_journals(tmp_path)

    assert not dead.whole
    assert dead.slices[7].begun[1].outcome == accepted(1)


def test_threads_may_write_side_by_side(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path, "w", chunk=64)

    def work(start: int) -> None:
        for row in range(start, start + 200):
            journal.begin(clearance(row))
            journal.end(clearance(row), accepted(row))

    threads = [threading.Thread(target=work, args=(start,)) for start in range(0, 1600, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.close()

    [dead] = dead_journals(tmp_path)

    assert len(dead.slices[7].begun) == 1600
    assert all(begun.outcome for begun in dead.slices[7].begun.values())


def _fill_a_small_disk(folder: Path, told: Connection) -> None:
    journal = FileJournal(folder, "w", chunk=4)
    size = journal.path.stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 1, size + 1))
    begun = 0
    try:
        while begun < 100:
            journal.begin(clearance(begun))
            begun += 1
    except OSError:
        told.send(begun)
    os._exit(0)


def test_on_a_full_disk_begin_says_so_and_what_was_written_stays(tmp_path: Path) -> None:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_fill_a_small_disk, args=(tmp_path, there))
    process.start()
    process.join(20)

    assert here.poll()
    assert here.recv() == 4
    [dead] = dead_journals(tmp_path)
    assert dead.whole
    assert list(dead.slices[7].begun) == [0, 1, 2, 3]
