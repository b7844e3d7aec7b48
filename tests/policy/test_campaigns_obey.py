"""A campaign obeys the policy at every step: in the checks, the forecast, at launch and while it is sent."""

from pathlib import Path

from mailer.campaigns import compose, forecast, hindrance, must_fix, preflight
from mailer.content import starter
from mailer.context import Context
from mailer.core.channel import Grade
from mailer.core.messages import ConsentModel, Purpose
from mailer.gate import facts as gate_facts
from mailer.gate.rules import Clear, Refuse, verdict
from mailer.gate.single_facts import cursor_of
from mailer.lists.models import MailingList
from mailer.policy import packs
from mailer.services import Services, unit_of_work
from mailer.subscriptions import seed
from tests.gate import world as gate_world


def draft(ctx: Context) -> int:
    for _ in seed.seed(ctx, 3, "News"):
        pass
    said = starter.SAMPLE
    return compose.create(ctx, list_id=ctx.db.query(MailingList).one().id,
                          words=compose.Words(said.subject, said.markdown, said.preview_line)).id


def test_where_the_policy_forbids_a_purpose_there_is_no_such_campaign(services: Services, tmp_path: Path) -> None:
    """1.6: forbidden is not a lack of consent that somebody could give; nothing starts and nobody is in."""
    with unit_of_work(services) as ctx:
        campaign = compose.find(ctx, draft(ctx))
        assert forecast.of(ctx, campaign).inside == 3 and hindrance.of(ctx, campaign, tmp_path) == ""
        packs.choose(ctx, "no_marketing")
        seen = forecast.of(ctx, campaign)
        assert (seen.inside, seen.reasons) == (0, {"no_consent": 3})
        assert hindrance.of(ctx, campaign, tmp_path) == "purpose_forbidden"
        assert "purpose_forbidden" in must_fix.must_fix(ctx, campaign)
        found = {each.code: each.grade for each in preflight.findings(ctx, campaign)}
        assert found["policy"] is Grade.MUST_FIX


def test_post_goes_to_customers_until_they_say_no_and_to_nobody_else(services: Services) -> None:
    """A2, A3: the gate reads who is a customer only where the pack asks for it."""
    with unit_of_work(services) as ctx:
        world = gate_world.make(ctx, services)
        customer, stranger, refused = (world.person(state, channel="postal") for state in (None, None, "refused"))
        for point in (customer, refused):
            ctx.db.connection().exec_driver_sql(
                "INSERT INTO collected (contact_point_id, purpose, source, at) VALUES (%s, 'order', 'shop', now())",
                (point.id,))
        terms = world.campaign()
        answers = {}
        for model in ConsentModel:
            asked = type(terms)(**{**terms.__dict__, "channel": "postal", "model": model})
            with cursor_of(ctx) as cursor:
                everybody = [customer.id, stranger.id, refused.id]
                rows = gate_facts.facts(cursor, asked, everybody, world.now, services.sealer)
            answers[model] = [isinstance(verdict(row.facts, terms.kind, world.now), Clear) for row in rows.values()]
        assert answers[ConsentModel.CONFIRMED_OPT_IN] == answers[ConsentModel.FORBIDDEN] == [False, False, False]
        assert answers[ConsentModel.OPT_OUT] == [True, False, False]
        assert isinstance(verdict(rows[stranger.id].facts, terms.kind, world.now), Refuse)
        assert packs.POST_TO_CUSTOMERS.model("email", Purpose.OWN_OFFERS) is ConsentModel.CONFIRMED_OPT_IN
