"""Each promise has its row, each kept one its test, and no promise is quietly put off."""

import ast

import pytest

from tests.architecture import promises
from tests.architecture.rules import ROOT

OF_THIS_RELEASE = frozenset({
    "M1", "M8", "M12", "M18", "T4", "T12", "T15", "T17", "C5", "A7", "S6", "S30", "M11", "M13", "M14", "M15",
    "M16", "T18", "S16", "S24", "M19", "T13", "T14", "T5", "T6", "T7", "S4", "T2", "S26", "S29", "M27", "A10",
    "C4", "C6", "M2", "M24", "M28", "M30", "A8", "A9", "A13", "T9", "T10", "S8", "S25", "S31", "C7", "T22", "S2",
    "M31", "M3", "T3", "M25", "T19"})
"""Promises that no plan puts off any more; M11, M13 and M14 as far as e-mail goes."""


def written() -> str:
    return promises.TABLE.read_text(encoding="utf-8")


def test_there_is_a_row_for_each_of_the_107_promises() -> None:
    assert [found[1] for found in promises.ROW.finditer(written())] == [each.id for each in promises.promised()]
    assert len(set(promises.named(written()))) == 107


def test_the_table_is_the_one_made_from_the_tests() -> None:
    """`python -m tests.architecture.promises > docs/promises.md` makes it anew."""
    assert written() == promises.table(written())


@pytest.mark.parametrize("row", [found.groups() for found in promises.ROW.finditer(written())], ids=lambda row: row[0])
def test_each_kept_promise_names_a_test_that_is_there_and_each_later_one_says_after_what(row: tuple[str, ...]) -> None:
    number, _, state, test = row
    if state != "kept":
        assert test == "–" and state.removeprefix("later: ") in promises.LATER
        return
    file, _, name = test.strip("`").partition("::")
    functions = {node.name: ast.get_docstring(node) or "" for node in ast.parse(
        (ROOT / file).read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)}
    assert number in promises.ID.findall(functions[name])


def test_nothing_that_this_release_promises_is_put_off() -> None:
    put_off = {each.id for each in promises.promised() if each.state != "kept"}
    assert not put_off & OF_THIS_RELEASE


def test_a_test_that_went_away_is_missed() -> None:
    gone = "| C1 | no spamming | kept | `tests/unit/test_gone.py::test_nothing` |\n"
    assert promises.table(gone) != gone and "test_gone" not in promises.table(gone)
