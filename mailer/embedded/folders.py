"""Folders of the private servers. No folder outside the data folder ever changes its mode."""

import os
import stat
import tempfile
from pathlib import Path

from mailer.core.errors import BadSettings

# 107 bytes fit on Linux and 103 on macOS; the rest is room for the name of the socket itself.
LONGEST_SOCKET_PATH = 100
SHORT_ROOT = Path("/tmp")  # noqa: S108 (only for a 0700 folder made by mkdtemp, whose owner is checked)


def private_folder(folder: Path) -> Path:
    """Make a folder that only we may enter; one that is there already keeps its mode.

    Raises: BadSettings where this user may not write.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        raise BadSettings(setting="MAILER_DATA_DIR", why="a folder that this user may make and write to") from None
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise BadSettings(setting="MAILER_DATA_DIR", why="a folder that this user may read and write")
    return folder


def socket_folder(data_dir: Path, server: str, socket: str, owner: int) -> Path:
    """Where this server's socket lies: in the data folder, or in a short folder that the data folder names."""
    folder = private_folder(data_dir / "run") / server
    if len(os.fsencode(folder / socket)) <= LONGEST_SOCKET_PATH:
        return private_folder(folder)
    note = data_dir / "run" / f"{server}.folder"
    if note.exists():
        noted = Path(os.fsdecode(note.read_bytes().strip()))
        if _still_ours(noted, owner):
            return noted
    short = Path(tempfile.mkdtemp(prefix="mailer-", dir=SHORT_ROOT))
    fresh = note.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_bytes(os.fsencode(short))
    fresh.replace(note)
    return short


def _still_ours(folder: Path, owner: int) -> bool:
    """A cleaner may have removed it, and then anyone may have made one of the same name."""
    try:
        facts = folder.lstat()
    except OSError:
        return False
    ours = facts.st_uid in (owner, os.geteuid())
    return ours and stat.S_ISDIR(facts.st_mode) and not facts.st_mode & 0o077 and folder.parent == SHORT_ROOT
