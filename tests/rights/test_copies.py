"""The copy of everything: what it holds, what it leaves out, its signature, and its entry in the register."""

import json
from datetime import date

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from mailer.audience.models import ContactPoint, Person
from mailer.core.errors import InvalidInput
from mailer.policy import packs
from mailer.rights import copies, disclosures
from mailer.rights.copies import Files
from mailer.subscriptions.leave import leave
from tests.rights.conftest import People


def copy_of(people: People, point: ContactPoint) -> Files:
    opener = people.world.services.opener
    with people.world.unit() as ctx:
        made = copies.build(ctx, opener, ctx.db.get_one(Person, point.person_id), by="self")
        return copies.fetch(ctx, opener, made)


def test_the_copy_holds_details_consents_with_their_words_and_the_stop_list(people: People) -> None:
    """M11 and section 3, item 24."""
    point = people.join("marigoldine@example.org", first_name="Marigoldine")
    people.join("somebodyelse@example.org", first_name="Somebodyelse")
    with people.world.unit() as ctx:
        leave(ctx, point, how="unsubscribe_page")
    files = copy_of(people, point)
    person = json.loads(files.json)["document"]["person"]
    assert person["details"]["first_name"] == "Marigoldine"
    assert [each["address"] for each in person["details"]["addresses"]] == ["marigoldine@example.org"]
    granted = [each for each in person["consents"]["timeline"] if each["act"] == "granted"]
    assert {each["topic"] for each in granted} == set(people.list.topics)
    assert all(each["wording"] and each["notice_version"] == "2.1" for each in granted)
    assert [each["reason"] for each in person["stop_list"]] == ["unsubscribed"]
    assert [each["kind"] for each in person["disclosures"]] == ["access_copy"]
    assert "marigoldine@example.org" in files.html and granted[0]["wording"].splitlines()[0] in files.html
    for file in (files.html, files.json):
        assert "somebodyelse" not in file.lower()


def test_the_signature_verifies_with_the_public_key_alone_and_one_changed_letter_breaks_it(people: People) -> None:
    envelope = json.loads(copy_of(people, people.join("known@example.org")).json)
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(envelope["public_key"]))
    signature = bytes.fromhex(envelope["signature"])
    key.verify(signature, copies.canonical(envelope["document"]))
    envelope["document"]["person"]["details"]["first_name"] = "Other"
    with pytest.raises(InvalidSignature):
        key.verify(signature, copies.canonical(envelope["document"]))
    assert (envelope["document"]["schema"], envelope["document"]["version"]) == ("mailer/access-copy", 1)


def test_a_copy_whose_entry_cannot_be_written_is_not_made(people: People) -> None:
    """A1 and item 10."""
    point = people.join("known@example.org")
    with people.world.unit() as ctx:
        ctx.db.execute(text("ALTER TABLE disclosure ADD CONSTRAINT register_is_full CHECK (people < 0) NOT VALID"))
    with pytest.raises(IntegrityError, match="register_is_full"):
        copy_of(people, point)
    with people.world.unit() as ctx:
        assert copies.current(ctx, point.person_id) is None


def test_a_copy_lies_sealed_under_the_person_s_own_key(people: People) -> None:
    point = people.join("marigoldine@example.org")
    copy_of(people, point)
    with people.world.unit() as ctx:
        sealed = ctx.db.execute(text("SELECT sealed_html || sealed_json FROM access_copy")).scalar_one()
        assert b"marigoldine" not in bytes(sealed)


def test_a_sealed_entry_is_hidden_until_its_day_and_then_shown(people: People) -> None:
    """S13."""
    point = people.join("known@example.org")
    with people.world.unit() as ctx:
        subject = ctx.db.get_one(Person, point.person_id).subject
        for until in (date(2026, 3, 3), date(2026, 3, 2)):
            disclosures.record(ctx, "legal_demand", reason="legal_process", recipient=f"Court {until}", by="staff:1",
                               categories=["addresses"], subjects=[subject], automatic=False, sealed_until=until,
                               legal_reference="Case 12/26")
        assert [each.recipient for each in disclosures.about(ctx, subject)] == ["Court 2026-03-02"]
        assert len(disclosures.listed(ctx)) == 2, "the Auditor sees both"


@pytest.mark.parametrize(("fault", "field"), [
    ({"reason": "curiosity"}, "reason"), ({"reason": "illegal_or_terms"}, "reason"), ({"kind": "gossip"}, "kind"),
    ({"recipient": " "}, "recipient"), ({"categories": []}, "categories"),
    ({"reason": "legal_process"}, "legal_reference")])
def test_the_register_takes_only_reasons_that_the_policy_allows(people: People, fault: dict[str, object], field: str
                                                                ) -> None:
    """A1."""
    entry = {"kind": "legal_demand", "reason": "processing", "recipient": "Court", "categories": ["addresses"]} | fault
    with pytest.raises(InvalidInput) as refused, people.world.unit() as ctx:
        disclosures.record(ctx, entry.pop("kind"), people=1, **entry)  # type: ignore[arg-type] # As a test says.
    assert refused.value.context["field"] == field


def test_a_release_for_broken_terms_needs_a_second_person_and_evidence(people: People) -> None:
    """T16."""
    with people.world.unit() as ctx:
        packs.choose(ctx, "releases_on_abuse")
        said = {"reason": "illegal_or_terms", "recipient": "Police", "categories": ["addresses"], "people": 1,
                "by": "staff:1", "automatic": False}
        for missing in ({"legal_reference": "File 7"}, {"second": "staff:2"},
                        {"legal_reference": "File 7", "second": "staff:1"}):
            with pytest.raises(InvalidInput):
                disclosures.record(ctx, "legal_demand", **said, **missing)  # type: ignore[arg-type] # As a test says.
        entry = disclosures.record(ctx, "legal_demand", **said, legal_reference="File 7",  # type: ignore[arg-type]
                                   second="staff:2")
        assert entry.second == "staff:2"
