"""What a person sees and reads: the author's blocks, and the footer that no message is without."""

import re

import pytest

from mailer.channels.email.channel import channel
from mailer.channels.email.mime import compose, compose_campaign
from tests.channels.email_samples import BRAND, LINKS, a_copy, a_letter, a_recipient, parsed, part


def html(markdown: str) -> str:
    return channel.preview_html(a_copy(markdown=markdown), a_recipient())


def text(markdown: str) -> str:
    return channel.preview_text(a_copy(markdown=markdown), a_recipient()).partition("\n-- \n")[0]


@pytest.mark.parametrize("link", [LINKS.leave, LINKS.preferences, LINKS.why])
def test_each_part_has_the_way_out_the_choices_and_the_reason(link: str) -> None:
    """Promises M13, T19."""
    assert f'href="{link}"' in html("Hello")
    assert link in channel.preview_text(a_copy(markdown="Hello"), a_recipient()).split()


def test_each_part_says_who_speaks_where_they_live_and_whom_to_ask() -> None:
    """Promises M30, A11; 15 USC 7704(a)(5)."""
    for body in (html("Hello"), channel.preview_text(a_copy(markdown="Hello"), a_recipient())):
        for words in (BRAND.name, "12 Bridge Street", "Bristol BS1 4ST", BRAND.help_email, "notice 2.1",
                      f"{BRAND.public_url}/privacy", "You get this because you asked for Sheet music by email."):
            assert words in body


def test_an_author_cannot_hide_or_close_the_footer() -> None:
    page = html("</td></table><style>.foot{display:none}</style><!-- [x](https://a.example){button}\n\n<div hidden>")
    assert "<style>.foot" not in page and "&lt;style&gt;" in page and "<div hidden" not in page
    assert page.index("Unsubscribe</a>") > page.index("&lt;div hidden")


def test_a_button_is_a_table_cell_that_every_mail_program_colours() -> None:
    page = html("[See & buy](https://shop.example.org/?a=1&b=2){button}")
    assert re.search(r'<td class="button" bgcolor="#4B3FA7"[^>]*mso-padding-alt[^>]*><a [^>]*href="https://shop', page)
    assert 'href="https://shop.example.org/?a=1&amp;b=2"' in page and "{button}" not in page
    assert text("[See & buy](https://shop.example.org/?a=1&b=2){button}") == (
        "See & buy:\nhttps://shop.example.org/?a=1&b=2\n")


def test_buttons_may_follow_words_and_each_other_line_by_line() -> None:
    markdown = "Two ways:\n[A](https://a.example){button}\n[B](https://b.example){button}\nor none"
    assert html(markdown).count('class="button" bgcolor') == 2
    assert text(markdown) == "Two ways:\n\nA:\nhttps://a.example\n\nB:\nhttps://b.example\n\nor none\n"


@pytest.mark.parametrize("link", [
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "ftp://x.org",
    "/relative", "#top", "https://", "https:///x", "//x.org", "mailto:", "javascript&colon;alert(1)"])
def test_a_link_that_is_not_for_the_web_mail_or_telephone_is_only_its_words(link: str) -> None:
    page = html(f"[words](<{link}>) [b](<{link}>){{button}}")
    assert "words" in page and f'href="{link}"' not in page and page.count("<a ") == html("plain").count("<a ")


@pytest.mark.parametrize("link", ["https://example.org/ü?q=1", "mailto:help@example.org", "tel:+44-117-496-0000"])
def test_links_to_the_web_mail_and_telephone_stay(link: str) -> None:
    assert html(f"[words](<{link}>)").count("<a ") == html("plain").count("<a ") + 1
    assert "words <" in text(f"[words](<{link}>)")


def test_a_picture_has_its_words_and_an_ornament_none() -> None:
    page = html("![A cello](https://example.org/c.png)\n\n![spiral](https://example.org/s.png){decorative}")
    assert re.search(r'<img [^>]*alt="A cello"[^>]*>', page) and re.search(r'<img [^>]*alt=""', page)
    assert "{decorative}" not in page and page.count("width=\"576\"") == 2
    assert text("![A cello](https://example.org/c.png)\n\n![](https://example.org/s.png){decorative}") == "[A cello]\n"


def test_nothing_but_the_authors_pictures_is_fetched() -> None:
    """Promise S21: no picture that counts, no font, no style sheet from elsewhere."""
    page = html("Hello")
    assert not re.search(r"<img|<link|<script|@import|url\(", page)


def test_a_personal_field_in_a_link_is_no_link() -> None:
    page = html("[x](https://example.org/?n={first name|you}) ![y](https://example.org/{first name|you}.png)")
    assert "Dana" not in page and "?n=" not in page and "<img" not in page


def test_lines_of_text_are_at_most_76_unless_a_link_is_longer() -> None:
    body = text("word " * 200 + "\n\n- " + "item " * 60 + "\n\n> " + "said " * 60)
    assert max(map(len, body.split("\n"))) <= 76 and "\n  item" in body and "\n> said" in body
    long = "https://example.org/" + "a" * 200
    assert f"<{long}>" in text(f"Read [this]({long}) now")


def test_text_keeps_headings_lists_and_breaks() -> None:
    assert text("# Big\n\n## Small\n\n3. three\n4. four\n\n- a\n\n  b\n\none  \ntwo\n\n---\n\n    code  x") == (
        "Big\n===\n\nSmall\n-----\n\n3. three\n4. four\n\n- a\n\n  b\n\none\ntwo\n\n------------------------\n\n"
        "    code  x\n")


def test_the_document_says_its_language_direction_title_and_colour_schemes() -> None:
    page = channel.preview_html(a_copy(language="ar", subject="For {first name | you}"), a_recipient())
    assert '<html lang="ar" dir="rtl">' in page and "<title>For you</title>" in page
    assert '<meta name="color-scheme" content="light dark">' in page
    assert "@media (prefers-color-scheme: dark)" in page and '<td class="foot" dir="ltr"' in page
    assert all('role="presentation"' in table for table in re.findall(r"<table[^>]*>", page))


def test_a_person_who_reads_text_has_no_html_preview() -> None:
    assert channel.preview_html(a_copy(), a_recipient(text_only=True)) == ""


def test_a_message_is_marked_right_away_when_it_asks_for_no_one_click() -> None:
    message = parsed(compose_campaign(a_copy(one_click=False), a_recipient()))
    assert message["List-Unsubscribe"] is None and message["List-Unsubscribe-Post"] is None


def test_a_letter_says_that_a_machine_wrote_it_and_offers_no_list() -> None:
    """RFC 3834 §5."""
    message = parsed(compose(a_letter(headers=[("Reply-To", "Help@Example.org")])))
    assert message["Auto-Submitted"] == "auto-generated" and message["List-Id"] is None
    assert message["Reply-To"] == "Help@example.org" and message.get_content_type() == "text/plain"
    assert message["Precedence"] is None


def test_a_letter_in_our_frame_has_button_and_address_and_no_unsubscribe() -> None:
    plain, page = channel.say(
        "Press [here](https://news.example.org/confirm/x) for " + channel.literal("*Duets* & [more]\n# now"),
        title="One press", language="en", brand=BRAND)
    built = compose(a_letter(text=plain, html=page))
    assert part(built, "plain").startswith("Press here <https://news.example.org/confirm/x> for *Duets* & [more] # now")
    assert "*Duets* &amp; [more] # now" in part(built, "html")
    assert "Unsubscribe" not in plain + page and "12 Bridge Street" in plain and "12 Bridge Street" in page
