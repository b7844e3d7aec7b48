"""Looking for people where nobody may be found: every way in which an address or a name could lie in some bytes."""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

GRAM = 6
SHORTEST = 9
"""Octets of the shortest needle: the least that a made-up name has (decision 40)."""

STRIDE = SHORTEST - GRAM + 1
"""Looking at every fourth place is enough: each needle holds a whole gram at one of them."""

CHUNK = 1 << 22


def disguises(word: str) -> Iterator[bytes]:
    """A word in clear, hex, base64 in three alignments, UTF-16, backwards, and as an unkeyed hash."""
    plain = word.encode()
    for octets in (plain, *(hashlib.new(name, plain).digest() for name in ("md5", "sha1", "sha256"))):
        yield octets
        yield octets.hex().encode()
        yield octets.hex().upper().encode()
    for alignment in range(3):
        coded = base64.b64encode(bytes(alignment) + plain)
        inside = coded[(8 * alignment + 5) // 6:8 * (alignment + len(plain)) // 6]
        yield inside
        yield inside.translate(bytes.maketrans(b"+/", b"-_"))
    yield word.encode("utf-16-le")
    yield word.encode("utf-16-be")
    yield plain[::-1]


class Needles:
    """Every disguise of many words, found in one pass whatever their number."""

    def __init__(self, words: Iterable[str]) -> None:
        self._by_gram: dict[bytes, set[bytes]] = {}
        self._longest = 0
        for word in words:
            for needle in disguises(word):
                assert len(needle) >= SHORTEST, word
                self._longest = max(self._longest, len(needle))
                for at in range(STRIDE):
                    self._by_gram.setdefault(needle[at:at + GRAM], set()).add(needle)

    def within(self, octets: bytes) -> set[bytes]:
        """The needles that lie in these octets."""
        grams = self._by_gram
        found: set[bytes] = set()
        for at in range(0, len(octets) - GRAM + 1, STRIDE):
            if octets[at:at + GRAM] in grams:
                around = octets[max(0, at - STRIDE):at + self._longest]
                found.update(each for each in grams[octets[at:at + GRAM]] if each in around)
        return found

    def within_file(self, path: Path) -> set[bytes]:
        """The needles that lie in this file, a few megabytes at a time."""
        found: set[bytes] = set()
        with path.open("rb") as file:
            rest = b""
            while chunk := file.read(CHUNK):
                if chunk.count(0) < len(chunk):
                    found |= self.within(rest + chunk)
                rest = chunk[-self._longest:]
        return found
