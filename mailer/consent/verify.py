"""Checking the ledger's chain."""

from collections.abc import Iterable

from mailer.audit import walk
from mailer.audit.walk import Verdict as Verdict
from mailer.consent.seal import LEDGER
from mailer.context import Context
from mailer.core.exits import Head


def verify(ctx: Context, remembered: Iterable[Head] = ()) -> Verdict:
    """Go through the whole ledger; `remembered` are heads kept outside the database, which show a tail that was cut."""
    return walk.verify(ctx, LEDGER, remembered)
