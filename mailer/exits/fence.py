"""Whether the database is behind the exits that its hosts remember: put back to an earlier state, it may not send.

Every line of every file in the folder must have its mark in the database, and every head its row. All of it is looked
at once for each database as it stands (a restore, a restart or another database is another one); after that the new
lines alone.
"""

import logging
import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Connection, LargeBinary, Text, Uuid, bindparam, text
from sqlalchemy.orm import Session

from mailer.core.exits import HEADS, ExitKind, ExitLine, Head
from mailer.exits import file
from mailer.exits.file import ExitsFile

log = logging.getLogger(__name__)

IN_FLIGHT = 64
"""Lines that a host can lose at once when it is killed between commit and file; they are written again quietly."""

INCARNATION = text("""
    SELECT (SELECT system_identifier FROM pg_control_system()), (SELECT oid FROM pg_database
            WHERE datname = current_database()), CAST(CAST('exit_mark' AS regclass) AS oid),
           pg_relation_filenode('exit_mark'), pg_postmaster_start_time(),
           ARRAY(SELECT host FROM exit_wanted ORDER BY host)
""")
UNMARKED = text("""
    SELECT line.id FROM unnest(:ids) AS line(id)
    WHERE NOT EXISTS (SELECT FROM exit_mark WHERE host = :host AND exit_mark.id = line.id)
""").bindparams(bindparam("ids", type_=ARRAY(Uuid)))
LOST_HEADS = text("""
    SELECT head.id FROM unnest(:ids, :numbers, :hashes) AS head(id, number, hash)
    WHERE NOT EXISTS (SELECT FROM ledger_head WHERE ledger_head.number = head.number AND ledger_head.hash = head.hash)
      AND NOT EXISTS (SELECT FROM exit_mark WHERE host = :host AND exit_mark.id = head.id)
""").bindparams(bindparam("ids", type_=ARRAY(Uuid)), bindparam("numbers", type_=ARRAY(BigInteger)),
                bindparam("hashes", type_=ARRAY(LargeBinary)))
LOST_AUDIT_HEADS = text("""
    SELECT head.id FROM unnest(:ids, :numbers, :hashes) AS head(id, number, hash)
    WHERE NOT EXISTS (SELECT FROM audit_head WHERE audit_head.number = head.number AND audit_head.hash = head.hash)
      AND NOT EXISTS (SELECT FROM exit_mark WHERE host = :host AND exit_mark.id = head.id)
""").bindparams(bindparam("ids", type_=ARRAY(Uuid)), bindparam("numbers", type_=ARRAY(BigInteger)),
                bindparam("hashes", type_=ARRAY(LargeBinary)))
LOST = {ExitKind.HEAD: LOST_HEADS, ExitKind.AUDIT_HEAD: LOST_AUDIT_HEADS}
NEWEST_HEAD = text("SELECT number, hash, signature, at FROM ledger_head ORDER BY number DESC LIMIT 1")
KNOWN_HOSTS = text("SELECT DISTINCT host FROM exit_mark")
MARKS = text("SELECT id, number, kind, at, detail FROM exit_mark WHERE host = :host ORDER BY number")
OVERRIDES = text("SELECT host, at FROM exit_override")
WANTED = text("SELECT host FROM exit_wanted ORDER BY host")
WANT = text("INSERT INTO exit_wanted (host, since) SELECT host, :at FROM unnest(:hosts) AS missing(host) "
            "ON CONFLICT DO NOTHING").bindparams(bindparam("hosts", type_=ARRAY(Text)))
UNWANT = text("DELETE FROM exit_wanted WHERE host = ANY(:hosts)").bindparams(bindparam("hosts", type_=ARRAY(Text)))


@dataclass(frozen=True)
class Fence:
    """How far the database is behind: lines without a mark, and whether that forbids sending."""

    behind: int = 0
    missing_hosts: tuple[str, ...] = ()
    """Hosts that the database knows and whose files do not lie here; each host keeps its own, so others' may be."""
    refuses: bool = False
    unreadable: int = 0


@dataclass
class _Seen:
    """What this process has looked at in one folder, for one database as it stands."""

    incarnation: tuple[Any, ...]
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    pending: dict[str, dict[UUID, ExitLine]] = field(default_factory=dict)
    last: dict[str, ExitLine] = field(default_factory=dict)
    own_head: int = 0
    unreadable: int = 0
    missing: tuple[str, ...] = ()
    unwritten: int = 0

    @property
    def wanted(self) -> tuple[str, ...]:
        """Hosts whose files a restore missed and nobody has brought since."""
        return tuple(self.incarnation[-1])


_seen: dict[tuple[Path, str], _Seen] = {}
_one_at_a_time = threading.Lock()


def check(connection: Session | Connection, folder: Path, host: str) -> Fence:
    """How the database stands to the files in `folder`, seen from `host`. Cheap when nothing changed.

    It also keeps this host's file whole: lines lost with a killed process and the newest head are written to it.
    A file that cannot be read refuses; database errors are the caller's.
    """
    with _one_at_a_time:
        incarnation = tuple(connection.execute(INCARNATION).one())
        seen = _seen.get((folder, host))
        try:
            if seen is None or seen.incarnation != incarnation or not _still_holds(connection, folder, seen):
                seen = _seen[folder, host] = _Seen(incarnation, unwritten=1)
            if seen.unwritten:
                _look_at_own(connection, folder, host, seen)
            _look_at_new(connection, folder, seen)
        except OSError as error:
            log.warning("exits_unreadable", extra={"error": type(error).__name__})
            _seen.pop((folder, host), None)
            return Fence(behind=1, refuses=True)
        _keep_head(connection, folder, host, seen)
        return _judge(connection, host, seen)


def lines_behind(connection: Session | Connection, folder: Path) -> Iterator[tuple[str, ExitLine]]:
    """Every line without a mark, with its host, in the order in which things happened. Raises: OSError."""
    found = {(host, line.id): line for host, path in file.hosts(folder).items()
             for part in file.parts(path) for line in _unmarked(connection, host, part.lines, HEADS)}
    yield from ((host, line) for (host, _), line in sorted(found.items(), key=lambda item: item[1].number))


def unwritten(connection: Session | Connection, folder: Path, host: str) -> list[ExitLine]:
    """Marks of this host that its file lacks, as lines. Raises: OSError."""
    path = file.hosts(folder).get(host)
    written = {line.id for part in file.parts(path) for line in part.lines} if path else set()
    return [ExitLine(row.id, row.number, ExitKind(row.kind), row.at, row.detail)
            for row in connection.execute(MARKS, {"host": host}) if row.id not in written]


def want(connection: Session | Connection, folder: Path, at: datetime, also: Collection[str] = ()) -> list[str]:
    """After a restore: nothing is sent until the files of these hosts were brought and applied; their names.

    `also` are hosts known from elsewhere, whose first exit is younger than what was put back.
    """
    known = {*connection.execute(KNOWN_HOSTS).scalars(), *also}
    wanted = sorted(host for host in known if not _is_whole(connection, folder, host))
    if wanted:
        connection.execute(WANT, {"hosts": wanted, "at": at})
    return wanted


def brought(connection: Session | Connection, folder: Path) -> list[str]:
    """Hosts whose files were wanted and lie here by now, with all that the database knows of them."""
    return [host for host in connection.execute(WANTED).scalars().all() if _is_whole(connection, folder, host)]


def no_longer_wanted(connection: Session | Connection, hosts: Sequence[str]) -> None:
    """The files of these hosts were applied, or the officer goes on without them."""
    connection.execute(UNWANT, {"hosts": list(hosts)})


def is_wanted(connection: Session | Connection, host: str) -> bool:
    """Whether a restore missed the file of this host."""
    return host in connection.execute(WANTED).scalars().all()


def _is_whole(connection: Session | Connection, folder: Path, host: str) -> bool:
    return host in file.hosts(folder) and not unwritten(connection, folder, host)


def remembered_heads(connection: Session | Connection, folder: Path, kind: ExitKind = ExitKind.HEAD
                     ) -> Iterator[Head]:
    """Heads of a chain kept in the files, but those given up when exits were applied. Raises: OSError."""
    for host, path in file.hosts(folder).items():
        for part in file.parts(path):
            heads = [line for line in part.lines if line.kind is kind]
            kept = set(connection.execute(UNMARKED, {"ids": [line.id for line in heads], "host": host}).scalars())
            yield from (Head.of(line) for line in heads if line.id in kept)


def _still_holds(connection: Session | Connection, folder: Path, seen: _Seen) -> bool:
    """Whether files only grew since the last look and their last lines are still known to the database."""
    paths = file.hosts(folder)
    for host, (inode, end) in seen.places.items():
        facts = paths[host].stat() if host in paths else None
        if facts is None or facts.st_ino != inode or facts.st_size < end:
            return False
    return not any(_unmarked(connection, host, [line]) for host, line in seen.last.items()
                   if line.id not in seen.pending.get(host, {}))


def _look_at_own(connection: Session | Connection, folder: Path, host: str, seen: _Seen) -> None:
    seen.missing = tuple(sorted(set(connection.execute(KNOWN_HOSTS).scalars()) - file.hosts(folder).keys()))
    lost = unwritten(connection, folder, host)
    seen.unwritten = len(lost)
    if lost and host not in (*seen.missing, *seen.wanted) and len(lost) <= IN_FLIGHT:
        ExitsFile(folder, host).append(lost)
        seen.unwritten = 0


def _look_at_new(connection: Session | Connection, folder: Path, seen: _Seen) -> None:
    for host, path in file.hosts(folder).items():
        inode, start = seen.places.get(host, (path.stat().st_ino, 0))
        fresh = seen.pending.get(host, {})
        seen.pending[host] = {line.id: line for line in _unmarked(connection, host, list(fresh.values()))}
        for part in file.parts(path, start):
            seen.unreadable += part.unreadable
            seen.pending[host] |= {line.id: line for line in _unmarked(connection, host, part.lines)}
            start = part.end
            if judged := [line for line in part.lines if line.kind is not ExitKind.AUDIT_HEAD]:
                seen.last[host] = judged[-1]
        seen.places[host] = (inode, start)


def _keep_head(connection: Session | Connection, folder: Path, host: str, seen: _Seen) -> None:
    """Remember the newest head outside the database too, so that exits of other hosts cannot be undone unseen."""
    newest = connection.execute(NEWEST_HEAD).first()
    if newest is None or newest.number == seen.own_head:
        return
    head = Head(newest.number, bytes(newest.hash), bytes(newest.signature))
    last = seen.last.get(host)
    try:
        if last is None or last.id != head.line(newest.at).id:
            ExitsFile(folder, host).append([head.line(newest.at)])
    except OSError as error:
        # The disk is full: the head is noted at the next look, and what must be kept before an answer is not here.
        log.warning("head_not_kept", extra={"error": type(error).__name__})
        return
    seen.own_head = newest.number


def _judge(connection: Session | Connection, host: str, seen: _Seen) -> Fence:
    behind = {name: [line.at for line in lines.values()] for name, lines in seen.pending.items() if lines}
    count = sum(len(times) for times in behind.values()) + seen.unwritten
    allowed: dict[str, datetime] = {name: at for name, at in connection.execute(OVERRIDES)} if count else {}
    refuses = any(name not in allowed or max(times) > allowed[name] for name, times in behind.items())
    refuses = refuses or (seen.unwritten > 0 and host not in allowed) or bool(seen.wanted)
    return Fence(count, tuple(sorted({*seen.missing, *seen.wanted})), refuses, seen.unreadable)


def _unmarked(connection: Session | Connection, host: str, lines: Sequence[ExitLine],
              kinds: Collection[ExitKind] = (ExitKind.HEAD,)) -> list[ExitLine]:
    """Lines that the database lacks. A lost head of the audit trail forbids no sending, so it counts on demand only."""
    exits = {line.id for line in lines if line.kind not in HEADS}
    gone: set[UUID] = set()
    if exits:
        gone |= set(connection.execute(UNMARKED, {"ids": list(exits), "host": host}).scalars())
    for kind in kinds:
        heads = [(line.id, Head.of(line)) for line in lines if line.kind is kind]
        if heads:
            gone |= set(connection.execute(LOST[kind], {
                "ids": [line_id for line_id, _ in heads], "numbers": [head.number for _, head in heads],
                "hashes": [head.hash for _, head in heads], "host": host}).scalars())
    return [line for line in lines if line.id in gone]
