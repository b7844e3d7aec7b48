"""A slice's messages: the same octets as one by one, and nothing that the wire must look for."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailer.channels.email.compile import compile_copy
from mailer.channels.email.mime import compose
from mailer.core.channel import Copy, Frame, Links, Recipient
from mailer.core.errors import MailerError
from tests.channels.email_samples import AT, SITE, a_copy, a_letter, parsed, part
from tests.channels.email_strategies import LETTERS, copies, recipients

PRINTED = LETTERS.filter(str.isprintable)
TOKENS = ["leave", "click", "prefs", "about", "ident"]
LONG_SITE = "https://" + ".".join(["c" * 30] * 6) + "/" + "d" * 40
SITES = st.sampled_from([
    SITE, "http://a.example", "https://" + "b" * 60 + ".example.org", LONG_SITE, "http://127.0.0.1:8000", "https://[::1]:8000"])


def framed(site: str) -> Frame:
    return Frame(AT, Links(f"{site}/u/", f"{site}/one-click/", f"{site}/p/", f"{site}/why/"), "news.example.org")


def a_token(word: str) -> str:
    return (word * 56)[:56]


def alone(recipient: Recipient, frame: Frame) -> Recipient:
    """The same person as `Program.build` wants them."""
    leave, click, preferences, why, identifier = map(a_token, TOKENS)
    bases = frame.bases
    return recipient._replace(
        date=frame.date, message_id=f"<{identifier}@{frame.host}>",
        links=Links(bases.leave + leave, bases.one_click + click, bases.preferences + preferences, bases.why + why))


@pytest.mark.timeout(900)
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(copies, st.lists(recipients, min_size=1, max_size=4), SITES)
def test_a_message_of_a_slice_has_the_octets_that_it_has_alone(copy: Copy, people: list[Recipient], site: str) -> None:
    program, frame = compile_copy(copy), framed(site)
    batch = program.batch(frame)
    tokens = [a_token(word).encode() for word in TOKENS]
    for each in [*people, *people]:
        built = batch.build(each.address, each.text_only, each.fields, tokens)
        assert built == program.build(alone(each, frame))
        assert not re.search(rb"(?m)^\.", built) and built.endswith(b"\r\n")


def test_a_slice_of_more_names_than_are_remembered_still_gives_everyone_their_own() -> None:
    program, frame = compile_copy(a_copy(markdown="Dear {first name | you}")), framed(SITE)
    batch = program.batch(frame)
    tokens = [a_token(word).encode() for word in TOKENS]
    for number in [*range(1500), *range(1500)]:
        built = batch.build("dana@example.org", True, {"first name": f"Ann{number}"}, tokens)
        assert f"\r\nAnn{number}\r\n".encode() in built


@pytest.mark.parametrize("base", ["javascript:alert(1)//", "https://x.example/ /", "https://x.example/>/", "/u/", ""])
def test_a_base_that_is_no_plain_web_address_is_refused_before_anyone_is_written_to(base: str) -> None:
    for field in Links._fields:
        frame = Frame(AT, framed(SITE).bases._replace(**{field: base}), "news.example.org")
        with pytest.raises(MailerError, match="unsafe_header"):
            compile_copy(a_copy()).batch(frame)


@pytest.mark.parametrize("host", ["news.example.org\r\nBcc: x@example.net", "a b", "", "a>", "ü.example"])
def test_a_host_that_cannot_stand_in_an_identifier_is_refused(host: str) -> None:
    with pytest.raises(MailerError, match="unsafe_header"):
        compile_copy(a_copy()).batch(framed(SITE)._replace(host=host))


def test_an_address_that_cannot_be_printed_stops_its_own_message_only() -> None:
    batch, tokens = compile_copy(a_copy()).batch(framed(SITE)), [a_token(word).encode() for word in TOKENS]
    with pytest.raises(MailerError, match="unsafe_header"):
        batch.build("a@example.org\r\nRCPT TO:<x@example.net>", False, {}, tokens)
    assert parsed(batch.build("bo@example.org", False, {}, tokens))["To"] == "bo@example.org"


def test_links_read_whole_however_long_the_site_is_named() -> None:
    site = LONG_SITE
    built = compile_copy(a_copy()).batch(framed(site)).build(
        "bo@example.org", False, {}, [a_token(word).encode() for word in TOKENS])
    assert f"{site}/u/{a_token('leave')}" in part(built, "plain")
    assert f'href="{site}/why/{a_token("about")}"' in part(built, "html")


@given(st.lists(st.one_of(st.text(PRINTED, max_size=100), st.text(".", max_size=200)), max_size=6).map("\n".join))
def test_no_line_of_a_letter_begins_with_a_dot_and_it_reads_as_before(text: str) -> None:
    """RFC 5321 §4.5.2: nothing to stuff, so nothing to look for."""
    built = compose(a_letter(text=text, html=f"<p>.\n.{text}</p>"))
    assert not re.search(rb"(?m)^\.", built) and built.endswith(b"\r\n")
    assert max(map(len, built.split(b"\r\n"))) <= 998
    body = built.partition(b"\r\n\r\n")[2]
    assert max(map(len, body.split(b"\r\n"))) <= 78
    assert part(built, "plain").splitlines() == (text.splitlines() or [""])
