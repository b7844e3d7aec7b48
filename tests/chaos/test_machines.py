"""Hosts that share one campaign over one PostgreSQL and one Redis: together they are faster, losing one loses nothing.

Each has its own data folder with journals and exits, its own mail server, and in the last tests its own network.
"""

import shutil
import signal
from collections.abc import Iterator

import psycopg
import pytest

from tests.chaos.disk import fill, small_disk
from tests.chaos.hosts import CONNECTIONS, Host, Shared, two_hosts
from tests.chaos.mail_server import SLOWLY, still_for
from tests.chaos.sending import Sending, database, until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(180)]

PEOPLE = 2_000
ROOM = 16
"""Megabytes of a small disk for the data folder of a host."""

HOST_IS_GONE = 150.0
"""Seconds within which the slices of a lost host are given up: 120 and what the looking takes."""


@pytest.fixture
def hosts(request: pytest.FixtureRequest, shared: Shared) -> Iterator[tuple[Host, Host]]:
    """Two hosts at work: with data folders of their own, and with networks of their own as well."""
    with two_hosts(shared, PEOPLE, SLOWLY, networks=request.param) as both:
        at_work(*both)
        yield both


def at_work(north: Host, south: Host) -> None:
    """Start what each needs, and wait until the database has seen both."""
    for host in (north, south):
        host.start("worker", "tick")
    until(lambda: _seen(north) == 2)


def _seen(host: Host) -> int:
    with psycopg.connect(database(host)) as connection:
        row = connection.execute("SELECT count(DISTINCT host) FROM worker").fetchone()
    assert row is not None
    return int(row[0])


def apart(*, here: str) -> pytest.MarkDecorator:
    """Hosts apart by folders alone, or by networks too; the way that is not `here` is for an evening."""
    return pytest.mark.parametrize("hosts", [
        pytest.param(how == "networks", id=how, marks=[] if how == here else [pytest.mark.soak])
        for how in ("folders", "networks")], indirect=True)


def both_at_work(north: Host, south: Host) -> Sending:
    """A campaign to which each of the two has sent a part."""
    campaign = Sending(north, [north.relay, south.relay], "Two hosts")
    before = north.relay.count, south.relay.count
    until(lambda: north.relay.count > before[0] + 50 and south.relay.count > before[1] + 50)
    return campaign


def held_by(host: Host) -> int:
    """Rows of campaigns that processes of this host have in hand, as the database sees it."""
    name = (host.data_dir / "host").read_text().strip()
    with psycopg.connect(database(host)) as connection:
        row = connection.execute("SELECT count(*) FROM message m JOIN slice s ON s.id = m.slice "
                                 "JOIN worker w ON w.id = s.worker WHERE m.state = 'handed' AND w.host = %s",
                                 (name,)).fetchone()
    assert row is not None
    return int(row[0])


@apart(here="networks")
def test_two_hosts_share_a_campaign_and_neither_repeats_the_other(hosts: tuple[Host, Host]) -> None:
    north, south = hosts
    campaign = both_at_work(north, south)
    found = campaign.the_end()

    found.holds()
    assert found.uncertain == 0
    assert found.arrived == PEOPLE
    for host in hosts:
        assert not host.command("exits", "status")["refuses"]
    assert [host.end(signal.SIGTERM) for host in hosts] == [[0, 0], [0, 0]]

    shutil.copy2(south.exits_file, north.data_dir / "exits")
    assert north.command("exits", "status") == {"behind": 0, "missing_hosts": [], "refuses": False, "unreadable": 0}


@apart(here="folders")
def test_a_lost_host_loses_nobody_and_its_late_journal_tells_what_it_had_sent(hosts: tuple[Host, Host]) -> None:
    """Decision 8: until its disk turns up, what it held stays in its name and nobody else sends it."""
    north, south = hosts
    campaign = both_at_work(north, south)
    south.is_lost()
    until(lambda: still_for(north.relay, 3))
    seen = campaign.look()
    assert seen is not None and seen[0] == "sending"
    assert 0 < seen[1]["waiting"] == seen[1]["handed"]
    assert not north.command("exits", "status")["refuses"]

    south.turns_up()
    south.start("tick")
    found = campaign.the_end()

    found.holds()
    assert found.uncertain <= CONNECTIONS
    assert held_by(south) == 0


@pytest.mark.soak
@apart(here="networks")
def test_a_host_whose_mail_server_is_down_holds_up_no_other(hosts: tuple[Host, Host]) -> None:
    """Relays are left alone by name: what one host cannot hand over another does."""
    north, south = hosts
    campaign = both_at_work(north, south)
    south.relay.kill()
    found = campaign.the_end(hurried=True)

    found.holds()
    assert found.uncertain <= CONNECTIONS
    assert [host.end(signal.SIGTERM) for host in hosts] == [[0, 0], [0, 0]]


@pytest.mark.soak
@pytest.mark.skipif(shutil.which("mount") is None, reason="no mount program")
def test_a_host_with_no_room_for_its_journal_begins_nothing_and_holds_up_no_other(shared: Shared) -> None:
    """Decision 8: what could not be kept is not sent; with room again it takes its part."""
    with small_disk(shared.folder / "south", ROOM), two_hosts(shared, PEOPLE, SLOWLY) as (north, south):
        at_work(north, south)
        ballast = south.data_dir / "ballast"
        fill(ballast)
        campaign = Sending(north, [north.relay, south.relay], "No room")
        campaign.reaches(PEOPLE // 3)
        assert south.relay.count == 0

        ballast.unlink()
        until(lambda: south.relay.count > 0, 15)
        found = campaign.the_end()

        found.everybody(PEOPLE)
        assert found.uncertain == 0
        assert [host.end(signal.SIGTERM) for host in (north, south)] == [[0, 0], [0, 0]]


@pytest.mark.soak
@pytest.mark.timeout(400)
def test_a_host_that_stays_away_makes_its_slice_unsure_until_its_journal_turns_up(shared: Shared) -> None:
    """Decision 8: 120 s; the campaign closes by itself, and the late journal corrects it all the same."""
    with two_hosts(shared, PEOPLE, SLOWLY) as (north, south):
        at_work(north, south)
        campaign = both_at_work(north, south)
        south.is_lost()
        given_up = campaign.the_end(HOST_IS_GONE)
        given_up.holds()
        assert given_up.uncertain > 0

        south.turns_up()
        south.start("tick")
        until(lambda: not list((south.data_dir / "journal").glob("*.journal")))
        corrected = campaign.reckon()

        corrected.holds()
        assert corrected.rows["accepted"] > given_up.rows["accepted"]
        assert corrected.arrived - corrected.rows["accepted"] <= CONNECTIONS
