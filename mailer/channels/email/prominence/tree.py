"""A document as a tree of elements and texts, each with its place in the source."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import accumulate

VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
UNSEEN = frozenset({"head", "script", "style", "template", "title", "noscript", "object", "datalist"})


@dataclass(eq=False)
class Element:
    """One element; `start` and `end` are characters of the source."""

    tag: str
    attributes: dict[str, str]
    parent: "Element | None"
    start: int = 0
    end: int = 0
    children: "list[Element | str]" = field(default_factory=list)

    def up(self) -> "Iterator[Element]":
        """The element, then what it stands in."""
        at: Element | None = self
        while at is not None:
            yield at
            at = at.parent

    def walk(self) -> "Iterator[Element]":
        """The element and all below it, in order."""
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.walk()

    def pieces(self) -> "Iterator[tuple[Element, str]]":
        """Each text below it with the element it stands in, but what no reader sees."""
        if self.tag in UNSEEN:
            return
        for child in self.children:
            if isinstance(child, Element):
                yield from child.pieces()
            else:
                yield self, child

    def inside(self, other: "Element") -> bool:
        """Whether it is that element or stands in it."""
        return any(each is other for each in self.up())


@dataclass
class Document:
    """The tree, and what its style blocks say."""

    root: Element
    sheets: list[str]


def read(html: str) -> Document:
    """The document of a source; what is not well-formed is read as it comes."""
    reader = _Reader(html)
    reader.feed(html)
    reader.close()
    return Document(reader.root, reader.sheets)


class _Reader(HTMLParser):
    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self._lines = [0, *accumulate(len(line) for line in source.split("\n"))]
        self.root = self._at = Element("", {}, None)
        self.sheets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        place = self._place()
        made = Element(tag, {name: value or "" for name, value in reversed(attrs)}, self._at, place,
                       place + len(self.get_starttag_text() or ""))
        self._at.children.append(made)
        if tag not in VOID:
            self._at = made

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        opened = next((each for each in self._at.up() if each.tag == tag), None)
        if opened is not None and opened.parent is not None:
            opened.end = self._place()
            self._at = opened.parent

    def handle_data(self, data: str) -> None:
        if self._at.tag == "style":
            self.sheets.append(data)
        self._at.children.append(data)

    def _place(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + line - 1 + column
