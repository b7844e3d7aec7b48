"""An address that was lent for one message enters by no door but its owner's own confirmed sign-up (T6, T7)."""

import io
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import make_url

from mailer import wiring
from mailer.app import create_app
from mailer.audience.models import ContactPoint
from mailer.lists import catalogue, embed, forms
from mailer.lists.forms import Definition
from mailer.rights.erase import erase_again
from mailer.staff.roles import Role
from mailer.subscriptions import address, confirm, fresh, reapply
from tests.chaos.needles import Needles
from tests.conftest import RememberedJobs, administer
from tests.friends.test_vault import everything
from tests.friends.world import FAY, Friends
from tests.web.public_pages import Visitor
from tests.web.staff_world import Team, text_of

CANARY = Needles([FAY, FAY.upper(), "fayreceives"])
DANA, MOVED = "dana@example.org", "moved@example.org"
LEFT_OUT = "On the stop list, left out."
PASSED_ON = b"asked us to pass this on"
WAYS = ("form", "embedded", "staff_invitation", "desk_correction", "own_change", "undo_link", "second_message",
        "restore")


class Doors:
    """Everybody who could bring the friend's address in, and how each of them tries."""

    def __init__(self, friends: Friends, jobs: RememberedJobs) -> None:
        self.friends, self.house, self.news = friends, friends.house, friends.news
        app = create_app(friends.services.settings, jobs=jobs, services=friends.services)
        self.visitor = Visitor(app)
        self.staff = Team(friends.services, app).browser("lou@example.org", Role.LIST_MANAGER)
        topics = list(self.news.topics.values())
        self.dana = self.house.subscribed(DANA, topics)
        self.undo_token = self._moved_away(topics)
        self.kept = f"kept_{uuid4().hex[:12]}"

    def form(self) -> None:
        """Somebody types it into the form."""
        self._join(self.visitor.get("/join/news").text)

    def embedded(self) -> None:
        """The same, into the form on another site."""
        with self.friends.unit() as ctx:
            _, version = forms.current(ctx, "news")
            made = embed.html(Definition.from_json(version.definition), catalogue.topics_of(ctx, self.news.id),
                              slug="news", version=version.version, public_url="https://news.cadenza.example",
                              brand="Cadenza")
        self._join(made, headers={"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"})

    def staff_invitation(self) -> None:
        """Staff invite it to a list."""
        assert LEFT_OUT in text_of(self.staff.post("/staff/people/invite", email=FAY, list=str(self.news.id)))

    def desk_correction(self) -> None:
        """Staff say that it is somebody's right address."""
        page = f"/staff/people/{self.dana}"
        self.staff.post(f"{page}/address", email=FAY)
        assert LEFT_OUT in text_of(self.staff.get(page))

    def own_change(self) -> None:
        """A subscriber says that it is theirs."""
        with self.friends.unit() as ctx:
            fresh.ask(ctx, ctx.db.get_one(ContactPoint, self.dana))
        with self.friends.unit() as ctx:
            token = fresh.press(ctx, self._newest("fresh_link", "link"))
        assert self.visitor.post(f"/me/{token}/email", {"email": FAY}).status_code < 400

    def undo_link(self) -> None:
        """Who had it before goes back to it."""
        with self.friends.unit() as ctx:
            seen = address.look_undo(ctx, self.undo_token)
        assert seen.open_until and seen.barred
        assert self.visitor.post(f"/address-undo/{self.undo_token}").status_code < 500

    def second_message(self) -> None:
        """Another sender thinks of the same friend."""
        self.friends.asked_and_pressed(sender="a.second@example.org")
        self.friends.sending.singles()
        assert self.friends.states()[-1] == ("refused", "friend_only")

    def restore(self) -> None:
        """A database put back in which the friend's message was still to go."""
        self._copied(self.kept, self._own())
        self.friends.sql("DELETE FROM worker")
        with self.friends.unit() as ctx:
            folder = wiring.exits_folder(self.friends.services.settings)
            assert reapply.apply_exits(ctx, folder, forget=erase_again)
        self.friends.sending.hurry()
        self.friends.sending.singles()
        assert ("refused", "friend_only") in self.friends.states()

    def back_up(self) -> None:
        self._copied(self._own(), self.kept)

    def forget_backup(self) -> None:
        administer(self.friends.services.settings.database_url, f"DROP DATABASE IF EXISTS {self.kept} WITH (FORCE)")

    def no_limits(self) -> None:
        """What is limited by the day has tests of its own."""
        self.friends.sql("DELETE FROM limit_count")

    def _own(self) -> str:
        return str(make_url(self.friends.services.settings.database_url).database)

    def _copied(self, source: str, target: str) -> None:
        self.friends.services.engine.dispose()
        url = self.friends.services.settings.database_url
        administer(url, f"DROP DATABASE IF EXISTS {target} WITH (FORCE)")
        administer(url, f"CREATE DATABASE {target} TEMPLATE {source}")

    def _join(self, html: str, **more: object) -> None:
        (version,) = re.findall(r'name="form_version" value="(\d+)"', html)
        (action,) = {unescape(each) for each in re.findall(r'action="[^"]*(/join/news)"', html)}
        said = {"email": FAY, "form_version": version, "topics": [str(each) for each in self.news.topics.values()]}
        assert "Now check your email" in self.visitor.post(action, said, **more).text

    def _moved_away(self, topics: list[int]) -> str:
        """Somebody had the friend's address and moved; the link by which they may go back."""
        point = self.house.subscribed(FAY, topics)
        with self.friends.unit() as ctx:
            address.ask(ctx, ctx.db.get_one(ContactPoint, point), MOVED, source="preferences")
        with self.friends.unit() as ctx:
            address.confirm(ctx, self.friends.services.opener, self._newest("confirmation", "link"))
        return self._newest("service_notice", "undo")

    def _newest(self, kind: str, name: str) -> str:
        letter = [each for each in self.house.letters(kind) if name in each.detail][-1]
        return str(letter.detail[name]).rpartition("/")[2]


@pytest.fixture
def doors(friends: Friends, jobs: RememberedJobs) -> Iterator[Doors]:
    made = Doors(friends, jobs)
    yield made
    made.forget_backup()


def is_nobodys(doors: Doors) -> None:
    """No person has the address, the stop list says that it was lent, a campaign goes past it, no second message."""
    friends, house = doors.friends, doors.house
    passed_on = [each for each in friends.server.record.deliveries if PASSED_ON in (each.body or b"")]
    assert [each.recipient for each in passed_on] == [FAY]
    assert house.point(FAY) is None and house.stopped(FAY) == {("friend_only", 0)}
    before = friends.to(FAY)
    seen = friends.sending.turns_to_the_end(friends.sending.launched(friends.news.name))
    assert seen.accepted == seen.planned == 2 and friends.to(FAY) == before


def is_found_nowhere(friends: Friends, said: io.StringIO) -> None:
    """Not in any table, file or line of a log, in whatever disguise."""
    assert CANARY.within(everything(friends)) == set()
    files = [path for path in Path(friends.services.settings.data_dir).rglob("*") if path.is_file()]
    assert files and {str(path) for path in files if CANARY.within_file(path)} == set()
    assert CANARY.within(said.getvalue().encode()) == set()


def test_eight_ways_in_are_shut_until_the_friend_confirms(doors: Doors, said: io.StringIO) -> None:
    """T6 and T7: refused by all; found nowhere afterwards; their own confirmed sign-up opens the door."""
    friends, events = doors.friends, [doors.news.topics["Events"]]
    friends.asked_and_pressed()
    doors.back_up()
    friends.sending.singles()
    for way in WAYS:
        doors.no_limits()
        getattr(doors, way)()
        is_nobodys(doors)
        is_found_nowhere(friends, said)

    doors.no_limits()
    token = doors.house.asked(FAY, events)
    assert token
    with friends.unit() as ctx:
        confirm.confirm(ctx, token)
    assert doors.house.stopped(FAY) == set() and doors.house.stands(FAY) == {(events[0], "own_offers"): "live"}
    before = friends.to(FAY)
    friends.sending.turns_to_the_end(friends.sending.launched(friends.news.name))
    assert friends.to(FAY) == before + 1
    is_found_nowhere(friends, said)
