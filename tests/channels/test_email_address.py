"""Which e-mail addresses we accept, and when two are one."""

import hmac
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.channels.email.address import EmailAddress, mask, wire_form
from mailer.core.errors import InvalidAddress

KIT = json.loads((Path(__file__).parents[1] / "vectors" / "email_addresses.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("vector", KIT["vectors"], ids=lambda vector: vector["id"])
def test_each_vector_is_accepted_or_refused_as_it_says(vector: dict[str, object]) -> None:
    try:
        address = EmailAddress.parse(str(vector["input"]))
    except InvalidAddress as refused:
        assert vector["accept"] is False
        assert set(refused.context) == {"channel", "why"}
        return
    assert vector["accept"] is True
    assert (address.normalised, address.identity, address.smtputf8, address.domain) == (
        vector["normalized"], vector["identity"], vector["smtputf8"], vector["ascii_domain"])


@pytest.mark.parametrize("pair", KIT["identity_pairs"], ids=lambda pair: pair["a"].strip() + "|" + pair["b"].strip())
def test_two_addresses_are_the_same_person_exactly_when_their_identity_is(pair: dict[str, object]) -> None:
    one, other = (EmailAddress.parse(str(pair[side])).identity for side in ("a", "b"))
    assert (one == other) is pair["same_identity"]


@pytest.mark.parametrize("row", KIT["keyed_hash"]["rows"], ids=lambda row: row["identity"])
def test_the_keyed_hash_of_an_identity_is_what_others_compute(row: dict[str, str]) -> None:
    identity = EmailAddress.parse(row["input"]).identity
    assert identity == row["identity"]
    assert hmac.digest(bytes.fromhex(KIT["keyed_hash"]["pepper_hex"]), identity.encode(), "sha256").hex() == row["hmac"]


@pytest.mark.parametrize("separator", ["\r", "\n", "\r\n", "\x00", "\x0b", "\x0c", "\x1c", "\x1f", "\x85", "\u2028"])
def test_no_line_end_or_nul_gets_inside_an_address(separator: str) -> None:
    for raw in (f"an{separator}na@example.org", f"anna@exam{separator}ple.org", f"anna@example.org{separator}x"):
        with pytest.raises(InvalidAddress):
            EmailAddress.parse(raw)


def test_an_address_is_masked_wherever_it_is_printed() -> None:
    address = EmailAddress.parse("dana@example.org")
    assert str(address) == "d•••@example.org"
    assert "dana" not in repr(address) + f"{address}"
    assert mask("jörg@bücher.example.org") == "j•••@bücher.example.org"


def test_a_refusal_does_not_repeat_the_address() -> None:
    with pytest.raises(InvalidAddress) as refused:
        EmailAddress.parse("dana..berg@example.org")
    assert "dana" not in str(refused.value)
    assert refused.value.__context__ is None


def test_on_the_wire_a_domain_alone_outside_ascii_is_written_in_a_labels() -> None:
    assert wire_form("user@bücher.example.org") == "user@xn--bcher-kva.example.org"
    assert wire_form("jörg@example.org") == "jörg@example.org"
    assert wire_form("anna@example.org") == "anna@example.org"


def test_an_endless_text_is_refused_before_it_is_read() -> None:
    with pytest.raises(InvalidAddress) as refused:
        EmailAddress.parse("a" * 5_000_000 + "@example.org")
    assert refused.value.context["why"] == "too_long"


@given(st.text(max_size=80) | st.emails())
def test_any_text_is_an_address_or_a_refusal_and_reading_it_again_changes_nothing(raw: str) -> None:
    try:
        address = EmailAddress.parse(raw)
    except InvalidAddress:
        return
    again = EmailAddress.parse(address.normalised)
    assert again == address
    assert EmailAddress.parse(address.identity).identity == address.identity
    assert len(wire_form(address.normalised).splitlines()) == 1
