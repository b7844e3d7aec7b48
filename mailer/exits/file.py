"""The file of exits on this host: JSON lines, mode 0600, written to the disk before anybody is answered."""

import fcntl
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

from mailer.core.errors import BadSettings
from mailer.core.exits import HEADS, ExitKind, ExitLine, Head
from mailer.core.reasons import Reason

SUFFIX = ".jsonl"
AT_ONCE = 1 << 20
"""Octets read in one go."""
HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class ExitsFile:
    """One host's file. Processes of the host share it; a line is whole or it is not there."""

    folder: Path
    host: str

    def __post_init__(self) -> None:
        if not HOST.fullmatch(self.host):
            raise BadSettings(setting="host name", why="letters, digits, dots and dashes")

    @property
    def path(self) -> Path:
        return self.folder / (self.host + SUFFIX)

    def append(self, lines: Iterable[ExitLine]) -> None:
        """Write and fsync. Raises OSError when the disk will not take it; the file is then as it was."""
        octets = b"".join(_encode(line) for line in lines)
        if not octets:
            return
        new = not self.path.exists()
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            _append(handle, octets)
        finally:
            os.close(handle)
        if new:
            _sync_folder(self.folder)


@dataclass(frozen=True)
class Part:
    """What stands in a file from some place on: its lines, the place to go on from, and lines that do not read."""

    lines: list[ExitLine]
    end: int
    unreadable: int


def hosts(folder: Path) -> dict[str, Path]:
    """The files that lie in this folder, by their host."""
    return {path.name.removesuffix(SUFFIX): path for path in sorted(folder.glob("*" + SUFFIX))}


def read(path: Path, start: int = 0) -> Part:
    """About a megabyte of whole lines from `start` on; at the end of the file `end` moves no more.

    A last line that is still being written is left for later. Raises: OSError.
    """
    with path.open("rb") as file:
        file.seek(start)
        octets = file.read(AT_ONCE) + file.readline()
    whole = octets[:octets.rfind(b"\n") + 1]
    lines, unreadable = [], 0
    for raw in whole.splitlines():
        line = _decode(raw) if raw else None
        if line is not None:
            lines.append(line)
        elif raw:
            unreadable += 1
    return Part(lines, start + len(whole), unreadable)


def parts(path: Path, start: int = 0) -> Iterator[Part]:
    """The file from `start` on, a part at a time. Raises: OSError."""
    part = read(path, start)
    while part.end > start:
        yield part
        start = part.end
        part = read(path, start)


def _encode(line: ExitLine) -> bytes:
    return json.dumps({"id": str(line.id), "number": line.number, "kind": line.kind, "at": line.at.isoformat(),
                       "detail": line.detail}, separators=(",", ":")).encode() + b"\n"


def _decode(raw: bytes) -> ExitLine | None:
    try:
        found = json.loads(raw)
        line = ExitLine(UUID(found["id"]), int(found["number"]), ExitKind(found["kind"]),
                        datetime.fromisoformat(found["at"]), dict(found["detail"]))
        _check(line)
    except (ValueError, KeyError, TypeError):
        return None
    return line


def _check(line: ExitLine) -> None:
    """Raises ValueError, KeyError or TypeError for a line that could not be applied."""
    detail = line.detail
    if line.kind in HEADS:
        Head.of(line)
    elif line.kind is not ExitKind.ERASURE or detail.keys() & {"fingerprint", "fingerprints"}:
        for fingerprint in detail["fingerprints"] if "fingerprints" in detail else [detail["fingerprint"]]:
            bytes.fromhex(fingerprint)
        Reason(detail["reason"])
        int(detail["list_id"])
        int(detail.get("topic_id", 0))
        str(detail["channel"])
        if detail.get("until"):
            date.fromisoformat(detail["until"])


def _append(handle: int, octets: bytes) -> None:
    before = os.fstat(handle).st_size
    if before and os.pread(handle, 1, before - 1) != b"\n":
        # The power went while a line was being written; ours must not be glued to what is left of it.
        octets = b"\n" + octets
    try:
        done = 0
        while done < len(octets):
            done += os.write(handle, octets[done:])
        os.fsync(handle)
    except OSError:
        os.ftruncate(handle, before)
        raise


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
