"""Lengths of CSS in pixels, as far as they can be told."""

import re

_NUMBER = re.compile(r"([+-]?(?:\d*\.)?\d+)\s*([a-z%]*)")
_PIXELS = {"px": 1.0, "": 1.0, "pt": 96 / 72, "pc": 16.0, "in": 96.0, "cm": 96 / 2.54, "mm": 96 / 25.4, "rem": 16.0,
           "vw": 3.6, "vh": 6.0, "vmin": 3.6, "vmax": 6.0}
_SIZES = {"xx-small": 9.0, "x-small": 10.0, "small": 13.0, "medium": 16.0, "large": 18.0, "x-large": 24.0,
          "xx-large": 32.0, "xxx-large": 48.0}
_OF_FONT_TAG = {"1": 10.0, "2": 13.0, "3": 16.0, "4": 18.0, "5": 24.0, "6": 32.0, "7": 48.0}


def pixels(value: str, *, em: float = 16.0, whole: float = 600.0) -> float | None:
    """A length in pixels, a share of `whole` where it is one; None where it cannot be told (`auto`, `calc()`)."""
    found = _NUMBER.fullmatch(value.strip())
    if found is None:
        return None
    number, unit = float(found[1]), found[2]
    if unit in ("em", "ex", "ch"):
        return number * em * (1 if unit == "em" else 0.5)
    if unit == "%":
        return number / 100 * whole
    return number * _PIXELS[unit] if unit in _PIXELS else None


def font_size(value: str, above: float) -> float:
    """A font's size in pixels in text of that size; 0 where it cannot be told, so that nobody relies on it."""
    if value in ("inherit", "unset"):
        return above
    if value in ("smaller", "larger"):
        return above * (0.83 if value == "smaller" else 1.2)
    if value in _SIZES:
        return _SIZES[value]
    return pixels(value, em=above, whole=above) or 0.0


def of_font_tag(value: str) -> float | None:
    """The size that `<font size>` asks for."""
    return _OF_FONT_TAG.get(value.strip())
