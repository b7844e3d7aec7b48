"""The key file: the one secret, outside the database and its backups (decision 15)."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from mailer.core.errors import KeyProblem
from mailer.core.tokens import Tokens
from mailer.core.vault import KeyRing


def load_or_create(path: Path, tokens: Tokens) -> KeyRing:
    """The key ring of this installation, made on first use with mode 0600.

    Raises: KeyProblem when the file is readable by others or is not a key file.
    """
    if not path.exists():
        write(path, {1: tokens.random_bytes(32)}, tokens)
    return load(path)


def load(path: Path) -> KeyRing:
    """Read the key file. Raises: KeyProblem."""
    try:
        mode = path.stat().st_mode & 0o077
        text = path.read_text()
    except OSError as error:
        raise KeyProblem(why="the key file cannot be read; set MAILER_KEY_FILE") from error
    if mode:
        raise KeyProblem(why="the key file is open to others; run chmod 600 on it")
    try:
        return KeyRing({int(number): bytes.fromhex(key) for number, key in json.loads(text)["keys"].items()})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise KeyProblem(why="this is not a key file") from error


def write(path: Path, keys: Mapping[int, bytes], tokens: Tokens) -> None:
    """Make a key file with these keys; one that is there already is left as it is."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    text = json.dumps({"keys": {str(number): key.hex() for number, key in keys.items()}})
    draft = path.with_name(path.name + "." + tokens.random_bytes(6).hex())
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        # A hard link refuses to replace: of two first starts one key wins and both then read it.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
