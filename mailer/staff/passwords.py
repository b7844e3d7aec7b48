"""Which passwords we take, and how we keep them: argon2id alone (RFC 9106; OWASP ASVS 5.0, appendix C)."""

import re
from collections.abc import Iterable
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

from mailer.core.errors import InvalidInput
from mailer.core.tokens import Tokens

SHORTEST, LONGEST = 8, 128
MEMORY_KIB, PASSES, LANES = 19456, 2, 1

HASHER = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES, hash_len=32, type=Type.ID)

WORDS = """
    password passwort motdepasse contrasena wachtwoord kennwort administrator welcome welcome1 letmein changeme
    secret default iloveyou princess football baseball basketball superman batman sunshine trustno1 whatever
    dragon monkey shadow master michael jennifer jordan hunter starwars pokemon computer internet samsung
    qwerty qwertyui qwertyuiop qwertz qwertzui qwertzuiop azerty azertyui asdfghjk asdfghjkl asdfasdf zxcvbnm
    yxcvbnm qazwsx qazwsxedc 1q2w3e4r 1q2w3e4r5t 1qaz2wsx zaq12wsx q1w2e3r4 abcdefgh abcd1234 abc12345
    12345678 123456789 1234567890 87654321 987654321 11111111 00000000 88888888 12341234 11223344
    newsletter mailer mailings
"""
"""The passwords that others try first."""

COMMON = frozenset(WORDS.split())
"""Alone, or with digits and signs around them, they make no password."""


def check(password: str, known: Iterable[str] = ()) -> str:
    """The password, when we take it; `known` are words that are easy to guess here (organisation, name, e-mail).

    Raises: InvalidInput naming the field `password`.
    """
    if len(password) < SHORTEST:
        raise InvalidInput(field="password", why=f"Use at least {SHORTEST} characters.")
    if len(password) > LONGEST:
        raise InvalidInput(field="password", why=f"Use at most {LONGEST} characters.")
    plain = password.casefold()
    bare = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", plain)
    if plain in COMMON or bare in COMMON or len(set(plain)) < 4:
        raise InvalidInput(field="password", why="This password is among the first that others would try.")
    parts = {part for word in known for part in re.split(r"[\W_]+", word.casefold()) if len(part) >= 4}
    if bare in parts or re.sub(r"[\W\d_]+", "", plain) in {"".join(re.split(r"[\W_]+", w.casefold())) for w in known}:
        raise InvalidInput(field="password", why="Use something other than your name, email or organisation.")
    return password


def hashed(tokens: Tokens, password: str) -> str:
    """The argon2id hash to keep, with its parameters and a salt of 16 octets."""
    return HASHER.hash(password, salt=tokens.random_bytes(16))


def fits(kept: str | None, password: str) -> bool:
    """Whether the password is the one kept; takes as long when there is none to compare with."""
    try:
        HASHER.verify(kept or _nobodys(), password[:LONGEST])
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


def is_outdated(kept: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return HASHER.check_needs_rehash(kept)


@cache
def _nobodys() -> str:
    return HASHER.hash("nobody's password", salt=bytes(16))
