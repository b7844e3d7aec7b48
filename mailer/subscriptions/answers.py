"""What somebody typed into a sign-up form, read and held against what the form asks."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from mailer.audience import contact_points
from mailer.context import Context
from mailer.core.card_numbers import holds_card_number
from mailer.core.channel import Address
from mailer.core.errors import InvalidAddress, MailerError
from mailer.lists.forms import FREQUENCIES, Definition

LONGEST_NAME = 60
FORMATS = ("html", "text")
CONTROLS = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
JOINERS = "\u200c\u200d"
"""Invisible, and needed to write names in Persian and in scripts of India."""


class UnfitAnswers(MailerError):
    """Some answers cannot be taken; `faults` maps the field to a reason code."""

    code = "unfit_answers"
    status = 422

    def __init__(self, faults: Mapping[str, str]) -> None:
        self.faults = dict(faults)
        super().__init__(fields=",".join(self.faults))


@dataclass(frozen=True, repr=False)
class Answers:
    """As they were typed."""

    channel: str
    address: str
    topics: frozenset[int] = frozenset()
    first_name: str = ""
    every_days: int = 0
    format: str = "html"
    partner_offers: bool = False


@dataclass(frozen=True, repr=False)
class Asked:
    """As they may be kept. `partner_offers` is None where the form did not ask, False where its box stayed empty."""

    channel: str
    address: Address
    topic_ids: tuple[int, ...]
    first_name: str | None
    every_days: int
    format: str
    partner_offers: bool | None


def check(ctx: Context, definition: Definition, answers: Answers) -> Asked:
    """The answers that a form asked for; what it did not ask is dropped (promise T3: the address alone is enough).

    Raises: UnfitAnswers naming each field; UnknownChannel.
    """
    faults: dict[str, str] = {}
    address = None
    try:
        address = contact_points.parse(ctx, answers.channel, answers.address)
    except InvalidAddress as error:
        faults["email"] = str(error.context.get("why", "invalid"))
    name = answers.first_name.strip() if definition.ask_first_name else ""
    if why := _name_fault(name):
        faults["first_name"] = why
    topics = _topics(definition, answers.topics)
    if not topics:
        faults["topics"] = "none"
    if faults or address is None:
        raise UnfitAnswers(faults)
    return Asked(
        channel=answers.channel, address=address, topic_ids=topics, first_name=name or None,
        every_days=answers.every_days if definition.ask_frequency and answers.every_days in FREQUENCIES else 0,
        format=answers.format if definition.ask_format and answers.format in FORMATS else "html",
        partner_offers=answers.partner_offers if definition.partner_offers else None)


def _topics(definition: Definition, chosen: frozenset[int]) -> tuple[int, ...]:
    # Where there is one topic, asking for the form's news is asking for that.
    if len(definition.topics) == 1:
        return definition.topics
    return tuple(topic for topic in definition.topics if topic in chosen)


def _name_fault(name: str) -> str:
    if len(name) > LONGEST_NAME:
        return "too_long"
    if any(unicodedata.category(letter) in CONTROLS and letter not in JOINERS for letter in name):
        return "control_character"
    return "card_number" if holds_card_number(name) else ""
