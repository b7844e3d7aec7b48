"""What a reader sees of an element in one look: whether, how large, in which colour, on which ground."""

from mailer.channels.email.prominence import colours, lengths
from mailer.channels.email.prominence.colours import Colour
from mailer.channels.email.prominence.css import Look, Rule, style
from mailer.channels.email.prominence.tree import UNSEEN, Document, Element

BODY = 16.0
_HEADINGS = {"h1": 2.0, "h2": 1.5, "h3": 1.17, "small": 0.83, "sub": 0.83, "sup": 0.83}


class Eye:
    """Looks at one document in one way."""

    def __init__(self, document: Document, known: list[Rule], look: Look) -> None:
        self._known, self.look = known, look
        self._styles: dict[int, dict[str, str]] = {}
        self._sizes: dict[int, float] = {}
        said = "".join(each.attributes.get("content", "") for each in document.root.walk()
                       if each.tag == "meta" and "color-scheme" in each.attributes.get("name", ""))
        self._dark = look.dark and ("dark" in said or any("color-scheme" in sheet and "dark" in sheet.split(
            "color-scheme", 1)[1].split(";")[0] and "prefers-color-scheme" not in sheet for sheet in document.sheets))

    def style(self, element: Element) -> dict[str, str]:
        """What is set on the element itself."""
        if id(element) not in self._styles:
            self._styles[id(element)] = style(element, self._known, self.look)
        return self._styles[id(element)]

    def said(self, element: Element, name: str, usual: str = "") -> str:
        """The value of a property that is handed down."""
        for each in element.up():
            value = self.style(each).get(name)
            if value and value not in ("inherit", "unset"):
                return value
        return usual

    def font_size(self, element: Element) -> float:
        """In pixels; 0 where it cannot be told."""
        if id(element) not in self._sizes:
            above = self.font_size(element.parent) if element.parent else BODY
            value = self.style(element).get("font-size")
            tagged = lengths.of_font_tag(element.attributes.get("size", "")) if element.tag == "font" else None
            self._sizes[id(element)] = lengths.font_size(value, above) if value else (
                tagged or above * _HEADINGS.get(element.tag, 1.0))
        return self._sizes[id(element)]

    def opacity(self, element: Element) -> float:
        """How much of it shows, from 0 to 1."""
        left = 1.0
        for each in element.up():
            found = lengths.pixels(self.style(each).get("opacity", "1"), whole=1)
            left *= min(max(found if found is not None else 1.0, 0.0), 1.0)
        return left

    def colour(self, element: Element) -> Colour | None:
        """The colour of its text; None where it cannot be told."""
        for each in element.up():
            own = self.style(each)
            value = own.get("-webkit-text-fill-color") or own.get("color") or (
                each.attributes.get("color", "") if each.tag == "font" else "") or (
                each.attributes.get("text", "") if each.tag == "body" else "")
            if value and value not in ("inherit", "unset", "currentcolor"):
                return colours.read(value)
            if each.tag == "a" and "href" in each.attributes and not value:
                return self._of_links(each)
        return Colour(255, 255, 255) if self._dark else Colour(0, 0, 0)

    def ground(self, element: Element) -> Colour | None:
        """What its text stands on; None where it is a picture or cannot be told."""
        above: list[Colour] = []
        for each in element.up():
            own = self.style(each)
            if own.get("background-image", "none") not in ("none", "initial") or each.attributes.get("background"):
                return None
            value = own.get("background-color") or each.attributes.get("bgcolor", "")
            found = colours.read(value) if value and value not in ("inherit", "initial", "unset") else colours.CLEAR
            if found is None:
                return None
            above.append(found)
            if found.alpha >= 1:
                break
        ground = Colour(18, 18, 18) if self._dark else Colour(255, 255, 255)
        for each_colour in reversed(above):
            ground = each_colour.over(ground)
        return ground

    def underlined(self, element: Element) -> bool:
        """Whether a link can be told from the words around it by a line or by its weight."""
        own = self.style(element)
        marks = own.get("border-bottom", own.get("border", "none")), own.get("background-color", "transparent")
        return ("none" not in own.get("text-decoration", "underline") or marks[0].split()[:1] not in (["none"], ["0"])
                or marks[1] != "transparent" or self.said(element, "font-weight") in ("bold", "bolder", "600", "700"))

    def is_there(self, element: Element) -> bool:
        """Whether any of it is laid out at all."""
        return not any(each.tag in UNSEEN or "hidden" in each.attributes
                       or self.style(each).get("display", "").startswith("none") for each in element.up())

    def _of_links(self, element: Element) -> Colour | None:
        body = next((each for each in element.up() if each.tag == "body"), None)
        if body is not None and body.attributes.get("link"):
            return colours.read(body.attributes["link"])
        return Colour(158, 158, 255) if self._dark else Colour(0, 0, 238)
