"""Colours of CSS and the contrast between two of them (WCAG 2.2 §1.4.3)."""

import re
from typing import NamedTuple


class Colour(NamedTuple):
    """Red, green and blue from 0 to 255, and how much of it is there."""

    red: float
    green: float
    blue: float
    alpha: float = 1.0

    @property
    def rgb(self) -> tuple[float, float, float]:
        return self.red, self.green, self.blue

    def over(self, ground: "Colour") -> "Colour":
        """What is seen where it lies on a ground that nothing shines through."""
        mixed = [mine * self.alpha + below * (1 - self.alpha) for mine, below in zip(self.rgb, ground.rgb, strict=True)]
        return Colour(mixed[0], mixed[1], mixed[2])

    def faded(self, opacity: float) -> "Colour":
        """The same colour with less of it."""
        return self._replace(alpha=self.alpha * opacity)


CLEAR = Colour(0, 0, 0, 0)
NAMES = {
    "black": Colour(0, 0, 0), "white": Colour(255, 255, 255), "silver": Colour(192, 192, 192),
    "gray": Colour(128, 128, 128), "grey": Colour(128, 128, 128), "red": Colour(255, 0, 0),
    "maroon": Colour(128, 0, 0), "yellow": Colour(255, 255, 0), "olive": Colour(128, 128, 0),
    "lime": Colour(0, 255, 0), "green": Colour(0, 128, 0), "aqua": Colour(0, 255, 255), "cyan": Colour(0, 255, 255),
    "teal": Colour(0, 128, 128), "blue": Colour(0, 0, 255), "navy": Colour(0, 0, 128),
    "fuchsia": Colour(255, 0, 255), "purple": Colour(128, 0, 128), "orange": Colour(255, 165, 0),
    "whitesmoke": Colour(245, 245, 245), "lightgray": Colour(211, 211, 211), "lightgrey": Colour(211, 211, 211),
    "gainsboro": Colour(220, 220, 220), "darkgray": Colour(169, 169, 169), "darkgrey": Colour(169, 169, 169),
    "dimgray": Colour(105, 105, 105), "dimgrey": Colour(105, 105, 105), "ivory": Colour(255, 255, 240),
    "transparent": CLEAR,
}
_FUNCTION = re.compile(r"(rgb|hsl)a?\(([^)]*)\)")
_HEX = re.compile(r"#([0-9a-f]{8}|[0-9a-f]{6}|[0-9a-f]{3,4})(?![0-9a-f])")


def read(value: str) -> Colour | None:
    """The colour that a value names, None where it names none that can be told."""
    value = value.strip().lower()
    if found := _HEX.fullmatch(value):
        digits = found[1] if len(found[1]) > 4 else "".join(digit * 2 for digit in found[1])
        channels = [int(digits[at:at + 2], 16) for at in range(0, len(digits), 2)]
        return Colour(channels[0], channels[1], channels[2], channels[3] / 255 if len(channels) > 3 else 1.0)
    if found := _FUNCTION.fullmatch(value):
        return _called(found[1], re.split(r"[\s,/]+", found[2].strip()))
    return NAMES.get(value)


def first(value: str) -> str:
    """The part of a `background` that is its colour, empty where there is none."""
    found = _FUNCTION.search(value.lower()) or _HEX.search(value.lower())
    return found[0] if found else next((word for word in value.lower().split() if word in NAMES), "")


def contrast(front: Colour, ground: Colour) -> float:
    """From 1 to 21."""
    light, dark = sorted((_luminance(front.over(ground)), _luminance(ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _called(name: str, parts: list[str]) -> Colour | None:
    try:
        alpha = _share(parts[3], 1) if len(parts) > 3 else 1.0
        if name == "rgb":
            return Colour(_share(parts[0], 255), _share(parts[1], 255), _share(parts[2], 255), alpha)
        hue, deep, light = float(parts[0].removesuffix("deg")), _share(parts[1], 1), _share(parts[2], 1)
    except (ValueError, IndexError):
        return None
    return Colour(*(_of_hue(place, hue, deep, light) for place in (0, 8, 4)))._replace(alpha=alpha)


def _share(part: str, whole: float) -> float:
    return float(part[:-1]) / 100 * whole if part.endswith("%") else float(part)


def _of_hue(place: int, hue: float, deep: float, light: float) -> float:
    # CSS Color 4 §7.1.
    turn = (place + hue / 30) % 12
    return 255 * (light - deep * min(light, 1 - light) * max(-1, min(turn - 3, 9 - turn, 1)))


def _luminance(colour: Colour) -> float:
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
              for part in (each / 255 for each in colour.rgb)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
