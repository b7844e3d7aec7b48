"""Each column that can lead to somebody says how erasure treats it."""

import re

from sqlalchemy import Column, LargeBinary, MetaData, Table
from sqlalchemy.dialects.postgresql import JSONB

from mailer.db import personal
from mailer.tables import metadata

LOOKS_PERSONAL = re.compile(
    r"^sealed|fingerprint$|hash$|^wrapped$|^bucket$|password|e_?mail|address|phone|first_name|^subject$|^browser$")
LEADS_TO_SOMEBODY = re.compile(r"^(contact_point_id|person_id|pending_request_id|reserved_person_id|request_id)$")
ERASE = ("delete row", "overwrite", "set null", "set to 0", "unlinked", "unreadable", "kept, ", "expires ", "emptied")
"""How erasure may treat a column."""

NOT_PERSONAL = {
    "audit_head.hash": "of the chain, whose rows name staff and ids alone",
    "audit_head.signature": "of the chain's head",
    "audit_seal.hash": "of the chain",
    "access_copy.signature": "of a copy that is sealed itself",
    "domain_rule.domain_hash": "of a domain that the organisation ruled out by name",
    "erasure_certificate.signature": "of words that name nobody",
    "fresh_access.hash": "of a random token, gone after 30 minutes or with the person",
    "never_code.hash": "of a random code that leads to a fingerprint alone",
    "content_version.sha256": "of words that are the same for everyone",
    "content_version.subject": "a campaign's subject line, the same for everyone",
    "disclosure.sealed_until": "a day",
    "instance.key_check": "of a key, by which two key files show that they mean the same",
    "dkim_key.public_key": "the organisation's own, published in the DNS",
    "dkim_key.sealed": "the organisation's own private key, which names nobody",
    "ledger_head.hash": "of the chain, whose rows name nobody once their key is gone",
    "ledger_head.signature": "of the chain's head",
    "ledger_seal.hash": "of the chain",
    "organisation.help_email": "the organisation's own, published",
    "organisation.postal_address": "the organisation's own, published",
    "picture.octets": "a campaign's picture, the same for everyone",
    "picture.sha256": "of a campaign's picture",
    "recovery_code.hash": "of a random code of a member of staff, deleted with the account",
    "sender.address": "the organisation's own, published",
    "single_message.subject": "an id such as `request:12`, never a person's words",
    "single_message.address_change_id": "goes with the change that it is about",
    "single_use_link.hash": "of a random token; what it leads to is cut off once it is used or expired",
    "staff.email_verified": "says only that a letter arrived",
    "staff_link.hash": "of a random token of a member of staff",
    "staff_session.hash": "of a random token of a member of staff",
    "staff_session.browser": "a name such as `Firefox on Linux`, no more",
    "wording.sha256": "of words that everyone was shown",
}
NUMBERS_ALONE = {
    "message": "a natural key without a foreign key: once the contact point is gone it leads nowhere (decision 10)",
    "decision": "as the message that it is about",
    "receipt": "as the message that it is about",
}
"""Tables that hold a person's number without a link that the database would follow."""


def unmarked(tables: MetaData) -> list[str]:
    """Columns that look personal or hold octets, and neither are marked nor listed."""
    return sorted(name for name, column in columns(tables)
                  if not column.info.get("personal") and name not in NOT_PERSONAL
                  and (LOOKS_PERSONAL.search(column.name) or isinstance(column.type, LargeBinary)))


def columns(tables: MetaData) -> list[tuple[str, Column[object]]]:
    return [(f"{table.name}.{column.name}", column) for table in tables.tables.values() for column in table.columns]


def test_every_personal_looking_column_says_how_it_is_erased() -> None:
    assert not unmarked(metadata)


def test_an_unmarked_column_is_found() -> None:
    planted = MetaData()
    Table("planted", planted, Column("sealed_street", LargeBinary), Column("face", LargeBinary), Column("phone", JSONB),
          Column("sealed_city", LargeBinary, info=personal("city", erase="delete row")))
    assert unmarked(planted) == ["planted.face", "planted.phone", "planted.sealed_street"]


def test_every_mark_names_a_way_of_erasing() -> None:
    marked = {name: column.info for name, column in columns(metadata) if column.info.get("personal")}
    assert len(marked) > 20
    assert not [name for name, info in marked.items() if not str(info.get("erase", "")).startswith(ERASE)]


def test_every_link_to_a_person_goes_with_the_person() -> None:
    """The database deletes or empties it, a mark says how, or the table holds numbers that lead nowhere."""
    loose = [name for name, column in columns(metadata)
             if LEADS_TO_SOMEBODY.match(column.name) and column.table.name not in NUMBERS_ALONE
             and not column.info.get("erase")
             and not any(key.ondelete in ("CASCADE", "SET NULL") for key in column.foreign_keys)]
    assert loose == ["pending_request.reserved_person_id"], "reserved numbers name somebody only once they confirm"


def test_exceptions_are_of_columns_that_are_there() -> None:
    names = {name for name, _ in columns(metadata)}
    assert set(NOT_PERSONAL) <= names and set(NUMBERS_ALONE) <= {table.name for table in metadata.tables.values()}
    assert not [name for name, column in columns(metadata) if name in NOT_PERSONAL and column.info.get("personal")]


def test_person_keys_lie_in_a_schema_that_backups_leave_out() -> None:
    """Decision 16: with the row in the vault everything sealed under it is gone, from backups too."""
    assert {name for name, column in columns(metadata) if column.name == "wrapped"} == {
        f"{table.name}.wrapped" for table in metadata.tables.values() if table.schema == "vault"}
