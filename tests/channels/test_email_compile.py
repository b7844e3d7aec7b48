"""The compiler says exactly what the slow, obvious builder says."""

import re
from email.message import EmailMessage

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailer.channels.email.channel import channel
from mailer.channels.email.compile import compile_copy
from mailer.channels.email.mime import compose_campaign
from mailer.core.channel import Brand, Copy, Mailbox, Recipient
from tests.channels.email_samples import LINKS, SITE, TOKEN, a_copy, a_recipient, parsed, part

SCRIPTS = "abz ÅßØ ñ łžŚ Ελλάς Привет שלום مرحبا नमस्ते ไทย 한국어 日本語 用户 Ọlánrewájú 👩🏽‍🎤 \u200d\u0301"
LETTERS = st.one_of(
    st.sampled_from(SCRIPTS), st.sampled_from("=._-'\"<>&;,:@\\|{}()[]*#!~`^\t  "),
    st.characters(exclude_categories=("Cs",)))
ONE_LINE = st.text(
    LETTERS.filter(lambda letter: letter == "\t" or (len(f"a{letter}a".splitlines()) == 1 and letter.isprintable())),
    max_size=60)
BLOCKS = st.sampled_from([
    "# {first name | friend}, hello", "[Go](https://example.org/a?b=c&d=é){button}", "---", "- one\n- two\n  - three",
    "![Ein Bild](https://example.org/b.png)", "![](https://example.org/b.png){decorative}", "> said\n> twice",
    "Hello {first name|there}\nand **bold {First Name | you}**", "1. eins\n2. zwei", "    code = 1\n\ttab ",
    "[x](javascript:alert(1)) {nothing} {{first name | x}", "two spaces  \nbreak\\\nagain", "`{first name | c}`",
    "x" * 1200, "語" * 400, ".", "..", "From me", "--=_", "=\r\n=3D=0A", "a\r\n.\r\nb",
    "<b onclick=x>raw</b> &amp; &#0;",
    "[{first name | l}](https://example.org) ![{first name | a}](https://example.org/{first name | u})", "trailing \n",
])
MARKDOWN = st.lists(st.one_of(BLOCKS, ONE_LINE, st.text(LETTERS, max_size=120)), max_size=8).map("\n\n".join)
LANGUAGES = st.sampled_from(["en", "de", "ar", "he-IL", "zh-Hant", "ta", "yo"])
ADDRESSES = st.sampled_from([
    "dana@example.org", "jörg@example.org", "用户@例子.中国", "user@bücher.example.org", "o'brien+x=y@example.ie",
    "a" * 64 + "@" + "b" * 60 + ".example.org", "=?utf-8?b?eA==?=@example.org",
])
NAMES = st.one_of(
    ONE_LINE, st.text(LETTERS, max_size=150),
    st.sampled_from(["", "Eun-ji 은지", "<img src=x>", "=\r\n"]))

copies = st.builds(
    Copy, subject=st.lists(st.one_of(ONE_LINE, st.just("{first name | you}")), max_size=3).map("".join),
    preview_line=ONE_LINE, markdown=MARKDOWN, language=LANGUAGES,
    brand=st.builds(Brand, name=ONE_LINE, postal_address=st.text(LETTERS, max_size=60),
                    help_email=st.just("help@example.org"), public_url=st.just(SITE), notice_version=st.just("2.1")),
    sender=st.builds(Mailbox, name=ONE_LINE, address=st.just("news@example.org")), list_name=ONE_LINE,
    list_label=st.sampled_from(["sheet-music", "a.lists.example.org"]), one_click=st.booleans(),
    subject_prefix=st.sampled_from(["", "[Test] "]))
recipients = st.builds(
    a_recipient, address=ADDRESSES, text_only=st.booleans(), fields=st.fixed_dictionaries({"first name": NAMES}))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(copies, recipients)
def test_a_compiled_message_reads_exactly_as_the_obvious_one(copy: Copy, recipient: Recipient) -> None:
    fast, slow = compile_copy(copy).build(recipient), compose_campaign(copy, recipient)
    one, other = parsed(fast), parsed(slow)
    assert _headers(one) == _headers(other)
    assert _parts(one) == _parts(other)
    assert not one.defects and not any(inner.defects for inner in one.walk())
    _assert_fit_for_the_wire(fast)
    _assert_fit_for_the_wire(slow)


def _headers(message: EmailMessage) -> dict[str, str]:
    assert len(message.keys()) == len({name.lower() for name in message})
    return {name: str(value) for name, value in message.items() if name != "Content-Type"}


def _parts(message: EmailMessage) -> list[tuple[str, str | None, str]]:
    return [
        (inner.get_content_type(), inner.get_content_charset(),
         "" if inner.is_multipart() else inner.get_content())
        for inner in message.walk()]


def _assert_fit_for_the_wire(message: bytes) -> None:
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", message) and b"\x00" not in message
    head, _, body = message.partition(b"\r\n\r\n")
    assert max(map(len, message.split(b"\r\n"))) <= 998
    assert max(map(len, body.split(b"\r\n"))) <= 78 and body.isascii()
    assert not re.search(rb"[ \t]\r\n", body)
    boundary = re.search(rb'boundary="([^"]+)"', head)
    if boundary:
        assert message.count(boundary[1]) == 4


def test_the_boundary_cannot_be_in_a_part_because_no_part_can_hold_its_beginning() -> None:
    built = compile_copy(a_copy(markdown="=_ --=_ " * 50)).build(a_recipient())
    assert built.count(b"=_") == 4


def test_a_person_who_chose_text_gets_one_text_part_with_no_picture_and_no_html() -> None:
    """Promise M16."""
    message = parsed(compile_copy(a_copy()).build(a_recipient(text_only=True)))
    assert message.get_content_type() == "text/plain"
    assert "cello.jpg" not in part(message, "plain") and LINKS.leave in part(message, "plain")


def test_text_comes_before_html() -> None:
    kinds = [inner.get_content_type() for inner in parsed(compile_copy(a_copy()).build(a_recipient())).walk()]
    assert kinds == ["multipart/alternative", "text/plain", "text/html"]


def test_a_campaign_has_the_headers_that_lists_have_and_no_others() -> None:
    """RFC 8058 §3.1, RFC 2369, RFC 2919 §2."""
    message = parsed(compile_copy(a_copy()).build(a_recipient()))
    assert message["List-Unsubscribe"] == f"<{LINKS.one_click}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Id"] == "Sheet music <sheet-music.list.news.cadenza.example.org>"
    assert message["Message-ID"] == f"<{TOKEN}@news.cadenza.example.org>"
    assert message["Date"] == "Tue, 03 Mar 2026 09:00:00 +0000"
    assert set(message.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "List-Id", "List-Unsubscribe",
        "List-Unsubscribe-Post"}


def test_a_name_is_escaped_for_the_place_it_stands_in() -> None:
    program = compile_copy(a_copy(subject="For {first name | you}", markdown="Dear {first name | you}"))
    built = program.build(a_recipient(fields={"first name": '<b>"Ann" & Co'}))
    assert parsed(built)["Subject"] == 'For <b>"Ann" & Co'
    assert 'Dear <b>"Ann" & Co\n' in part(built, "plain")
    assert "Dear &lt;b&gt;&quot;Ann&quot; &amp; Co</p>" in part(built, "html")


def test_a_program_names_only_the_fields_it_needs() -> None:
    assert channel.compile(a_copy()).fields == ("first name",)
    assert channel.compile(a_copy(markdown="Hello")).fields == ()


def test_two_people_get_the_same_bytes_but_for_themselves() -> None:
    """Promise T19: no link differs from person to person but those that leave, change and explain."""
    program = compile_copy(a_copy(markdown="[Shop](https://shop.example.org/?a=1)"))
    one = program.build(a_recipient())
    other = program.build(a_recipient(address="bo@example.org", fields={}))
    assert one.replace(b"dana@example.org", b"bo@example.org") == other


def test_the_same_message_is_built_alike_every_time() -> None:
    assert compile_copy(a_copy()).build(a_recipient()) == compile_copy(a_copy()).build(a_recipient())


@pytest.mark.parametrize("link", ["javascript:alert(1)", "https://x.example/ a", 'https://x.example/"', "/u/x", ""])
def test_a_personal_link_that_is_no_plain_web_address_is_refused(link: str) -> None:
    links = LINKS.__class__(link, LINKS.one_click, LINKS.preferences, LINKS.why)
    with pytest.raises(Exception, match="unsafe_header"):
        compile_copy(a_copy()).build(a_recipient(links=links))
