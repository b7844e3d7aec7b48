"""The policy packs there are, and the one that an organisation follows."""

from collections.abc import Mapping
from dataclasses import replace

from mailer.audit import trail
from mailer.context import Context
from mailer.core.errors import InvalidInput
from mailer.core.messages import ConsentModel, Purpose
from mailer.organisation.models import Organisation
from mailer.organisation.profile import ensure_row
from mailer.policy.pack import CHANNELS, DEFAULT, DISCLOSURES, WIDER_DISCLOSURES, Pack

FRIENDS_BY_MAIL = replace(
    DEFAULT, name="friends_by_mail", friend_mail_by_server=True, countries=frozenset({"US"}),
    title="Strictest, and our server may pass on one message for a person")
"""As the strictest, for an organisation whose law lets a server pass on one message for a person (decision 27)."""

RELEASES = replace(DEFAULT, name="releases_on_abuse", third_party_release=True,
                   title="Strictest, but data of illegal acts may be passed on",
                   disclosure_reasons=DISCLOSURES | WIDER_DISCLOSURES)
"""As the strictest, for an organisation whose policy says that it may pass on data of illegal acts, or be sold."""

ASKS_AGE = replace(DEFAULT, name="asks_age", asks_age=True, title="Strictest, and asks how old people are")
"""As the strictest, with the one question of decision 41: its answer is checked and dropped."""

ADULTS = replace(ASKS_AGE, name="adults", age_floor=18, title="Strictest, for adults, and asks how old people are")
"""For what only adults may ask for (promise A10)."""

SHARING_BY_CHOICE = replace(
    DEFAULT, name="sharing_by_choice", consent={}, title="Partners may be given an address where a person chose that")
"""People may be asked, apart and unticked, whether their address is passed on (promises M1 and T15)."""

POST_TO_CUSTOMERS = replace(
    DEFAULT, name="post_to_customers", age_floors={"order": 18},
    consent={**DEFAULT.consent, ("postal", Purpose.OWN_OFFERS): ConsentModel.OPT_OUT},
    title="Strictest, but customers get post until they say no")
"""Post to customers until they object; email and texts as everywhere (promise A3)."""

NO_MARKETING = replace(
    DEFAULT, name="no_marketing", title="No marketing at all: what people's own orders need, and nothing else",
    consent={(channel, purpose): ConsentModel.FORBIDDEN for channel in CHANNELS
             for purpose in (Purpose.OWN_OFFERS, Purpose.PARTNER_OFFERS, Purpose.SHARE)})
"""For an organisation that writes about orders alone; no campaign can start under it."""

PACKS: Mapping[str, Pack] = {pack.name: pack for pack in (
    DEFAULT, FRIENDS_BY_MAIL, RELEASES, ASKS_AGE, ADULTS, SHARING_BY_CHOICE, POST_TO_CUSTOMERS, NO_MARKETING)}


def current(ctx: Context) -> Pack:
    """The pack in force; the strictest until another is chosen, and where the one chosen is unknown."""
    row = ctx.db.get(Organisation, 1)
    return PACKS.get(row.pack, DEFAULT) if row is not None else DEFAULT


def choose(ctx: Context, name: str) -> Pack:
    """Follow another pack from now on; what stands against it is refused from the next message on.

    Raises: InvalidInput for a pack that there is not.
    """
    if name not in PACKS:
        raise InvalidInput(field="pack", why="Choose one of the packs.")
    row = ensure_row(ctx)
    if row.pack != name:
        trail.record(ctx, "choose_pack", "organisation", before=row.pack, now=name)
        row.pack = name
        ctx.db.flush()
    return PACKS[name]
