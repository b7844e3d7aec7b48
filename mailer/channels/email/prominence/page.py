"""The way out of an HTML part: one link at least that everybody sees, reads and presses, in every look."""

from collections.abc import Iterator, Sequence

from mailer.channels.email import quoted
from mailer.channels.email.prominence import css, lengths, phrases, tree, tricks
from mailer.channels.email.prominence.css import LOOKS
from mailer.channels.email.prominence.eye import Eye
from mailer.channels.email.prominence.tree import Element
from mailer.channels.email.prominence.tricks import Fault

CUT_AT = 100_000
"""Octets after which Gmail and others hide the rest of a message (figure from practice)."""
LONGEST_LABEL, LONGEST_DECOY = 80, 45
LONGEST_WALL, NEAR = 800, 600
"""Characters of small print, and of the words just before the way out."""
EMPTY_LINES = 15
_LOADS = ("onclick", "onmousedown", "onmouseover", "ontouchstart")
_BLOCKS = frozenset({"td", "th", "div", "footer", "section", "aside", "p", "li", "center", "body"})


def faults(html: str, leave: str) -> list[Fault]:
    """What is wrong with the way out that leads to `leave`, each once; empty where it is easily noticed."""
    document = tree.read(html)
    known = css.rules(document.sheets)
    eyes = [Eye(document, known, look) for look in LOOKS]
    links = [each for each in document.root.walk() if each.tag == "a" and "href" in each.attributes]
    ours = [each for each in links if each.attributes["href"].strip() == leave]
    others = [each for each in links if each.attributes["href"].strip() != leave]
    found = [Fault.SWAPPED] if any(_is_decoy(each) for each in others) else []
    tries = [_of_link(html, document.root, eyes, each) for each in ours]
    return list(dict.fromkeys([*found, *(min(tries, key=len) if tries else [Fault.MISSING])]))


def words_before(html: str, leave: str) -> int:
    """Characters that stand before the way out."""
    root = tree.read(html).root
    link = next((each for each in root.walk() if each.attributes.get("href", "").strip() == leave), root)
    return len(_before(root, link))


def _of_link(html: str, root: Element, eyes: Sequence[Eye], link: Element) -> list[Fault]:
    found = list(_of_words(eyes, link))
    for eye in eyes:
        found += _covered(eye, root, link)
    if any(name in each.attributes for each in link.up() for name in _LOADS):
        found.append(Fault.SWAPPED)
    if len(quoted.encode(html[:link.end])) > CUT_AT:
        found.append(Fault.CUT_OFF)
    found += _pushed(eyes[0], root, link)
    found += _walled(eyes[0], root, link)
    return list(dict.fromkeys(found))


def _of_words(eyes: Sequence[Eye], link: Element) -> Iterator[Fault]:
    whole = phrases.normal("".join(text for _, text in link.pieces()))
    if not whole:
        yield Fault.IMAGE_ONLY if any(each.tag in ("img", "svg", "picture") for each in link.walk()) else Fault.HIDDEN
        return
    if not phrases.says_leave(whole) or len(whole) > LONGEST_LABEL:
        yield Fault.VAGUE
    for eye in eyes:
        seen, wrong = "", []
        for element, text in link.pieces():
            if text.strip():
                bad = list(tricks.on(eye, element))
                wrong += bad
                seen += "" if bad else text
        if not phrases.says_leave(seen):
            yield from [*wrong, *([Fault.VAGUE] if phrases.normal(seen) else [])]
        if _is_disguised(eye, link):
            yield Fault.LOW_CONTRAST


def _is_disguised(eye: Eye, link: Element) -> bool:
    """Whether it looks like the words around it."""
    around = [(element, text) for element, text in _block(link).pieces() if text.strip() and not element.inside(link)]
    inside = next((element for element, text in link.pieces() if text.strip()), link)
    plain = not any(eye.underlined(each) for each in (link, inside))
    return plain and sum(len(text) for _, text in around) > 40 and any(
        eye.colour(element) == eye.colour(inside) for element, _ in around)


def _covered(eye: Eye, root: Element, link: Element) -> Iterator[Fault]:
    for each in root.walk():
        if each.inside(link) or link.inside(each) or not each.tag:
            continue
        own = eye.style(each)
        placed = own.get("position") in ("absolute", "fixed", "sticky")
        pulled = each.start > link.start and (lengths.pixels(own.get("margin-top", "0")) or 0) <= -10
        if (placed or pulled) and eye.is_there(each):
            yield Fault.COVERED


def _pushed(eye: Eye, root: Element, link: Element) -> Iterator[Fault]:
    """Far down behind nothing: empty lines, or a box that is only high."""
    empty = 0
    for each in root.walk():
        if each.start >= link.start:
            break
        if each.tag == "br":
            empty += 1
        own = eye.style(each)
        high = lengths.pixels(own.get("height", each.attributes.get("height", "auto"))) or 0
        if high >= tricks.FAR and not link.inside(each) and each.tag != "img" and not _text(each):
            yield Fault.FAR_DOWN
        if _text_of_own(each):
            empty = 0
    if empty > EMPTY_LINES:
        yield Fault.FAR_DOWN


def _walled(eye: Eye, root: Element, link: Element) -> Iterator[Fault]:
    block = _block(link)
    while block.parent is not None and len(_text(block)) < 120 and block.parent.tag != "body":
        block = block.parent
    label, before = _text(link), _before(root, link)
    inside = before[-len(_before(block, link)):] if _before(block, link) else ""
    argued = phrases.argues(f"{before[-NEAR:]} {label}") or phrases.demands(f"{inside[-NEAR:]} {label}")
    if argued or _small_print(eye, root, link) > LONGEST_WALL:
        yield Fault.GUILT


def _small_print(eye: Eye, root: Element, link: Element) -> int:
    """Characters just before the link that are set smaller than the message."""
    pieces = [(eye.font_size(element), len(text.strip())) for element, text in _pieces_before(root, link)
              if text.strip() and eye.is_there(element)]
    shares: dict[float, int] = {}
    for size, long in pieces:
        shares[size] = shares.get(size, 0) + long
    usual = max((size for size, long in shares.items() if long > LONGEST_WALL // 4), default=0.0)
    count = 0
    for size, long in reversed(pieces):
        if size >= usual:
            break
        count += long
    return count


def _is_decoy(link: Element) -> bool:
    words = " ".join([_text(link), *(each.attributes.get("alt", "") for each in link.walk() if each.tag == "img")])
    return len(words.strip()) <= LONGEST_DECOY and phrases.says_leave(words)


def _block(link: Element) -> Element:
    return next((each for each in link.up() if each.tag in _BLOCKS), link)


def _text(element: Element) -> str:
    return phrases.normal(" ".join(text for _, text in element.pieces()))


def _text_of_own(element: Element) -> bool:
    return any(isinstance(each, str) and each.strip() for each in element.children)


def _pieces_before(root: Element, link: Element) -> Iterator[tuple[Element, str]]:
    for element, text in root.pieces():
        if element.inside(link):
            return
        yield element, text


def _before(root: Element, link: Element) -> str:
    return phrases.normal(" ".join(text for _, text in _pieces_before(root, link)))
