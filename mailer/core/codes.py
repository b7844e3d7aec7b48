"""Codes that people type from a page or a letter: Crockford's base 32 with a check character (decision 26).

Eight random characters, 40 bits, and one by Luhn mod 32, which shows every single wrong character and every swap of
two neighbours but one pair (0 and Z). No I, L, O or U; O is read as 0, I and L as 1.
"""

import unicodedata

from mailer.core.errors import InvalidInput
from mailer.core.tokens import Tokens

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 9
GROUP = 3
LONGEST_TYPED = 40
"""Characters that are looked at: a code, and hyphens and spaces as people put them."""

_ALIKE = str.maketrans("OIL", "011")
UNKNOWN = "We do not know this code. It is 9 characters."


def new(tokens: Tokens) -> str:
    """A code of 9 characters from 40 random bits."""
    bits = int.from_bytes(tokens.random_bytes(5), "big")
    return complete("".join(ALPHABET[bits >> 5 * place & 31] for place in range(LENGTH - 1)))


def complete(first: str) -> str:
    """These characters with their check character (ISO/IEC 7812-1 annex B, carried over to 32 characters)."""
    return first + ALPHABET[-_sum(first, 2) % 32]


def shown(code: str) -> str:
    """A code as it is printed: three by three."""
    return "-".join(code[at:at + GROUP] for at in range(0, len(code), GROUP))


def read(raw: str) -> str:
    """What somebody typed, as a code; case, hyphens and spaces do not matter.

    Raises: InvalidInput naming `code` for anything else, without a hint at where it slipped.
    """
    typed = "".join(letter for letter in raw[:LONGEST_TYPED + 1] if not _between(letter))
    code = typed.upper().translate(_ALIKE) if typed.isascii() else ""
    if len(raw) > LONGEST_TYPED or len(code) != LENGTH or not set(code) <= set(ALPHABET) or _sum(code, 1) % 32:
        raise InvalidInput(field="code", why=UNKNOWN)
    return code


def _between(letter: str) -> bool:
    return letter.isspace() or unicodedata.category(letter) == "Pd"


def _sum(code: str, factor: int) -> int:
    """The numbers of the characters from the right, by `factor` and the other of 1 and 2 in turn; two digits count
    each for itself.
    """
    total = 0
    for letter in reversed(code):
        total += sum(divmod(ALPHABET.index(letter) * factor, 32))
        factor = 3 - factor
    return total
