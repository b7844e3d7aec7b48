"""An installation with people, a backup folder, and empty databases to put back into."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import pyrage
from sqlalchemy import make_url

from mailer import wiring
from mailer.audience.models import ContactPoint
from mailer.backup import make, sealed
from mailer.core.jobs import NoJobs
from mailer.organisation.profile import ensure_instance
from mailer.rights.erase import erase
from mailer.services import Services, unit_of_work
from tests.conftest import FixedClock, administer
from tests.instance import command
from tests.people.builders import a_list, join

NAMES = ("vexillandra", "quorbystine", "mistholmar", "zephyrostine", "quillonwickle", "brunhildegarde",
         "ofthehillaine", "perpetuannic")


@dataclass
class World:
    """What the tests of backups begin with."""

    services: Services
    clock: FixedClock
    folder: Path
    identity: Path
    recipient: str
    points: list[ContactPoint]
    list_id: int

    def env(self, database_url: str, *, data_dir: Path | None = None) -> dict[str, str]:
        settings = self.services.settings
        return {"PATH": "/usr/bin:/bin", "DATABASE_URL": database_url, "REDIS_URL": "redis://127.0.0.1:1",
                "MAILER_DATA_DIR": str(data_dir or settings.data_dir), "MAILER_KEY_FILE": str(settings.key_file)}

    def command(self, *words: str, url: str = "", check: bool = True, data_dir: Path | None = None
                ) -> dict[str, object]:
        """Run `mailer … --json` on this installation or on another database with its data folder."""
        return command(self.env(url or self.services.settings.database_url, data_dir=data_dir), *words, check=check)

    @contextmanager
    def empty_database(self) -> Iterator[str]:
        """The URL of a database with nothing in it."""
        name, url = f"r_{uuid4().hex[:12]}", self.services.settings.database_url
        administer(url, f"CREATE DATABASE {name}")
        try:
            yield make_url(url).set(database=name).render_as_string(hide_password=False)
        finally:
            administer(url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    @contextmanager
    def on(self, url: str, *, data_dir: Path | None = None) -> Iterator[Services]:
        """Every power on another database."""
        settings = replace(self.services.settings, database_url=url,
                           data_dir=data_dir or self.services.settings.data_dir)
        engine = wiring.open_engine(settings)
        try:
            yield wiring.build(settings, engine, NoJobs(), clock=self.clock)
        finally:
            engine.dispose()


def world(services: Services, clock: FixedClock, folder: Path, people: int = len(NAMES)) -> World:
    """People on a list, and a pair of age keys."""
    secret = pyrage.x25519.Identity.generate()
    identity = folder / "identity.txt"
    identity.write_text(f"# made for a test\n{secret}\n")
    with unit_of_work(services) as ctx:
        ensure_instance(ctx)
        made, topics = a_list(ctx)
        points = [join(ctx, f"{NAMES[n % len(NAMES)]}{n}@example.org", made.id, topics) for n in range(people)]
    return World(services, clock, folder / "backups", identity, str(secret.to_public()), points, made.id)


def back_up(here: World) -> make.Backup:
    """A generation and the keys."""
    here.clock.advance(seconds=1)
    return make.make(here.services.engine, here.folder, sealed.recipients(here.recipient), now=here.clock.now())


def renew(here: World) -> None:
    """The keys alone, as the ticker renews them."""
    make.renew_keys(here.services.engine, here.folder, sealed.recipients(here.recipient), now=here.clock.now())
    with unit_of_work(here.services) as ctx:
        make.archived(ctx, here.clock.now())


def gone(here: World, number: int) -> None:
    """One of them asks to be erased."""
    with unit_of_work(here.services) as ctx:
        erase(ctx, here.points[number].person_id, by="self")
