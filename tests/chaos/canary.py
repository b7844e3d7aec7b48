"""Somebody who lives with us, leaves and is erased: what they do, and every place where they could be found."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import psycopg
import redis

from mailer.audience import contact_points, show
from mailer.audience.models import ContactPoint
from mailer.campaigns import compose, schedule
from mailer.cli.instance import facts_of
from mailer.core.errors import NotFound
from mailer.core.messages import CampaignState
from mailer.lists import catalogue
from mailer.rights import requests
from mailer.services import unit_of_work
from mailer.subscriptions import imports
from tests.chaos.databases import dump
from tests.chaos.mailbox import get, messages, post
from tests.chaos.needles import Needles
from tests.chaos.sending import database, powers, until
from tests.chaos.test_canaries import found_in, join
from tests.fakes.smtp_server import SmtpServer
from tests.instance import Instance, command

CANARY, NAME = "perpetuanna.quillfeather@example.com", "Perpetuanna"
NEW = "perpetuanna.newmailbox@example.net"
"""Where she wished to move, and never confirmed."""
NOTE = "Perpetuanna Quillfeather asks who sold her address."
NEEDLES = Needles([CANARY, NAME, NAME.lower(), NEW, "Quillfeather", "quillfeather", "newmailbox"])

THEIRS = (
    ("person", "id = %(person)s"), ("vault.person_key", "person_id = %(person)s"), ("contact_point", "id = %(point)s"),
    ("standing", "contact_point_id = %(point)s"), ("preference", "contact_point_id = %(point)s"),
    ("field_source", "person_id = %(person)s"), ("goodbye", "contact_point_id = %(point)s"),
    ("address_change", "contact_point_id = %(point)s"), ("fresh_access", "contact_point_id = %(point)s"),
    ("single_use_link", "contact_point_id = %(point)s"), ("single_message", "contact_point_id = %(point)s"),
    ("practice_item", "contact_point_id = %(point)s"), ("access_copy", "person_id = %(person)s"),
    ("rights_request", "person_id = %(person)s OR contact_point_id = %(point)s OR sealed_contact IS NOT NULL "
     "OR contact_fingerprint IS NOT NULL OR sealed_note IS NOT NULL"),
)
"""Where somebody is to be found while they are with us."""
BACK = tuple(place for place in THEIRS if place[0] in ("person", "contact_point", "standing"))


def rows(url: str, places: Sequence[tuple[str, str]], **who: int) -> dict[str, int]:
    """How many rows of each table are theirs, where there are any."""
    with psycopg.connect(url) as connection:
        found = {table: connection.execute(f"SELECT count(*) FROM {table} WHERE {where}", who).fetchone()
                 for table, where in places}
    return {table: row[0] for table, row in found.items() if row and row[0]}


class Canary:
    """The canary at one installation, and what can be found of her there."""

    def __init__(self, instance: Instance, server: SmtpServer) -> None:
        self.instance, self.server = instance, server

    def lives(self) -> str:
        """Joins by the form, gets a campaign, opens her page, wishes and asks for this and that; her page's path."""
        join(self.instance, self.server, CANARY, NAME)
        self.campaign("News number one")
        self.letter = messages(self.server)[CANARY]
        (stamp,) = re.findall(r'name="stamp" value="([^"]*)"', get(f"{self.instance.url}/manage"))
        post(f"{self.instance.url}/manage", email=CANARY, stamp=stamp)
        link = self.mailed(CANARY, r"http://\S+/fresh/\S+")
        (page, *_) = re.findall(r"/me/[^/\"]+", post(link)[1])
        post(f"{self.instance.url}{page}/copy")
        post(f"{self.instance.url}{page}/email", email=NEW)
        self.mailed(NEW, r"http://\S+/address/\S+")
        services = powers(self.instance)
        with unit_of_work(services) as ctx:
            point = contact_points.find(ctx, "email", contact_points.parse(ctx, "email", CANARY))
            requests.open_request(ctx, "question", source="desk", point=point, note=NOTE)
            requests.open_request(ctx, "question", source="public", contact=CANARY, note=NOTE)
            assert point
            self.ids = {"person": point.person_id, "point": point.id}
        services.engine.dispose()
        return page

    def mailed(self, to: str, link: str) -> str:
        """A link in a letter that comes."""
        def found() -> list[str]:
            letter = messages(self.server).get(to)
            part = letter.get_body(("plain",)) if letter else None
            return re.findall(link, part.get_content()) if part else []

        until(lambda: bool(found()), 20)
        return str(found()[0])

    def campaign(self, subject: str) -> list[str]:
        """Send one to everybody; who got it."""
        before = len(self.server.record.deliveries)
        services = powers(self.instance, nudging=True)
        with unit_of_work(services) as ctx:
            number = compose.create(ctx, list_id=catalogue.by_name(ctx, "seed").id,
                                    words=compose.Words(subject, "Hello {first name | there}, words.")).id
            schedule.send(ctx, number, undo=False)
        services.engine.dispose()
        with psycopg.connect(database(self.instance), autocommit=True) as connection:
            until(lambda: connection.execute("SELECT state FROM campaign WHERE id = %s", (number,)).fetchone()
                  == (CampaignState.SENT,))
        return sorted(each.recipient for each in self.server.record.deliveries[before:]
                      if subject.encode() in (each.body or b""))

    def imported(self) -> tuple[int, dict[str, int]]:
        """Somebody takes her over from elsewhere, with proof that an officer approved."""
        services = powers(self.instance)
        with unit_of_work(services) as ctx:
            basis = imports.Basis("old system", ctx.clock.now().date(), "Yes, write to me.")
            done = imports.import_people(
                ctx, [imports.ImportRow(1, CANARY, basis, NAME)], list_id=catalogue.by_name(ctx, "seed").id,
                approval=imports.Approval(by="staff:1", reference="file 7"))
        services.engine.dispose()
        return done.new + done.here, dict(done.left_out)

    def typed_into_the_form(self) -> None:
        """By somebody; nobody confirms."""
        status, page = post(f"{self.instance.url}/join/canaries", email=CANARY, first_name="", form_version="1",
                            topics="1")
        assert status == 200 and "Now check your email" in page

    def opens(self) -> str:
        """What whoever has database and keys reads of her; empty where nothing opens."""
        services = powers(self.instance)
        try:
            with unit_of_work(services) as ctx:
                point = ctx.db.get(ContactPoint, self.ids["point"])
                return show.open_point(ctx, services.opener, point) if point else ""
        except NotFound:
            return ""
        finally:
            services.engine.dispose()

    def found(self, folder: Path, files: str = "") -> dict[str, object]:
        """Where any disguise of her lies: dump, queue, and every file but those of the keys, or those of one folder."""
        dump(self.instance, folder / "dump.sql")
        queue = redis.Redis.from_url(facts_of(self.instance.data_dir)["redis_url"])
        places: dict[str, object] = {
            "dump": NEEDLES.within_file(folder / "dump.sql"),
            "redis": {value for key in queue.scan_iter() for value in NEEDLES.within(key + (queue.dump(key) or b""))},
            **found_in(self.instance.data_dir / files, NEEDLES)}
        return {place: what for place, what in places.items() if what}


def restored(folder: Path, first: Instance, env: dict[str, str], backup: Path, identity: Path) -> Instance:
    """Another machine with this backup and today's exits files, not yet started."""
    (folder / "var").mkdir(parents=True)
    for name in ("exits", "host"):
        place = first.data_dir / name
        (shutil.copytree if place.is_dir() else shutil.copy)(place, folder / "var" / name)
    instance = Instance(folder, **env)
    command(instance.env, "restore", str(backup), "--identity", str(identity))
    return instance


def stays(instance: Instance, her: Canary) -> None:
    """Rows that lead to nobody, and fingerprints that name nobody."""
    with psycopg.connect(database(instance)) as connection:
        for table in ("message", "decision"):
            assert connection.execute(f"SELECT count(*) FROM {table} WHERE contact_point_id = %(point)s",
                                      her.ids).fetchone() == (1,), table
        stopped = connection.execute("SELECT reason, encode(fingerprint, 'hex') FROM suppression").fetchall()
    assert {reason for reason, _ in stopped} == {"unsubscribed", "erased"}
    (fingerprint,) = {each for _, each in stopped}
    exits = b"".join(path.read_bytes() for path in (instance.data_dir / "exits").rglob("*") if path.is_file())
    assert fingerprint.encode() in exits and NEEDLES.within(exits) == set()
