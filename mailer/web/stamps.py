"""Signed stamps of public forms: they show that a form came from our own page, without a cookie (decision 24)."""

import hmac
from datetime import timedelta

from mailer.context import Context

LASTS = timedelta(hours=24)


def make(ctx: Context, form: str) -> str:
    """A stamp of the form of that name, good for a day."""
    moment = str(int(ctx.clock.now().timestamp()))
    return f"{moment}.{_mark(ctx, form, moment)}"


def fits(ctx: Context, form: str, stamp: str) -> bool:
    """Whether we made this stamp, for this form, within the last day."""
    moment, _, mark = stamp.partition(".")
    if not (moment.isascii() and moment.isdigit()) or len(moment) > 12:
        return False
    age = ctx.clock.now().timestamp() - int(moment)
    # A minute's grace: the next request may meet a host whose clock is a little behind.
    return hmac.compare_digest(mark.encode(), _mark(ctx, form, moment).encode()) and -60 <= age <= LASTS.total_seconds()


def _mark(ctx: Context, form: str, moment: str) -> str:
    return ctx.sealer.bucket(f"stamp/{form}", moment).hex()
