"""The whole preference centre, behind a fresh link: every list of the organisation, every channel, every purpose.

Who pressed a fresh link has proven their mailbox anew, so here a choice may widen too: each yes is a new row of the
ledger with the words that were shown (decision 23). What an opt-out ended comes back topic by topic, as it is ticked;
lifting the stop revives nothing else (decision 2).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import or_, select

from mailer.audience import field_sources, queries
from mailer.audience.field_sources import Origin
from mailer.audience.models import ContactPoint, Preference
from mailer.consent import ledger, standing
from mailer.consent.ledger import Consent, Evidence
from mailer.consent.models import Standing
from mailer.context import Context
from mailer.core.messages import Purpose
from mailer.core.reasons import Reason
from mailer.lists import wordings
from mailer.lists.models import MailingList, Topic
from mailer.organisation import profile
from mailer.outbox.keep_back import keep_back
from mailer.policy import notices
from mailer.subscriptions import extras, words
from mailer.subscriptions.confirm import MAY_LIFT
from mailer.subscriptions.extras import Extra
from mailer.subscriptions.fresh import Access
from mailer.subscriptions.leave import note
from mailer.subscriptions.preferences import (
    Saved,
    as_it_was,
    break_day,
    break_until,
    preference_of,
    set_pause,
)
from mailer.suppression import registry

HOW = "preferences_fresh"
SOURCE = "preferences"
COLUMNS = ("email", "sms", "postal")
TICK = "Tick what you would like, untick what you would not."
KEPT = "We keep your choices and when you made them."
SHUT = {
    Reason.NEVER: "you told us never to write to it", Reason.CHILD: "it was reported as a child's",
    Reason.LAW: "a law or an authority forbids it", Reason.COMPLAINED: "a complaint about our messages came from it",
    Reason.STOPPED: "you stopped us by text; text START to begin again",
}
"""What no tick lifts: only the person's own written word to the desk, or START, does (decision 2)."""


@dataclass(frozen=True)
class Cell:
    """One topic on one channel: whether it is on, and since when it stands so (None: never asked)."""

    on: bool
    since: datetime | None


@dataclass(frozen=True)
class Line:
    """One topic with its cells by channel."""

    list_id: int
    topic_id: int
    name: str
    about: str
    label: str
    cells: Mapping[str, Cell]


@dataclass(frozen=True)
class Group:
    """One list of the organisation."""

    name: str
    lines: Sequence[Line]


@dataclass(frozen=True)
class Whole:
    """Everything that the page shows. `shut` says, by channel, why nothing can be started there."""

    groups: Sequence[Group]
    channels: Sequence[str]
    every_days: int
    format: str
    paused_until: datetime | None
    extras: Sequence[Extra]
    shut: Mapping[str, str]

    @property
    def lines(self) -> list[Line]:
        """Every topic, whatever its list."""
        return [line for group in self.groups for line in group.lines]


@dataclass(frozen=True)
class Choices:
    """What was posted: the ticked topics by channel, the ticked purposes, and the rest as on the light page."""

    topics: Mapping[str, frozenset[int]] = field(default_factory=dict)
    purposes: frozenset[Purpose] = frozenset()
    every_days: int | None = None
    format: str | None = None
    pause: str | None = None
    until: str = ""


def look(ctx: Context, access: Access) -> Whole:
    """The page as it now is. Raises: NotFound when the person is erased."""
    points = points_of(ctx, access)
    preference = preference_of(ctx, access.point)
    rows = {channel: standing.of(ctx, point.id) for channel, point in points.items()}
    paused = preference.paused_until if preference.paused_until and preference.paused_until > ctx.clock.now() else None
    shut = {channel: why for channel, point in points.items() if (why := _shut(ctx, point))}
    return Whole(groups=_groups(ctx, rows), channels=tuple(points), every_days=preference.every_days,
                 format=preference.format, paused_until=paused, shut=shut,
                 extras=extras.of(ctx, access.point.channel, rows.get(access.point.channel, ())))


def save(ctx: Context, access: Access, choices: Choices) -> Saved:
    """Apply every choice, and say exactly what changed. Raises: NotFound, InvalidInput (pause_until)."""
    points = points_of(ctx, access)
    for point in points.values():
        ledger.holder_of(ctx, point)
    view, preference = look(ctx, access), preference_of(ctx, access.point)
    same_break = choices.pause == "until" and choices.until == break_day(ctx, view.paused_until) != ""
    until = view.paused_until if same_break else break_until(ctx, choices.pause, choices.until)
    before, saved, began = as_it_was(preference), Saved(), False
    ended: list[Consent] = []
    for channel, point in points.items():
        wanted = choices.topics.get(channel, frozenset())
        stopped = _stop(ctx, point, [line for line in view.lines if channel in line.cells and line.cells[channel].on
                                     and line.topic_id not in wanted], saved.changes)
        ended += stopped if point.id == access.point.id else []
        began |= _start(ctx, point, [line for line in view.lines if channel in line.cells
                                     and not line.cells[channel].on and line.topic_id in wanted],
                        view.shut.get(channel, ""), saved.changes)
    turned = extras.turn(ctx, access.point, view.extras, choices.purposes, _evidence(ctx), saved.changes)
    _set_how(ctx, access.point, preference, choices, saved.changes)
    if choices.pause is not None:
        set_pause(ctx, preference, view.paused_until, until, saved.changes)
    if saved.changes:
        keep_back(ctx, [point.id for point in points.values()])
        if not began and not turned.began:
            saved.goodbye = note(ctx, access.point, how=HOW, ended=ended + turned.ended, before=before)
    return saved


def points_of(ctx: Context, access: Access) -> dict[str, ContactPoint]:
    """The contact points that this page may change, by channel in the order of its columns."""
    mine = queries.points_of(ctx, access.point.person_id) if access.whole else [access.point]
    return {channel: point for channel in COLUMNS for point in mine if point.channel == channel}


def _shut(ctx: Context, point: ContactPoint) -> str:
    reasons = {Reason(entry.reason) for entry in registry.entries(ctx, point.channel, [point.fingerprint])
               if entry.list_id == 0}
    return next((why for reason, why in SHUT.items() if reason in reasons), "")


def _groups(ctx: Context, rows: Mapping[str, Sequence[Standing]]) -> list[Group]:
    """Every topic in use of every list in use (promise S16), and what somebody still gets of those out of use."""
    own = {(channel, row.topic_id): row for channel, found in rows.items() for row in found
           if row.purpose == Purpose.OWN_OFFERS}
    live = {topic_id for (_, topic_id), row in own.items() if row.state == "live"}
    found = ctx.db.execute(select(Topic, MailingList).join(MailingList, MailingList.id == Topic.list_id).where(
        or_(Topic.archived.is_(False) & MailingList.archived.is_(False), Topic.id.in_(live))).order_by(
            MailingList.name, MailingList.id, Topic.position, Topic.id)).all()
    several = len({mailing_list.id for _, mailing_list in found}) > 1
    groups: dict[int, tuple[str, list[Line]]] = {}
    for topic, mailing_list in found:
        label = f"{mailing_list.name}: {topic.name}" if several and topic.name != mailing_list.name else topic.name
        cells = {channel: _cell(own.get((channel, topic.id))) for channel in rows}
        groups.setdefault(mailing_list.id, (mailing_list.name, []))[1].append(
            Line(mailing_list.id, topic.id, topic.name, topic.public_text, label, cells))
    return [Group(name, lines) for name, lines in groups.values()]


def _cell(row: Standing | None) -> Cell:
    return Cell(row is not None and row.state == "live", row.since if row else None)


def _stop(ctx: Context, point: ContactPoint, lines: Iterable[Line], changes: list[str]) -> list[Consent]:
    ending = [Consent(line.list_id, line.topic_id, Purpose.OWN_OFFERS) for line in lines]
    changes += [f"{line.label} by {words.CHANNELS[point.channel]}: stopped. From now." for line in lines]
    for consent in ending:
        ledger.end(ctx, point, list_id=consent.list_id, topic_id=consent.topic_id, purpose=Purpose.OWN_OFFERS,
                   evidence=Evidence(how=HOW, source=SOURCE))
    return ending


def _start(ctx: Context, point: ContactPoint, lines: Sequence[Line], shut: str, changes: list[str]) -> bool:
    by = words.CHANNELS[point.channel]
    if shut:
        changes += [f"{line.label} by {by}: not started. This address is on our stop list, because {shut}."
                    for line in lines]
        return False
    if not lines:
        return False
    _lift(ctx, point, lines)
    evidence = _evidence(ctx, _shown(ctx, [f"{line.label} by {by}" for line in lines]))
    for line in lines:
        ledger.grant(ctx, point, list_id=line.list_id, topic_id=line.topic_id, purpose=Purpose.OWN_OFFERS,
                     evidence=evidence)
    changes += [f"{line.label} by {by}: on. From now." for line in lines]
    return True


def _lift(ctx: Context, point: ContactPoint, lines: Iterable[Line]) -> None:
    """What the person's own confirmation would lift, of everything, these lists and these topics (decision 2)."""
    scopes = {(0, 0)} | {(line.list_id, 0) for line in lines} | {(line.list_id, line.topic_id) for line in lines}
    for list_id, topic_id in sorted(scopes):
        registry.lift(ctx, channel=point.channel, fingerprints=[point.fingerprint], reasons=MAY_LIFT,
                      list_id=list_id, topic_id=topic_id)


def _evidence(ctx: Context, wording_id: int | None = None) -> Evidence:
    notice = notices.in_force(ctx)
    return Evidence(how=HOW, wording_id=wording_id, notice_id=notice.id if notice else None, source=SOURCE)


def _shown(ctx: Context, labels: Sequence[str]) -> int:
    """The words beside the boxes that were ticked, as the page shows them."""
    notice = notices.in_force(ctx)
    said = [f"What {profile.current(ctx).name} sends you", TICK, *labels, KEPT]
    if notice is not None:
        said.append(f"How we use it: notice {notice.version}, {words.full_day(notice.effective_at.date())}.")
    return wordings.keep(ctx, "\n".join(said), "en").id


def _set_how(ctx: Context, point: ContactPoint, preference: Preference, choices: Choices, changes: list[str]) -> None:
    """How often and in which look; each is a detail of the person with a source (promise M28)."""
    turned = []
    if choices.every_days in words.FREQUENCIES and choices.every_days != preference.every_days:
        preference.every_days = choices.every_days
        changes.append(f"How often: {words.FREQUENCIES[choices.every_days]}. From now.")
        turned.append("frequency")
    if choices.format in words.FORMATS and choices.format != preference.format:
        preference.format = choices.format
        changes.append(f"Look: {words.FORMATS[choices.format]}. From now.")
        turned.append("format")
    field_sources.note(ctx, point.person_id, turned, Origin(SOURCE))
