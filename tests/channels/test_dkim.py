"""DKIM: what we sign, an independent verifier accepts, and what was tampered with it refuses."""

import re
from dataclasses import replace

import dkim
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailer.channels.email import dkim as ours
from mailer.channels.email import quoted
from mailer.channels.email.channel import channel
from mailer.channels.email.compile import compile_copy
from mailer.core.mail_signing import Algorithm
from tests.channels.dkim_world import DNS, ED25519, PEM, RSA, defects, key, passes, signed, signer, tags
from tests.channels.email_samples import MARKDOWN, a_copy, a_letter, a_recipient, parsed

BODIES = st.lists(st.sampled_from([
    b"a", b"words", b" ", b"  ", b"\t", b" \t ", b"\r\n", b"\r\n\r\n", b" \r\n", b"\t\r\n", b".", b"=\r\n", b"--=_x",
    b"\xc3\xa9", b"\xff", b"\x0b", b"\x0c", b"x" * 300]), max_size=30).map(b"".join)
VALUES = st.lists(st.sampled_from([
    b"a", b"words", b" ", b"  ", b"\t", b"\r\n ", b"\r\n\t", b"\r\n  \t", b":", b";", b"=?utf-8?b?w6k=?=",
    b"\xc3\xa9"]), max_size=10).map(lambda parts: b"x" + b"".join(parts) + b"y")
SPACES = st.sampled_from([b"", b" ", b"\t", b"  ", b" \t"])
HEADS = st.lists(st.tuples(
    st.sampled_from([b"Subject", b"SUBJECT", b"To", b"List-Id", b"X-Other", b"Date", b"list-unsubscribe", b"Cc",
                     b"Message-ID", b"List-Unsubscribe-Post"]), SPACES, VALUES), max_size=8)


def campaign(**changes: object) -> bytes:
    return compile_copy(a_copy(**changes)).build(a_recipient())


def on_the_wire(message: bytes) -> bytes:
    """Every line ends in CR LF there, the last one too (RFC 5321 §4.1.1.4)."""
    return message if message.endswith(b"\r\n") else message + b"\r\n"


def first_header(message: bytes) -> bytes:
    return re.split(rb"\r\n(?![ \t])", message, maxsplit=1)[0]


@pytest.mark.parametrize("kinds", [(RSA,), (ED25519,), (RSA, ED25519)])
def test_a_campaign_and_a_letter_pass_an_independent_verifier(kinds: tuple[Algorithm, ...]) -> None:
    for message in (campaign(), channel.compose(a_letter()), channel.compose(a_letter(html="<p>Press here.</p>"))):
        whole = signed(message, *kinds)
        assert whole.endswith(message) and whole.lower().count(b"dkim-signature:") == len(kinds)
        assert passes(whole) and not defects(whole)
        assert max(map(len, whole.removesuffix(message).split(b"\r\n"))) <= 78


def test_both_headers_of_the_one_click_are_covered_and_the_body_whole() -> None:
    """A mail app shows its button only where both are signed (RFC 8058 §4); l= would let text be added."""
    said = tags(first_header(signed(campaign(), RSA)))
    named = said["h"].split(":")
    assert {name: named.count(name) for name in ("from", "list-unsubscribe", "list-unsubscribe-post")} == {
        "from": 2, "list-unsubscribe": 2, "list-unsubscribe-post": 2}
    assert {"to", "subject", "date", "message-id", "mime-version", "content-type", "list-id"} <= set(named)
    assert "l" not in said and said["c"] == "relaxed/relaxed" and said["a"] == "rsa-sha256"
    assert (said["d"], said["s"], said["t"]) == ("cadenza.example.org", "s-rsa", "1709208000")


@pytest.mark.parametrize("added", [
    b"List-Unsubscribe: <https://evil.example/u>", b"List-Unsubscribe-Post: List-Unsubscribe=One-Click",
    b"From: evil@example.net", b"Subject: You have won", b"To: all@example.net", b"Reply-To: evil@example.net",
    b"Content-Type: text/html", b"Date: Tue, 03 Mar 2026 09:15:05 +0000"])
@pytest.mark.parametrize("one_click", [True, False])
def test_a_header_added_on_top_breaks_the_signature(added: bytes, one_click: bool) -> None:
    whole = signed(campaign(one_click=one_click), RSA, ED25519)
    assert passes(whole) and not passes(added + b"\r\n" + whole)


def test_without_oversigning_the_same_addition_would_pass() -> None:
    """So that the test above is known to test something."""
    message = campaign()
    loose = dkim.sign(message, b"s-rsa", b"cadenza.example.org", PEM, include_headers=[b"from", b"list-unsubscribe"])
    assert passes(b"List-Unsubscribe: <https://evil.example/u>\r\n" + loose + message)


def test_any_change_of_what_is_signed_breaks_the_signature() -> None:
    whole = signed(campaign(), RSA, ED25519)
    for old, new in ((b"/one-click/", b"/one-klick/"), (b"Hello", b"Hallo"), (b"Spring news", b"Winter news")):
        assert old in whole and not passes(whole.replace(old, new))
    assert not passes(whole + b"More text\r\n")


def test_what_relays_do_to_white_space_does_not_break_it() -> None:
    message = campaign().replace(b"Subject: Spring news", b"Subject: Spring\r\n  news")
    whole = signed(message, RSA, ED25519)
    changed = whole.replace(b"Spring\r\n  news", b"Spring news \t").replace(b"--\r\n", b"-- \t\r\n") + b"\r\n\r\n"
    assert changed != whole and passes(changed)


def test_a_key_that_is_not_published_passes_nothing() -> None:
    whole = signed(campaign(), RSA)
    assert passes(whole, DNS) and not passes(whole, {})
    assert not passes(whole.replace(b"s=s-rsa", b"s=s-ed25519"))


@pytest.mark.parametrize("message", [
    b"From: a@example.org\r\n\r\n", b"From: a@example.org\r\n\r\n\r\n", b"From: a@example.org\r\n\r\n \r\n\t\r\n",
    b"From: a@example.org\r\n\r\nno line end", b"From: a@example.org\r\n\r\nx \t", b"From: a@example.org\r\n"])
def test_empty_bodies_and_bodies_without_a_last_line_end_are_signed_as_the_rfc_says(message: bytes) -> None:
    assert passes(on_the_wire(signed(message, RSA, ED25519)))


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(HEADS, BODIES)
def test_any_head_and_body_pass_the_verifier(head: list[tuple[bytes, bytes, bytes]], body: bytes) -> None:
    lines = [name + b":" + blanks + value + blanks for name, blanks, value in head]
    message = b"\r\n".join([b"From: a@cadenza.example.org", *lines]) + b"\r\n\r\n" + body
    assert passes(on_the_wire(signed(message, ED25519)))


@settings(max_examples=400, deadline=None)
@given(BODIES)
def test_the_canonical_body_is_the_independent_verifiers(body: bytes) -> None:
    theirs = dkim.canonicalization.Relaxed.canonicalize_body(on_the_wire(body))
    assert ours.canonical_body(body) == theirs


def test_a_body_that_is_canonical_already_is_hashed_as_it_stands_and_alike() -> None:
    for body in (b"one\r\ntwo =\r\n", b"one\r\n\r\ntwo\r\n", b"x"):
        message = b"From: a@b.example\r\n\r\n" + body
        start = len(message) - len(body)
        assert ours._body_hash(message, start) == ours.sha256(ours.canonical_body(body)).digest()


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from(" \t\na.=é"), max_size=200))
def test_quoted_printable_as_we_write_it_is_in_canonical_form(text: str) -> None:
    """So the body of a campaign is hashed as it lies, without a copy."""
    assert ours.canonical_body(quoted.encode(text) + b"=\r\n|\r\n") == quoted.encode(text) + b"=\r\n|\r\n"


def test_a_thousand_messages_of_many_kinds_pass_and_parse_without_a_defect() -> None:
    sign = signer(RSA, ED25519)
    subjects = ["Spring news", "Frühling für {first name | alle}", "{first name | Hello}, news", "新しい本"]
    programs = [compile_copy(a_copy(subject=subject, markdown=MARKDOWN + "\n\nA word. " * each,
                                    one_click=bool(each % 2))) for subject in subjects for each in range(5)]
    for number in range(1000):
        name = ["Dana", "Zoë", "  two  blanks ", "李", "O'Brien = . ", "x" * 200][number % 6]
        recipient = a_recipient(address=f"p{number}@example.org", fields={"first name": name},
                                text_only=number % 7 == 0, message_id=f"{number}@news.cadenza.example.org")
        message = programs[number % len(programs)].build(recipient)
        whole = sign.sign(message) + message
        assert passes(whole) and not defects(whole)
        assert parsed(whole)["Message-ID"] == f"<{number}@news.cadenza.example.org>"


def test_many_sets_of_headers_do_not_fill_the_memory() -> None:
    sign = signer(ED25519)
    for number in range(ours.KINDS_KEPT * 2):
        assert sign.sign(b"From: a@b.example\r\nX-%d: y\r\n\r\nbody\r\n" % number)
    assert len(sign._kinds) <= ours.KINDS_KEPT


def test_a_key_does_not_print_itself() -> None:
    shown = repr(replace(key(RSA), private=b"secret material"))
    assert "secret" not in shown and shown == "SigningKey(s-rsa._domainkey.cadenza.example.org)"
