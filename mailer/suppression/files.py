"""Stop lists as files: fingerprints of our own key with reason, scope and day, or plain addresses, hashed at once.

A line is read by itself: one that does not read is named by its number and loses nothing else.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, BinaryIO

from sqlalchemy import select

from mailer.context import Context
from mailer.core.channel import Channels
from mailer.core.errors import InvalidAddress, MailerError, UnknownChannel
from mailer.core.reasons import SUPPRESSING, Reason
from mailer.core.vault import Sealer
from mailer.suppression.models import Suppression
from mailer.suppression.registry import Stop

COLUMNS = ("fingerprint", "reason", "channel", "list_id", "topic_id", "day", "until", "key")
FORMATS = ("json", "csv")
AT_ONCE = 10_000
"""Lines that are read, or rows that are written, in one go."""
LONGEST_LINE = 2_000
"""Octets of a line; what is longer is none of ours."""
OCTETS = 32
MARK = ("key", "a file of the stop list")
"""What is fingerprinted to tell one key from another."""


class OtherKey(MailerError):
    """The file's fingerprints were made with another installation's key, and mean nothing here."""

    code = "other_key"
    status = 422


@dataclass(frozen=True)
class BadLine:
    """A line that was left out, by its number from 1, and why; never what stood there."""

    number: int
    why: str


@dataclass(frozen=True)
class Plain:
    """What is said of plain addresses: they carry no reason and no scope of their own."""

    channel: str = "email"
    reason: Reason = Reason.STAFF_STOP
    list_id: int = 0
    topic_id: int = 0


@dataclass
class Part:
    """Some thousand lines, read: what they stop, and those that do not read."""

    stops: list[Stop] = field(default_factory=list)
    bad: list[BadLine] = field(default_factory=list)
    lines: int = 0


@dataclass(frozen=True)
class Means:
    """What reading takes: no transaction, so that none stays open for as long as a file is long."""

    sealer: Sealer
    channels: Channels
    today: date


def parts(stream: BinaryIO, plain: Plain, means: Means, *, only_plain: bool = False) -> Iterator[Part]:
    """A file of JSON lines, of CSV or of plain addresses, a part at a time, whatever its length.

    Raises: OtherKey before any line of our own was read; UnknownChannel.
    """
    if plain.channel not in means.channels:
        raise UnknownChannel(channel=plain.channel)
    means = replace(means, sealer=means.sealer.pinned())
    read: Callable[[str], Stop | None] | None = _plainly(means, plain) if only_plain else None
    part = Part()
    for number, raw in enumerate(_lines(stream), 1):
        part.lines += 1
        try:
            text = _text(raw)
            if text:
                read = read or _reader(text, means, plain)
                stop = read(text)
                part.stops += [stop] if stop else []
        except InvalidAddress:
            part.bad.append(BadLine(number, "no address of this channel"))
        except ValueError as error:
            part.bad.append(BadLine(number, str(error)))
        if part.lines == AT_ONCE:
            yield part
            part = Part()
    if part.lines:
        yield part


def written(ctx: Context, form: str) -> Iterator[str]:
    """Every entry in force as a line, with the mark of its own key, in the form asked for; a CSV file has a head."""
    marks: dict[int, str] = {}
    if form == "csv":
        yield ",".join(COLUMNS)
    rows = ctx.db.execute(select(*Suppression.__table__.columns).where(
        Suppression.until.is_(None) | (Suppression.until > ctx.clock.now().date())),
        execution_options={"yield_per": AT_ONCE})
    for row in rows:
        version = row.fingerprint_version
        mark = marks.get(version) or marks.setdefault(version, mark_of(ctx.sealer, version))
        entry = (row.fingerprint.hex(), row.reason, row.channel, row.list_id, row.topic_id, row.day.isoformat(),
                 row.until.isoformat() if row.until else "", mark)
        yield ",".join(map(str, entry)) if form == "csv" else json.dumps(
            dict(zip(COLUMNS, entry, strict=True)), separators=(",", ":"))


def mark_of(sealer: Sealer, version: int | None = None) -> str:
    """What names the key of a line: its number here, and a fingerprint that only this key makes. Raises: KeyProblem."""
    version = sealer.fingerprint_version if version is None else version
    return f"{version}-{sealer.fingerprint(*MARK, version)[:8].hex()}"


class _Key:
    """Tells our key, also an older or newer one of ours, from others."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self._seen: dict[str, int] = {}

    def version(self, key: str) -> int:
        """Raises: OtherKey, or ValueError once a line of our own was read."""
        version = self._seen.get(key)
        if version is None:
            number = key.partition("-")[0]
            version = int(number) if number.isascii() and number.isdigit() and len(number) < 4 else 0
            if not self._sealer.knows_version(version) or key != mark_of(self._sealer, version):
                if self._seen:
                    raise ValueError("a fingerprint of another key")
                raise OtherKey()
            self._seen[key] = version
        return version


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Each line; of one that is too long its beginning, so that it takes no more room than any."""
    while raw := stream.readline(LONGEST_LINE):
        head = raw
        while raw and not raw.endswith(b"\n"):
            raw = stream.readline(LONGEST_LINE)
            head = head if not raw.strip() else head.ljust(LONGEST_LINE + 1)
        yield head


def _text(raw: bytes) -> str:
    if len(raw) > LONGEST_LINE:
        raise ValueError("longer than any line of ours")
    try:
        return raw.decode("utf-8-sig").strip()
    except UnicodeError as error:
        raise ValueError("no text in UTF-8") from error


def _reader(first: str, means: Means, plain: Plain) -> Callable[[str], Stop | None]:
    """How lines are read, as the first one shows."""
    ours = _Key(means.sealer)
    if first.startswith("{"):
        return lambda text: _stop(_object(text), ours, means.today)
    heads = [head.strip().lower() for head in first.split(",")]
    if "fingerprint" in heads:
        return lambda text: None if text == first else _stop(_cells(heads, text), ours, means.today)
    return _plainly(means, plain)


def _plainly(means: Means, plain: Plain) -> Callable[[str], Stop]:
    channel, sealer = means.channels[plain.channel], means.sealer
    version = sealer.fingerprint_version

    def read(text: str) -> Stop:
        identity = channel.parse_address(text).identity
        return Stop(plain.channel, sealer.fingerprint(plain.channel, identity, version), plain.reason, plain.list_id,
                    plain.topic_id, version=version)

    return read


def _object(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ValueError("no JSON object") from error
    if not isinstance(found, dict):
        raise ValueError("no JSON object")
    return found


def _cells(heads: Iterable[str], text: str) -> Mapping[str, Any]:
    cells = next(csv.reader([text]))
    names = list(heads)
    if len(cells) != len(names):
        raise ValueError(f"{len(cells)} cells instead of {len(names)}")
    return dict(zip(names, cells, strict=True))


def _stop(entry: Mapping[str, Any], ours: _Key, today: date) -> Stop:
    """Raises: OtherKey, or ValueError saying what is wrong."""
    try:
        fingerprint = bytes.fromhex(entry["fingerprint"])
        key, reason, channel = str(entry["key"]), Reason(entry["reason"]), str(entry["channel"])
        list_id, topic_id = int(entry.get("list_id") or 0), int(entry.get("topic_id") or 0)
        day = date.fromisoformat(entry["day"])
        until = date.fromisoformat(entry["until"]) if entry.get("until") else None
    except KeyError as error:
        raise ValueError(f"no {error.args[0]}") from error
    except (ValueError, TypeError) as error:
        raise ValueError("a value that does not read") from error
    version = ours.version(key)
    if len(fingerprint) != OCTETS:
        raise ValueError("a fingerprint that is cut")
    if reason not in SUPPRESSING or channel not in ("email", "sms", "postal"):
        raise ValueError("a reason or a channel of no stop list")
    if not 0 <= list_id < 1 << 63 or not 0 <= topic_id < 1 << 63 or (topic_id and not list_id):
        raise ValueError("a scope that cannot be")
    if day > today:
        raise ValueError("a day that has not come")
    return Stop(channel, fingerprint, reason, list_id, topic_id, day, until, version)

