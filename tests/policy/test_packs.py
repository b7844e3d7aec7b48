"""Policy packs: what may be done as data, the strictest where nothing is said."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from mailer.audit.models import AuditEntry
from mailer.core.errors import InvalidInput
from mailer.core.messages import ConsentModel, Purpose
from mailer.lists.drawn import drawn
from mailer.lists.forms import Definition
from mailer.lists.models import Topic
from mailer.organisation import profile
from mailer.policy import packs, partners
from mailer.policy.pack import CHANNELS, DEFAULT, Pack
from mailer.services import Services, unit_of_work


def test_what_a_pack_does_not_name_is_asked_for_and_confirmed() -> None:
    """1.6: the strictest is the default."""
    bare = Pack(name="bare", age_floor=16)
    assert {bare.model(channel, purpose) for channel in CHANNELS for purpose in Purpose} == {
        ConsentModel.CONFIRMED_OPT_IN}
    assert {DEFAULT.model(channel, Purpose.SHARE) for channel in CHANNELS} == {ConsentModel.FORBIDDEN}
    assert not (DEFAULT.shares() or DEFAULT.third_party_release or DEFAULT.tracking or DEFAULT.friend_mail_by_server
                or DEFAULT.asks_age)


@pytest.mark.parametrize("channel", ["email", "sms"])
def test_only_post_may_go_to_who_has_not_said_no(channel: str) -> None:
    """1.6, A2, A3."""
    with pytest.raises(InvalidInput):
        replace(DEFAULT, consent={(channel, Purpose.OWN_OFFERS): ConsentModel.OPT_OUT})
    assert replace(DEFAULT, consent={("postal", Purpose.OWN_OFFERS): ConsentModel.OPT_OUT})
    with pytest.raises(InvalidInput):
        replace(DEFAULT, consent={("postal", Purpose.SHARE): ConsentModel.OPT_OUT})


@pytest.mark.parametrize("countries", [frozenset(), frozenset({"DE"}), frozenset({"US", "DE"})])
def test_no_pack_with_germany_lets_the_server_write_to_friends(countries: frozenset[str]) -> None:
    """Decision 27; no countries named are all of them."""
    with pytest.raises(InvalidInput):
        replace(DEFAULT, friend_mail_by_server=True, countries=countries)


def test_the_age_floor_is_of_the_pack_and_of_the_purpose() -> None:
    """A10: 16 to register and 18 to order, where a pack says so."""
    pack = packs.POST_TO_CUSTOMERS
    assert (pack.floor(), pack.floor("order"), packs.ADULTS.floor(), DEFAULT.floor("order")) == (16, 18, 18, 16)
    assert packs.ADULTS.age_line == "For people aged 18 or over."


def test_a_pack_is_chosen_by_name_noted_and_an_unknown_one_is_the_strictest(services: Services) -> None:
    with unit_of_work(services, actor="staff:3") as ctx:
        assert packs.current(ctx) is DEFAULT
        profile.ensure_row(ctx)
        packs.choose(ctx, "adults")
        assert packs.current(ctx) is packs.ADULTS
        with pytest.raises(InvalidInput):
            packs.choose(ctx, "anything_goes")
        [noted] = ctx.db.query(AuditEntry).filter_by(act="choose_pack")
        assert (noted.actor, noted.detail) == ("staff:3", {"before": "strictest", "now": "adults"})
        ctx.db.execute(text("UPDATE organisation SET pack = 'of another release'"))
        ctx.db.expire_all()
        assert packs.current(ctx) is DEFAULT


def test_lists_of_partners_are_numbered_and_never_changed(services: Services) -> None:
    """M18: the database itself refuses to change one."""
    with unit_of_work(services) as ctx:
        assert partners.current(ctx) is None
        first = partners.publish(ctx, ["Quay Records", " Quay Records ", "", "Brassworks"])
        assert (first.version, first.names) == (1, ["Quay Records", "Brassworks"])
        assert partners.publish(ctx, ["Quay Records", "Brassworks"]).version == 1
        assert partners.publish(ctx, []).version == 2
        assert partners.publish(ctx, ["Quay Records"]).version == 3
        assert [each.version for each in partners.versions(ctx)] == [3, 2, 1]
        older = partners.of_version(ctx, 1)
        assert older is not None and older.names == ["Quay Records", "Brassworks"]
        for name in ("x" * 81, "two\tcolumns"):
            with pytest.raises(InvalidInput):
                partners.publish(ctx, [name])
        with pytest.raises(InvalidInput):
            partners.publish(ctx, [f"Partner {n}" for n in range(101)])
    for change in ("UPDATE partner_list SET names = '{}'", "DELETE FROM partner_list"):
        with pytest.raises(Exception, match="written once|refuse|change"), unit_of_work(services) as ctx:
            ctx.db.execute(text(change))


def test_a_form_is_drawn_with_empty_boxes_alone() -> None:
    """M1: there is no ticked box to be drawn."""
    class Named:
        version, names = 3, ["Quay Records"]

    lines = drawn(Definition(title="Get news", topics=(1,), partner_offers=True, share=True),
                  [Topic(id=1, name="Events", public_text="Where we play")], brand_name="Cadenza", partners=Named())
    assert "  ☐ Events: Where we play" in lines and "  ☐ Send me partner offers." in lines
    assert "  ☐ Give my email address to these companies." in lines
    assert not any(mark in "\n".join(lines) for mark in "☑☒✓")
