"""Every personal column belongs to exactly one package, which says so, exports it and erases it."""

import importlib
from pathlib import Path

from mailer.rights import personal_data as rights
from mailer.tables import metadata
from tests.architecture.rules import ROOT

NOTHING_TO_ERASE = {
    "exits": "fingerprints alone, kept so that nobody is written to after a restore",
    "suppression": "fingerprints alone, kept so that nobody is written to again",
    "gate": "numbers alone, which lead to nobody once the person is gone",
}


def packages() -> list[str]:
    return sorted(path.parent.name for path in (ROOT / "mailer").glob("*/personal_data.py"))


def test_every_personal_column_is_covered_by_exactly_one_package() -> None:
    """M11 and M25: a column that is added without a word is found here."""
    marked = {(table.fullname, column.name) for table in metadata.tables.values() for column in table.columns
              if column.info.get("personal")}
    covered = [each for name in packages() for each in importlib.import_module(f"mailer.{name}.personal_data").COVERS]
    assert len(marked) > 60
    assert set(covered) == marked, "covered without a mark, or marked without a cover"
    assert len(covered) == len(set(covered)), "two packages say that they look after one column"


def test_copy_and_erasure_go_through_every_package() -> None:
    source = Path(str(rights.__file__)).read_text()
    for name in packages():
        module = importlib.import_module(f"mailer.{name}.personal_data")
        for act in ("export", "erase"):
            if name != "rights" and hasattr(module, act):
                assert f"{name}.{act}(" in source, f"{name}.personal_data.{act} is asked by nobody"
        if name not in NOTHING_TO_ERASE:
            assert hasattr(module, "erase"), name
    assert set(NOTHING_TO_ERASE) <= set(packages())
