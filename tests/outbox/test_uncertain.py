"""Sending again to those whose answer was lost: a person's press, and never the campaign by itself (decision 8)."""

import pytest

from mailer.campaigns import control
from mailer.core.channel import Fate
from mailer.core.errors import Conflict
from mailer.core.jobs import Job
from mailer.core.messages import CampaignState, State
from mailer.core.modes import Mode
from mailer.organisation import profile
from mailer.services import Services
from tests.conftest import RememberedJobs
from tests.outbox.a_campaign import ACampaign

PEOPLE, UNSURE = 60, 3


@pytest.fixture
def campaign(services: Services) -> ACampaign:
    return ACampaign(services, PEOPLE)


def send_all_but(campaign: ACampaign, unsure: int) -> tuple[int, list[int]]:
    """Accept everybody but so many, whose answers are lost; their slice and their rows."""
    lost_slice, lost = campaign.hand(unsure)
    campaign.end(lost_slice, lost, Fate.UNCERTAIN, closes=False)
    slice_id, others = campaign.hand(PEOPLE)
    campaign.end(slice_id, others, Fate.ACCEPTED)
    return lost_slice, lost


def again(campaign: ACampaign) -> int:
    with campaign.unit() as ctx:
        return control.send_uncertain(ctx, campaign.id)


def test_a_closed_campaign_opens_again_for_its_uncertain_and_closes_with_the_sum_right(
        campaign: ACampaign, jobs: RememberedJobs) -> None:
    """The sum holds at every look."""
    _, lost = send_all_but(campaign, UNSURE)
    assert campaign.close() and campaign.status().uncertain == UNSURE
    jobs.sent.clear()
    assert again(campaign) == UNSURE
    seen = campaign.status()
    assert (seen.state, seen.uncertain, seen.waiting, seen.finished_at) == (CampaignState.SENDING, 0, UNSURE, None)
    assert (Job.DISPATCH, (campaign.id,)) in jobs.sent and not campaign.close()
    slice_id, points = campaign.hand(UNSURE)
    assert sorted(points) == sorted(lost)
    campaign.end(slice_id, points, Fate.ACCEPTED)
    assert campaign.close()
    assert (campaign.status().accepted, campaign.status().state) == (PEOPLE, CampaignState.SENT)
    assert campaign.sql("SELECT accepted, uncertain FROM campaign WHERE id = :id", id=campaign.id) == [(PEOPLE, 0)]


def test_the_gate_is_asked_anew_with_an_attempt_of_its_own(campaign: ACampaign) -> None:
    send_all_but(campaign, UNSURE)
    again(campaign)
    _, points = campaign.hand(UNSURE)
    assert campaign.sql("SELECT DISTINCT attempt, decided FROM message WHERE contact_point_id = ANY(:points)",
                        points=points) == [(2, 2)]
    assert campaign.sql("SELECT count(*) FROM decision WHERE contact_point_id = ANY(:points)",
                        points=points) == [(2 * UNSURE,)]


@pytest.mark.parametrize("fate", [Fate.ACCEPTED, Fate.FAILED, Fate.UNBEGUN, Fate.UNCERTAIN, Fate.DEFERRED])
@pytest.mark.parametrize("handed_again", [False, True])
def test_a_late_journal_of_the_old_attempt_changes_nothing(
        campaign: ACampaign, fate: Fate, handed_again: bool) -> None:
    """The rows are in another slice's hands or in none: the fence of the old one finds nothing."""
    old_slice, lost = send_all_but(campaign, UNSURE)
    campaign.close()
    again(campaign)
    if handed_again:
        campaign.hand(UNSURE)
    before = campaign.states()
    campaign.end(old_slice, lost, fate)
    assert campaign.states() == before
    assert campaign.status().waiting == UNSURE


def test_a_late_journal_that_comes_first_leaves_only_the_rest_to_send_again(campaign: ACampaign) -> None:
    old_slice, lost = send_all_but(campaign, UNSURE)
    campaign.close()
    campaign.end(old_slice, lost[:2], Fate.ACCEPTED)
    assert again(campaign) == UNSURE - 2
    assert campaign.status().accepted == PEOPLE - 1


def test_rows_that_wait_again_stand_in_blocks_that_can_be_claimed(campaign: ACampaign) -> None:
    """Also when the old blocks were tidied away meanwhile."""
    send_all_but(campaign, UNSURE)
    campaign.close()
    campaign.sql("DELETE FROM message_block WHERE campaign_id = :id", id=campaign.id)
    again(campaign)
    assert campaign.sql("""
        SELECT count(*) FROM message m JOIN message_block b USING (campaign_id, block)
        WHERE m.state = 'ready' AND b.open AND b.not_before IS NULL""") == [(UNSURE,)]


def test_a_paused_campaign_stays_paused_and_a_running_one_runs_on(campaign: ACampaign) -> None:
    slice_id, lost = campaign.hand(UNSURE)
    campaign.end(slice_id, lost, Fate.UNCERTAIN)
    with campaign.unit() as ctx:
        control.pause(ctx, campaign.id)
    assert again(campaign) == UNSURE and campaign.status().state == CampaignState.PAUSED
    assert campaign.status().waiting == PEOPLE


def test_it_is_noted_who_pressed_and_for_how_many(campaign: ACampaign) -> None:
    send_all_but(campaign, UNSURE)
    again(campaign)
    assert campaign.sql("SELECT actor, detail ->> 'people' FROM audit_entry WHERE act = 'campaign_uncertain_again'"
                        ) == [("system", str(UNSURE))]


def test_nobody_uncertain_a_stopped_campaign_and_another_mode_are_refused(campaign: ACampaign) -> None:
    with pytest.raises(Conflict):
        again(campaign)
    send_all_but(campaign, UNSURE)
    with campaign.unit() as ctx:
        profile.ensure_row(ctx).mode = Mode.LIVE
    with pytest.raises(Conflict):
        again(campaign)
    with campaign.unit() as ctx:
        profile.ensure_row(ctx).mode = Mode.PRACTICE
        control.stop(ctx, campaign.id)
    with pytest.raises(Conflict):
        again(campaign)
    assert campaign.states()[State.UNCERTAIN] == UNSURE
