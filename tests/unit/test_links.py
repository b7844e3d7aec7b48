"""Tokens made in sets are the tokens made one by one."""

import base64

import pytest
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from hypothesis import given
from hypothesis import strategies as st

from mailer.core.errors import BadToken
from mailer.core.links import LENGTH, MAILED, Claim, Link, LinkSigner, base32, cmac_many
from mailer.core.vault import KeyRing

OLD, RING = KeyRing({1: b"a" * 32}), KeyRing({1: b"a" * 32, 7: b"b" * 32})
IDS = st.integers(0, (1 << 63) - 1)


@given(st.lists(st.binary(min_size=5, max_size=5), max_size=300).map(b"".join))
def test_any_number_of_groups_of_five_octets_is_the_base32_of_the_standard_library(octets: bytes) -> None:
    """RFC 4648 §6, in lower case."""
    assert base32(octets) == base64.b32encode(octets).lower()


@given(st.binary(min_size=32, max_size=32), st.lists(st.binary(min_size=16, max_size=16), max_size=20),
       st.lists(st.binary(min_size=1, max_size=15), max_size=6))
def test_macs_made_in_a_set_are_those_of_the_library(key: bytes, blocks: list[bytes], ends: list[bytes]) -> None:
    """AES-CMAC, RFC 4493."""
    one_by_one = [cmac(key, block + end) for block in blocks for end in ends]
    assert cmac_many(key, b"".join(blocks), ends) == b"".join(one_by_one)


def cmac(key: bytes, message: bytes) -> bytes:
    mac = CMAC(AES(key))
    mac.update(message)
    return mac.finalize()


def test_tokens_of_the_first_version_are_read_for_ever() -> None:
    token = "aeaqciv5f5ogz3pbeyjvcp2akxsld7rfu2qsc6woqozqshlzuwxzttem"
    assert LinkSigner(RING).read(token, Link.LEAVE) == Claim(Link.LEAVE, 1 << 62, 3)
    with pytest.raises(BadToken):
        LinkSigner(RING).read("aib" + token[3:], Link.LEAVE)


@given(st.lists(st.sampled_from(Link), max_size=8), st.lists(IDS, max_size=20), IDS)
def test_a_set_holds_what_sign_gives_for_each_person_and_link(links: list[Link], firsts: list[int], second: int
                                                              ) -> None:
    signer = LinkSigner(RING)
    assert signer.sign_many(links, firsts, second) == [
        [signer.sign(link, first, second).encode() for link in links] for first in firsts]


def test_tokens_of_a_set_are_read_as_what_they_were_made_for_and_as_nothing_else() -> None:
    signer = LinkSigner(RING)
    for link, token in zip(MAILED, signer.sign_many(MAILED, [12], 5)[0], strict=True):
        claim = signer.read(token.decode(), link)
        assert (claim.link, claim.first, claim.second, len(token)) == (link, 12, 5, LENGTH)
        with pytest.raises(BadToken):
            signer.read(token.decode(), *(set(Link) - {link}))


def test_tokens_made_before_a_new_key_are_read_after_it_and_new_ones_are_made_with_it() -> None:
    before, after = LinkSigner(OLD), LinkSigner(RING)
    token = before.sign_many([Link.LEAVE], [1 << 62], 3)[0][0].decode()
    assert after.read(token, Link.LEAVE).first == 1 << 62
    with pytest.raises(BadToken):
        before.read(after.sign_many([Link.LEAVE], [1], 3)[0][0].decode(), Link.LEAVE)
