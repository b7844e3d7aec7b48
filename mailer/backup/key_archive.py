"""The wrapped keys of people and requests as one stream: a record each, and their number at the end.

A record is a table's number (1 octet), a row's number (8), a length (2) and the wrapped key.
"""

import struct
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from psycopg import sql

from mailer.backup.errors import BackupFailed

TABLES = {1: ("person_key", "person_id", "person"), 2: ("request_key", "request_id", "pending_request"),
          3: ("friend_key", "friend_request_id", "friend_request"),
          4: ("friend_sender_key", "friend_request_id", "friend_request")}
"""Number in the archive: table in schema vault, its key, and the table of those whose keys they are."""

END = 255
RECORD = struct.Struct("!BqH")
BATCH = 5000


def read_all(connection: "psycopg.Connection[tuple[Any, ...]]") -> Iterator[bytes]:
    """Every key, from one state of the database; the connection's transaction is the caller's."""
    count = 0
    for number, (table, key, _) in TABLES.items():
        with connection.cursor(name=f"keys_{number}") as cursor:
            cursor.execute(sql.SQL("SELECT {}, wrapped FROM vault.{}").format(
                sql.Identifier(key), sql.Identifier(table)))
            while rows := cursor.fetchmany(BATCH):
                count += len(rows)
                yield b"".join(RECORD.pack(number, row, len(wrapped)) + wrapped for row, wrapped in rows)
    yield RECORD.pack(END, count, 0)


class Reading:
    """Takes an archive piece by piece and hands on each key."""

    def __init__(self, each: Callable[[int, int, bytes], object]) -> None:
        self._each = each
        self._rest = b""
        self.count = 0
        self._ended = False

    def take(self, piece: bytes) -> None:
        """Raises: BackupFailed for what is no archive of keys."""
        octets, at = self._rest + piece, 0
        while len(octets) - at >= RECORD.size:
            number, row, length = RECORD.unpack_from(octets, at)
            if self._ended or (number not in TABLES and number != END):
                raise BackupFailed(why="the archive of keys is not one that we can read")
            if number == END:
                self._ended = row == self.count
                at += RECORD.size
                continue
            if len(octets) - at < RECORD.size + length:
                break
            self._each(number, row, octets[at + RECORD.size:at + RECORD.size + length])
            self.count += 1
            at += RECORD.size + length
        self._rest = octets[at:]

    def finish(self) -> int:
        """How many keys there were. Raises: BackupFailed where some are missing."""
        if not self._ended or self._rest:
            raise BackupFailed(why="the archive of keys is cut")
        return self.count


def put_in(connection: "psycopg.Connection[tuple[object, ...]]", feed: Callable[[Callable[[bytes], object]], object]
           ) -> tuple[int, int]:
    """Give keys to those who are there; how many found their owner, and how many people have none any more.

    Keys of people who joined after the generation was made have no owner. `feed` hands the archive to what it is
    given. Never commits.
    """
    connection.execute("CREATE TEMPORARY TABLE key_back (kind smallint, id bigint, wrapped bytea) ON COMMIT DROP")
    with connection.cursor() as cursor, cursor.copy("COPY key_back FROM STDIN (FORMAT BINARY)") as copy:
        copy.set_types(["int2", "int8", "bytea"])
        reading = Reading(lambda kind, row, wrapped: copy.write_row((kind, row, wrapped)))
        feed(reading.take)
        reading.finish()
    given = 0
    for number, (table, key, owner) in TABLES.items():
        given += connection.execute(sql.SQL(
            "INSERT INTO vault.{table} ({key}, wrapped) SELECT back.id, back.wrapped FROM key_back back "
            "JOIN {owner} ON {owner}.id = back.id WHERE back.kind = {kind} ON CONFLICT DO NOTHING").format(
                table=sql.Identifier(table), key=sql.Identifier(key), owner=sql.Identifier(owner),
                kind=sql.Literal(number))).rowcount
    row = connection.execute("SELECT count(*) FROM person WHERE NOT EXISTS (SELECT FROM vault.person_key k "
                             "WHERE k.person_id = person.id)").fetchone()
    return given, int(str(row[0])) if row else 0
