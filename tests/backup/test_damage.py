"""What is wrong with a backup, a folder or a word is said in words, and nothing is put back or lost."""

import os
import resource
from collections.abc import Callable
from pathlib import Path

import pyrage
import pytest
from sqlalchemy import text

from mailer.backup import make, sealed
from mailer.backup.errors import BackupFailed
from tests.backup.world import World, back_up, renew


def flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


DAMAGE: dict[str, Callable[[Path, Path, Path], object]] = {
    "cut generation": lambda generation, keys, identity: os.truncate(generation, generation.stat().st_size - 20),
    "cut keys": lambda generation, keys, identity: os.truncate(keys, keys.stat().st_size // 2),
    "flipped": lambda generation, keys, identity: flip(generation),
    "no keys": lambda generation, keys, identity: keys.unlink(),
    "no generation": lambda generation, keys, identity: generation.unlink(),
    "wrong identity": lambda generation, keys, identity: identity.write_text(
        str(pyrage.x25519.Identity.generate())),
    "no identity": lambda generation, keys, identity: identity.unlink(),
    "identity of something else": lambda generation, keys, identity: identity.write_text("age1notasecret"),
    "a plain dump": lambda generation, keys, identity: generation.write_bytes(b"-- PostgreSQL database dump\n"),
}


@pytest.mark.parametrize(("kind", "says"), [
    ("cut generation", "cut, changed"), ("cut keys", "cut, changed"), ("flipped", "cut, changed"),
    ("no keys", "keys.age is not in this folder"), ("no generation", "no generation"),
    ("wrong identity", "not encrypted to this identity"), ("no identity", "cannot be read"),
    ("identity of something else", "no AGE-SECRET-KEY"), ("a plain dump", "cut, changed")])
def test_what_is_wrong_with_a_backup_is_said_in_words_and_nothing_is_put_back(
        here: World, kind: str, says: str) -> None:
    """Item 20."""
    generation, folder, identity = back_up(here).generation, here.folder, here.identity
    DAMAGE[kind](folder / generation, folder / make.KEYS, identity)
    with pytest.raises(BackupFailed, match=says):
        make.verify(folder, sealed.identities(identity))
    if kind in ("cut generation", "wrong identity"):
        with here.empty_database() as url:
            said = here.command("restore", str(folder), "--identity", str(identity), url=url, check=False)
            assert says in str(said["error"]), said
            with here.on(url) as restored, restored.engine.connect() as connection:
                assert connection.scalar(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")) == 0


def test_a_database_with_anything_in_it_is_never_written_over(here: World) -> None:
    back_up(here)
    said = here.command("restore", str(here.folder), "--identity", str(here.identity), check=False)
    assert "not empty" in str(said["error"])


def test_without_the_key_file_nothing_is_begun(here: World) -> None:
    back_up(here)
    here.services.settings.key_file.rename(here.services.settings.key_file.with_suffix(".away"))
    with here.empty_database() as url:
        said = here.command("restore", str(here.folder), "--identity", str(here.identity), url=url, check=False)
    assert "key file comes first" in str(said["error"])


@pytest.mark.parametrize(("recipient", "says"), [
    ("age1nonsense", "begins with age1"), ("/nowhere/at/all", "cannot be read")])
def test_a_recipient_that_is_none_is_refused_before_anything_is_written(
        here: World, recipient: str, says: str) -> None:
    with pytest.raises(BackupFailed, match=says):
        sealed.recipients(recipient)
    assert not here.folder.exists()


def test_a_folder_without_room_keeps_the_archive_that_was_there(here: World) -> None:
    """Item 20."""
    back_up(here)
    before = (here.folder / make.KEYS).read_bytes()
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, usual[1]))
    try:
        with pytest.raises(BackupFailed, match="what was there is as it was"):
            renew(here)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
    assert (here.folder / make.KEYS).read_bytes() == before
    assert not list(here.folder.glob("*.new"))
