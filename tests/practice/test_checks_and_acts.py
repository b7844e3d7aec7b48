"""Checks say what a mailbox provider would say; acts reach our own pages alone."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from mailer.core.channel import Grade
from mailer.core.errors import NotFound
from mailer.practice import checks, scanner
from mailer.practice.read import Reading, read
from mailer.practice.scanner import Answer
from mailer.wiring import load_channels
from tests.channels.email_samples import LINKS, SITE, a_copy, a_letter, a_recipient

CHANNEL = load_channels(("email",))["email"]


def a_campaign() -> Reading:
    return read(CHANNEL.compile(a_copy()).build(a_recipient()))


def resolves(url: str, _method: str) -> bool | None:
    return True if url.startswith(SITE) else None


def grades(reading: Reading, *, bulk: bool = True) -> dict[str, Grade]:
    return {check.code: check.grade for check in checks.examine(reading, resolves, bulk=bulk)}


def without(reading: Reading, name: str) -> Reading:
    return replace(reading, headers=tuple(each for each in reading.headers if each[0].lower() != name))


class Place:
    """A site that answers as told and remembers what was asked."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str, Mapping[str, str] | None]] = []

    def __call__(self, method: str, url: str, form: Mapping[str, str] | None = None) -> Answer | None:
        if not url.startswith(SITE):
            return None
        self.asked.append((method, url, form))
        return self.answer


def test_a_campaign_of_ours_passes_every_check() -> None:
    assert set(grades(a_campaign()).values()) == {Grade.FINE}


@pytest.mark.parametrize(("header", "code"), [
    ("list-unsubscribe", "list-unsubscribe"), ("list-unsubscribe-post", "list-unsubscribe-post"),
    ("list-id", "list-id"), ("date", "headers")])
def test_a_missing_header_must_be_fixed(header: str, code: str) -> None:
    assert grades(without(a_campaign(), header))[code] is Grade.MUST_FIX


def test_a_part_without_a_way_out_must_be_fixed() -> None:
    found = a_campaign()
    hidden = replace(found, links=tuple(link for link in found.links if link.url != LINKS.leave))
    assert grades(hidden)["way-out-html"] is grades(hidden)["way-out-text"] is Grade.MUST_FIX


def test_a_link_to_us_that_leads_nowhere_must_be_fixed() -> None:
    found = checks.examine(a_campaign(), lambda url, _: url != LINKS.why if url.startswith(SITE) else None, bulk=True)
    [links] = [check for check in found if check.code == "links"]
    assert (links.grade, links.detail) == (Grade.MUST_FIX, "Why did I get this?")


def test_a_picture_without_words_and_a_message_that_is_cut_off_are_told() -> None:
    found = a_campaign()
    assert grades(replace(found, pictures=(replace(found.pictures[0], alt=None),)))["alt"] is Grade.MUST_FIX
    assert grades(replace(found, html="x" * 110_000))["size"] is Grade.LOOK


def test_a_single_letter_needs_no_way_to_unsubscribe() -> None:
    found = grades(read(CHANNEL.compose(a_letter())), bulk=False)
    assert not {"one-click", "list-unsubscribe", "way-out-text"} & set(found)
    assert set(found.values()) == {Grade.FINE}


def test_pressing_posts_what_rfc_8058_asks_for_and_shows_what_came_back() -> None:
    place = Place(Answer(200))
    pressed = scanner.press_unsubscribe(a_campaign(), place)
    assert place.asked == [("POST", LINKS.one_click, {"List-Unsubscribe": "One-Click"})]
    assert pressed.is_right
    for wrong in (Answer(302, "/login"), Answer(200, cookie=True), Answer(405)):
        assert not scanner.press_unsubscribe(a_campaign(), Place(wrong)).is_right


def test_nothing_is_pressed_where_the_way_out_leads_elsewhere() -> None:
    found = replace(a_campaign(), headers=(("List-Unsubscribe", "<https://elsewhere.example/x>, <mailto:a@b>"),))
    place = Place(Answer(200))
    with pytest.raises(NotFound):
        scanner.press_unsubscribe(found, place)
    assert place.asked == []


def test_a_scanner_fetches_each_link_three_times_by_get_and_head_and_no_other_site() -> None:
    place = Place(Answer(200))
    visits = {visit.url: visit for visit in scanner.scan(a_campaign(), place)}
    assert visits[LINKS.leave].gets == visits[LINKS.one_click].heads == (200, 200, 200)
    assert visits["https://shop.example.org/duets"].gets == ()
    assert {method for method, _, _ in place.asked} == {"GET", "HEAD"}
    assert all(url.startswith(SITE) for _, url, _ in place.asked)
