"""Card numbers are taken nowhere (promise C7): this is how one is told from other digits."""

import re

RUN = re.compile(r"(?<!\d)\d(?:[ .\-\u2010-\u2015]?\d){12,18}(?!\d)")
PREFIXES = re.compile(r"3[0478]|3[5689]|4|5[0-9]|6|2[2-7]|1800")
"""First digits that card schemes use (ISO/IEC 7812-1); other long numbers are left alone (decision 34)."""


def holds_card_number(text: str) -> bool:
    """Whether 13 to 19 digits with a card's prefix and a valid check digit stand in it (ISO/IEC 7812-1 annex B)."""
    return any(_is_card("".join(letter for letter in run if letter.isdigit())) for run in RUN.findall(text))


def _is_card(digits: str) -> bool:
    if not PREFIXES.match(digits):
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
