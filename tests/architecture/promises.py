"""The table of promises: `python -m tests.architecture.promises > docs/promises.md` makes it anew.

`promised.txt` says what is promised and what comes later; the tests say themselves which promise they keep, by its id
in their docstring. A test that the table names already stays named as long as it is there.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.architecture.rules import ROOT

PROMISED = Path(__file__).with_name("promised.txt")
TABLE = ROOT / "docs" / "promises.md"
LATER = frozenset({"post", "texts", "policy", "inbound", "import"})
ID = re.compile(r"\b[CMATS]\d{1,2}\b")
ROW = re.compile(r"^\| ([CMATS]\d+) \| (.+?) \| (kept|later: \w+) \| (.+?) \|$", re.MULTILINE)
HEAD = """# The promises and the tests that keep them

Made by `python -m tests.architecture.promises > docs/promises.md`; do not edit. A row says what was promised to the
people whose addresses are held, and the test that fails when it is broken, or the part of the product it waits for.

| id | what is promised | state | test |
|---|---|---|---|
"""


class Promise(NamedTuple):
    """One promise, and whether it is kept or waits for a part of the product."""

    id: str
    words: str
    state: str


def promised() -> list[Promise]:
    """Every promise, in order."""
    return [Promise(*line.split(" | ")) for line in PROMISED.read_text(encoding="utf-8").splitlines()]


def tests_by_promise() -> dict[str, list[str]]:
    """The tests that name each promise, those first whose docstring begins with it."""
    found: dict[str, list[tuple[bool, str]]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        source = path.read_text(encoding="utf-8")
        for name, said in _tests(source):
            for each in set(ID.findall(said)):
                begins = bool(re.match(rf"(?:Promises? )?(?:[CMATS]\d+(?:, | and ))*{each}\b", said))
                found.setdefault(each, []).append((not begins, f"{path.relative_to(ROOT).as_posix()}::{name}"))
    return {each: [test for _, test in sorted(tests)] for each, tests in found.items()}


def _tests(source: str) -> Iterator[tuple[str, str]]:
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name, ast.get_docstring(node) or ""


def named(table: str) -> dict[str, str]:
    """The test that a table names for each promise."""
    return {found[1]: found[4].strip("`") for found in ROW.finditer(table)}


def table(before: str) -> str:
    """The table; a kept promise without a test has an empty last column, which no test of ours lets pass."""
    tests, chosen = tests_by_promise(), named(before)
    lines = []
    for each in promised():
        known = tests.get(each.id, [])
        test = chosen[each.id] if chosen.get(each.id) in known else next(iter(known), "")
        shown = "–" if each.state != "kept" else f"`{test}`" if test else "missing"
        lines.append(f"| {each.id} | {each.words} | {each.state} | {shown} |")
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table(TABLE.read_text(encoding="utf-8") if TABLE.exists() else ""))
