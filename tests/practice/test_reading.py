"""A kept message is read as a mail program reads it, however odd it is."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.practice.read import Reading, read, subject_of
from mailer.wiring import load_channels
from tests.channels.email_samples import BRAND, LINKS, MARKDOWN, a_copy, a_letter, a_recipient

CHANNEL = load_channels(("email",))["email"]


def a_campaign(**changes: object) -> Reading:
    return read(CHANNEL.compile(a_copy()).build(a_recipient(**changes)))


def test_both_parts_the_headers_and_every_link_with_its_words_are_found() -> None:
    found = a_campaign()
    assert found.subject == "Spring news"
    assert "Hello Dana" in found.text and "Hello Dana" in found.html
    words = {link.url: (link.words, link.places) for link in found.links}
    assert words["https://shop.example.org/new?a=1&b=2"][0] == "See what is new"
    assert words[LINKS.leave] == ("Unsubscribe", ("html", "text"))
    assert words[LINKS.one_click] == ("List-Unsubscribe", ("header",))
    assert [picture.alt for picture in found.pictures] == ["A cello beside a window"]


def test_a_subject_in_any_script_is_read_from_the_head_alone() -> None:
    body = CHANNEL.compose(a_letter(subject="Bücher für Åsa 音楽"))
    assert subject_of(body) == read(body).subject == "Bücher für Åsa 音楽"


@pytest.mark.parametrize("address", ["dana@example.org", "q=x+1@example.org", "düna@bücher.example"])
def test_a_masked_message_shows_its_address_nowhere(address: str) -> None:
    """Promise M23: in no header, part, link or line of the source, however it is encoded there."""
    text = f"To {address} and again {address.upper()} " + "word " * 9 + address
    page = f"<p>{address}</p><a href='https://x.example/?to={address.replace('@', '%40')}'>{address}</a>"
    found = read(CHANNEL.compose(a_letter(to=address, text=text, html=page))).masked(address, "d•••@masked")
    everything = " ".join([found.text, found.html, found.source.replace("=\r\n", ""), str(found.headers),
                           str(found.links)]).lower()
    assert address not in everything
    assert address.replace("@", "%40") not in everything
    assert "d•••@masked" in found.header("to")


def test_a_picture_without_words_is_told_from_one_that_is_decoration() -> None:
    page = '<img src="a.png"><img src="b.png" alt=""><img src="c.png" alt>'
    found = read(CHANNEL.compose(a_letter(html=page)))
    assert [picture.alt for picture in found.pictures] == [None, "", ""]


@pytest.mark.parametrize("body", [
    b"", b"\r\n\r\n", b"no headers at all", b"Subject", b"Subject: =?utf-8?b?%%%?=\r\n\r\nx",
    b"To: <<<>>>@\r\nDate: never\r\nFrom: \xff\xfe\r\n\r\nx", b"Content-Type: text/plain; charset=no-such\r\n\r\n\xff",
    b"Content-Type: multipart/alternative\r\n\r\nno boundary", b"Content-Type: text/html\r\n\r\n<a href='x",
    b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!",
    b"Message-ID: [\r\nTo: a@b\r\nTo: \"\r\n\r\n\x00",
])
def test_an_odd_message_is_read_as_far_as_it_goes(body: bytes) -> None:
    found = read(body)
    assert found.size == len(body)
    assert isinstance(subject_of(body), str)
    found.masked("a@b", "•").source.encode()


@given(st.binary(max_size=400), st.sampled_from([b"", b"Subject: ", b"To: ", b"Content-Type: ", b"Date: "]))
@settings(max_examples=200, deadline=None)
def test_no_octets_break_the_reading(octets: bytes, start: bytes) -> None:
    found = read(start + octets)
    (found.html + found.text + found.subject + found.source).encode()


def test_the_samples_hold_what_these_tests_look_for() -> None:
    assert "cello" in MARKDOWN and BRAND.public_url in LINKS.leave
