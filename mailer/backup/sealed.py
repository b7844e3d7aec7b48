"""Files encrypted to age recipients (age-encryption.org/v1): written whole or not at all, read to their very end."""

import errno
import fcntl
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, cast

import psycopg
import pyrage
from pyrage import x25519
from sqlalchemy.exc import SQLAlchemyError

from mailer.backup.errors import BackupFailed
from mailer.core.errors import MailerError

LONGEST_HEADER = 1_000_000
STOPS = (MailerError, OSError, SQLAlchemyError, psycopg.Error)
"""What may go wrong in those who give octets and take them; the library would make mere words of it."""

Recipients = Sequence[x25519.Recipient]
Identities = Sequence[x25519.Identity]


def recipients(raw: str) -> Recipients:
    """Recipients, from `age1…` itself or from a file with one a line. Raises: BackupFailed."""
    lines = [raw.strip()] if raw.strip().startswith("age1") else _lines(Path(raw), "recipient")
    try:
        found = [x25519.Recipient.from_str(line) for line in lines]
    except pyrage.RecipientError:
        raise BackupFailed(why="the recipient is not one that age-keygen made; it begins with age1") from None
    if not found:
        raise BackupFailed(why="no recipient is named; it begins with age1, and age-keygen makes one")
    return found


def identities(path: Path) -> Identities:
    """The secret halves in a file of age-keygen. Raises: BackupFailed."""
    try:
        found = [x25519.Identity.from_str(line) for line in _lines(path, "identity")]
    except pyrage.IdentityError:
        raise BackupFailed(why="the identity file holds a line that is no AGE-SECRET-KEY-1…") from None
    if not found:
        raise BackupFailed(why="the identity file holds no AGE-SECRET-KEY-1…")
    return found


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Within this block nobody else on this machine writes the archive of keys into this folder.

    Raises: BackupFailed.
    """
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        raise BackupFailed(why="the backup folder cannot be opened") from None
    try:
        # Some network file systems lock no folder; there it is as it was without.
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def seal(to: Path, header: Mapping[str, object], chunks: Iterable[bytes], whom: Recipients) -> None:
    """Write a header and octets, encrypted: to a draft, fsync, rename. Raises: BackupFailed; what `chunks` raises."""
    draft = to.with_name(to.name + ".new")
    source = _Source(_with_header(header, chunks))
    try:
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            pyrage.encrypt_io(source, file, whom)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(to)
        _sync_folder(to.parent)
    except (OSError, pyrage.EncryptError) as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        if source.failed is not None:
            raise source.failed from error
        raise BackupFailed(why=_said(error, to)) from error


def unseal(path: Path, whom: Identities, take: Callable[[bytes], object]) -> dict[str, Any]:
    """Hand on everything after the header, in pieces; the header. Raises: BackupFailed; what `take` raises."""
    sink = _Sink(take)
    try:
        with path.open("rb") as file:
            pyrage.decrypt_io(file, sink, whom)
    except FileNotFoundError as error:
        raise BackupFailed(why=f"{path.name} is not in this folder") from error
    except (OSError, pyrage.DecryptError) as error:
        if sink.failed is not None:
            raise sink.failed from error
        if "No matching keys" in str(error):
            raise BackupFailed(why=f"{path.name} was not encrypted to this identity") from error
        raise BackupFailed(why=f"{path.name} is cut, changed or no backup") from error
    if sink.header is None:
        raise BackupFailed(why=f"{path.name} is cut, changed or no backup")
    return sink.header


def header_of(path: Path, whom: Identities) -> dict[str, Any]:
    """What a file says of itself, with nothing after it read. Raises: BackupFailed."""
    found: dict[str, Any] = {}
    with suppress(_Enough):
        found = unseal(path, whom, _enough)
    return found or _header_by_stopping(path, whom)


def _header_by_stopping(path: Path, whom: Identities) -> dict[str, Any]:
    sink = _Sink(_enough)
    with suppress(OSError, pyrage.DecryptError), path.open("rb") as file:
        pyrage.decrypt_io(file, sink, whom)
    if sink.header is None:
        raise BackupFailed(why=f"{path.name} is cut, changed or no backup")
    return sink.header


class _Enough(MailerError):
    """The header was read."""


def _enough(_: bytes) -> None:
    raise _Enough


class _Source(io.RawIOBase):
    """Octets to be read; what went wrong in making them is kept, as the library tells it only in words."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""
        self.failed: Exception | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        try:
            while not self._rest:
                self._rest = next(self._chunks)
        except StopIteration:
            return 0
        except STOPS as error:
            self.failed = error
            raise OSError(errno.EIO, "stopped") from error
        count = min(len(into), len(self._rest))
        into[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


class _Sink(io.RawIOBase):
    """Octets to be taken, the first line apart."""

    def __init__(self, take: Callable[[bytes], object]) -> None:
        self._take = take
        self._begun = b""
        self.header: dict[str, Any] | None = None
        self.failed: Exception | None = None

    def writable(self) -> bool:
        return True

    def write(self, octets: Any) -> int:
        piece = bytes(octets)
        try:
            if self.header is None:
                self._begun += piece
                line, newline, rest = self._begun.partition(b"\n")
                if len(line) > LONGEST_HEADER:
                    raise BackupFailed(why="this is no backup of Mailer")
                if newline:
                    self.header = _header(line)
                    self._take(rest)
            else:
                self._take(piece)
        except STOPS as error:
            self.failed = error
            raise OSError(errno.EIO, "stopped") from error
        return len(piece)


def _header(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
        if found["mailer"] in ("generation", "keys"):
            return cast("dict[str, Any]", found)
    except (ValueError, KeyError, TypeError):
        pass
    raise BackupFailed(why="this is no backup of Mailer")


def _with_header(header: Mapping[str, object], chunks: Iterable[bytes]) -> Iterator[bytes]:
    yield json.dumps(dict(header)).encode() + b"\n"
    yield from chunks


def _lines(path: Path, what: str) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError):
        raise BackupFailed(why=f"the {what} file cannot be read") from None
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _said(error: Exception, to: Path) -> str:
    if "No space left" in str(error) or getattr(error, "errno", None) == errno.ENOSPC:
        return "the disk of the backup folder is full; what was there is as it was"
    return f"{to.name} cannot be written in the backup folder; what was there is as it was"


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def pieces(stream: IO[bytes]) -> Iterator[bytes]:
    """What a program prints, a piece at a time."""
    while piece := stream.read(1 << 16):
        yield piece
