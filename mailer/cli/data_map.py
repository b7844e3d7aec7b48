"""`mailer data-map`: which columns hold personal data, of what kind, and how erasure treats them; from the models."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass

import click
from sqlalchemy import Column, Table

from mailer.db import Model
from mailer.tables import metadata

HEAD = """\
# Data map

Made from the models by `mailer data-map > docs/data-map.md`; a test fails when the two differ.

**Sealed** columns are encrypted (AES-256-GCM): those of people under the person's own key, which lies wrapped in the
schema `vault`; those of staff and of the Outbox under a key of the instance. Deleting a person's key makes every value
sealed under it unreadable, also in the ledger, where rows stay, and in every backup, which the schema `vault` is left
out of. **Fingerprints** are keyed hashes (HMAC); without the key file nobody can tell whose they are.

| table | column | what it is | how erasure treats it |
|---|---|---|---|
"""
WITHOUT = """
## Tables without personal data

"""
GOES_WITH = {"CASCADE": "delete row", "SET NULL": "set null"}
PERSONS = frozenset({"person", "contact_point", "pending_request", "staff"})
NUMBERS = frozenset({"contact_point_id", "person_id", "staff_id"})


@dataclass(frozen=True)
class Entry:
    """One column of the map."""

    table: str
    column: str
    kind: str
    erasure: str


def entries() -> list[Entry]:
    """Every column that is marked as personal or leads to a person, by table and column."""
    return [Entry(table.fullname, column.name, *found) for table in sorted(metadata.tables.values(), key=_name)
            for column in sorted(table.columns, key=lambda each: each.name) if (found := _of(table, column))]


def markdown() -> str:
    """The whole document."""
    found = entries()
    lines = [f"| {each.table} | {each.column} | {each.kind} | {each.erasure} |" for each in found]
    others = [f"- `{name}`: {says}" for name, says in _without({each.table for each in found})]
    return HEAD + "\n".join(lines) + "\n" + WITHOUT + "\n".join(others) + "\n"


@click.command(name="data-map")
def data_map() -> None:
    """Print the map of personal data as Markdown; it needs no running instance."""
    click.echo(markdown(), nl=False)


def _of(table: Table, column: Column[object]) -> tuple[str, str] | None:
    if column.info.get("personal"):
        return str(column.info["personal"]), str(column.info["erase"])
    for key in column.foreign_keys:
        # By its text: a table's own primary key may be the link, and the other table may stand in another schema.
        owner = key.target_fullname.split(".")[-2]
        if owner in PERSONS:
            whose = "member of staff" if owner == "staff" else owner.replace("_", " ")
            return f"link to a {whose}", GOES_WITH.get(key.ondelete or "", "stays with the account")
    if column.name in NUMBERS:
        return "number without a link", "leads nowhere once the one it numbered is gone"
    return None


def _without(named: set[str]) -> Iterator[tuple[str, str]]:
    said = {mapper.local_table.fullname: inspect.cleandoc(mapper.class_.__doc__ or "").split("\n\n")[0]
            for mapper in Model.registry.mappers if isinstance(mapper.local_table, Table)}
    for table in sorted(metadata.tables.values(), key=_name):
        if table.fullname not in named:
            yield table.fullname, " ".join(said.get(table.fullname, "").split())


def _name(table: Table) -> str:
    return table.fullname
