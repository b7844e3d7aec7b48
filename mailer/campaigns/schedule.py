"""When a campaign leaves: now, later, or with a minute to think again."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mailer.campaigns import compose
from mailer.campaigns.models import Campaign
from mailer.context import Context
from mailer.core.errors import Conflict, InvalidInput
from mailer.core.jobs import Job
from mailer.core.messages import CampaignState
from mailer.core.modes import Mode
from mailer.organisation import profile as organisation

UNDO = timedelta(seconds=60)
UNDO_IN_PRACTICE = timedelta(seconds=5)

STARTABLE = frozenset({CampaignState.DRAFT, CampaignState.COULD_NOT_START})


def zone(name: str) -> ZoneInfo:
    """Raises: InvalidInput for a name that the time zone database does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInput(field="zone", why="unknown") from error


def moments(local: datetime, zone_name: str) -> list[datetime]:
    """The moments in UTC that a wall clock there can mean: none when clocks go forward over it, two when back.

    Raises: InvalidInput for an unknown zone, and for a time before or after all that can be told.
    """
    place = zone(zone_name)
    try:
        found = {local.replace(tzinfo=place, fold=fold).astimezone(UTC) for fold in (0, 1)}
    except OverflowError as error:
        raise InvalidInput(field="time", why="out of range") from error
    return sorted(each for each in found if each.astimezone(place).replace(tzinfo=None) == local)


def at(local: datetime, zone_name: str, *, fold: int | None = None) -> datetime:
    """The one moment meant. Raises: InvalidInput with `why` `skipped` or `twice` when there is not just one."""
    found = moments(local, zone_name)
    if not found:
        raise InvalidInput(field="time", why="skipped")
    if len(found) > 1 and fold is None:
        raise InvalidInput(field="time", why="twice")
    return found[min(fold or 0, len(found) - 1)]


def send(ctx: Context, campaign_id: int, *, undo: bool = True, expected_in: int | None = None) -> Campaign:
    """Begin: with undo time, or (from the command line) at once."""
    campaign = _startable(ctx, campaign_id)
    now = ctx.clock.now()
    practice = organisation.current(ctx).mode is Mode.PRACTICE
    campaign.send_at = now + ((UNDO_IN_PRACTICE if practice else UNDO) if undo else timedelta())
    campaign.expected_in = expected_in
    compose.moved(ctx, campaign, CampaignState.STARTING, "campaign_started", undo=undo)
    ctx.nudge(Job.LAUNCH, campaign.id)
    return campaign


def later(ctx: Context, campaign_id: int, *, local: datetime, zone_name: str, fold: int | None = None,
          expected_in: int | None = None) -> Campaign:
    """Schedule for a wall-clock time somewhere. Raises: InvalidInput for a time that is past, skipped or twice."""
    campaign = _startable(ctx, campaign_id)
    moment = at(local, zone_name, fold=fold)
    if moment <= ctx.clock.now():
        raise InvalidInput(field="time", why="past")
    campaign.send_at, campaign.time_zone, campaign.expected_in = moment, zone_name, expected_in
    return compose.moved(ctx, campaign, CampaignState.SCHEDULED, "campaign_scheduled", at=moment.isoformat())


def undo(ctx: Context, campaign_id: int) -> Campaign:
    """Back to a draft, as long as nothing was planned."""
    campaign = compose.lock(ctx, campaign_id)
    if campaign.state not in (CampaignState.STARTING, CampaignState.SCHEDULED) or campaign.month is not None:
        raise Conflict(campaign=campaign_id)
    campaign.send_at = None
    return compose.moved(ctx, campaign, CampaignState.DRAFT, "campaign_start_undone")


def _startable(ctx: Context, campaign_id: int) -> Campaign:
    campaign = compose.lock(ctx, campaign_id)
    if campaign.state not in STARTABLE:
        raise Conflict(campaign=campaign_id)
    campaign.mode = organisation.current(ctx).mode
    campaign.why_not_started = None
    return campaign
