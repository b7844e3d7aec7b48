"""What the person page shows of the gate's answers."""

from datetime import timedelta

from mailer.core.messages import MessageClass
from mailer.core.reasons import Reason
from mailer.gate import history
from mailer.gate.decide import decide_singles
from tests.conftest import FixedClock
from tests.gate.world import World


def test_a_persons_answers_are_listed_newest_first_and_nobody_elses(world: World, clock: FixedClock) -> None:
    point, other = world.person(), world.person()
    first, second = world.campaign(), world.campaign()
    for terms in (first, second):
        world.plan(terms, point, other)
    world.decide(first, point, other)
    clock.advance(hours=1)
    notice = world.single(MessageClass.SERVICE_NOTICE, point=point)
    decide_singles(world.ctx, world.services.opener, 7, [notice], 99.5)
    clock.advance(hours=1)
    world.stop(point.fingerprint, Reason.UNSUBSCRIBED)
    world.decide(second, point, other)

    found = history.of(world.ctx, point.id)

    assert [(each.campaign_id, each.single_id, each.kind, each.cleared, each.reason) for each in found] == [
        (second.campaign_id, 0, "campaign", False, "unsubscribed"),
        (None, notice.id, "service_notice", True, None),
        (first.campaign_id, 0, "campaign", True, None)]
    assert found[0].at - found[2].at == timedelta(hours=2)
    assert (found[0].name, found[0].state) == ("spring", "ready")
