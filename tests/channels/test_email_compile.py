"""The compiler says exactly what the slow, obvious builder says."""

import html
import re
from email.message import EmailMessage

import pytest
from hypothesis import HealthCheck, given, settings

from mailer.channels.email import fields
from mailer.channels.email.channel import channel
from mailer.channels.email.compile import compile_copy
from mailer.channels.email.mime import compose_campaign
from mailer.core.channel import Copy, Recipient
from tests.channels.email_samples import LINKS, TOKEN, a_copy, a_recipient, parsed, part
from tests.channels.email_strategies import NAMES, copies, recipients

_LEADING_DOT = re.compile(rb"(?m)^\.")


@pytest.mark.timeout(900)
@settings(max_examples=2_000, suppress_health_check=[HealthCheck.too_slow])
@given(copies, recipients)
def test_a_compiled_message_reads_exactly_as_the_obvious_one(copy: Copy, recipient: Recipient) -> None:
    fast, slow = compile_copy(copy).build(recipient), compose_campaign(copy, recipient)
    one, other = parsed(fast), parsed(slow)
    assert _headers(one) == _headers(other)
    assert _parts(one) == _parts(other)
    assert not one.defects and not any(inner.defects for inner in one.walk())
    assert not _LEADING_DOT.search(fast)
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
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", message) and b"\x00" not in message and message.endswith(b"\r\n")
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


@given(NAMES)
def test_whatever_a_name_holds_the_rest_of_the_message_stays_as_it_is(name: str) -> None:
    """A name is cut at 100 characters, put on one line, and escaped for each place it stands in."""
    program = compile_copy(a_copy(subject="For {first name | you}", markdown="Dear {first name | you}!"))
    built = parsed(program.build(a_recipient(fields={"first name": name})))
    usual = parsed(program.build(a_recipient(fields={"first name": "Quillonwick"})))
    read = fields.clean(name) or "you"
    assert len(read) <= fields.LONGEST and built["Subject"] == f"For {read}"
    assert _parts(built) == [
        (kind, charset, content.replace("Quillonwick", html.escape(read) if kind == "text/html" else read))
        for kind, charset, content in _parts(usual)]
    assert {**_headers(built), "Subject": ""} == {**_headers(usual), "Subject": ""}


def test_a_program_names_only_the_fields_it_needs() -> None:
    assert channel.compile(a_copy()).fields == ("first name",)
    assert channel.compile(a_copy(markdown="Hello")).fields == ()


def test_styles_stand_in_the_elements_and_the_head_keeps_only_what_cannot() -> None:
    page = part(compile_copy(a_copy()).build(a_recipient()), "html")
    head, body = page.split("<body")
    assert 'class="button"' in body and "style=" in body.split('class="button"')[1].split(">")[0]
    assert "<style" not in body and "{" not in body and "<link" not in page
    assert all("@media" in style for style in re.findall(r"<style[^>]*>(.*?)</style>", head, re.DOTALL))


def test_a_personal_field_in_a_link_leaves_words_without_a_link() -> None:
    """Promise T19: a link that differs from person to person could tell who pressed it."""
    copy = a_copy(markdown="[Shop](https://shop.example.org/?who={first name | you}) and "
                           "![](https://shop.example.org/{first name | you}.png)")
    built = compile_copy(copy).build(a_recipient(fields={"first name": "Quillonwick"}))
    assert "Shop" in part(built, "html") and "Shop" in part(built, "plain")
    assert b"shop.example.org" not in built.replace(b"=\r\n", b"")
    assert [finding.detail[:24] for finding in channel.check(copy) if finding.code == "personal_link"] == [
        "https://shop.example.org"] * 2


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
