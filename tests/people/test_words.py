"""Lists, forms, notices and contents: what people are shown, kept as it was shown."""

import struct
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from mailer.content import pictures, versions
from mailer.core.channel import Brand
from mailer.core.errors import Conflict, InvalidInput, NotFound
from mailer.core.messages import Purpose
from mailer.lists import catalogue, forms, queries, wordings
from mailer.lists.forms import Definition
from mailer.lists.models import Topic, Wording
from mailer.lists.queries import Counts
from mailer.organisation import profile as organisation
from mailer.policy import notices, starter
from mailer.policy.pack import DEFAULT, ConsentModel
from mailer.services import Services, unit_of_work
from tests.conftest import FixedClock
from tests.people.builders import a_list, ask, join


def test_a_list_without_topics_has_one_that_is_called_like_it(services: Services) -> None:
    """Decision 1."""
    with unit_of_work(services) as ctx:
        made = catalogue.create_list(ctx, "  Nachrichten für Köln  ")
        assert [topic.name for topic in catalogue.topics_of(ctx, made.id)] == ["Nachrichten für Köln"]
        two = catalogue.create_list(ctx, "Two", ["B", "A", "B"])
        assert [topic.name for topic in catalogue.topics_of(ctx, two.id)] == ["B", "A"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "two\nlines", "nul\x00", "sep\u2028arator"])
def test_a_name_that_cannot_be_shown_is_refused_with_its_field(services: Services, name: str) -> None:
    with pytest.raises(InvalidInput) as refused, unit_of_work(services) as ctx:
        catalogue.create_list(ctx, name)
    assert refused.value.context["field"] == "name"


def test_a_name_is_taken_once(services: Services) -> None:
    with unit_of_work(services) as ctx:
        made, _ = a_list(ctx)
        with pytest.raises(Conflict):
            catalogue.create_list(ctx, "News")
        with pytest.raises(Conflict):
            catalogue.add_topic(ctx, made, "News")
        assert catalogue.by_name(ctx, "News").id == made.id
        with pytest.raises(NotFound):
            catalogue.by_name(ctx, "Olds")


def test_counts_tell_who_confirmed_waits_and_rests(services: Services) -> None:
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx, topics=("One", "Two"))
        for n in range(3):
            join(ctx, f"in{n}@example.org", made.id, topics)
        ask(ctx, "waits@example.org", made.id, topics)
        ctx.db.connection().exec_driver_sql("UPDATE preference SET paused_until = '2099-01-01' WHERE contact_point_id "
                                            "= (SELECT min(contact_point_id) FROM preference)")
        assert queries.counts(ctx) == {made.id: Counts(confirmed=3, waiting=1, paused=1)}


def test_the_same_words_are_kept_once(services: Services) -> None:
    with unit_of_work(services) as ctx:
        assert wordings.keep(ctx, "Get news", "en").id == wordings.keep(ctx, "Get news", "en").id
        assert len(ctx.db.scalars(select(Wording)).all()) == 1


def test_changing_words_makes_the_next_version_and_saving_the_same_makes_none(services: Services) -> None:
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx, topics=("Releases", "Events"))
        first = Definition(title="Get news from Cadenza", topics=tuple(topics), partner_offers=True)
        form = forms.create_form(ctx, slug="news", list_id=made.id, name="News", definition=first)
        assert forms.new_version(ctx, form, first).version == 1
        assert forms.new_version(ctx, form, replace(first, title="Get letters")).version == 2
        found, version = forms.current(ctx, "news")
        assert (found.id, version.version) == (form.id, 2)
        assert Definition.from_json(version.definition) == replace(first, title="Get letters")
        assert version.partner_wording_id is not None
        with pytest.raises(NotFound):
            forms.current(ctx, "olds")


def test_the_words_kept_are_those_of_the_form_and_the_notice_of_the_day(services: Services) -> None:
    """Promise section 3, 5; partner offers are asked apart (M8)."""
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx, topics=("Releases", "Events"))
        notice = notices.publish(ctx, "2.1", "How we use it", ctx.clock.now())
        definition = Definition(title="Get news", topics=tuple(topics[::-1]), partner_offers=True,
                                partner_names=("Brassworks",))
        organisation.ensure_row(ctx).name = "Cadenza"
        forms.create_form(ctx, slug="news", list_id=made.id, name="News", definition=definition)
        words = forms.as_seen(ctx, forms.current(ctx, "news")[1], notice).text
        assert words.splitlines()[-1] == "How we use it: notice 2.1, 2 March 2026."
        assert words.index("Events") < words.index("Releases")
        _, version = forms.current(ctx, "news")
        assert "Partner" not in words and "Brassworks" in forms.partner_text(definition, "Cadenza")
        asked = forms.partner_as_seen(ctx, version)
        assert asked is not None and asked.id == version.partner_wording_id
        assert asked.text.startswith("Offers from other companies\nSend me partner offers.\nCadenza sends them.")
        assert "Partner" not in forms.text_shown(definition, [Topic(name="x", public_text="")], None)


@pytest.mark.parametrize("slug", ["", "-news", "News", "a b", "x" * 41, "news/", "neu€"])
def test_a_web_name_is_plain(services: Services, slug: str) -> None:
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx)
        definition = Definition("T", topics=tuple(topics))
        with pytest.raises(InvalidInput):
            forms.create_form(ctx, slug=slug, list_id=made.id, name="N", definition=definition)


@pytest.mark.parametrize("which", ["none", "another list's too", "unknown", "archived"])
def test_a_form_offers_topics_of_its_own_list_only(services: Services, which: str) -> None:
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx)
        _, others = a_list(ctx, "Other")
        if which == "archived":
            catalogue.archive(ctx, catalogue.topics_of(ctx, made.id)[0])
        chosen = {"none": (), "another list's too": (*topics, *others), "unknown": (999,)}.get(which, tuple(topics))
        with pytest.raises(InvalidInput):
            forms.create_form(ctx, slug="f", list_id=made.id, name="F", definition=Definition("T", topics=chosen))


def test_the_notice_in_force_is_the_newest_whose_day_has_come(services: Services, clock: FixedClock) -> None:
    with unit_of_work(services) as ctx:
        notices.publish(ctx, "1", "one", ctx.clock.now(), starter=True)
        notices.publish(ctx, "2", "two", ctx.clock.now() + timedelta(days=20))
        assert notices.required(ctx).version == "1"
        clock.advance(days=20)
        assert notices.required(ctx).version == "2"
        assert [notice.version for notice in notices.versions(ctx)] == ["2", "1"]
        with pytest.raises(Conflict):
            notices.publish(ctx, "2", "other words", ctx.clock.now())
        with pytest.raises(InvalidInput):
            notices.publish(ctx, "3", " ", ctx.clock.now())


def test_the_starter_notice_names_us_and_is_whole() -> None:
    brand = Brand("Cadenza {Music}", "1 Quay St\nHull", "help@cadenza.example", "https://cadenza.example", "1")
    text = starter.text(brand)
    for part in ("Cadenza {Music}", "1 Quay St", "help@cadenza.example", "https://cadenza.example/privacy", "7 days",
                 "16 or over", "data protection authority", "take back your agreement", "internet address (IP)"):
        assert part in text
    assert "{" not in text.replace("Cadenza {Music}", "")


def test_the_default_policy_is_the_strictest() -> None:
    """Promises C2 and A2."""
    assert {DEFAULT.model("email", purpose) for purpose in (Purpose.OWN_OFFERS, Purpose.PARTNER_OFFERS)} == {
        ConsentModel.CONFIRMED_OPT_IN}
    assert DEFAULT.model("email", Purpose.SHARE) is ConsentModel.FORBIDDEN
    assert not (DEFAULT.third_party_release or DEFAULT.tracking or DEFAULT.friend_mail_by_server or DEFAULT.asks_age)


def test_a_content_version_keeps_its_words_and_sorts_its_fields(services: Services) -> None:
    with unit_of_work(services) as ctx:
        made = versions.write(ctx, subject=" Grüße 👋 ", preview_line="", markdown="a\r\nb", language="de",
                              fields=["first name", "first name"])
        kept = versions.get(ctx, made.id)
        assert (kept.subject, kept.markdown, kept.fields) == ("Grüße 👋", "a\nb", ["first name"])
        with pytest.raises(NotFound):
            versions.get(ctx, 999)


@pytest.mark.parametrize(("changes", "field"), [
    ({"subject": ""}, "subject"), ({"subject": "a\r\nBcc: b@example.org"}, "subject"),
    ({"subject": "x" * 201}, "subject"),
    ({"preview_line": "a\x00"}, "preview_line"), ({"markdown": "\x00"}, "body"), ({"markdown": "x" * 500_001}, "body"),
    ({"subject": "\ud800"}, "subject"), ({"markdown": "\udfff"}, "body")])
def test_what_cannot_be_sent_is_refused_with_its_field(services: Services, changes: dict[str, str], field: str) -> None:
    said = {"subject": "S", "preview_line": "", "markdown": "B", "language": "en"} | changes
    with pytest.raises(InvalidInput) as refused, unit_of_work(services) as ctx:
        versions.write(ctx, fields=[], **said)
    assert refused.value.context["field"] == field


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", width, height) + b"\x08\x02\x00\x00\x00rest"


JPEG = (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
        b"\xff\xff\xc2\x00\x11\x08" + struct.pack(">HH", 30, 40) + b"\x03\x01\x22\x00")


@pytest.mark.parametrize(("octets", "kind"), [
    (png(20, 10), ("image/png", 20, 10)), (JPEG, ("image/jpeg", 40, 30)),
    (b"GIF89a" + struct.pack("<HH", 3, 4) + b"\x00", ("image/gif", 3, 4))])
def test_a_picture_is_known_by_its_own_octets_and_kept_once(
        services: Services, octets: bytes, kind: tuple[str, int, int]) -> None:
    with unit_of_work(services) as ctx:
        made = pictures.store(ctx, octets)
        assert (made.media_type, made.width, made.height) == kind
        assert pictures.store(ctx, octets).id == made.id
        assert pictures.by_sha256(ctx, made.sha256).octets == octets


@pytest.mark.parametrize("octets", [
    b"", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", png(0, 1), png(6001, 1), b"\xff\xd8\xff",
    JPEG[:20],
    b"\x89PNG\r\n\x1a\n", b"\xff\xd8" + b"\xff\xe0\x00\x00" * 9, png(1, 1) + b"x" * 2_000_000])
def test_what_is_no_picture_is_refused(services: Services, octets: bytes) -> None:
    with pytest.raises(InvalidInput), unit_of_work(services) as ctx:
        pictures.store(ctx, octets)
