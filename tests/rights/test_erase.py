"""Erasing a person: what goes, what stays and leads to nobody, and that it holds."""

import json
import threading

import pytest
from sqlalchemy import text

from mailer import keyfile, wiring
from mailer.audience.models import ContactPoint
from mailer.consent import ledger, seal
from mailer.consent.ledger import Evidence
from mailer.consent.verify import verify
from mailer.core.errors import NotFound
from mailer.core.exits import ExitKind
from mailer.core.vault import KeyRing
from mailer.exits import file
from mailer.rights import erase, requests
from mailer.rights.models import ErasureCertificate
from mailer.rotation import rotate
from mailer.services import unit_of_work
from mailer.subscriptions import fresh, reapply
from mailer.subscriptions.leave import leave
from tests.rights.conftest import People

CASCADES = """
    SELECT c.conrelid::regclass::text, array_agg(a.attname::text ORDER BY k.place)
    FROM pg_constraint c CROSS JOIN LATERAL unnest(c.conkey) WITH ORDINALITY AS k(number, place)
    JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number
    WHERE c.contype = 'f' AND c.confdeltype IN ('c', 'n')
      AND c.confrelid::regclass::text NOT IN ('campaign', 'staff', 'rights_request') AND NOT EXISTS (
        SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1] AND i.indpred IS NULL)
    GROUP BY c.oid, c.conrelid
"""


def erased(people: People, point: ContactPoint) -> ErasureCertificate:
    with people.world.unit() as ctx:
        return erase.erase(ctx, point.person_id, by="self")


def count(people: People, table: str, where: str = "true", **values: object) -> int:
    with people.world.unit() as ctx:
        return ctx.db.scalar(text(f"SELECT count(*) FROM {table} WHERE {where}"), values) or 0


def test_nothing_leads_to_the_person_and_the_stop_list_remembers_the_address(people: People) -> None:
    """M11. Standing, key, address, choices, letters, links and pages are gone."""
    gone, stays = people.join("marigoldine@example.org", first_name="Marigoldine"), people.join("other@example.org")
    with people.world.unit() as ctx:
        fresh.ask(ctx, gone)
        leave(ctx, gone, how="link")
    erased(people, gone)
    for table in ("person", "vault.person_key", "contact_point", "preference"):
        assert count(people, table) == 1, table
    for table in ("standing", "goodbye", "single_message", "field_source"):
        assert not count(people, table, "person_id = :id" if table == "field_source" else "contact_point_id = :id",
                         id=gone.person_id if table == "field_source" else gone.id), table
    assert not count(people, "single_use_link", "outcome = 'open' AND contact_point_id IS NOT NULL")
    assert people.world.stopped("marigoldine@example.org") == {("erased", 0), ("unsubscribed", 0)}
    assert people.world.stands("other@example.org") and stays.id


def test_the_ledger_ends_what_was_live_says_nothing_more_and_still_verifies(people: People) -> None:
    """M5 and M11."""
    gone = people.join("gone@example.org")
    erased(people, gone)
    with people.world.unit() as ctx:
        acts = ctx.db.execute(text("SELECT act FROM ledger_entry ORDER BY seq")).scalars().all()
        assert acts.count("ended") == acts.count("granted") == len(people.list.topics)
        assert not ctx.db.scalar(text("SELECT count(*) FROM person p JOIN ledger_entry e ON e.subject = p.subject"))
        seal.seal_batch(ctx)
        assert verify(ctx).first_bad is None


def test_the_exits_file_names_the_erasure_by_numbers_and_fingerprints_alone(people: People) -> None:
    gone = people.join("gone@example.org")
    erased(people, gone)
    services = people.world.services
    path = wiring.exits_folder(services.settings) / f"{services.exits_log.host}.jsonl"
    lines = {line.kind: line for part in file.parts(path) for line in part.lines}
    assert lines[ExitKind.EXIT].detail["reason"] == "erased"
    assert lines[ExitKind.ERASURE].detail["person"] == gone.person_id
    assert lines[ExitKind.ERASURE].detail["points"] == [["email", gone.fingerprint.hex(), 1]]
    assert b"gone@example.org" not in path.read_bytes()


def test_the_certificate_is_signed_names_nobody_and_says_when_backups_forget(people: People) -> None:
    """Decision 16. It can be checked with the public key alone."""
    certificate = erased(people, people.join("gone@example.org", first_name="Peregrinus"))
    assert certificate.body["keys_forgotten_by"].startswith("2026-03-03T15:00")
    assert people.world.services.sealer.is_ours(erase.octets(certificate.body), certificate.signature)
    said = json.dumps(certificate.body)
    assert "example.org" not in said and "Peregrinus" not in said


def test_twice_at_once_is_once(people: People) -> None:
    gone = people.join("gone@example.org")
    ended: list[str] = []

    def one() -> None:
        try:
            with unit_of_work(people.world.services) as ctx:
                erase.erase(ctx, gone.person_id, by="self")
            ended.append("erased")
        except NotFound:
            ended.append("gone")

    both = [threading.Thread(target=one) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert sorted(ended) == ["erased", "gone"]
    assert count(people, "erasure_certificate") == 1


def test_who_is_erased_may_join_again_by_confirming_and_is_somebody_new(people: People) -> None:
    first = people.join("again@example.org")
    erased(people, first)
    second = people.join("again@example.org")
    assert second.person_id != first.person_id
    assert people.world.stopped("again@example.org") == set()


def test_a_request_that_still_waits_from_that_address_goes_too(people: People) -> None:
    gone = people.join("gone@example.org")
    other = people.world.a_list("Another list", ("Letters",))
    people.world.a_form(other, slug="other")
    people.world.asked("gone@example.org", tuple(other.topics.values()), form="other")
    assert count(people, "pending_request") == 1
    erased(people, gone)
    assert not count(people, "pending_request") + count(people, "vault.request_key")


def test_open_requests_of_the_person_are_closed_and_emptied(people: People) -> None:
    """S29."""
    gone = people.join("gone@example.org")
    with people.world.unit() as ctx:
        asked = requests.open_request(ctx, "question", source="desk", point=gone, note="Who told you?")
        closing = requests.open_request(ctx, "erasure", source="self", point=gone)
    with people.world.unit() as ctx:
        erase.erase(ctx, gone.person_id, by="self", request_id=closing.id)
        requests.close(ctx, closing, "erased", by="self")
    with people.world.unit() as ctx:
        for number in (asked.id, closing.id):
            row = requests.get(ctx, number)
            assert (row.state, row.outcome, row.person_id, row.sealed_note) == ("closed", "erased", None, None)


def test_a_request_under_a_newer_key_than_the_person_s_row_is_emptied_too(people: People) -> None:
    """S29: an erasure while keys rotate."""
    gone = people.join("gone@example.org")
    with people.world.unit() as ctx:
        asked = requests.open_request(ctx, "question", source="public", contact="gone@example.org")
    keys = people.world.services.settings.key_file
    rotate.add(keys, people.world.services.tokens)
    keyfile.replace(keys, KeyRing(keyfile.load(keys).keys), people.world.services.tokens)
    assert people.world.services.sealer.knows_version(2)
    with people.world.unit() as ctx:
        newer = ctx.sealer.fingerprint("email", "gone@example.org")
        requests.get(ctx, asked.id).contact_fingerprint = newer
        assert newer != gone.fingerprint
    erased(people, gone)
    with people.world.unit() as ctx:
        row = requests.get(ctx, asked.id)
        assert (row.state, row.contact_fingerprint, row.sealed_contact) == ("closed", None, None)


def test_an_erasure_is_repeated_on_a_database_that_was_put_back(people: People) -> None:
    """Decision 19. Somebody who joined only afterwards is left alone."""
    gone = people.join("gone@example.org")
    services = people.world.services
    with people.world.unit() as ctx:
        kept = ctx.db.execute(text("SELECT * FROM person WHERE id = :id"), {"id": gone.person_id}).mappings().one()
        point = ctx.db.execute(text("SELECT * FROM contact_point WHERE id = :id"), {"id": gone.id}).mappings().one()
    erased(people, gone)
    with people.world.unit() as ctx:
        ctx.db.execute(text("INSERT INTO person (id, subject, joined_on, mode, sample) OVERRIDING SYSTEM VALUE "
                            "VALUES (:id, :subject, :joined_on, :mode, :sample)"), dict(kept))
        ctx.db.execute(text(
            "INSERT INTO contact_point (id, person_id, channel, mode, sealed, fingerprint, fingerprint_version, "
            "domain_hash, language, has_name) OVERRIDING SYSTEM VALUE VALUES (:id, :person_id, :channel, :mode, "
            ":sealed, :fingerprint, :fingerprint_version, :domain_hash, :language, :has_name)"), dict(point))
        ctx.db.execute(text("DELETE FROM exit_mark"))
        ctx.db.execute(text("DELETE FROM suppression"))
    with people.world.unit() as ctx:
        assert reapply.apply_exits(ctx, wiring.exits_folder(services.settings), forget=erase.erase_again) >= 2
    assert not count(people, "person") + count(people, "contact_point")
    assert ("erased", 0) in people.world.stopped("gone@example.org")


def test_acts_of_somebody_just_erased_find_nobody(people: People) -> None:
    gone = people.join("gone@example.org")
    erased(people, gone)
    with pytest.raises(NotFound), people.world.unit() as ctx:
        ledger.end_all(ctx, gone, evidence=Evidence(how="link"))


def test_whatever_goes_with_a_person_is_found_by_an_index(people: People) -> None:
    """Erasing one of a million reads no table from end to end."""
    with people.world.unit() as ctx:
        bare = {(table, *columns) for table, columns in ctx.db.execute(text(CASCADES))}
    assert not bare
