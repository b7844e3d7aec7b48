"""Ways to keep an element from being seen or pressed, each told from its styles."""

import re
from collections.abc import Iterator
from enum import StrEnum

from mailer.channels.email.prominence import colours, lengths
from mailer.channels.email.prominence.eye import Eye
from mailer.channels.email.prominence.tree import Element


class Fault(StrEnum):
    """Why a way out is not easily noticed."""

    MISSING = "missing"
    HIDDEN = "hidden"
    TINY = "tiny"
    LOW_CONTRAST = "low_contrast"
    OFF_SCREEN = "off_screen"
    VAGUE = "vague"
    IMAGE_ONLY = "image_only"
    FAR_DOWN = "far_down"
    MISSING_IN_TEXT = "missing_in_text"
    FAR_DOWN_IN_TEXT = "far_down_in_text"
    COVERED = "covered"
    SWAPPED = "swapped"
    GUILT = "guilt"
    CUT_OFF = "cut_off"


SMALLEST = 12.0
"""Pixels of a font that is read without effort; what real footers are set in begins there."""
LEAST_CONTRAST, LARGE_CONTRAST, LARGE = 4.5, 3.0, 24.0
"""WCAG 2.2 §1.4.3."""
LEAST_OPACITY = 0.4
AWAY, FAR = 50.0, 600.0
_CLIPPED = re.compile(r"hidden|clip|scroll|auto")
_MOVE = re.compile(r"(translate[xy]?|scale[xy]?|rotate[xy]?|matrix|skew[xy]?)\(([^)]*)\)")


def on(eye: Eye, element: Element) -> Iterator[Fault]:
    """What is wrong with the text of an element, from itself up to the page."""
    if not eye.is_there(element):
        yield Fault.HIDDEN
        return
    if eye.said(element, "visibility", "visible") != "visible" or eye.opacity(element) < LEAST_OPACITY:
        yield Fault.HIDDEN
    if _is_small(eye, element):
        yield Fault.TINY
    if _is_pale(eye, element):
        yield Fault.LOW_CONTRAST
    if abs(lengths.pixels(eye.said(element, "text-indent", "0"), em=eye.font_size(element)) or 0) >= AWAY:
        yield Fault.OFF_SCREEN
    for each in element.up():
        yield from _of_box(eye, each)


def _is_small(eye: Eye, element: Element) -> bool:
    size = eye.font_size(element)
    if size < SMALLEST:
        return True
    spaced = lengths.pixels(eye.said(element, "letter-spacing", "0"), em=size) or 0.0
    value = eye.said(element, "line-height", "normal")
    bare = lengths.pixels(value, em=size, whole=size)
    high = None if bare is None else bare * size if re.fullmatch(r"[\d.]+", value) else bare
    return spaced < -0.2 * size or high is not None and high < 0.7 * size


def _is_pale(eye: Eye, element: Element) -> bool:
    front, ground = eye.colour(element), eye.ground(element)
    if front is None or ground is None:
        return True
    wanted = LARGE_CONTRAST if eye.font_size(element) >= LARGE else LEAST_CONTRAST
    return colours.contrast(front.faded(eye.opacity(element)), ground) < wanted


def _of_box(eye: Eye, element: Element) -> Iterator[Fault]:
    own = eye.style(element)
    em = eye.font_size(element)
    if own.get("mso-hide") == "all" or own.get("content-visibility") == "hidden" or own.get("mask", "none") != "none":
        yield Fault.HIDDEN
    if re.search(r"opacity\(\s*0?\.?[0-3]?\d*%?\s*\)|blur\((?!0)", own.get("filter", "")):
        yield Fault.HIDDEN
    if own.get("clip", "auto") != "auto" or own.get("clip-path", "none") != "none" or "-webkit-line-clamp" in own:
        yield Fault.OFF_SCREEN
    if _is_clipped(own, em) or _is_moved(own, em):
        yield Fault.OFF_SCREEN
    yield from _transformed(own.get("transform", ""), em)
    if own.get("pointer-events") == "none" or own.get("z-index", "0").startswith("-"):
        yield Fault.COVERED
    if (lengths.pixels(own.get("margin-bottom", "0"), em=em) or 0) <= -10:
        yield Fault.COVERED
    if any((lengths.pixels(own.get(name, "0"), em=em) or 0) >= FAR for name in ("margin-top", "padding-top")):
        yield Fault.FAR_DOWN


def _is_clipped(own: dict[str, str], em: float) -> bool:
    if not _CLIPPED.search(own.get("overflow", "visible")):
        return False
    high = [lengths.pixels(own.get(name, "auto"), em=em) for name in ("height", "max-height")]
    wide = [lengths.pixels(own.get(name, "auto"), em=em) for name in ("width", "max-width")]
    return any(each is not None and each < em for each in high) or any(
        each is not None and each < 5 * em for each in wide)


def _is_moved(own: dict[str, str], em: float) -> bool:
    def far(name: str) -> bool:
        return abs(lengths.pixels(own.get(name, "0"), em=em) or 0) >= AWAY

    if own.get("position", "static") != "static" and any(far(side) for side in ("left", "top", "right", "bottom")):
        return True
    margins = [lengths.pixels(own.get(f"margin-{side}", "0"), em=em) or 0 for side in ("left", "right", "top")]
    padding = lengths.pixels(own.get("padding-left", "0"), em=em) or 0
    return min(margins) <= -AWAY or margins[0] >= FAR or padding >= FAR


def _transformed(value: str, em: float) -> Iterator[Fault]:
    for name, given in _MOVE.findall(value):
        parts = [lengths.pixels(part.replace("deg", ""), em=em) or 0.0 for part in given.split(",")]
        if name.startswith("translate") and any(abs(part) >= AWAY for part in parts):
            yield Fault.OFF_SCREEN
        elif name.startswith("scale") and any(part < 0.75 for part in parts):
            yield Fault.TINY
        elif not name.startswith(("translate", "scale")) and any(abs(part) > 1 for part in parts):
            yield Fault.HIDDEN
