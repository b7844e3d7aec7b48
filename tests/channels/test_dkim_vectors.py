"""The DKIM vectors: our canonical forms give the hashes and signatures that another signer made."""

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from mailer.channels.email.dkim import OVERSIGNED, canonical_body, canonical_head
from tests.channels.dkim_world import tags

FOLDER = Path(__file__).parents[1] / "vectors"
FILE = json.loads((FOLDER / "dkim.json").read_text(encoding="utf-8"))


def split(path: str) -> tuple[list[bytes], bytes]:
    raw = (FOLDER / path).read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    head, _, body = raw.partition(b"\r\n\r\n")
    return re.split(rb"\r\n(?![ \t])", head), body


def is_right(field: bytes, fields: list[bytes], body: bytes) -> bool:
    """Whether a signature is right, worked out from our canonical forms."""
    said = tags(field)
    text = canonical_body(body)
    if "l" in said:
        text = text[:int(said["l"])]
    if base64.b64encode(hashlib.sha256(text).digest()).decode() != said["bh"]:
        return False
    left = canonical_head(b"\r\n".join(fields))[1]
    chosen = []
    for name in said["h"].lower().split(":"):
        found = [each for each in left if each.startswith(name.encode() + b":")][-1:]
        chosen += found
        left = [each for each in left if each not in found]
    bare = re.sub(rb"([;\s]b\s*=)[^;]*", rb"\1", field)
    return verifies(said, b"".join([*chosen, canonical_head(bare)[1][0].removesuffix(b"\r\n")]))


def verifies(said: dict[str, str], data: bytes) -> bool:
    record = FILE["dns"][f"{said['s']}._domainkey.{said['d']}."]
    public, signature = base64.b64decode(record.partition("p=")[2]), base64.b64decode(said["b"])
    try:
        if said["a"] == "ed25519-sha256":
            Ed25519PublicKey.from_public_bytes(public).verify(signature, hashlib.sha256(data).digest())
        else:
            key = load_der_public_key(public)
            assert isinstance(key, RSAPublicKey)
            key.verify(signature, data, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


@pytest.mark.parametrize("case", FILE["vectors"], ids=lambda case: Path(case["file"]).stem)
def test_our_canonical_forms_agree_with_the_vectors(case: dict[str, Any]) -> None:
    fields, body = split(case["file"])
    signatures = [field for field in fields if field.lower().startswith(b"dkim-signature:")]
    others = [field for field in fields if field not in signatures]
    assert any(is_right(field, others, body) for field in signatures) == case["dkim_pass"]


def test_what_the_vectors_warn_of_we_oversign() -> None:
    assert {b"list-unsubscribe", b"list-unsubscribe-post", b"from"} <= set(OVERSIGNED)
