"""After an erasure nobody finds the person again: not in what is kept, in a backup from before, or by a campaign (M11).

What stays leads to nobody: rows of messages and decisions, and fingerprints on the stop list and in the exits files.
"""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError

import pyrage
import pytest

from mailer.audience.models import ContactPoint
from mailer.backup import sealed
from mailer.consent.verify import verify
from mailer.core.errors import NotFound
from mailer.core.messages import CampaignState
from mailer.core.modes import Mode
from mailer.outbox.seat import Ways
from mailer.practice import box
from mailer.rights.erase import erase
from mailer.services import Services, unit_of_work
from mailer.subscriptions import address as changing
from mailer.subscriptions import fresh
from mailer.subscriptions.seed import made_up
from tests.builders import World
from tests.chaos.canary import BACK, CANARY, NAME, NEEDLES, NEW, THEIRS, Canary, restored, rows, stays
from tests.chaos.mailbox import get, post, unsubscribe
from tests.chaos.sending import database
from tests.chaos.test_canaries import a_form
from tests.chaos.test_leaving import begun_after_leaving, being_sent
from tests.fakes.smtp_server import SmtpServer
from tests.flows.world import Sending
from tests.instance import running

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

PEOPLE = 40
ERASED = 100
SEEDED = sorted(made_up(number).address for number in range(1, PEOPLE + 1))


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as started:
        yield started


def test_who_left_and_was_erased_is_found_nowhere_and_written_to_by_nothing(tmp_path: Path, server: SmtpServer) -> None:
    """M11, T13, section 3, items 6, 14 and 20: opt out, erase, import, add by form, restore, campaign: 0 messages.

    With the newest keys what a backup from before holds of her does not open; with keys from before it opens until
    the exits are applied, and then no more.
    """
    secret = pyrage.x25519.Identity.generate()
    (tmp_path / "identity.txt").write_text(str(secret))
    env = {"MAILER_MODE": "live", "SMTP_URL": server.url, "MAIL_FROM": "news@example.org",
           "MAILER_KEY_FILE": str(tmp_path / "keys" / "mailer.key"), "MAILER_BACKUP_RECIPIENT": str(secret.to_public())}
    (tmp_path / "first").mkdir()
    with running(tmp_path / "first", **env) as first:
        her = Canary(first, server)
        is_erased(tmp_path, her)
    server.record.deliveries.clear()
    plain: list[bytes] = []
    for path in sorted((tmp_path / "newest").glob("*.age")):
        sealed.unseal(path, [secret], plain.append)
    assert NEEDLES.within(b"".join(plain)) == set()
    for name, opens in (("newest", ""), ("before", CANARY)):
        her.instance = restored(tmp_path / f"on-{name}", first, env, tmp_path / name, tmp_path / "identity.txt")
        try:
            her.instance.start()
            assert rows(database(her.instance), BACK, **her.ids) and her.opens() == opens
            her.instance.command("exits", "apply")
            assert rows(database(her.instance), THEIRS, **her.ids) == {} and her.opens() == ""
            assert her.found(tmp_path, "logs") == {}
            assert her.imported() == (0, {"erased": 1})
            her.typed_into_the_form()
            assert her.campaign("News number three") == SEEDED
        finally:
            her.instance.stop()


def is_erased(folder: Path, her: Canary) -> None:
    """She lives, leaves and is erased; backups of before lie in `before`, and with today's keys in `newest`."""
    instance = her.instance
    instance.command("seed", "--people", str(PEOPLE))
    a_form(instance)
    page = her.lives()
    assert NEEDLES.within(her.letter.as_bytes()) and her.opens() == CANARY
    assert len(rows(database(instance), THEIRS, **her.ids)) >= len(THEIRS) - 3
    instance.command("backup", str(folder / "before"))
    unsubscribe(her.letter)
    assert "erased" in post(f"{instance.url}{page}/erase")[1].lower()
    with pytest.raises(HTTPError):
        get(f"{instance.url}{page}")

    assert rows(database(instance), THEIRS, **her.ids) == {} and her.opens() == ""
    stays(instance, her)
    assert her.found(folder) == {}
    assert her.imported() == (0, {"erased": 1})
    shutil.copytree(folder / "before", folder / "newest")
    instance.command("backup", str(folder / "later"))
    shutil.copy(folder / "later" / "keys.age", folder / "newest" / "keys.age")
    her.typed_into_the_form()
    assert her.campaign("News number two") == SEEDED


@pytest.fixture
def sending(services: Services, server: SmtpServer) -> Iterator[Sending]:
    made = Sending(services, server)
    yield made
    made.close()


def erase_once(services: Services, point_id: int) -> bool:
    """By the person's own act; False where somebody else's press came first."""
    try:
        with unit_of_work(services) as ctx:
            erase(ctx, person_of(ctx.db.get(ContactPoint, point_id)), by="self")
    except NotFound:
        return False
    return True


def person_of(point: ContactPoint | None) -> int:
    """Raises: NotFound."""
    if point is None:
        raise NotFound(what="contact_point")
    return point.person_id


def test_who_is_erased_while_a_worker_holds_their_message_gets_none_and_twice_at_once_is_once(
        sending: Sending) -> None:
    """Three are erased by two presses each after their rows were claimed and before anything is handed over."""
    sending.people(30)
    number = sending.launched()
    gone, addresses, done = list[int](), set[str](), list[tuple[int, bool]]()

    def press() -> None:
        gone.extend([point for point, row in sending.rows(number).items() if row.state == "handed"][:3])
        addresses.update(map(sending.address, gone))
        presses = [threading.Thread(target=lambda point=point: done.append(
            (point, erase_once(sending.services, point)))) for point in gone * 2]
        for each in presses:
            each.start()
        for each in presses:
            each.join()

    sending.way.between = press
    seen = sending.turns_to_the_end(number)
    assert len(gone) == len(addresses) == 3
    assert sorted(done) == sorted([(point, True) for point in gone] + [(point, False) for point in gone])
    assert not addresses & sending.taken.keys() and set(sending.taken.values()) == {1}
    assert (seen.state, seen.accepted, dict(seen.refused_by_reason)) == (CampaignState.SENT, 27, {"erased": 3})
    assert sending.sql("SELECT count(*) FROM erasure_certificate") == [(3,)]
    leads_to_nobody(sending, gone)


def leads_to_nobody(sending: Sending, gone: list[int]) -> None:
    """Their rows stay, counted like all others, and no person, key, name or address hangs on them."""
    for table in ("message", "decision"):
        assert sending.sql(f"SELECT count(DISTINCT contact_point_id) FROM {table} WHERE contact_point_id = ANY(:ids)",
                           ids=gone) == [(len(gone),)]
    assert sending.sql("SELECT count(*) FROM contact_point WHERE id = ANY(:ids)", ids=gone) == [(0,)]
    assert sending.sql("SELECT (SELECT count(*) FROM person) = (SELECT count(*) FROM vault.person_key)") == [(True,)]
    with sending.unit() as ctx:
        assert verify(ctx).ok


def test_no_hand_over_begins_after_an_erasure_was_answered(services: Services, tmp_path: Path) -> None:
    """M11 and M17: many are erased at a time against four workers, next to the working slices."""
    ready, answers = being_sent(services, 6_000), list[bool]()

    def go(live: Services, point_id: int) -> None:
        answers.append(erase_once(live, point_id))

    gone, late = begun_after_leaving(ready, tmp_path, go, ERASED)
    assert (gone, late, answers) == (ERASED, 0, [True] * ERASED)


def test_what_practice_kept_of_them_goes_too(services: Services, server: SmtpServer) -> None:
    """The Outbox of Practice: confirmation, campaign, fresh link, and what went to addresses that they wished for."""
    house, practice = World(services, Mode.PRACTICE), Sending(services, server)
    practice.services, practice.ways = services, Ways(services)
    made = house.a_list()
    house.a_form(made, ask_first_name=True)
    for address in (CANARY, "somebodyelse@example.org"):
        house.asked(address, list(made.topics.values())[:1])
        practice.singles()
        house.subscribed(address, list(made.topics.values()), first_name=NAME)
    point = house.point(CANARY)
    assert point
    with house.unit() as ctx:
        fresh.ask(ctx, point)
    for wish in (NEW, "another.wish@example.net"):
        with house.unit() as ctx:
            changing.ask(ctx, ctx.db.get_one(ContactPoint, point.id), wish, source="preferences")
        practice.singles()
    assert practice.turns_to_the_end(practice.launched(made.name)).accepted == 2
    assert len(kept_for(services, {CANARY, NEW})) == 4 and not practice.taken
    others = kept_for(services, {"somebodyelse@example.org"})
    assert erase_once(services, point.id)
    practice.close()
    assert kept_for(services, {CANARY, NEW}) == []
    assert kept_for(services, {"somebodyelse@example.org"}) == others


def kept_for(services: Services, addresses: set[str]) -> list[int]:
    """The items of the Outbox that are for one of these, opened one by one."""
    with unit_of_work(services) as ctx:
        return [item.id for item in box.listed(ctx.db, staff_only_of=None, size=100)
                if box.recipient(services.opener, item) in addresses]
