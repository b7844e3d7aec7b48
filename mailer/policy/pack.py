"""The policy as data: which consent each channel and purpose needs, and what is never done."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mailer.core.errors import InvalidInput
from mailer.core.messages import ConsentModel, Purpose

CHANNELS = ("email", "sms", "postal")
GERMANY = "DE"

REQUIRED_BY_LAW = frozenset({"legal_process", "government_request"})
"""Reasons that no policy can refuse (promises A1 and S13)."""
DISCLOSURES = frozenset({"person_asked", "proof", "processing", "own_records"}) | REQUIRED_BY_LAW
"""Why data may leave where nothing else is said: to the person, as proof, to who works for us, to ourselves, by law."""
WIDER_DISCLOSURES = frozenset({"illegal_or_terms", "rights_or_safety", "fraud", "business_transfer"})
"""What a policy may allow besides (promises T16 and S13)."""


@dataclass(frozen=True)
class Pack:
    """One organisation's policy. What a pair of channel and purpose does not name is asked for and confirmed.

    `age_floors` says where another age than `age_floor` is wanted, by what data is given for (`order`: 18, promise
    A10). `countries` are those it was written for (ISO 3166-1); none means all of them.
    """

    name: str
    age_floor: int
    title: str = ""
    age_floors: Mapping[str, int] = field(default_factory=dict)
    asks_age: bool = False
    countries: frozenset[str] = frozenset()
    consent: Mapping[tuple[str, Purpose], ConsentModel] = field(default_factory=dict)
    third_party_release: bool = False
    tracking: bool = False
    friend_mail_by_server: bool = False
    disclosure_reasons: frozenset[str] = DISCLOSURES

    def __post_init__(self) -> None:
        """Raises: InvalidInput naming what no pack may say, whoever writes it."""
        if any(model is ConsentModel.OPT_OUT and channel != "postal" for (channel, _), model in self.consent.items()):
            raise InvalidInput(field="consent", why="only post may go to who has not said no")
        if any(model is ConsentModel.OPT_OUT and purpose is Purpose.SHARE
               for (_, purpose), model in self.consent.items()):
            raise InvalidInput(field="consent", why="an address is shared with consent alone")
        if self.friend_mail_by_server and (not self.countries or GERMANY in self.countries):
            raise InvalidInput(field="friend_mail_by_server", why="never where Germany is among the countries")

    def model(self, channel: str, purpose: Purpose) -> ConsentModel:
        """The consent that a message of this purpose needs on this channel."""
        return self.consent.get((channel, purpose), ConsentModel.CONFIRMED_OPT_IN)

    def floor(self, given_for: str = Purpose.OWN_OFFERS) -> int:
        """The youngest age in whole years at which data may be given for a purpose (`order`, `own_offers` …)."""
        return self.age_floors.get(given_for, self.age_floor)

    def shares(self, channel: str = "email") -> bool:
        """Whether people may be asked to have their address passed on; nowhere else is there such a question (M1)."""
        return self.model(channel, Purpose.SHARE) is not ConsentModel.FORBIDDEN

    @property
    def age_line(self) -> str:
        """What a form says of age; nothing is asked (decision 41)."""
        return f"For people aged {self.floor()} or over."


# The floor is the GDPR's own default (Art. 8 (1)); a country's law may lower it to 13, a pack says so.
DEFAULT = Pack(
    name="strictest", age_floor=16, title="Strictest: everything is asked for and confirmed, nothing is shared",
    consent={(channel, Purpose.SHARE): ConsentModel.FORBIDDEN for channel in CHANNELS})
