"""The policy packs there are, and the one that an organisation follows."""

from collections.abc import Mapping
from dataclasses import replace

from mailer.context import Context
from mailer.organisation.models import Organisation
from mailer.policy.pack import DEFAULT, Pack

FRIENDS_BY_MAIL = replace(DEFAULT, name="friends_by_mail", friend_mail_by_server=True)
"""As the strictest, for an organisation whose law lets a server pass on one message for a person (decision 27)."""

PACKS: Mapping[str, Pack] = {pack.name: pack for pack in (DEFAULT, FRIENDS_BY_MAIL)}


def current(ctx: Context) -> Pack:
    """The pack in force; the strictest until another is chosen, and where the one chosen is unknown."""
    row = ctx.db.get(Organisation, 1)
    return PACKS.get(row.pack, DEFAULT) if row is not None else DEFAULT
