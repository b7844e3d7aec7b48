"""Each purpose is asked apart; none implies another, silence is none, and a no that was said holds."""

from itertools import product

import pytest
from sqlalchemy import text

from mailer.audience import collected
from mailer.audience.models import ContactPoint
from mailer.consent import history
from mailer.core.errors import InvalidInput
from mailer.core.messages import ConsentModel, MessageClass, Purpose
from mailer.core.modes import Mode
from mailer.core.reasons import Reason
from mailer.gate.facts import answer_of
from mailer.gate.rules import Clear, Facts, Refuse, verdict
from mailer.gate.terms import CampaignTerms
from mailer.lists import forms
from mailer.lists.forms import Definition
from mailer.policy import packs, partners
from mailer.subscriptions import confirm, leave, sharing
from mailer.subscriptions.collection import Given, collect
from mailer.subscriptions.imports import Approval, Basis, ImportRow, import_people
from tests.builders import AList, World
from tests.conftest import START, FixedClock

DANA = "dana@example.org"
PARTNER, SHARE = (0, "partner_offers_sent_by_us"), (0, "share_with_partner")


@pytest.fixture
def news(world: World) -> AList:
    """A list whose form asks every question there is, with two partners named."""
    made = world.a_list()
    with world.unit() as ctx:
        packs.choose(ctx, "sharing_by_choice")
        named = partners.publish(ctx, ["Quay Records", "Brassworks"])
        forms.create_form(ctx, slug="news", list_id=made.id, name="Website", partners=named, may_share=True,
                          definition=Definition(title="Get news", topics=tuple(made.topics.values()),
                                                partner_offers=True, share=True))
    return made


@pytest.mark.parametrize(("offers", "share"), list(product((None, True, False), repeat=2)))
def test_each_answer_is_kept_by_itself_and_silence_is_no_answer(
        world: World, news: AList, offers: bool | None, share: bool | None) -> None:
    """M1, M8, M12, T17, S6: nine ways to answer, none of which holds the sign-up up."""
    world.subscribed(DANA, [news.topics["Events"]], partner_offers=offers, share=share)
    state = {None: None, True: "live", False: "refused"}
    stands = world.stands(DANA)
    assert stands.pop((news.topics["Events"], "own_offers")) == "live"
    assert (stands.pop(PARTNER, None), stands.pop(SHARE, None)) == (state[offers], state[share])
    assert stands == {}


@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.parametrize("held", list(Purpose))
@pytest.mark.parametrize("topic", [0, 4])
def test_a_consent_to_one_purpose_never_satisfies_another(purpose: Purpose, held: Purpose, topic: int) -> None:
    """M8, S6: every pair of purposes, at both places where a consent may stand."""
    terms = CampaignTerms(1, START.date(), 1, (4,), purpose, MessageClass.CAMPAIGN, "email", Mode.LIVE)
    answer = answer_of(((topic, held, "live", "live"),), terms)
    facts = Facts(consent=answer.consent, elsewhere=answer.elsewhere, partner=answer.partner, consent_mode=answer.mode)
    cleared = isinstance(verdict(facts, MessageClass.CAMPAIGN, START), Clear)
    assert cleared == (purpose is held and topic == 4)


@pytest.mark.parametrize(("own", "offers"), list(product((False, True), repeat=2)))
def test_an_offer_of_a_partner_needs_both_consents_and_neither_stands_for_the_other(own: bool, offers: bool) -> None:
    """M8, S11, T17."""
    terms = CampaignTerms(1, START.date(), 1, (4,), Purpose.PARTNER_OFFERS, MessageClass.PARTNER_OFFER, "email",
                          Mode.LIVE)
    rows = tuple(row for row, there in (((4, "own_offers", "live", "live"), own),
                                        ((0, "partner_offers_sent_by_us", "live", "live"), offers),
                                        ((0, "share_with_partner", "live", "live"), True)) if there)
    answer = answer_of(rows, terms)
    facts = Facts(consent=answer.consent, partner=answer.partner, consent_mode=answer.mode)
    assert isinstance(verdict(facts, MessageClass.PARTNER_OFFER, START), Clear) == (own and offers)


def test_the_proof_names_the_words_and_the_list_of_partners_that_were_shown(world: World, news: AList) -> None:
    """M18, T15: a list that is published later changes no earlier answer."""
    token = world.asked(DANA, [news.topics["Events"]], partner_offers=True, share=True)
    with world.unit() as ctx:
        partners.publish(ctx, ["Somebody Else"])
    with world.unit() as ctx:
        shown = confirm.look(ctx, str(token))
        assert "Quay Records, Brassworks. Partner list 1." in shown.wording and "Somebody" not in shown.wording
        assert shown.agreed[1:] == ("Partner offers: yes.", "Passing your address on: yes.")
        confirm.confirm(ctx, str(token))
    point = world.point(DANA)
    assert point
    with world.unit() as ctx:
        said = {each.purpose: each.evidence for each in history.timeline(ctx, world.services.opener, point)}
        words = {purpose: ctx.db.scalar(text("SELECT text FROM wording WHERE id = :id"), {"id": each["wording"]})
                 for purpose, each in said.items()}
    assert said[Purpose.PARTNER_OFFERS]["partner_list"] == said[Purpose.SHARE]["partner_list"] == 1
    assert "Partner list 1" in words[Purpose.PARTNER_OFFERS] and "Partner list 1" in words[Purpose.SHARE]
    assert forms.SHARE_LABEL in words[Purpose.SHARE] and forms.SHARE_LABEL not in words[Purpose.PARTNER_OFFERS]
    assert "artner" not in words[Purpose.OWN_OFFERS]


def test_a_no_outlasts_silence_and_ends_only_by_the_persons_own_yes(
        world: World, news: AList, clock: FixedClock) -> None:
    """T12."""
    world.subscribed(DANA, [news.topics["Events"]], partner_offers=False)
    world.subscribed(DANA, [news.topics["Sheet music"]])
    assert world.stands(DANA)[PARTNER] == "refused"
    clock.advance(days=1)
    world.subscribed(DANA, [news.topics["New releases"]], partner_offers=True)
    assert world.stands(DANA)[PARTNER] == "live"


def test_saying_no_after_a_yes_is_news_and_is_asked_of_the_mailbox_too(world: World, news: AList) -> None:
    world.subscribed(DANA, [news.topics["Events"]], partner_offers=True)
    assert world.asked(DANA, [news.topics["Events"]]) is None
    world.subscribed(DANA, [news.topics["Events"]], partner_offers=False)
    assert world.stands(DANA)[PARTNER] == "refused"


def test_a_policy_that_shares_nothing_asks_nobody_and_keeps_no_such_answer(world: World, news: AList) -> None:
    """M1, M8: the question goes with the pack, also from a form that has it."""
    with world.unit() as ctx:
        packs.choose(ctx, "strictest")
    world.subscribed(DANA, [news.topics["Events"]], share=True)
    assert SHARE not in world.stands(DANA)
    with pytest.raises(InvalidInput) as refused, world.unit() as ctx:
        forms.create_form(ctx, slug="more", list_id=news.id, name="More", definition=Definition(
            title="Get news", topics=tuple(news.topics.values()), share=True))
    assert refused.value.context["field"] == "share"


def test_only_who_said_yes_to_words_that_named_a_partner_may_be_named_to_it(world: World, news: AList) -> None:
    """T15, S11."""
    said = {"yes": True, "no": False, "silent": None, "left": True}
    points = {who: world.subscribed(f"{who}@example.org", [news.topics["Events"]], share=share)
              for who, share in said.items()}
    with world.unit() as ctx:
        partners.publish(ctx, ["Late Records"])
    points["later"] = world.subscribed("later@example.org", [news.topics["Events"]], share=True)
    with world.unit() as ctx:
        leave.leave(ctx, ctx.db.get_one(ContactPoint, points["left"]), how="one_click")
    with world.unit() as ctx:
        opener = world.services.opener
        assert sharing.agreed(ctx, opener, "Quay Records") == [points["yes"]]
        assert sharing.agreed(ctx, opener, "Late Records") == [points["later"]]
        assert sharing.agreed(ctx, opener, "Nobody Records") == []
        packs.choose(ctx, "strictest")
        with pytest.raises(InvalidInput):
            sharing.agreed(ctx, opener, "Quay Records")


def test_a_no_said_with_an_order_outranks_the_yes_of_a_later_import(world: World, news: AList) -> None:
    """T12, T17, C5: two separate answers; the order alone makes nobody part of the list."""
    given = Given("email", DANA, "order", "shop", "Dana", list_id=news.id, words="May we send you offers?",
                  said={Purpose.OWN_OFFERS: False, Purpose.PARTNER_OFFERS: False})
    with world.unit() as ctx:
        point = collect(ctx, given)
        assert [row.purpose for row in collected.of(ctx, point.id)] == ["order"]
    assert set(world.stands(DANA).values()) == {"refused"} and len(world.stands(DANA)) == 4
    proof = Basis("Old shop", START.date(), "Send me everything.")
    with world.unit() as ctx:
        done = import_people(ctx, [ImportRow(1, DANA, proof, partner_offers=True)], list_id=news.id,
                             approval=Approval("staff:4", "note 7"))
        asked = import_people(ctx, [ImportRow(1, DANA, proof)], list_id=news.id)
    assert done.left_out == asked.left_out == {"refused": 1} and done.new == asked.new == 0
    assert set(world.stands(DANA).values()) == {"refused"} and world.letters() == []


def test_a_yes_said_with_an_order_waits_for_the_mailbox(world: World, news: AList) -> None:
    """A2: a purchase is not enough."""
    with world.unit() as ctx:
        collect(ctx, Given("email", DANA, "order", "shop", list_id=news.id, words="May we send you offers?",
                           said={Purpose.OWN_OFFERS: True}))
    assert world.stands(DANA) == {}
    assert [letter.kind for letter in world.letters()] == ["staff_invitation"]


@pytest.mark.parametrize("model", list(ConsentModel))
@pytest.mark.parametrize("customer", [False, True])
@pytest.mark.parametrize("rows", [(), ((4, "own_offers", "live", "live"),), ((4, "own_offers", "refused", "live"),),
                                  ((4, "own_offers", "ended", "live"),)])
def test_the_gate_obeys_the_model_of_the_pack(
        model: ConsentModel, customer: bool, rows: tuple[tuple[int, str, str, str], ...]) -> None:
    """1.6, A2, A3: forbidden is never; opt-out needs a customer who has not said no; else a live consent."""
    terms = CampaignTerms(1, START.date(), 1, (4,), Purpose.OWN_OFFERS, MessageClass.CAMPAIGN, "postal", Mode.LIVE)
    answer = answer_of(rows, terms)
    facts = Facts(consent=answer.consent, consent_mode=answer.mode, model=model, customer=customer)
    found = verdict(facts, MessageClass.CAMPAIGN, START)
    state = rows[0][2] if rows else None
    allowed = model is not ConsentModel.FORBIDDEN and (
        state == "live" or (state is None and customer and model is ConsentModel.OPT_OUT))
    assert isinstance(found, Clear) == allowed
    if model is ConsentModel.FORBIDDEN:
        assert found == Refuse(Reason.NO_CONSENT)


def test_the_sources_of_each_detail_are_noted_when_somebody_confirms(
        world: World, news: AList, clock: FixedClock) -> None:
    """M28: source, day and notice of every detail."""
    world.subscribed(DANA, [news.topics["Events"]], first_name="Quillonwick", every_days=7)
    with world.unit() as ctx:
        found = {row: (source, notice) for row, source, notice in ctx.db.execute(text(
            "SELECT field, source, version FROM field_source JOIN notice ON notice.id = notice_id"))}
    assert found == dict.fromkeys(("email", "first_name", "format", "frequency", "language"), ("form:news", "2.1"))
