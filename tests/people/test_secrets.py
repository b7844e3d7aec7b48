"""What a dump, the file of exits and the key file give away: nothing."""

import base64
import hashlib
import json
from pathlib import Path

import pytest

from mailer import keyfile, wiring
from mailer.consent import seal
from mailer.core.errors import KeyProblem
from mailer.core.reasons import Reason
from mailer.core.tokens import SystemTokens
from mailer.services import Services, unit_of_work
from mailer.suppression import registry
from tests.people.builders import a_list, ask, join
from tests.people.test_exits import dump, program

ADDRESSES = ("Vexillandra.Quorbyst@Mistholme.example", "ümlautkin.zephyrost@bücherwald.example")
NAME = "Quillonwick"


def disguises(word: str) -> dict[str, bytes]:
    """A word in the forms in which it could hide."""
    raw = word.encode()
    forms = {"clear": raw, "utf-16": word.encode("utf-16-le"), "reversed": raw[::-1], "hex": raw.hex().encode()}
    for shift in range(3):
        # Inside longer base64 the word stands at one of three places of a group; its middle is the same in each.
        whole = base64.b64encode(b"x" * shift + raw)
        forms[f"base64 {shift}"] = whole[4:-4]
    for name in ("md5", "sha1", "sha256"):
        digest = hashlib.new(name, raw).digest()
        forms |= {f"{name} hex": digest.hex().encode(), f"{name} base64": base64.b64encode(digest).rstrip(b"="),
                  f"{name} raw": digest}
    return forms


def canaries() -> dict[str, bytes]:
    words = {NAME, NAME.lower()}
    for address in ADDRESSES:
        words |= {address, address.lower(), address.split("@")[0], address.split("@")[0].lower(),
                  address.split("@")[1].lower(), address.encode("idna").decode() if address.isascii() else address}
    words |= {"xn--bcherwald-q9a.example"}
    return {f"{word} as {form}": value for word in words for form, value in disguises(word).items()}


def test_no_address_or_name_can_be_found_in_a_dump_or_in_the_file_of_exits(services: Services, tmp_path: Path) -> None:
    """Promise section 3, 4: a dump and a dictionary without the key find nobody."""
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx)
        points = [join(ctx, address, made.id, topics) for address in ADDRESSES]
        ask(ctx, f"pending.{ADDRESSES[0]}", made.id, topics)
        registry.suppress(ctx, channel="email", fingerprint=points[0].fingerprint, reason=Reason.UNSUBSCRIBED)
        seal.seal_batch(ctx)
    dump(services, tmp_path / "dump")
    program("pg_restore", "--file", str(tmp_path / "plain.sql"), str(tmp_path / "dump"))
    plain = (tmp_path / "plain.sql").read_bytes()
    exits = b"".join(path.read_bytes() for path in wiring.exits_folder(services.settings).iterdir())
    assert points[0].fingerprint.hex().encode() in plain and points[0].fingerprint.hex().encode() in exits
    assert found_in(plain, exits) == []
    # The search itself works: it finds every form once it is there, in the clear or as PostgreSQL prints octets.
    planted = b" ".join(value if n % 2 else value.hex().encode() for n, value in enumerate(canaries().values()))
    assert set(found_in(planted)) == set(canaries())


def found_in(*stores: bytes) -> list[str]:
    return [name for name, value in canaries().items()
            if any(form in store for store in stores for form in (value, value.hex().encode()))]


def test_two_installations_give_one_address_two_fingerprints(services: Services) -> None:
    other = wiring.keyfile.load_or_create(services.settings.data_dir / "other.key", SystemTokens())
    assert wiring.Sealer(other, SystemTokens()).fingerprint("email", "a@example.org") != (
        services.sealer.fingerprint("email", "a@example.org"))


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_key_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    """Decision 15."""
    path = tmp_path / "mailer.key"
    ring = keyfile.load_or_create(path, SystemTokens())
    assert path.stat().st_mode & 0o777 == 0o600
    assert keyfile.load(path).keys == ring.keys
    path.chmod(mode)
    with pytest.raises(KeyProblem, match="open to others"):
        keyfile.load_or_create(path, SystemTokens())


@pytest.mark.parametrize("text", [
    "", "{}", "[]", '{"keys": {}}', '{"keys": {"1": "ab"}}', '{"keys": {"0": "%s"}}' % ("ab" * 32),
    '{"keys": {"1": "zz"}}', "\x00"])
def test_what_is_no_key_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mailer.key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(KeyProblem):
        keyfile.load(path)


def test_the_key_file_shows_in_no_representation(services: Services) -> None:
    keys = json.loads(services.settings.key_file.read_text())["keys"]
    shown = repr(services.sealer) + repr(keyfile.load(services.settings.key_file)) + repr(services.opener)
    assert keys["1"] not in shown and str(bytes.fromhex(keys["1"])) not in shown
