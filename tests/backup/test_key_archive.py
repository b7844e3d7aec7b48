"""The archive of keys: one at a time, one state of the database, and the time at which it was begun."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from mailer.backup import key_archive as archive
from mailer.backup import make, sealed
from mailer.services import unit_of_work
from tests.backup.world import NAMES, World, back_up, gone, renew
from tests.people.builders import ask
from workers import ticker


def test_an_archive_of_keys_waits_for_another_and_reads_the_keys_after_it(here: World) -> None:
    """Decision 16: an archive with keys of before an erasure never takes the place of one of after it."""
    back_up(here)
    with sealed.alone(here.folder):
        second = threading.Thread(target=renew, args=(here,))
        second.start()
        second.join(0.5)
        assert second.is_alive()
        gone(here, 0)
    second.join(30)
    assert make.verify(here.folder, sealed.identities(here.identity))["keys"] == len(NAMES) - 1


def test_an_archive_of_keys_is_one_state_and_bears_the_time_of_its_beginning(
        here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decision 16: who is erased while it is written waits for the next one, and the doctor knows it."""
    read, began = archive.read_all, here.clock.now()

    def slow(connection: "psycopg.Connection[tuple[Any, ...]]") -> Iterator[bytes]:
        pieces = read(connection)
        yield next(pieces)
        here.clock.advance(hours=1)
        with unit_of_work(here.services) as ctx:
            ask(ctx, "meanwhile@example.org", here.list_id, [])
        yield from pieces

    monkeypatch.setattr(archive, "read_all", slow)
    settings = replace(here.services.settings, backup_dir=here.folder, backup_recipient=here.recipient)
    ticker.renew_keys(replace(here.services, settings=settings))
    reading = archive.Reading(lambda *_: None)
    sealed.unseal(here.folder / make.KEYS, sealed.identities(here.identity), reading.take)
    assert reading.finish() == len(NAMES)
    with unit_of_work(here.services) as ctx:
        assert ctx.db.scalar(text("SELECT keys_archived_at FROM instance")) == began
