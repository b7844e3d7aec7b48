"""What one dispatching thread has in the air, kept outside the database (decision 8).

A file of fixed-size records, mapped into memory: what is written survives the process, not the host, so nothing is
synced. It names rows by number and holds no personal data.
"""

import contextlib
import fcntl
import mmap
import os
import struct
import threading
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from pathlib import Path

from mailer.core.channel import Clearance, Fate, Outcome
from mailer.core.errors import InvalidInput

SUFFIX = ".journal"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

HEADER = struct.Struct("<8s36s4x")
MAGIC = b"MAILERJ1"
RECORD = struct.Struct("<qqIhBB16s")
CHECK = struct.Struct("<II")
SIZE = RECORD.size + CHECK.size
START_AT = HEADER.size
NOTHING = bytes(SIZE)

CHUNK = 4096
"""Records reserved on disk at a time."""

FATES = tuple(Fate)
FATE_NUMBERS = {fate: number for number, fate in enumerate(FATES)}
OPERATOR, LANE_DOWN = 0x40, 0x80


class Kind(IntEnum):
    """What a record says."""

    SLICE = 1
    BEGIN = 2
    END = 3


BEGIN, END = int(Kind.BEGIN), int(Kind.END)
"""As plain numbers, which are packed faster: two for every message."""


@dataclass(frozen=True)
class Begun:
    """A hand-over that had begun; `outcome` is None when no reply was written down."""

    row: int
    attempt: int
    outcome: Outcome | None


@dataclass
class DeadSlice:
    """What a dead process had done of one slice; rows that are missing here were never begun."""

    slice: int
    kind: str = ""
    begun: dict[int, Begun] = field(default_factory=dict)


class FileJournal:
    """Implements `Journal` in a file that is locked for as long as the process lives. May be shared by threads.

    `folder` is made if missing; the file is `<worker>-<n>.journal` with the first `n` that is free, so what a dead
    process left is never overwritten. Raises: OSError when the disk has no room.
    """

    def __init__(self, folder: Path, worker: str, *, chunk: int = CHUNK) -> None:
        if not worker.isascii() or not worker.replace("-", "").isalnum():
            raise InvalidInput(field="worker", why="letters, digits and hyphens")
        self._chunk = chunk
        self._lock = threading.Lock()
        self._generation = 1
        self._at = START_AT
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = folder / f".{worker}-{os.getpid()}-{threading.get_ident()}"
        self._file = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._end = START_AT + chunk * SIZE
            os.posix_fallocate(self._file, 0, self._end)
            self._map = mmap.mmap(self._file, self._end)
            self._map[:START_AT] = HEADER.pack(MAGIC, _boot_id())
            # Locked and complete before it has its name: a process that tidies up never sees half of it.
            self.path = _first_free(folder, worker, draft)
        except BaseException:
            os.close(self._file)
            raise
        finally:
            draft.unlink(missing_ok=True)

    def start_slice(self, slice_id: int, kind: str) -> None:
        """Note that a slice is in our hands. `kind` is a short ASCII word. Raises: OSError."""
        with self._lock:
            self._write(slice_id, 0, 0, Kind.SLICE, 0, kind)

    def begin(self, clearance: Clearance) -> None:
        """Written before the final dot goes out. Raises: OSError when it cannot be kept; then nothing is sent."""
        with self._lock:
            self._write(clearance.slice, clearance.row, clearance.attempt, BEGIN, 0, "")

    def end(self, clearance: Clearance, outcome: Outcome) -> None:
        """Written after the reply. Raises: OSError."""
        fate = FATE_NUMBERS[outcome.fate] | OPERATOR * outcome.operator | LANE_DOWN * outcome.lane_down
        with self._lock:
            self._write(clearance.slice, clearance.row, clearance.attempt, END, fate, outcome.code)

    def forget(self) -> None:
        """Start over: the database has every result."""
        with self._lock:
            self._generation += 1
            self._map[START_AT:START_AT + SIZE] = NOTHING
            self._at = START_AT

    def close(self) -> None:
        """Let go; the file goes too unless it holds something not yet forgotten."""
        with self._lock:
            if self._at == START_AT:
                self.path.unlink(missing_ok=True)
            self._map.close()
            os.close(self._file)

    def _write(self, slice_id: int, row: int, attempt: int, kind: int, fate: int, code: str) -> None:
        end = self._at + SIZE
        if end > self._end:
            self._grow()
        record = RECORD.pack(slice_id, row, self._generation, attempt, kind, fate, code.encode("ascii", "replace"))
        self._map[self._at:end] = record + zlib.crc32(record).to_bytes(CHECK.size, "little")
        self._at = end

    def _grow(self) -> None:
        more = self._chunk * SIZE
        os.posix_fallocate(self._file, self._end, more)
        self._map.resize(self._end + more)
        self._end += more


class DeadJournal:
    """The journal of a process that has died, ours alone while we hold it.

    `whole` tells whether rows it does not name were never begun: not so when the host was restarted since or the
    file is damaged, as pages may be missing; then they are uncertain.
    """

    def __init__(self, path: Path, file: int) -> None:
        self.path = path
        self._file = file
        self.whole, self.slices = _read(_content(file))

    def remove(self) -> None:
        """Its results are recorded: the file goes."""
        self.path.unlink(missing_ok=True)


def dead_journals(folder: Path) -> Iterator[DeadJournal]:
    """Journals whose process has died, each locked until the next is asked for; those not removed come again."""
    for path in sorted(folder.glob("*" + SUFFIX)):
        with contextlib.ExitStack() as stack:
            try:
                file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            except FileNotFoundError:
                continue
            stack.callback(os.close, file)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            # Whoever held the lock a moment ago may have removed it.
            if os.fstat(file).st_nlink:
                yield DeadJournal(path, file)


def remove_drafts(folder: Path, before: datetime) -> None:
    """Take away what a process killed while it made a journal has left: unnamed, unlocked, last written `before`."""
    for path in folder.glob(".*"):
        with contextlib.ExitStack() as stack:
            try:
                file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            except (FileNotFoundError, IsADirectoryError):
                continue
            stack.callback(os.close, file)
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(file).st_mtime < before.timestamp():
                    path.unlink(missing_ok=True)


def _boot_id() -> bytes:
    with contextlib.suppress(OSError):
        return BOOT_ID.read_bytes().strip()
    return b""


def _first_free(folder: Path, worker: str, draft: Path) -> Path:
    number = 0
    while True:
        path = folder / f"{worker}-{number}{SUFFIX}"
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            number += 1
        else:
            return path


def _content(file: int) -> bytes:
    return os.pread(file, os.fstat(file).st_size, 0)


def _records(content: bytes) -> Iterator[tuple[int, int, int, int, Kind, int, str] | None]:
    """Each slot's record, or None where there is none that is whole."""
    for at in range(START_AT, len(content) - SIZE + 1, SIZE):
        record, (check, _) = content[at:at + RECORD.size], CHECK.unpack_from(content, at + RECORD.size)
        slice_id, row, generation, attempt, kind, fate, code = RECORD.unpack(record)
        if check != zlib.crc32(record) or kind not in set(Kind) or not generation or fate & 0x3F >= len(FATES):
            yield None
        else:
            yield slice_id, row, generation, attempt, Kind(kind), fate, code.rstrip(b"\0").decode("ascii", "replace")


def _read(content: bytes) -> tuple[bool, Mapping[int, DeadSlice]]:
    slices: dict[int, DeadSlice] = {}
    boot = _boot_id()
    whole = bool(boot) and len(content) >= START_AT and HEADER.unpack_from(content) == (MAGIC, boot)
    records = _records(content)
    first = next(records, None)
    if first is None:
        # Wiped means forgotten; damaged means that nobody knows.
        return whole and content[START_AT:START_AT + SIZE] == NOTHING, slices
    _apply(slices, first)
    gap = False
    for record in records:
        if record is None or record[2] != first[2]:
            gap = True
            continue
        # What follows a gap was written later than what is missing there.
        whole = whole and not gap
        _apply(slices, record)
    return whole, slices


def _apply(slices: dict[int, DeadSlice], record: tuple[int, int, int, int, Kind, int, str]) -> None:
    slice_id, row, _, attempt, kind, fate, code = record
    noted = slices.setdefault(slice_id, DeadSlice(slice_id))
    if kind is Kind.SLICE:
        noted.kind = code
    elif kind is Kind.BEGIN:
        noted.begun[row] = Begun(row, attempt, None)
    else:
        outcome = Outcome(row, FATES[fate & 0x3F], code, bool(fate & OPERATOR), bool(fate & LANE_DOWN))
        noted.begun[row] = Begun(row, attempt, outcome)
