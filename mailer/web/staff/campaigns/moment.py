"""Now or Later: the form's answer, what it means on the clocks of its zone, and what to choose where clocks change."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from mailer.campaigns import schedule
from mailer.core.errors import InvalidInput
from mailer.web.staff.campaigns import words

Choice = tuple[str, str]
"""The value a button posts, and its words."""


@dataclass(frozen=True)
class When:
    """As somebody left the form; `fold` tells the two meanings of a wall clock that comes twice."""

    later: bool = False
    date: str = ""
    time: str = ""
    zone: str = "UTC"
    fold: int | None = None


@dataclass(frozen=True)
class Meaning:
    """What it comes to: one moment, or what is wrong and what may be chosen instead."""

    moment: datetime | None = None
    line: str = ""
    button: str = ""
    error: str = ""
    choices: tuple[Choice, ...] = ()

    @property
    def stamp(self) -> str:
        """What the form carries to show that this very moment was seen."""
        return self.moment.isoformat() if self.moment else ""


def read(form: Mapping[str, str], zones: list[str], own_zone: str) -> When:
    """The form's answer. A button of a choice (`2026-11-01T01:30/1`) stands above the fields."""
    zone = form.get("zone", own_zone)
    typed = When(form.get("when") == "later", form.get("date", "")[:10], form.get("time", "")[:5],
                 zone if zone in zones else own_zone, _fold(form.get("fold", "")))
    chosen, _, fold = form.get("choice", "")[:20].partition("/")
    if chosen:
        date, _, time = chosen.partition("T")
        return replace(typed, later=True, date=date, time=time, fold=_fold(fold))
    return typed


def meaning(when: When, own_zone: str, now: datetime) -> Meaning:
    """What the answer means; an empty meaning for Now."""
    if not when.later:
        return Meaning()
    try:
        local = local_time(when)
    except ValueError:
        return Meaning(error="Type a date and a time, such as 2026-03-10 and 09:00.")
    try:
        moment = schedule.at(local, when.zone, fold=when.fold)
    except InvalidInput as error:
        return _unclear(local, when.zone, str(error.context["why"]))
    if moment <= now:
        return Meaning(error="This time has passed. Choose a later one.")
    return Meaning(moment, words.clock_line(moment, when.zone, own_zone, now),
                   f"Schedule for {words.short_moment(moment, when.zone)}")


def local_time(when: When) -> datetime:
    """The wall clock that was typed. Raises: ValueError."""
    local = datetime.fromisoformat(f"{when.date}T{when.time}")
    if local.tzinfo is not None or not 2000 < local.year < 2200:
        raise ValueError("no wall clock of our days")
    return local


def _unclear(local: datetime, zone: str, why: str) -> Meaning:
    day, place = f"{local.day} {local:%B %Y}", words.place(zone)
    moments = [local.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1)]
    if why == "twice":
        choices = tuple(
            (f"{local:%Y-%m-%dT%H:%M}/{fold}", f"{name} {local:%H:%M}, which is {moment:%H:%M} UTC")
            for fold, name, moment in zip((0, 1), ("The first", "The second"), moments, strict=True))
        return Meaning(error=f"On {day} the clocks in {place} go back, and {local:%H:%M} comes twice. Choose which.",
                       choices=choices)
    found = sorted(moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for moment in moments)
    choices = tuple((f"{each:%Y-%m-%dT%H:%M}/", f"{each:%H:%M} on {each.day} {each:%B}") for each in found)
    return Meaning(error=f"On {day} the clocks in {place} go forward, and {local:%H:%M} does not exist there. "
                         "Choose another time.", choices=choices)


def _fold(raw: str) -> int | None:
    return int(raw) if raw in ("0", "1") else None
