"""Signed papers that anybody can check without us: a JSON file part by part, and a printed sheet line by line.

Each part, or line, has its own digest and the signature (Ed25519, RFC 8032) is over all of them, so that what was
changed can be named. A JSON file is written in one way only: sorted, indented by one space, in ASCII.
"""

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "mailer paper 1"
KEY_FILE = "mailer paper key 1"
TRAILER = b"\n<!-- mailer paper "
END = b" -->\n"
SHORT = 16
"""Hexadecimal digits of a line's digest, which only names the line; the signature is over whole ones."""

Sign = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Checked:
    """Whether a paper is as it was signed; `what` names the first thing that is not. `key` signed it (base64)."""

    ok: bool
    what: str = ""
    key: str = ""


def sign_json(parts: Mapping[str, Any], sign: Sign, public_key: bytes) -> bytes:
    """A file of these parts, each of which may be any JSON, with their digests and the signature."""
    digests = {name: sha256(_written(part)).hexdigest() for name, part in parts.items()}
    return _written({
        "format": FORMAT, "parts": dict(parts), "digests": digests, "key": _text(public_key),
        "signature": _text(sign(_signed(f"{name}={digest}" for name, digest in sorted(digests.items()))))})


def sign_sheet(html: str, sign: Sign, public_key: bytes) -> bytes:
    """The sheet with a comment behind it that holds each line's digest, the key and the signature."""
    body = html.encode()
    lines = [sha256(line).hexdigest() for line in body.split(b"\n")]
    seal = {"format": FORMAT, "lines": [line[:SHORT] for line in lines], "key": _text(public_key),
            "signature": _text(sign(_signed(lines)))}
    return body + TRAILER + json.dumps(seal, sort_keys=True, separators=(",", ":")).encode() + END


def check(content: bytes, trusted: Sequence[str] = ()) -> Checked:
    """Check a paper of either kind; with `trusted` keys (base64) only those count, else the one it names."""
    try:
        checked = _check_sheet(content) if TRAILER in content else _check_json(content)
    except json.JSONDecodeError as error:
        return Checked(False, f"byte {error.pos}")
    except UnicodeDecodeError as error:
        return Checked(False, f"byte {error.start}")
    except (ValueError, KeyError, TypeError, AttributeError):
        return Checked(False, "the file: it is not whole, or no paper of ours")
    if checked.ok and trusted and checked.key not in trusted:
        return Checked(False, "the key: it is not in your key file", checked.key)
    return checked


def key_file(keys: Iterable[bytes]) -> str:
    """The public keys as they are published, one a line, the newest first."""
    return "\n".join([KEY_FILE, *(_text(key) for key in keys)]) + "\n"


def read_key_file(text: str) -> list[str]:
    """The keys of a published key file; empty where it is none."""
    head, *keys = text.split("\n")
    return [key.strip() for key in keys if key.strip()] if head.strip() == KEY_FILE else []


def _check_json(content: bytes) -> Checked:
    paper = json.loads(content)
    parts, digests, key = paper["parts"], paper["digests"], str(paper["key"])
    for name in sorted({*parts, *digests}):
        if name not in parts or name not in digests or sha256(_written(parts[name])).hexdigest() != digests[name]:
            return Checked(False, f"the part “{name}”", key)
    if paper["format"] != FORMAT or set(paper) != {"format", "parts", "digests", "key", "signature"}:
        return Checked(False, "the format", key)
    written = _written(paper)
    if written != content:
        place = next((at for at, (one, other) in enumerate(zip(written, content, strict=False)) if one != other),
                     min(len(written), len(content)))
        return Checked(False, f"byte {place}", key)
    return _signature(key, paper["signature"], (f"{name}={digest}" for name, digest in sorted(digests.items())))


def _check_sheet(content: bytes) -> Checked:
    body, _, tail = content.rpartition(TRAILER)
    if not tail.endswith(END):
        return Checked(False, "the seal behind the sheet")
    seal = json.loads(tail.removesuffix(END))
    if json.dumps(seal, sort_keys=True, separators=(",", ":")).encode() + END != tail or seal["format"] != FORMAT:
        return Checked(False, "the seal behind the sheet")
    lines, key = [sha256(line).hexdigest() for line in body.split(b"\n")], str(seal["key"])
    for number, (found, said) in enumerate(zip(lines, seal["lines"], strict=False), 1):
        if found[:SHORT] != said:
            return Checked(False, f"line {number}", key)
    if len(lines) != len(seal["lines"]):
        return Checked(False, f"line {min(len(lines), len(seal['lines'])) + 1}", key)
    return _signature(key, seal["signature"], lines)


def _signature(key: str, signature: str, digests: Iterable[str]) -> Checked:
    try:
        Ed25519PublicKey.from_public_bytes(_octets(key)).verify(_octets(signature), _signed(digests))
    except (InvalidSignature, ValueError):
        return Checked(False, "the signature, or the key beside it", key)
    return Checked(True, key=key)


def _signed(digests: Iterable[str]) -> bytes:
    return "\n".join((FORMAT, *digests)).encode()


def _written(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, indent=1).encode() + b"\n"


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


def _octets(text: str) -> bytes:
    """Raises: ValueError, also where the same octets could be written in another way."""
    try:
        octets = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error
    if _text(octets) != text:
        raise ValueError("not the one way of writing it")
    return octets
