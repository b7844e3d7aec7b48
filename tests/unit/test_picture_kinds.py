"""Pictures are known by their own first octets."""

import struct

import pytest

from mailer.content import pictures
from mailer.core.errors import InvalidInput

LOSSY = b"RIFF\x00\x00\x00\x00WEBPVP8 " + b"\x00" * 7 + b"\x9d\x01\x2a" + struct.pack("<HH", 640, 480)
LOSSLESS = (b"RIFF\x00\x00\x00\x00WEBPVP8L\x00\x00\x00\x00\x2f" + (639 | 479 << 14).to_bytes(4, "little")
            + b"\x00" * 9)
EXTENDED = b"RIFF\x00\x00\x00\x00WEBPVP8X" + b"\x00" * 8 + (639).to_bytes(3, "little") + (479).to_bytes(3, "little")


@pytest.mark.parametrize("octets", [LOSSY, LOSSLESS, EXTENDED])
def test_every_kind_of_webp_tells_its_size(octets: bytes) -> None:
    """RFC 9649 §2.5 to §2.7."""
    assert pictures.inspect(octets) == pictures.Kind("image/webp", 640, 480)


@pytest.mark.parametrize("octets", [b"", b"<svg>", b"RIFF\x00\x00\x00\x00WEBPJUNK" + b"\x00" * 20, b"RIFF0000WEBP"])
def test_anything_else_is_refused(octets: bytes) -> None:
    with pytest.raises(InvalidInput):
        pictures.inspect(octets)
