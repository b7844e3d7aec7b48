"""Headers: nothing that is put into one can begin another."""

import json
import re
from collections.abc import Callable
from email import message_from_bytes
from email.header import decode_header, make_header
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.channels.email import headers
from mailer.channels.email.compile import compile_copy
from mailer.channels.email.mime import compose, compose_campaign
from mailer.core.channel import Mailbox
from mailer.core.errors import MailerError
from tests.channels.email_samples import SENDER, a_copy, a_letter, a_recipient, parsed

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "rfc8058.json").read_text(encoding="utf-8"))
INJECTIONS = VECTORS["header_injection"]
SEPARATORS = ["\r\n", "\r", "\n", "\x00", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x1f", "\x85", "\u2028", "\u2029"]

BUILDERS: dict[str, Callable[[str], bytes]] = {
    "subject": lambda value: compile_copy(a_copy(subject=value)).build(a_recipient()),
    "from_name": lambda value: compile_copy(a_copy(sender=Mailbox(value, SENDER.address))).build(a_recipient()),
    "list_name": lambda value: compile_copy(a_copy(list_name=value)).build(a_recipient()),
    "reply_to": lambda value: compose(a_letter(headers=[("Reply-To", value)])),
    "to_name": lambda value: compose(a_letter(sender=Mailbox(value, SENDER.address))),
    "merge_field:first_name": lambda value: compile_copy(a_copy(subject="Hi {first name | you}")).build(
        a_recipient(fields={"first name": value})),
}
SHOWN = {"subject": "Subject", "from_name": "From", "list_name": "List-Id", "merge_field:first_name": "Subject"}
USUAL = {"to", "from", "subject", "date", "message-id", "mime-version", "content-type", "content-transfer-encoding",
         "list-id", "list-unsubscribe", "list-unsubscribe-post", "auto-submitted", "content-language", "reply-to"}


@pytest.mark.parametrize("vector", INJECTIONS, ids=lambda vector: vector["id"])
def test_each_injection_is_refused_or_stays_inside_its_header(vector: dict[str, str]) -> None:
    """Line separators are refused in every header, which is stricter than encoding them (i17, i18)."""
    expected, holds_separator = vector["expect"], any(mark in vector["value"] for mark in "\x85\u2028")
    try:
        built = BUILDERS[vector["field"]](vector["value"])
    except MailerError:
        assert "reject" in expected or holds_separator
        return
    assert expected != "reject"
    message = parsed(built)
    assert {name.lower() for name in message} <= USUAL
    assert len(message.keys()) == len({name.lower() for name in message})
    head = built.partition(b"\r\n\r\n")[0]
    assert max(len(line) for line in head.split(b"\r\n")) <= 140
    if expected == "ok_encoded_word":
        assert b"=?utf-8?b?" in head and all(len(word) <= 75 for word in head.split() if word.startswith(b"=?"))
    if expected in ("ok_encoded_word", "ok_literal"):
        assert vector["value"] in str(message[SHOWN[vector["field"]]])
    if expected == "ok_quoted":
        assert message["From"].addresses[0].display_name == vector["value"]


@pytest.mark.parametrize("separator", SEPARATORS)
def test_no_header_value_of_ours_takes_a_line_separator(separator: str) -> None:
    evil = f"a{separator}Bcc: x@example.net"
    for build in (
        lambda: compile_copy(a_copy(subject=evil)),
        lambda: compile_copy(a_copy(subject=evil + "{first name | x}")),
        lambda: compile_copy(a_copy(sender=Mailbox(evil, SENDER.address))),
        lambda: compile_copy(a_copy(sender=Mailbox("x", f"a{separator}b@example.org"))),
        lambda: compile_copy(a_copy(list_name=evil)),
        lambda: compile_copy(a_copy(list_label=evil)),
        lambda: compile_copy(a_copy()).build(a_recipient(address=f"a{separator}b@example.org")),
        lambda: compile_copy(a_copy()).build(a_recipient(message_id=f"a{separator}b@example.org")),
        lambda: compose_campaign(a_copy(), a_recipient(address=f"a{separator}b@example.org")),
        lambda: compose(a_letter(subject=evil)),
        lambda: compose(a_letter(to=f"dana@example.org{separator}")),
        lambda: compose(a_letter(message_id=f"a@b{separator}")),
        lambda: compose(a_letter(headers=[("X-Note", evil)])),
        lambda: compose(a_letter(headers=[(f"X{separator}", "1")])),
        lambda: compose(a_letter(language=f"en{separator}")),
    ):
        with pytest.raises(MailerError) as refused:
            build()
        assert "example.net" not in str(refused.value)


def test_a_letter_cannot_be_given_a_second_of_the_headers_it_has() -> None:
    for name in ("Bcc", "from", "Subject", "Content-Type"):
        with pytest.raises(headers.UnsafeHeader):
            compose(a_letter(headers=[(name, "x@example.org")]))
    with pytest.raises(headers.UnsafeHeader):
        compose(a_letter(headers=[("X-One", "1"), ("x-one", "2")]))


@given(st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=300))
def test_any_subject_reaches_the_reader_as_it_was_typed(subject: str) -> None:
    """Encoded words are at most 75 characters on lines of at most 78 (RFC 2047 §2)."""
    built = compose(a_letter(subject=subject))
    assert parsed(built)["Subject"] == subject
    head = built.partition(b"\r\n\r\n")[0]
    assert all(len(line) <= 78 for line in head.split(b"\r\n") if not line.startswith(b"Message-ID"))


@given(st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=200))
def test_any_sender_name_reaches_the_reader_beside_one_address(name: str) -> None:
    built = compose(a_letter(sender=Mailbox(name, SENDER.address)))
    assert [address.addr_spec for address in parsed(built)["From"].addresses] == [SENDER.address]
    # Read by RFC 2047 §6.2: the parser of addresses puts a space between two encoded words, which is its fault.
    shown = re.sub(r"\r\n(?= )", "", message_from_bytes(built)["From"]).rpartition(" <")[0]
    if not shown.startswith("=?"):
        shown = re.sub(r"\\(.)", r"\1", shown.removeprefix('"').removesuffix('"'))
    assert str(make_header(decode_header(shown))) == " ".join(name.split())


def test_an_address_outside_ascii_makes_the_header_utf_8_and_a_domain_alone_does_not() -> None:
    program = compile_copy(a_copy())
    assert "To: jörg@example.org\r\n".encode() in program.build(a_recipient(address="jörg@example.org"))
    plain = program.build(a_recipient(address="anna@bücher.example.org"))
    assert b"To: anna@xn--bcher-kva.example.org\r\n" in plain and plain.isascii()
