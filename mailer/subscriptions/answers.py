"""What somebody typed into a sign-up form, read and held against what the form asks."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mailer.audience import contact_points
from mailer.context import Context
from mailer.core.card_numbers import holds_card_number
from mailer.core.channel import Address
from mailer.core.errors import InvalidAddress, MailerError
from mailer.lists.forms import FREQUENCIES, Definition
from mailer.policy import packs, partners
from mailer.policy.pack import Pack
from mailer.subscriptions import age

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
    """As they were typed. Partners: yes, an explicit no, or None where nothing was said (promise T12)."""

    channel: str
    address: str
    topics: frozenset[int] = frozenset()
    first_name: str = ""
    every_days: int = 0
    format: str = "html"
    partner_offers: bool | None = None
    share: bool | None = None
    age: str = ""


@dataclass(frozen=True, repr=False)
class Asked:
    """As they may be kept. `partner_offers` and `share` are None where nothing was asked or answered: that is no yes,
    and no refusal either (promises M1 and T12)."""

    channel: str
    address: Address
    topic_ids: tuple[int, ...]
    first_name: str | None
    every_days: int
    format: str
    partner_offers: bool | None
    share: bool | None = None
    partner_list: int | None = None


def check(ctx: Context, definition: Definition, answers: Answers) -> Asked:
    """The answers that a form asked for; what it did not ask is dropped (promise T3: the address alone is enough).

    Raises: UnderAge before anything else; UnfitAnswers naming each field; UnknownChannel.
    """
    pack = packs.current(ctx)
    age.check(pack, answers.age)
    faults: dict[str, str] = {}
    if why := age.fault(pack, answers.age):
        faults["age"] = why
    address = None
    try:
        address = contact_points.parse(ctx, answers.channel, answers.address)
    except InvalidAddress as error:
        faults["email"] = str(error.context.get("why", "invalid"))
    name = answers.first_name.strip() if definition.ask_first_name else ""
    if why := name_fault(name):
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
        **_about_partners(ctx, definition, answers, pack))


def _about_partners(ctx: Context, definition: Definition, answers: Answers, pack: Pack) -> dict[str, Any]:
    """What was said of partners, and the version of the list that stood beside it; each question by itself."""
    named = partners.current(ctx)
    offers = answers.partner_offers if definition.partner_offers else None
    may_share = definition.share and pack.shares(answers.channel) and named is not None and bool(named.names)
    share = answers.share if may_share else None
    said = offers is not None or share is not None
    return {"partner_offers": offers, "share": share, "partner_list": named.version if said and named else None}


def _topics(definition: Definition, chosen: frozenset[int]) -> tuple[int, ...]:
    # Where there is one topic, asking for the form's news is asking for that.
    if len(definition.topics) == 1:
        return definition.topics
    return tuple(topic for topic in definition.topics if topic in chosen)


def name_fault(name: str) -> str:
    """Why a first name cannot be taken, as a reason code; empty where it can."""
    """Why a first name cannot be taken, as a reason code; empty when it can."""
    if len(name) > LONGEST_NAME:
        return "too_long"
    if any(unicodedata.category(letter) in CONTROLS and letter not in JOINERS for letter in name):
        return "control_character"
    return "card_number" if holds_card_number(name) else ""
