"""Lays a message out once, as HTML and as text, with marks where people differ."""

from dataclasses import dataclass

from mailer.channels.email import blocks, html, text
from mailer.channels.email.blocks import Found
from mailer.channels.email.holes import BRACE, LEAVE, PREFERENCES, WHY, Holes, mark
from mailer.core.channel import Brand, Copy

PERSONAL_LINKS = {LEAVE: mark(LEAVE), PREFERENCES: mark(PREFERENCES), WHY: mark(WHY)}


@dataclass(frozen=True)
class Rendered:
    """A message laid out for nobody in particular: `subject`, `html` and `text` hold the marks of `holes`."""

    subject: str
    html: str
    text: str
    holes: Holes
    found: Found


def campaign(copy: Copy) -> Rendered:
    """The message of a content version, with the footer that it cannot be without (promises M13, T19)."""
    holes = Holes()
    subject = copy.subject_prefix + holes.put(copy.subject)
    preview = holes.put(copy.preview_line)
    laid, plain, found = _laid_out(
        holes, copy.markdown, holes.usual(subject), preview, copy.language, copy.brand, copy.list_name, PERSONAL_LINKS)
    return Rendered(subject, laid, plain, holes, found)


def letter(markdown: str, *, title: str, language: str, brand: Brand) -> tuple[str, str]:
    """A single message in the same frame, as text and as HTML; it names no list and has no way out to offer."""
    laid, plain, _ = _laid_out(Holes(), markdown, title, "", language, brand, "", None)
    return plain, laid


def _laid_out(
    holes: Holes, markdown: str, title: str, preview: str, language: str, brand: Brand, list_name: str,
    links: dict[str, str] | None,
) -> tuple[str, str, Found]:
    marked = holes.put(markdown, brace=BRACE) if links else markdown.replace(BRACE, "")
    tokens, found = blocks.read(marked)
    direction = html.direction(language)
    values: dict[str, object] = {
        "title": title, "language": language, "direction": direction, "preview_line": preview, "brand": brand,
        "align": "right" if direction == "rtl" else "left",
        "list_name": list_name, "links": links, "notice": f"{brand.public_url}/privacy",
    }
    plain = text.page({**values, "body": text.body(tokens, holes.length)}, holes.length)
    laid = html.page({**values, "body": html.body(tokens)})
    return laid.replace(BRACE, "{"), plain.replace(BRACE, "{"), found
