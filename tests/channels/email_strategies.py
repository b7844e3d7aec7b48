"""Random messages and people, with what has broken mail programs before."""

from hypothesis import strategies as st

from mailer.core.channel import Brand, Copy, Mailbox
from tests.channels.email_samples import SITE, a_recipient

SCRIPTS = "abz ÅßØ ñ łžŚ Ελλάς Привет שלום مرحبا नमस्ते ไทย 한국어 日本語 用户 Ọlánrewájú 👩🏽‍🎤 \u200d\u0301"
LETTERS = st.one_of(
    st.sampled_from(SCRIPTS), st.sampled_from("=._-'\"<>&;,:@\\|{}()[]*#!~`^\t  "),
    st.characters(exclude_categories=["Cs"]))
ONE_LINE = st.text(
    LETTERS.filter(lambda letter: letter == "\t" or (len(f"a{letter}a".splitlines()) == 1 and letter.isprintable())),
    max_size=60)
BLOCKS = st.sampled_from([
    "# {first name | friend}, hello", "[Go](https://example.org/a?b=c&d=é){button}", "---", "- one\n- two\n  - three",
    "![Ein Bild](https://example.org/b.png)", "![](https://example.org/b.png){decorative}", "> said\n> twice",
    "Hello {first name|there}\nand **bold {First Name | you}**", "1. eins\n2. zwei", "    code = 1\n\ttab ",
    "[x](javascript:alert(1)) {nothing} {{first name | x}", "two spaces  \nbreak\\\nagain", "`{first name | c}`",
    "x" * 1200, "語" * 400, "." * 300, "a" * 75 + ".", "a" * 74 + " .b" * 40, "\u202eabc\u2066",
    "שלום {first name | אורח}",
    "[{first name | x}](https://example.org/{first name | y})", "a\x00b", "\ufdd0why\ufdd1 \uffff",
    ".", "..", "From me", "--=_", "=\r\n=3D=0A", "a\r\n.\r\nb",
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
    st.sampled_from([
        "", " ", "Ann", "Bo Ek", "Eun-ji 은지", "شهرزاد", "\u200fאבי", "\u202eevil\u2066", "👩🏽‍🎤" * 30,
        "<img src=x>", "=\r\n", "Ann\r\nBcc: x@example.net", "Ann\r\n.\r\nMAIL FROM:<x@example.net>", ".", "...",
        ".x" * 60, "\ta\t",
        "A" * 10_000, "語" * 10_000, "x " * 5_000, "\x00", "A\x00b", "\ufdd0leave\ufdd1", "\uffff",
        "=?utf-8?b?eA==?="]))

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
