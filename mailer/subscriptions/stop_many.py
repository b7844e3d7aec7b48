"""Stopping many at once: from a file, or pasted by staff. It only ever adds; nothing here lifts a stop."""

from collections.abc import Sequence
from dataclasses import dataclass

from mailer.consent.covered import Covered, end_covered
from mailer.consent.ledger import Evidence
from mailer.context import Context
from mailer.core.reasons import Reason
from mailer.outbox.keep_back import keep_back
from mailer.suppression import registry
from mailer.suppression.registry import Stop

KEEPS_CONSENT = frozenset({Reason.HOLD, Reason.DOUBTFUL, Reason.BOUNCED, Reason.GONE_AWAY, Reason.NOT_ME})
"""Reasons that stop messages for a while and end no consent."""


@dataclass(frozen=True)
class Added:
    """How many were put on the list, how many stood there already, and how many consents ended with them."""

    new: int = 0
    known: int = 0
    ended: int = 0

    def __add__(self, other: "Added") -> "Added":
        return Added(self.new + other.new, self.known + other.known, self.ended + other.ended)


def stop_many(ctx: Context, stops: Sequence[Stop], *, how: str, source: str = "") -> Added:
    """Put them on the stop list, and end the consents that they cover; some thousands at a time.

    The unit of work answers only once nothing more can begin (decision 7). Raises: ValueError as the registry does.
    """
    version = ctx.sealer.fingerprint_version
    kept = registry.suppress_many(ctx, stops, version=version)
    # While keys rotate a person's row may bear a newer fingerprint than the stop.
    ending = [Covered(stop.channel, each, stop.list_id, stop.topic_id) for stop in stops
              if stop.reason not in KEEPS_CONSENT
              for each in (stop.fingerprint, *ctx.sealer.above(stop.fingerprint, stop.version or version))]
    points, ended = end_covered(ctx, ending, Evidence(how=how, source=source))
    keep_back(ctx, points)
    return Added(len(kept), len(stops) - len(kept), ended)
