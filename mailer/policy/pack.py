"""The policy as data: which consent each channel and purpose needs, and what is never done."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mailer.core.messages import Purpose


class ConsentModel(StrEnum):
    """How somebody comes to be written to."""

    CONFIRMED_OPT_IN = "confirmed_opt_in"
    OPT_OUT = "opt_out"
    FORBIDDEN = "forbidden"


@dataclass(frozen=True)
class Pack:
    """One organisation's policy. What a pair of channel and purpose does not name is asked for and confirmed."""

    name: str
    age_floor: int
    asks_age: bool = False
    consent: Mapping[tuple[str, Purpose], ConsentModel] = field(default_factory=dict)
    third_party_release: bool = False
    tracking: bool = False
    friend_mail_by_server: bool = False

    def model(self, channel: str, purpose: Purpose) -> ConsentModel:
        """The consent that a message of this purpose needs on this channel."""
        return self.consent.get((channel, purpose), ConsentModel.CONFIRMED_OPT_IN)

    @property
    def age_line(self) -> str:
        """What a form says of age; nothing is asked (decision 41)."""
        return f"For people aged {self.age_floor} or over."


# The floor is the GDPR's own default (Art. 8 (1)); a country's law may lower it to 13, a pack says so.
DEFAULT = Pack(
    name="strictest", age_floor=16,
    consent={(channel, Purpose.SHARE): ConsentModel.FORBIDDEN for channel in ("email", "sms", "postal")})
