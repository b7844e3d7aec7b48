"""What a campaign asks of the gate, and where its rows lie."""

from dataclasses import dataclass
from datetime import date

from mailer.core.messages import ConsentModel, MessageClass, Purpose
from mailer.core.modes import Mode


@dataclass(frozen=True)
class CampaignTerms:
    """One campaign as the gate sees it; the same for each of its messages.

    `month` is the first day of the month of launch, `fields` the personal fields that its content version names,
    `model` the consent that the policy in force wants for its purpose on its channel.
    """

    campaign_id: int
    month: date
    list_id: int
    topic_ids: tuple[int, ...]
    purpose: Purpose
    kind: MessageClass
    channel: str
    mode: Mode
    fields: tuple[str, ...] = ()
    model: ConsentModel = ConsentModel.CONFIRMED_OPT_IN

    @property
    def own_purpose(self) -> Purpose:
        """The purpose of consent asked for on the list's topics; a partner's offer needs that and one more."""
        return Purpose.OWN_OFFERS if self.kind is MessageClass.PARTNER_OFFER else self.purpose


def leaf(table: str, month: date) -> str:
    """The partition that holds a month's rows: `decision_2026_03`."""
    return f"{table}_{month:%Y_%m}"
