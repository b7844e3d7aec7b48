"""What people do with us in any order, on the product's own roads, beside a model that knows what they agreed to."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import make_url

from mailer.audience.models import ContactPoint
from mailer.campaigns import compose, schedule
from mailer.friends import invite, settings
from mailer.friends.words import Typed
from mailer.organisation import profile
from mailer.policy import packs
from mailer.rights.erase import erase, erase_again
from mailer.subscriptions import address, by_staff, confirm, imports, leave, preferences, reapply, stop_other, undo
from tests.builders import World
from tests.conftest import FixedClock, administer
from tests.flows.world import Sending

Topic = tuple[int, int]
"""List and topic."""
EVERYTHING: Topic = (0, 0)


@dataclass
class Mind:
    """What one address agreed to, as somebody who read all its letters would remember it.

    `stops` are scopes ((0, 0) everything, (list, 0) a list, (list, topic)); `ended` what was agreed to and is over;
    `plain` says that nothing but joining ever happened.
    """

    live: set[Topic] = field(default_factory=set)
    ended: set[Topic] = field(default_factory=set)
    stops: set[Topic] = field(default_factory=set)
    paused_until: datetime | None = None
    hold: bool = False
    lent: bool = False
    plain: bool = True

    def stopped(self, topic: Topic) -> bool:
        return bool(self.stops & {EVERYTHING, (topic[0], 0), topic})

    def stop(self, scope: Topic) -> None:
        """A stop ends the consents it covers."""
        self.stops.add(scope)
        over = {topic for topic in self.live if self.stopped(topic)}
        self.live -= over
        self.ended |= over
        self.plain = False

    def agree(self, topics: set[Topic]) -> None:
        """The person's own confirmation lifts what stood in its way and revives nothing else."""
        self.stops -= {EVERYTHING} | {(topic[0], 0) for topic in topics} | topics
        self.live |= topics
        self.ended -= topics
        self.lent = False

    def copy(self) -> "Mind":
        return replace(self, live=set(self.live), ended=set(self.ended), stops=set(self.stops))


class Life:
    """An organisation with two lists and a mail server, and the minds of those it writes to."""

    def __init__(self, world: Sending, clock: FixedClock) -> None:
        self.world, self.clock = world, clock
        self.house = World(world.services)
        lists = {"records": self.house.a_list("Records"), "concerts": self.house.a_list("Concerts", ("Oslo",))}
        for slug, made in lists.items():
            self.house.a_form(made, slug)
        self.topics: list[Topic] = [(made.id, topic) for made in lists.values() for topic in made.topics.values()]
        self.slugs = {made.id: slug for slug, made in lists.items()}
        with self.house.unit() as ctx:
            profile.ensure_row(ctx).pack = packs.FRIENDS_BY_MAIL.name
            settings.change(ctx, lists["records"].id, shares=True, by_mail=True)
        self.shared_list = lists["records"].id
        self.minds: dict[str, Mind] = {}
        self.asked: dict[str, tuple[str, set[Topic]]] = {}
        self.moved: set[str] = set()
        self.kept: Mapping[str, Mind] | None = None
        self.strangers = 0

    def somebody_new(self) -> str:
        """An address that nobody has used yet."""
        self.strangers += 1
        name = f"person{self.strangers}@example.org"
        self.minds[name] = Mind()
        return name

    def point(self, name: str) -> ContactPoint | None:
        return self.house.point(name)

    def no_limits(self) -> None:
        """What is limited by the day has tests of its own."""
        self.world.sql("DELETE FROM limit_count")

    def ask(self, name: str, list_id: int, topics: set[Topic]) -> None:
        """By the form; the answer is the same whatever we know."""
        self.no_limits()
        token = self.house.asked(name, [topic for _, topic in topics], self.slugs[list_id])
        if token:
            self.asked[name] = (token, topics)

    def confirm(self, name: str) -> None:
        token, topics = self.asked.pop(name)
        with self.house.unit() as ctx:
            answer = confirm.confirm(ctx, token)
        if answer.outcome == "open":
            self.minds[name].agree(topics)

    def leave(self, name: str, scope: Topic) -> None:
        point = self.point(name)
        if point is None:
            return
        with self.house.unit() as ctx:
            leave.leave(ctx, ctx.db.get_one(ContactPoint, point.id), list_id=scope[0] or None,
                        topic_id=scope[1] or None, how="preferences")
        self.minds[name].stop(scope)

    def take_back(self, name: str) -> None:
        """Undo the newest goodbye: it grants again what that one ended, unless more was left since."""
        point, mind = self.point(name), self.minds[name]
        if point is None:
            return
        with self.house.unit() as ctx:
            goodbye = next(iter(leave.open_goodbyes(ctx, point.id)), None)
            if goodbye is None:
                return
            scope = (goodbye.ended["list_id"] or 0, goodbye.ended.get("topic_id") or 0)
            ended = {(consent[0], consent[1]) for consent in goodbye.ended["consents"]}
            done = undo.undo(ctx, goodbye.id, point.id)
        if done.at is not None:
            if goodbye.ended["suppressed"]:
                mind.stops.discard(scope)
            back = {topic for topic in ended if not mind.stopped(topic)}
            mind.live |= back
            mind.ended -= back

    def pause(self, name: str) -> None:
        point = self.point(name)
        if point is None:
            return
        with self.house.unit() as ctx:
            preferences.take_a_break(ctx, ctx.db.get_one(ContactPoint, point.id), 30)
        self.minds[name].paused_until = self.clock.now() + timedelta(days=30)

    def hold(self, name: str, on: bool) -> None:
        point = self.point(name)
        if point is None:
            return
        with self.house.unit() as ctx:
            by_staff.hold(ctx, ctx.db.get_one(ContactPoint, point.id), on)
        self.minds[name].hold = on

    def stop_another(self, name: str) -> None:
        """Somebody types the address, whoever they are."""
        self.no_limits()
        with self.house.unit() as ctx:
            stop_other.stop(ctx, "email", name, network=f"network {self.strangers}")
        self.minds[name].stop(EVERYTHING)

    def erase(self, name: str) -> None:
        point = self.point(name)
        if point is None:
            return
        with self.house.unit() as ctx:
            erase(ctx, point.person_id, by="self")
        self.minds[name] = Mind(stops={EVERYTHING}, plain=False)

    def bring(self, name: str, topic: Topic) -> None:
        """An import with proof: it adds, and contradicts nothing that was ever said."""
        self.no_limits()
        mind = self.minds[name]
        basis = imports.Basis("old system", self.clock.now().date(), "Yes, write to me.")
        with self.house.unit() as ctx:
            imports.import_people(
                ctx, [imports.ImportRow(1, name, basis)], list_id=topic[0], topic_ids=[topic[1]],
                approval=imports.Approval(by="staff:1", reference="file 7"))
        if not mind.stopped(topic) and topic not in mind.ended and not mind.lent:
            mind.live.add(topic)

    def tell(self, sender: str, friend: str) -> None:
        """One message to a friend; the address is then known as lent, and for nothing else."""
        self.no_limits()
        with self.house.unit() as ctx:
            offer = settings.offer_of(ctx, self.shared_list)
            assert offer
            invite.ask(ctx, offer, Typed("Ada", sender, friend))
        before = len(self.world.server.record.deliveries)
        self.world.singles()
        press = [letter.detail["link"] for letter in self.house.letters("press") if "link" in letter.detail]
        for link in press[-1:]:
            with self.house.unit() as ctx:
                invite.press(ctx, str(link).rpartition("/")[2])
        self.world.singles()
        got = [each.recipient for each in self.world.server.record.deliveries[before:]]
        if friend in got and friend != sender:
            self.minds[friend].lent = True

    def move(self, name: str, to: str) -> None:
        """Change the address, pressed from the new mailbox; the strictest of both wins."""
        point = self.point(name)
        if point is None or name == to:
            return
        self.no_limits()
        with self.house.unit() as ctx:
            address.ask(ctx, ctx.db.get_one(ContactPoint, point.id), to, source="preferences")
        letters = [letter for letter in self.house.letters("confirmation") if letter.subject.startswith("address")]
        link = next((str(letter.detail["link"]) for letter in reversed(letters) if "link" in letter.detail), "")
        if not link:
            return
        with self.house.unit() as ctx:
            answer = address.confirm(ctx, self.world.services.opener, link.rpartition("/")[2])
        moved = self.point(to)
        if answer.outcome != "open" or moved is None or moved.id != point.id:
            return
        old, new = self.minds[name], self.minds[to]
        joined = Mind(live=old.live | new.live, ended=old.ended | new.ended, stops=old.stops | new.stops,
                      hold=old.hold or new.hold, plain=False)
        joined.live -= joined.ended | {topic for topic in joined.live if joined.stopped(topic)}
        joined.paused_until = max((each for each in (old.paused_until, new.paused_until) if each), default=None)
        self.minds[to], self.minds[name] = joined, Mind(plain=False)
        self.moved |= {name, to}

    def campaign(self, list_id: int, topic_id: int | None) -> set[str]:
        """Send one; nobody gets it who did not agree to it, and everybody does who only ever agreed."""
        with self.house.unit() as ctx:
            made = compose.create(ctx, list_id=list_id, topic_id=topic_id, words=compose.Words(
                "Words for you", "Hello {first name | there},\n\nfive records.\n\n[Read on](https://example.org/read)"))
            schedule.send(ctx, made.id, undo=False)
            number = made.id
        self.world.launch(number)
        before = len(self.world.server.record.deliveries)
        self.world.turns_to_the_end(number)
        got = [each.recipient for each in self.world.server.record.deliveries[before:]]
        assert len(got) == len(set(got))
        asked = {topic for topic in self.topics if topic[0] == list_id and topic_id in (None, topic[1])}
        now = self.clock.now()
        may = {name for name, mind in self.minds.items() if mind.live & asked and not mind.hold
               and not (mind.paused_until and mind.paused_until > now)}
        assert set(got) <= may, {name: self.minds.get(name) for name in set(got) - may}
        assert {name for name in may if self.minds[name].plain} <= set(got)
        return set(got)

    def back_up(self, template: str) -> None:
        """Keep the whole database as it is, person keys too: the worst that can be put back."""
        url = self._alone()
        administer(url, f"DROP DATABASE IF EXISTS {template} WITH (FORCE)")
        administer(url, f"CREATE DATABASE {template} TEMPLATE {make_url(url).database}")
        self.kept = {name: mind.copy() for name, mind in self.minds.items()}
        self.moved.clear()

    def put_back(self, template: str) -> None:
        """An old database under the exits of today: it sends nothing until they are applied."""
        assert self.kept is not None
        url, name = self._alone(), make_url(self.world.services.settings.database_url).database
        administer(url, f"DROP DATABASE {name} WITH (FORCE)")
        administer(url, f"CREATE DATABASE {name} TEMPLATE {template}")
        folder = self.world.services.settings.data_dir / "exits"
        with self.house.unit() as ctx:
            reapply.apply_exits(ctx, folder, forget=erase_again)
        for each, before in self.kept.items():
            if each in self.moved:
                # The file knows stops and erasures, not moves: the old address is back with what it then said.
                self.minds[each].live |= {topic for topic in before.live if not self.minds[each].stopped(topic)}
        for each, mind in self.minds.items():
            # Breaks and holds are no goodbyes: what was said of them since the backup is lost (see the runbook).
            before = self.kept.get(each, Mind())
            mind.plain, mind.hold, mind.paused_until = False, before.hold, before.paused_until
        self.asked.clear()

    def _alone(self) -> str:
        """Nobody else on the database, which then can be copied; its address."""
        self.world.services.engine.dispose()
        return self.world.services.settings.database_url
