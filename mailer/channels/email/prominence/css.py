"""As much CSS as messages are written in: rules, media queries, which rule wins."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mailer.channels.email.prominence import colours
from mailer.channels.email.prominence.tree import Element

NARROW, WIDE = 360, 1000
"""Pixels of the two windows that a message is looked at in."""

_COMMENT = re.compile(r"/\*.*?\*/|<!--|-->", re.DOTALL)
_STATE = re.compile(r":(?:hover|active|focus|visited|focus-visible|focus-within|target|before|after|first-letter"
                    r"|first-line|selection|placeholder)")
_SIMPLE = re.compile(r"\*|[#.]?[\w\\-]+|\[[^]]*\]|::?[\w-]+(?:\([^)]*\))?")
_STEP = re.compile(r"\s*([>+~])\s*|\s+")
_ATTRIBUTE = re.compile(r"\[\s*([\w-]+)\s*(?:([~|^$*]?=)\s*[\"']?([^\"'\]]*)[\"']?\s*)?\]")
_OUTLOOK = re.compile(r"\[data-ogs[cb]\]\s*")
_SIZE_IN_FONT = re.compile(r"(?:^|\s)((?:\d*\.)?\d+(?:px|pt|em|rem|%)|(?:xx?-)?(?:small|large)|medium|smaller|larger)"
                           r"(?:\s*/\s*([\w.%]+))?\s")


@dataclass(frozen=True)
class Look:
    """How a message is looked at."""

    dark: bool = False
    narrow: bool = False


LOOKS = tuple(Look(dark, narrow) for dark in (False, True) for narrow in (False, True))

Declaration = tuple[str, str, bool]


@dataclass(frozen=True)
class Rule:
    """One selector and what it sets, under conditions."""

    conditions: tuple[str, ...]
    selector: str
    weight: tuple[int, int, int]
    sets: tuple[Declaration, ...]

    def holds(self, look: Look) -> bool:
        """Whether its media queries hold."""
        return all(any(_query(each, look) for each in condition.split(",")) for condition in self.conditions)


def rules(sheets: Sequence[str]) -> list[Rule]:
    """Every rule of style blocks, in order."""
    return [rule for sheet in sheets for rule in _block(_COMMENT.sub("", sheet), ())]


def style(element: Element, known: Sequence[Rule], look: Look) -> dict[str, str]:
    """What is set on an element itself, by the rule that wins."""
    found: list[tuple[tuple[int, ...], Declaration]] = []
    for order, rule in enumerate(known):
        if rule.holds(look) and _matches(element, rule.selector):
            found += [((int(each[2]), 0, *rule.weight, order), each) for each in rule.sets]
    found += [((int(each[2]), 1, 0, 0, 0, 0), each) for each in declarations(element.attributes.get("style", ""))]
    return {name: value for _, (name, value, _) in sorted(found, key=lambda each: each[0])}


def declarations(text: str) -> list[Declaration]:
    """Each property with its value and whether it is `!important`; shorthands are taken apart."""
    found = []
    for part in re.split(r";(?![^(]*\))", _COMMENT.sub("", text)):
        name, colon, value = part.partition(":")
        if colon and value.strip():
            bare = re.sub(r"\s*!\s*important\s*$", "", value.strip(), flags=re.IGNORECASE)
            found += [(each, what, bare != value.strip()) for each, what in _apart(name.strip().lower(), bare.lower())]
    return found


def _block(text: str, conditions: tuple[str, ...]) -> Iterator[Rule]:
    at = 0
    while (opening := text.find("{", at)) >= 0:
        closing = _closing(text, opening)
        head, body, at = text[at:opening].rpartition(";")[2].strip(), text[opening + 1:closing], closing + 1
        if head.startswith("@media"):
            yield from _block(body, (*conditions, head.removeprefix("@media").lower()))
        elif head.startswith(("@supports", "@layer")):
            yield from _block(body, conditions)
        elif not head.startswith("@"):
            yield from _selected(head, body, conditions)


def _selected(head: str, body: str, conditions: tuple[str, ...]) -> Iterator[Rule]:
    sets = tuple(declarations(body))
    for selector in head.split(","):
        where = conditions
        if _OUTLOOK.search(selector):
            # Outlook's own way to say that it is dark.
            selector, where = _OUTLOOK.sub("", selector), (*conditions, "(prefers-color-scheme: dark)")
        if selector.strip() and not _STATE.search(selector):
            weight = (len(re.findall(r"#[\w-]", selector)), len(re.findall(r"\.[\w-]|\[|:[\w-]", selector)),
                      len(re.findall(r"(?:^|[\s>+~])[a-z]", selector, re.IGNORECASE)))
            yield Rule(where, selector.strip(), weight, sets)


def _closing(text: str, opening: int) -> int:
    depth = 0
    for at in range(opening, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return at
    return len(text)


def _query(query: str, look: Look) -> bool:
    query = query.strip()
    if re.search(r"\b(?:print|speech)\b", query) and "not" not in query:
        return False
    if (found := re.search(r"prefers-color-scheme\s*:\s*(\w+)", query)) and (found[1] == "dark") != look.dark:
        return False
    width = NARROW if look.narrow else WIDE
    most, least = (re.search(rf"{word}-(?:device-)?width\s*:\s*([\d.]+)", query) for word in ("max", "min"))
    return not (most and float(most[1]) < width) and not (least and float(least[1]) > width)


def _matches(element: Element, selector: str) -> bool:
    parts = _STEP.split(selector)
    compounds, steps = parts[::2], parts[1::2]
    return _is(element, compounds[-1]) and _leads_to(element, compounds[:-1], steps)


def _leads_to(element: Element, compounds: list[str], steps: list[str | None]) -> bool:
    if not compounds:
        return True
    if steps[-1] in ("+", "~"):
        siblings = [each for each in (element.parent.children if element.parent else []) if isinstance(each, Element)]
        before = siblings[:siblings.index(element)] if element in siblings else []
        around = before[-1:] if steps[-1] == "+" else before
    else:
        around = list(element.up())[1:2 if steps[-1] == ">" else None]
    return any(_is(each, compounds[-1]) and _leads_to(each, compounds[:-1], steps[:-1]) for each in around)


def _is(element: Element, compound: str) -> bool:
    return bool(element.tag) and all(_has(element, each) for each in _SIMPLE.findall(compound))


def _has(element: Element, simple: str) -> bool:
    if simple.startswith("."):
        return simple[1:] in element.attributes.get("class", "").split()
    if simple.startswith("#"):
        return simple[1:] == element.attributes.get("id")
    if simple.startswith("["):
        return _has_attribute(element, simple)
    # A state that cannot be told (`:first-child`, `:not(…)`) is taken to hold.
    return simple == "*" or simple.startswith(":") or simple.lower() == element.tag


def _has_attribute(element: Element, simple: str) -> bool:
    found = _ATTRIBUTE.fullmatch(simple)
    if found is None or found[1].lower() not in element.attributes:
        return False
    there, wanted = element.attributes[found[1].lower()], found[3] or ""
    return {None: True, "=": there == wanted, "~=": wanted in there.split(), "*=": wanted in there,
            "^=": there.startswith(wanted), "$=": there.endswith(wanted),
            "|=": there == wanted or there.startswith(f"{wanted}-")}[found[2]]


def _apart(name: str, value: str) -> list[tuple[str, str]]:
    if name == "font":
        found = _SIZE_IN_FONT.search(f" {value} ")
        return [("font-size", found[1]), *([("line-height", found[2])] if found[2] else [])] if found else []
    if name == "background":
        return [("background-color", colours.first(value) or ("transparent" if "var(" not in value else value)),
                ("background-image", "url" if "url(" in value or "gradient(" in value else "none")]
    if name == "inset":
        return list(zip(("top", "right", "bottom", "left"), _four(value), strict=True))
    if name in ("margin", "padding"):
        return [(f"{name}-{side}", each) for side, each in
                zip(("top", "right", "bottom", "left"), _four(value), strict=True)]
    if name in ("overflow-x", "overflow-y"):
        return [("overflow", value)]
    return [("text-decoration", value)] if name == "text-decoration-line" else [(name, value)]


def _four(value: str) -> list[str]:
    words = value.split()
    return [words[0], words[1 % len(words)], words[2 if len(words) > 2 else 0],
            words[3 if len(words) > 3 else 1 % len(words)]]
