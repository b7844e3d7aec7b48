"""Reads an author's Markdown: CommonMark without HTML, and a button on a line of its own.

`[Label](https://…){button}` is a button, `![words](https://…)` a picture, `![](https://…){decorative}` an ornament.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from mailer.channels.email.holes import BRACE, has_mark

BUTTON = "{button}"
DECORATIVE = "{decorative}"

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
_LINK = re.compile(r"(https?://[^\s/?#]+([/?#]\S*)?|mailto:[^\s@]+@\S+|tel:\+?[0-9.()/ -]+)", re.IGNORECASE)
_PICTURE = re.compile(r"https?://[^\s/?#]+([/?#]\S*)?", re.IGNORECASE)
_BRACE_IN_LINK = "%EF%B7%92"


@dataclass(frozen=True)
class Picture:
    """A picture of the message; where it is no ornament, `alt` must say what it shows."""

    source: str
    alt: str
    decorative: bool


@dataclass
class Found:
    """What reading came across: pictures, links that lead somewhere, and links that may not be sent."""

    pictures: list[Picture] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def read(markdown: str) -> tuple[list[Token], Found]:
    """The message as tokens that only hold what may be sent."""
    found = Found()
    return _PARSER.parse(_CONTROLS.sub("", _with_line_feeds(markdown)), {"found": found}), found


def literal(text: str) -> str:
    """A text that Markdown reads as it stands, on one line."""
    return _PUNCTUATION.sub(r"\\\g<0>", " ".join(_CONTROLS.sub(" ", text).split()))


def _with_line_feeds(text: str) -> str:
    return re.sub("\r\n?|[\x0b\x0c\x85\u2028]", "\n", text).replace("\u2029", "\n\n")


def _only_what_may_be_sent(state: StateCore) -> None:
    found: Found = state.env["found"]
    for token in state.tokens:
        if token.type == "inline":
            token.children = _kept(token.children or [], found)


def _kept(children: Sequence[Token], found: Found) -> list[Token]:
    kept: list[Token] = []
    open_links: list[bool] = []
    for position, token in enumerate(children):
        if token.type == "link_open":
            open_links.append(_link_may_stay(token, found))
            kept += [token] if open_links[-1] else []
        elif token.type == "link_close":
            kept += [token] if open_links.pop() else []
        elif token.type == "image":
            follower = children[position + 1].content if position + 1 < len(children) else ""
            kept.append(_picture(token, follower.startswith(DECORATIVE), found))
        else:
            if position and children[position - 1].type == "image":
                token.content = token.content.removeprefix(DECORATIVE)
            kept.append(token)
    return kept


def _link_may_stay(token: Token, found: Found) -> bool:
    href = _attribute(token, "href")
    stays = bool(_LINK.fullmatch(href)) and not has_mark(href)
    (found.links if stays else found.refused).append(href)
    token.attrs = {"href": href}
    return stays


def _picture(token: Token, decorative: bool, found: Found) -> Token:
    source, alt = _attribute(token, "src"), _words(token.children or [])
    if not _PICTURE.fullmatch(source) or has_mark(source):
        found.refused.append(source)
        return Token("text", "", 0, content=alt)
    found.pictures.append(Picture(source, alt, decorative))
    token.attrs = {"src": source, "alt": "" if decorative else alt}
    return token


def _attribute(token: Token, name: str) -> str:
    return str(token.attrGet(name) or "").replace(BRACE, "%7B").replace(_BRACE_IN_LINK, "%7B")


def _words(children: Sequence[Token]) -> str:
    return "".join(
        " " if child.type in ("softbreak", "hardbreak") else child.content or _words(child.children or [])
        for child in children)


def _lines_that_are_blocks(state: StateCore) -> None:
    tokens: list[Token] = []
    position = 0
    while position < len(state.tokens):
        trio = state.tokens[position:position + 3]
        if [token.type for token in trio] == ["paragraph_open", "inline", "paragraph_close"]:
            tokens += _paragraph(*trio)
            position += 3
        else:
            tokens.append(state.tokens[position])
            position += 1
    state.tokens = tokens


def _paragraph(opening: Token, inline: Token, closing: Token) -> list[Token]:
    tokens: list[Token] = []
    plain: list[Token] = []
    for line in [*_lines(inline.children or []), []]:
        block = _block(line)
        if line and block is None:
            plain += [Token("softbreak", "br", 0), *line] if plain and plain[-1].type != "hardbreak" else line
            continue
        if plain:
            inner = Token("inline", "", 0, children=plain, content=inline.content)
            tokens += [opening, inner, closing]
            plain = []
        if block is not None:
            tokens.append(block)
    return tokens


def _lines(children: Sequence[Token]) -> list[list[Token]]:
    lines: list[list[Token]] = [[]]
    for token in children:
        if token.type == "hardbreak":
            lines[-1].append(token)
        if token.type in ("softbreak", "hardbreak"):
            lines.append([])
        elif token.type != "text" or token.content:
            lines[-1].append(token)
    return [line for line in lines if line]


def _block(line: list[Token]) -> Token | None:
    line = line[:-1] if line and line[-1].type == "hardbreak" else line
    kinds = [token.type for token in line]
    if len(line) > 3 and kinds[0] == "link_open" and kinds[-2:] == ["link_close", "text"] \
            and kinds.count("link_open") == 1 and line[-1].content.strip() == BUTTON:
        label = [token for token in line[1:-2] if token.type != "image"]
        return Token("button", "", 0, children=label, attrs=dict(line[0].attrs)) if label else None
    if kinds in (["image"], ["link_open", "image", "link_close"]):
        return Token("figure", "", 0, children=line)
    return None


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False})
    # Every link is read, so that preflight can name those that may not be sent; _kept lets none of them through.
    parser.validateLink = lambda url: True  # type: ignore[method-assign]  # markdown-it's own way to set it.
    parser.core.ruler.push("only_what_may_be_sent", _only_what_may_be_sent)
    parser.core.ruler.push("lines_that_are_blocks", _lines_that_are_blocks)
    return parser


_PARSER = _parser()
