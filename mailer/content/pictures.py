"""Pictures of campaigns: the same file for everybody, found by its SHA-256, so that no address tells who looked."""

import struct
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from mailer.content.models import Picture
from mailer.context import Context
from mailer.core.errors import InvalidInput, NotFound

LARGEST = 2_000_000
WIDEST = 6000
JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
JPEG_BARE = frozenset(range(0xD0, 0xDA)) | {0x01}


@dataclass(frozen=True)
class Kind:
    """What a file is by its own first octets, whatever its name says."""

    media_type: str
    width: int
    height: int


def store(ctx: Context, octets: bytes) -> Picture:
    """Keep a PNG, JPEG, GIF or WebP of at most 2 MB and 6,000 pixels a side; the same picture is kept once.

    Raises: InvalidInput.
    """
    if len(octets) > LARGEST:
        raise InvalidInput(field="picture", why="is larger than 2 MB")
    kind = inspect(octets)
    if not 0 < kind.width <= WIDEST or not 0 < kind.height <= WIDEST:
        raise InvalidInput(field="picture", why="is wider or higher than 6,000 pixels")
    digest = sha256(octets).digest()
    kept = select(Picture).where(Picture.sha256 == digest)
    return ctx.db.scalars(kept).first() or ctx.db.scalars(insert(Picture).values(
        sha256=digest, media_type=kind.media_type, width=kind.width, height=kind.height, octets=octets,
        created_at=ctx.clock.now()).on_conflict_do_nothing().returning(Picture)).first() or ctx.db.scalars(kept).one()


def by_sha256(ctx: Context, digest: bytes) -> Picture:
    """A picture by its SHA-256. Raises: NotFound."""
    picture = ctx.db.scalars(select(Picture).where(Picture.sha256 == digest)).first()
    if picture is None:
        raise NotFound(picture=digest.hex())
    return picture


def inspect(octets: bytes) -> Kind:
    """Type and size in pixels, from the file's own header. Raises: InvalidInput for anything else (SVG can script)."""
    if octets.startswith(b"\x89PNG\r\n\x1a\n") and octets[12:16] == b"IHDR" and len(octets) >= 24:
        return Kind("image/png", *struct.unpack(">II", octets[16:24]))
    if octets[:6] in (b"GIF87a", b"GIF89a") and len(octets) >= 10:
        return Kind("image/gif", *struct.unpack("<HH", octets[6:10]))
    if octets.startswith(b"\xff\xd8"):
        return _jpeg(octets)
    if octets[:4] == b"RIFF" and octets[8:12] == b"WEBP" and len(octets) >= 30:
        return _webp(octets)
    raise InvalidInput(field="picture", why="is not a PNG, JPEG, GIF or WebP")


def _jpeg(octets: bytes) -> Kind:
    """Walk the segments to the frame header (ITU-T T.81 §B.2.2)."""
    place = 2
    while place + 9 < len(octets) and octets[place] == 0xFF:
        marker = octets[place + 1]
        if marker in JPEG_SIZES:
            height, width = struct.unpack(">HH", octets[place + 5:place + 9])
            return Kind("image/jpeg", width, height)
        if marker == 0xFF:
            place += 1
        elif marker in JPEG_BARE:
            place += 2
        else:
            place += 2 + int.from_bytes(octets[place + 2:place + 4], "big")
    raise InvalidInput(field="picture", why="is not a whole JPEG")


def _webp(octets: bytes) -> Kind:
    """The canvas of the first chunk: lossy, lossless or extended (RFC 9649 §2.5 to §2.7)."""
    chunk = octets[12:16]
    if chunk == b"VP8 " and octets[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", octets[26:30])
        return Kind("image/webp", width & 0x3FFF, height & 0x3FFF)
    if chunk == b"VP8L" and octets[20] == 0x2F:
        bits = int.from_bytes(octets[21:25], "little")
        return Kind("image/webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if chunk == b"VP8X":
        return Kind("image/webp", int.from_bytes(octets[24:27], "little") + 1,
                    int.from_bytes(octets[27:30], "little") + 1)
    raise InvalidInput(field="picture", why="is not a whole WebP")
