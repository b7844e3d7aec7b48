"""A brand, a message and a person, to be varied by each test."""

from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

from mailer.core.channel import Brand, Copy, Letter, Links, Mailbox, Recipient

TOKEN = "k7qp2mx4" * 7
SITE = "https://news.cadenza.example.org"
AT = datetime(2026, 3, 3, 9, tzinfo=UTC)

BRAND = Brand("Cadenza Books", "12 Bridge Street\nBristol BS1 4ST", "help@cadenza.example.org", SITE, "2.1")
SENDER = Mailbox("Cadenza Books", "news@cadenza.example.org")
LINKS = Links(f"{SITE}/u/{TOKEN}", f"{SITE}/one-click/{TOKEN}", f"{SITE}/p/{TOKEN}", f"{SITE}/why/{TOKEN}")
MARKDOWN = """# Spring in the shop

Hello {first name | there}, the *new* catalogue & **forty** titles are here.

[See what is new](https://shop.example.org/new?a=1&b=2){button}

![A cello beside a window](https://shop.example.org/cello.jpg)

- Duets, in a [large-print edition](https://shop.example.org/duets)
- Scales

---

Until April."""


def a_copy(**changes: object) -> Copy:
    copy = Copy(
        subject="Spring news", preview_line="Forty new titles", markdown=MARKDOWN, language="en", brand=BRAND,
        sender=SENDER, list_name="Sheet music", list_label="sheet-music")
    return replace(copy, **changes)  # type: ignore[arg-type]  # a test names the fields it changes.


def a_recipient(**changes: object) -> Recipient:
    recipient = Recipient(
        address="dana@example.org", text_only=False, fields={"first name": "Dana"}, links=LINKS,
        message_id=f"{TOKEN}@news.cadenza.example.org", envelope_sender="b@news.cadenza.example.org", date=AT)
    return recipient._replace(**changes)  # type: ignore[arg-type]  # a test names the fields it changes.


def a_letter(**changes: object) -> Letter:
    letter = Letter(
        sender=SENDER, to="dana@example.org", subject="One press to confirm", text="Press here.\n", html=None,
        message_id=f"{TOKEN}@news.cadenza.example.org", date=AT)
    return replace(letter, **changes)  # type: ignore[arg-type]  # a test names the fields it changes.


def parsed(message: bytes) -> EmailMessage:
    read = message_from_bytes(message, policy=policy.default)
    assert isinstance(read, EmailMessage)
    return read


def part(message: bytes | EmailMessage, kind: str) -> str:
    """The decoded text or HTML of a message, with line feeds."""
    read = parsed(message) if isinstance(message, bytes) else message
    body = read.get_body((kind,))
    assert body is not None
    content = body.get_content()
    assert isinstance(content, str)
    return content.replace("\r\n", "\n")
