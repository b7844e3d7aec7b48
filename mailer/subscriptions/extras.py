"""Purposes that are asked for apart from everything else: partner offers sent by us, and passing an address on.

None implies another, none is ticked beforehand, and each yes keeps its words and the version of the partner list that
stood beside it (promises M8, M18, T12).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from mailer.audience.models import ContactPoint
from mailer.consent import ledger, standing
from mailer.consent.ledger import Consent, Evidence
from mailer.consent.models import Standing
from mailer.context import Context
from mailer.core.messages import ConsentModel, Purpose
from mailer.lists import forms, wordings
from mailer.lists.forms import Definition
from mailer.organisation import profile
from mailer.policy import packs, partners
from mailer.subscriptions import words

NAMES = {Purpose.PARTNER_OFFERS: "Partner offers", Purpose.SHARE: "Passing your address on"}
NO_LIST = "not started, because no topic is ticked."


@dataclass(frozen=True)
class Extra:
    """One such purpose as the page shows it, in a fieldset of its own."""

    purpose: Purpose
    legend: str
    label: str
    note: str
    on: bool

    @property
    def wording(self) -> str:
        """The exact words of its block."""
        return "\n".join((self.legend, self.label, self.note))


@dataclass
class Turned:
    """What came of the boxes: consents that ended, and whether any began."""

    ended: list[Consent] = field(default_factory=list)
    began: bool = False


def of(ctx: Context, channel: str, rows: Sequence[Standing]) -> list[Extra]:
    """What may be asked under the policy in force, and whatever is on, so that it can be ended."""
    pack, named, brand = packs.current(ctx), partners.current(ctx), profile.current(ctx).name
    live = {row.purpose for row in rows if row.state == "live"}
    sent = Extra(Purpose.PARTNER_OFFERS, forms.PARTNER_LEGEND, forms.PARTNER_LABEL,
                 forms.partner_note(Definition(title=""), brand, named), Purpose.PARTNER_OFFERS in live)
    share = Extra(Purpose.SHARE, forms.SHARE_LEGEND, forms.SHARE_LABEL, forms.share_note(brand, named),
                  Purpose.SHARE in live)
    may_send = pack.model(channel, Purpose.PARTNER_OFFERS) is not ConsentModel.FORBIDDEN
    may_share = pack.shares(channel) and named is not None and bool(named.names)
    return [extra for extra, may in ((sent, may_send), (share, may_share)) if may or extra.on]


def turn(ctx: Context, point: ContactPoint, shown: Sequence[Extra], ticked: frozenset[Purpose], evidence: Evidence,
         changes: list[str]) -> Turned:
    """Write what the boxes say; a yes stands for each list that is subscribed to. Raises: NotFound once erased."""
    turned, by = Turned(), words.CHANNELS[point.channel]
    for extra in shown:
        if extra.on == (extra.purpose in ticked):
            continue
        rows = standing.of(ctx, point.id)
        name = f"{NAMES[extra.purpose]} by {by}" if extra.purpose is Purpose.PARTNER_OFFERS else NAMES[extra.purpose]
        if extra.on:
            turned.ended += _end(ctx, point, extra.purpose, rows, evidence)
            changes.append(f"{name}: stopped. From now.")
        elif lists := sorted({row.list_id for row in rows
                              if row.purpose == Purpose.OWN_OFFERS and row.state == "live"}):
            _begin(ctx, point, extra, lists, evidence)
            turned.began = True
            changes.append(f"{name}: on. From now.")
        else:
            changes.append(f"{name}: {NO_LIST}")
    return turned


def _end(ctx: Context, point: ContactPoint, purpose: Purpose, rows: Sequence[Standing], evidence: Evidence
         ) -> list[Consent]:
    ending = [Consent(row.list_id, row.topic_id, row.purpose) for row in rows
              if row.purpose == purpose and row.state == "live"]
    for consent in ending:
        ledger.end(ctx, point, list_id=consent.list_id, topic_id=consent.topic_id, purpose=purpose, evidence=evidence)
    return ending


def _begin(ctx: Context, point: ContactPoint, extra: Extra, lists: Sequence[int], evidence: Evidence) -> None:
    named = partners.current(ctx)
    said = replace(evidence, wording_id=wordings.keep(ctx, extra.wording, "en").id,
                   partner_list=named.version if named else None)
    for list_id in lists:
        ledger.grant(ctx, point, list_id=list_id, topic_id=0, purpose=extra.purpose, evidence=said)
