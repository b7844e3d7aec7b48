"""Lays the same message out as plain text: every link in full, lines of 76 where no link is longer."""

import re
from collections.abc import Callable

from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from mailer.channels.email.html import FRAMES

WIDTH = 76

_SPACES = re.compile(r"[ \t\n]+")

Length = Callable[[str], int]


def body(tokens: list[Token], length: Length) -> str:
    """The author's part; `length` measures a text that has holes."""
    return _Writer(length).blocks(SyntaxTreeNode(tokens), WIDTH)


def page(values: dict[str, object], length: Length) -> str:
    """The whole text with its footer."""
    text = FRAMES.get_template("frame.txt").render(values)
    head, mark, foot = text.rpartition("\n-- \n") if "\n-- \n" in text else (text, "", "")
    foot = "\n".join(wrapped(line, WIDTH, length) for line in foot.split("\n"))
    return (head.rstrip() + "\n" + mark + foot).strip("\n") + "\n"


def wrapped(text: str, width: int, length: Length) -> str:
    """Lines of at most `width` characters; a word that is longer has a line of its own."""
    lines, line = [], ""
    for word in _words(text):
        if line and length(line) + 1 + length(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return "\n".join([*lines, line])


def _words(text: str) -> list[str]:
    return [word for word in _SPACES.split(text) if word]


class _Writer:
    def __init__(self, length: Length) -> None:
        self._length = length

    def blocks(self, node: SyntaxTreeNode, width: int) -> str:
        return "\n\n".join(text for child in node.children if (text := self._block(child, width).strip("\n")))

    def _block(self, node: SyntaxTreeNode, width: int) -> str:
        match node.type:
            case "heading":
                return self._heading(node, width)
            case "paragraph" | "figure":
                return self._wrapped(self._inline(node), width)
            case "button":
                return self._wrapped(self._inline(node), width - 1) + ":\n" + str(node.attrs["href"])
            case "bullet_list" | "ordered_list":
                return self._list(node, width)
            case "blockquote":
                return _indented(self.blocks(node, width - 2), "> ", "> ")
            case "code_block" | "fence":
                return _indented(node.content.rstrip("\n"), "    ", "    ")
            case "hr":
                return "-" * 24
            case _:
                return self.blocks(node, width)

    def _heading(self, node: SyntaxTreeNode, width: int) -> str:
        words = self._wrapped(self._inline(node), width)
        longest = min(max(self._length(line) for line in words.split("\n")), width)
        return f"{words}\n{('=' if node.tag == 'h1' else '-') * longest}" if words else ""

    def _list(self, node: SyntaxTreeNode, width: int) -> str:
        first = int(node.attrs.get("start", 1))
        items = []
        for number, item in enumerate(node.children, first):
            lead = "- " if node.type == "bullet_list" else f"{number}. "
            items.append(_indented(self.blocks(item, width - len(lead)), lead, " " * len(lead)))
        return "\n".join(items)

    def _wrapped(self, text: str, width: int) -> str:
        return "\n".join(wrapped(line, width, self._length) for line in text.split("\n")).strip("\n")

    def _inline(self, node: SyntaxTreeNode) -> str:
        return "".join(self._piece(child) for child in node.children)

    def _piece(self, node: SyntaxTreeNode) -> str:
        match node.type:
            case "softbreak":
                return " "
            case "hardbreak":
                return "\n"
            case "image":
                return f"[{node.attrs['alt']}]" if node.attrs.get("alt") else ""
            case "link":
                return _with_link(self._inline(node), str(node.attrs["href"]))
            case "text" | "code_inline":
                return node.content.replace("\n", " ")
            case _:
                return self._inline(node)


def _with_link(words: str, href: str) -> str:
    words = words.strip()
    if not words or words == href or f"mailto:{words}" == href:
        return href if not words or words == href else words
    return f"{words} <{href}>"


def _indented(text: str, first: str, rest: str) -> str:
    lines = [(rest + line).rstrip() if line else rest.rstrip() for line in text.split("\n")]
    return "\n".join([first + text.split("\n")[0], *lines[1:]])
