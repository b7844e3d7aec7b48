"""What a link in a message may change: it shows and narrows, and takes back its own narrowing (decision 23).

Messages get forwarded, so nothing here widens what somebody gets. A topic that this page ended in the last 24 hours may
be ticked again; a pause may always be ended, because only these links set one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select

from mailer.audience import field_sources
from mailer.audience.field_sources import Origin
from mailer.audience.models import ContactPoint, Preference
from mailer.consent import ledger, standing
from mailer.consent.ledger import Consent, Evidence
from mailer.consent.models import Standing
from mailer.context import Context
from mailer.core.errors import InvalidInput, NotFound
from mailer.core.messages import Purpose
from mailer.lists.models import MailingList, Topic
from mailer.outbox.keep_back import keep_back
from mailer.subscriptions import undo, words
from mailer.subscriptions.leave import note, open_goodbyes
from mailer.subscriptions.models import Goodbye

HOW = "preferences"
BREAKS = {"30": 30, "90": 90}
LONGEST_BREAK = timedelta(days=366)


@dataclass(frozen=True)
class TopicRow:
    """A topic as the page shows it: on, undo (this page ended it; `since`) or off (shown as text)."""

    list_id: int
    topic_id: int
    label: str
    state: str
    since: datetime | None = None


@dataclass(frozen=True)
class View:
    """Everything that the page shows; `most_often` is the smallest cap that this link may choose, in days."""

    topics: Sequence[TopicRow]
    every_days: int
    most_often: int
    format: str
    paused_until: datetime | None
    partner_offers: str


@dataclass(frozen=True)
class Choices:
    """What was posted; None leaves a thing as it is. `pause` is no, 30, 90 or until (with `until`)."""

    topics: frozenset[int] = frozenset()
    every_days: int | None = None
    format: str | None = None
    pause: str | None = None
    until: str = ""
    partner_offers: bool = False


@dataclass
class Saved:
    """What changed, in words, and the goodbye with which it is taken back."""

    changes: list[str] = field(default_factory=list)
    goodbye: Goodbye | None = None


def look(ctx: Context, point: ContactPoint) -> View:
    """The page as it now is. Raises: NotFound when the person is erased."""
    preference = preference_of(ctx, point)
    rows = standing.of(ctx, point.id)
    takeable = _takeable(ctx, point, rows)
    paused = preference.paused_until if preference.paused_until and preference.paused_until > ctx.clock.now() else None
    return View(
        topics=_topic_rows(ctx, rows, takeable), every_days=preference.every_days,
        most_often=min([preference.every_days, *_earlier_frequencies(ctx, point)]), format=preference.format,
        paused_until=paused, partner_offers=_partner_state(rows, takeable))


def save(ctx: Context, point: ContactPoint, choices: Choices) -> Saved:
    """Apply what narrows or takes back; what would widen is left out. Raises: NotFound, InvalidInput (pause_until)."""
    ledger.holder_of(ctx, point)
    view, preference = look(ctx, point), preference_of(ctx, point)
    same_break = choices.pause == "until" and choices.until == break_day(ctx, view.paused_until) != ""
    until = view.paused_until if same_break else break_until(ctx, choices.pause, choices.until)
    before = as_it_was(preference)
    saved = Saved()
    ended = _narrow(ctx, point, view, choices, saved.changes)
    again = _widen_back(ctx, point, view, choices, saved.changes)
    _set_frequency(preference, view, choices, saved.changes)
    if choices.format in words.FORMATS and choices.format != preference.format:
        preference.format = choices.format
        saved.changes.append(f"Look: {words.FORMATS[choices.format]}. From now.")
    if choices.pause is not None:
        set_pause(ctx, preference, view.paused_until, until, saved.changes)
    _note_sources(ctx, point, preference, before)
    if saved.changes:
        keep_back(ctx, [point.id])
        if not again or ended:
            saved.goodbye = note(ctx, point, how=HOW, ended=ended, before=before)
    return saved


def take_a_break(ctx: Context, point: ContactPoint, days: int) -> tuple[datetime, Goodbye]:
    """Send no campaigns for so many days; never shortens a longer break. Raises: NotFound."""
    ledger.holder_of(ctx, point)
    preference = preference_of(ctx, point)
    before = as_it_was(preference)
    until = break_end(ctx, days)
    if preference.paused_until is None or preference.paused_until < until:
        preference.paused_until = until
    keep_back(ctx, [point.id])
    return preference.paused_until, note(ctx, point, how="break", ended=[], before=before)


def _note_sources(ctx: Context, point: ContactPoint, preference: Preference, before: dict[str, Any]) -> None:
    """What was changed here came from here (promise M28)."""
    turned = [name for name, was, now in (("frequency", before["every_days"], preference.every_days),
                                          ("format", before["format"], preference.format)) if was != now]
    field_sources.note(ctx, point.person_id, turned, Origin(HOW))


def break_end(ctx: Context, days: int) -> datetime:
    """When a break of so many days that begins now is over."""
    return ctx.clock.now() + timedelta(days=days)


def break_until(ctx: Context, pause: str | None, until: str) -> datetime | None:
    """The end of a chosen break, None for none. Raises: InvalidInput with the field pause_until."""
    if pause in BREAKS:
        return break_end(ctx, BREAKS[pause])
    if pause != "until":
        return None
    try:
        end = datetime.combine(date.fromisoformat(until.strip()), time(), words.zone(ctx))
    except ValueError as error:
        raise InvalidInput(field="pause_until", why="a date such as 2026-04-01") from error
    if not ctx.clock.now() < end <= ctx.clock.now() + LONGEST_BREAK:
        raise InvalidInput(field="pause_until", why="a day from tomorrow on, within a year")
    return end


def break_day(ctx: Context, until: datetime | None) -> str:
    """The day on which a break ends, as a date field holds it; empty for none."""
    return until.astimezone(words.zone(ctx)).date().isoformat() if until else ""


def preference_of(ctx: Context, point: ContactPoint) -> Preference:
    """How somebody wants to be written to, as the row now is. Raises: NotFound once erased."""
    preference = ctx.db.get(Preference, point.id, populate_existing=True)
    if preference is None:
        raise NotFound(contact_point=point.id)
    return preference


def as_it_was(preference: Preference) -> dict[str, Any]:
    """What an undo puts back."""
    return {"format": preference.format, "every_days": preference.every_days,
            "paused_until": preference.paused_until.isoformat() if preference.paused_until else None}


def _takeable(ctx: Context, point: ContactPoint, rows: Sequence[Standing]) -> set[Consent]:
    """What this page ended in the last 24 hours and nothing has changed since."""
    ended = {Consent(row.list_id, row.topic_id, row.purpose) for row in rows if row.state == "ended"}
    return ended & {Consent(*consent) for goodbye in open_goodbyes(ctx, point.id) if goodbye.ended["how"] == HOW
                    for consent in goodbye.ended["consents"]}


def _earlier_frequencies(ctx: Context, point: ContactPoint) -> list[int]:
    return [int(goodbye.ended["before"]["every_days"]) for goodbye in open_goodbyes(ctx, point.id)
            if goodbye.ended["how"] == HOW and goodbye.ended["before"]]


def _topic_rows(ctx: Context, rows: Sequence[Standing], takeable: set[Consent]) -> list[TopicRow]:
    """Every topic in use of the lists that the person ever answered for."""
    own = {(row.list_id, row.topic_id): row for row in rows if row.purpose == Purpose.OWN_OFFERS}
    lists = {list_id for list_id, _ in own}
    found = ctx.db.execute(select(Topic, MailingList.name).join(MailingList, MailingList.id == Topic.list_id).where(
        Topic.list_id.in_(lists), Topic.archived.is_(False)).order_by(
            MailingList.name, Topic.position, Topic.id)).all()
    shown = []
    for topic, list_name in found:
        row = own.get((topic.list_id, topic.id))
        state = "off"
        if row is not None and row.state == "live":
            state = "on"
        elif Consent(topic.list_id, topic.id, Purpose.OWN_OFFERS) in takeable:
            state = "undo"
        label = f"{list_name}: {topic.name}" if len(lists) > 1 and topic.name != list_name else topic.name
        shown.append(TopicRow(topic.list_id, topic.id, label, state, row.since if row else None))
    return shown


def _partner_state(rows: Sequence[Standing], takeable: set[Consent]) -> str:
    if any(row.purpose == Purpose.PARTNER_OFFERS and row.state == "live" for row in rows):
        return "on"
    return "undo" if any(consent.purpose == Purpose.PARTNER_OFFERS for consent in takeable) else "off"


def _narrow(ctx: Context, point: ContactPoint, view: View, choices: Choices, changes: list[str]) -> list[Consent]:
    by = words.CHANNELS[point.channel]
    ending = [Consent(row.list_id, row.topic_id, Purpose.OWN_OFFERS) for row in view.topics
              if row.state == "on" and row.topic_id not in choices.topics]
    gone = {consent.topic_id for consent in ending}
    changes += [f"{row.label} by {by}: stopped. From now." for row in view.topics if row.topic_id in gone]
    if view.partner_offers == "on" and not choices.partner_offers:
        ending += [Consent(row.list_id, row.topic_id, row.purpose) for row in standing.of(ctx, point.id)
                   if row.purpose == Purpose.PARTNER_OFFERS and row.state == "live"]
        changes.append(f"Partner offers by {by}: stopped. From now.")
    for consent in ending:
        ledger.end(ctx, point, list_id=consent.list_id, topic_id=consent.topic_id, purpose=Purpose(consent.purpose),
                   evidence=Evidence(how=HOW))
    return ending


def _widen_back(ctx: Context, point: ContactPoint, view: View, choices: Choices, changes: list[str]
                ) -> list[Consent]:
    by = words.CHANNELS[point.channel]
    wanted = [Consent(row.list_id, row.topic_id, Purpose.OWN_OFFERS) for row in view.topics
              if row.state == "undo" and row.topic_id in choices.topics]
    if view.partner_offers == "undo" and choices.partner_offers:
        wanted += [consent for consent in _takeable(ctx, point, standing.of(ctx, point.id))
                   if consent.purpose == Purpose.PARTNER_OFFERS]
    again = undo.regrant(ctx, point, wanted, source=HOW)
    back = {consent.topic_id for consent in again}
    changes += [f"{row.label} by {by}: on again." for row in view.topics if row.topic_id in back]
    if any(consent.purpose == Purpose.PARTNER_OFFERS for consent in again):
        changes.append(f"Partner offers by {by}: on again.")
    return again


def _set_frequency(preference: Preference, view: View, choices: Choices, changes: list[str]) -> None:
    chosen = choices.every_days
    if chosen in words.FREQUENCIES and chosen != view.every_days and chosen >= view.most_often:
        preference.every_days = chosen
        changes.append(f"How often: {words.FREQUENCIES[chosen]}. From now.")


def set_pause(ctx: Context, preference: Preference, now: datetime | None, until: datetime | None,
              changes: list[str]) -> None:
    """Begin, move or end a break, and say so; it ends by itself and asks for no consent anew (promise T18)."""
    if until == now:
        return
    preference.paused_until = until
    changes.append(f"A break until {words.full_day(until.astimezone(words.zone(ctx)).date())}." if until
                   else "The break is over.")
