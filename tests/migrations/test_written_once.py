"""What is written once stays as it was written: the database itself refuses (promises M2 and M5)."""

import pytest
from psycopg import errors
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from tests.migrations.conftest import downgrade

pytestmark = pytest.mark.migrations

WRITTEN_ONCE = {
    "ledger_entry": "INSERT INTO ledger_entry (subject, at, act, channel, list_id, topic_id, purpose, mode, sealed) "
                    "VALUES (gen_random_uuid(), now(), 'granted', 'email', 1, 1, 'own_offers', 'live', 'x')",
    "ledger_seal": "INSERT INTO ledger_seal (number, seq, hash) SELECT 1, max(seq), 'x' FROM ledger_entry",
    "ledger_head": "INSERT INTO ledger_head (number, hash, signature, at) VALUES (1, 'x', 'x', now())",
    "audit_entry": "INSERT INTO audit_entry (at, actor, act, about, detail) VALUES (now(), 'system', 'a', 'b', '{}')",
    "wording": "INSERT INTO wording (sha256, language, text) VALUES ('x', 'en', 'Words')",
    "notice": "INSERT INTO notice (version, text, starter, published_at, effective_at) "
              "VALUES ('1', 'Words', false, now(), now())",
    "content_version": "INSERT INTO content_version (subject, preview_line, markdown, language, fields, sha256, "
                       "created_at) VALUES ('S', '', 'M', 'en', '{}', 'x', now())",
    "form_version": "INSERT INTO form_version (form_id, version, definition, wording_id, created_at) "
                    "SELECT form.id, 1, '{}', wording.id, now() FROM form, wording",
    "audit_seal": "INSERT INTO audit_seal (number, seq, hash) SELECT 1, max(seq), 'x' FROM audit_entry",
    "audit_head": "INSERT INTO audit_head (number, hash, signature, at) VALUES (1, 'x', 'x', now())",
    "partner_list": "INSERT INTO partner_list (version, names, published_at) VALUES (1, '{}', now())",
    "erasure_certificate": "INSERT INTO erasure_certificate (at, body, signature) VALUES (now(), '{}', 'x')",
    "disclosure": "INSERT INTO disclosure (at, kind, reason, recipient, categories, people, ground, legal_reference, "
                  "by, second, automatic) VALUES (now(), 'export', 'r', 'x', '{}', 1, '', '', 'system', '', true)",
}
NEEDED = {
    "ledger_seal": [WRITTEN_ONCE["ledger_entry"]],
    "audit_seal": [WRITTEN_ONCE["audit_entry"]],
    "form_version": [WRITTEN_ONCE["wording"],
                     "INSERT INTO mailing_list (name, public_text, archived, sample, created_at) "
                     "VALUES ('L', '', false, false, now())",
                     "INSERT INTO form (slug, list_id, name, archived) SELECT 'f', id, 'F', false FROM mailing_list"],
}


@pytest.mark.parametrize("table", WRITTEN_ONCE)
def test_a_row_that_is_written_once_is_never_changed_or_removed(migrated: Engine, table: str) -> None:
    column = {"ledger_seal": "hash", "ledger_head": "hash", "audit_seal": "hash", "audit_head": "hash",
              "audit_entry": "act", "ledger_entry": "act",
              "form_version": "version"}.get(table, "id")
    with migrated.begin() as connection:
        for statement in [*NEEDED.get(table, []), WRITTEN_ONCE[table]]:
            connection.execute(text(statement))
    before = rows(migrated, table)
    for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        with pytest.raises(DBAPIError) as refused, migrated.begin() as connection:
            connection.execute(text(statement))
        assert isinstance(refused.value.orig, errors.RestrictViolation), statement
    assert rows(migrated, table) == before and len(before) == 1


def test_every_table_that_is_guarded_is_tried_here(migrated: Engine) -> None:
    with migrated.connect() as connection:
        guarded = set(connection.scalars(text(
            "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname LIKE '%written_once'")))
    assert guarded == set(WRITTEN_ONCE)


def test_not_even_an_update_that_meets_no_row_is_taken(migrated: Engine) -> None:
    with pytest.raises(DBAPIError, match="written once"), migrated.begin() as connection:
        connection.execute(text("UPDATE ledger_entry SET act = 'ended' WHERE false"))


def test_going_down_takes_the_guard_away_with_its_table(migrated: Engine, empty_url: str) -> None:
    downgrade(empty_url)
    with migrated.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM pg_trigger WHERE tgname LIKE '%written_once'")) == 0


def rows(engine: Engine, table: str) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(f"SELECT * FROM {table}"))]
