"""The key file: the one secret, outside the database and its backups (decision 15)."""

import fcntl
import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic

from mailer.core.errors import KeyProblem
from mailer.core.tokens import Tokens
from mailer.core.vault import KeyRing

log = logging.getLogger(__name__)

LOOK_EVERY = 0.5
"""Seconds after which a process sees a key file that was replaced."""


class WatchedKeys:
    """The key ring of a file, read again once the file was replaced; may be shared by threads.

    Raises: KeyProblem, from the first reading alone; a file that goes bad later leaves the ring as it was.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp = _stamp(path)
        self._ring = load(path)
        self._looked = monotonic()

    def current(self, needed: int = 0) -> KeyRing:
        """The ring, at most half a second old; younger where it lacks the key `needed`."""
        if monotonic() - self._looked > LOOK_EVERY or (needed and needed not in self._ring.keys):
            self._look()
        return self._ring

    def _look(self) -> None:
        self._looked = monotonic()
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return
        try:
            # The stamp is older than what is read: a change in between is seen at the next look.
            self._ring = load(self._path)
            self._stamp = stamp
        except KeyProblem as error:
            log.warning("key_file_not_read", extra={"why": error.context.get("why")})


def load_or_create(path: Path, tokens: Tokens) -> KeyRing:
    """The key ring of this installation, made on first use with mode 0600.

    Raises: KeyProblem when the file is readable by others or is not a key file.
    """
    if not path.exists():
        write(path, {1: tokens.random_bytes(32)}, tokens)
    return load(path)


def watch(path: Path, tokens: Tokens) -> WatchedKeys:
    """The same, followed for as long as the process lives. Raises: KeyProblem."""
    load_or_create(path, tokens)
    return WatchedKeys(path)


def load(path: Path) -> KeyRing:
    """Read the key file. Raises: KeyProblem."""
    try:
        mode = path.stat().st_mode & 0o077
        text = path.read_text()
    except (OSError, UnicodeError) as error:
        raise KeyProblem(why="the key file cannot be read; set MAILER_KEY_FILE") from error
    if mode:
        raise KeyProblem(why="the key file is open to others; run chmod 600 on it")
    try:
        found = json.loads(text)
        keys = {int(number): bytes.fromhex(key) for number, key in found["keys"].items()}
        return KeyRing(keys, int(found.get("active", 0)))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise KeyProblem(why="this is not a key file") from error


def write(path: Path, keys: Mapping[int, bytes], tokens: Tokens) -> None:
    """Make a key file with these keys; one that is there already is left as it is."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = _draft(path, KeyRing(keys), tokens)
    try:
        # A hard link refuses to replace: of two first starts one key wins and both then read it.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Within this block nobody else on this machine reads the key file in order to replace it."""
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        # Some network file systems lock no folder; there it is as it was without.
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def replace(path: Path, ring: KeyRing, tokens: Tokens) -> None:
    """Put a ring in the place of the one that is there: whole, on the disk, mode 0600, or not at all.

    Whoever made the ring from what is there has done so within `alone`.
    Raises: OSError; KeyProblem when keys of the one that is there would be lost.
    """
    there = load(path)
    if any(ring.keys.get(number) != key for number, key in there.keys.items()):
        raise KeyProblem(why="a key file never loses a key")
    draft = _draft(path, ring, tokens)
    try:
        draft.replace(path)
    except OSError:
        draft.unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _draft(path: Path, ring: KeyRing, tokens: Tokens) -> Path:
    found: dict[str, object] = {"keys": {str(number): key.hex() for number, key in ring.keys.items()}}
    if ring.newest != ring.latest:
        found["active"] = ring.newest
    draft = path.with_name(path.name + "." + tokens.random_bytes(6).hex())
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(json.dumps(found))
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        draft.unlink()
        raise
    return draft


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        facts = path.stat()
    except OSError:
        return (0, 0, 0)
    return (facts.st_ino, facts.st_mtime_ns, facts.st_size)
