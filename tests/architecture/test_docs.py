"""The documents say what the code says."""

import ast
import re
import tomllib

import pytest
from click.testing import CliRunner

from mailer.cli.data_map import data_map, markdown
from tests.architecture import rules
from tests.architecture.rules import ROOT

DOCS = ROOT / "docs"
LONGEST_DECISION = 30
DECISIONS = sorted((DOCS / "adr").glob("[0-9]*.md"))
VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*")
FOR_TESTS_AND_MAKE = {"TEST_DATABASE_URL", "TEST_REDIS_URL", "PYTHON"}


def read(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def variables_read(source: str) -> set[str]:
    """Environment variables that settings.py reads: the whole upper-case texts in it."""
    return {node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)
            and isinstance(node.value, str) and len(node.value) > 3 and VARIABLE.fullmatch(node.value)}


def test_the_data_map_is_the_one_made_from_the_models() -> None:
    """`mailer data-map > docs/data-map.md` makes it anew."""
    assert read("data-map.md") == markdown()


def test_the_command_prints_the_data_map() -> None:
    assert CliRunner().invoke(data_map).output == markdown()


def test_every_personal_column_stands_in_the_data_map() -> None:
    assert "| contact_point | sealed | address | delete row |" in markdown()
    assert "| vault.person_key | wrapped | key | delete row |" in markdown()


def test_settings_md_names_each_variable_that_is_read_and_no_other() -> None:
    named = set(re.findall(r"^\| `([A-Z_]+)` \|", read("settings.md"), re.MULTILINE))
    assert named == variables_read((ROOT / "mailer/settings.py").read_text(encoding="utf-8"))
    said = {name for name in re.findall(r"`([A-Z][A-Z_]{3,})`", read("settings.md"))}
    assert said - named == FOR_TESTS_AND_MAKE


def test_the_runbook_says_what_each_log_event_means() -> None:
    events = {event for _, source in rules.modules()
              for event in re.findall(r"\blog\.(?:info|warning|error)\(\s*\"(\w+)\"", source)}
    said = set(re.findall(r"`(\w+)`", read("runbook.md").split("## Log events")[1]))
    assert len(events) > 10 and events <= said


def test_the_house_shows_every_package_and_contract() -> None:
    house = read("architecture.md")
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    packages = {path.parent.name for path in (ROOT / "mailer").glob("*/__init__.py")}
    assert not [name for name in packages if f"{name}/" not in house]
    assert not [each["name"] for each in contracts if f"| {each['name']} |" not in house]


def test_the_house_draws_the_floors_as_they_are() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    [layers] = [each["layers"] for each in contracts if each["id"] == "floors"]
    there = [" | ".join(name for name in floor.split(" | ") if not name.startswith("(")) for floor in layers]
    drawn = "\n".join(f"    {floor}" for floor in there if floor)
    assert drawn in read("architecture.md")


def test_every_file_that_the_documents_name_is_there() -> None:
    lost = []
    for path in DOCS.rglob("*.md"):
        for link in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
            if "://" not in link and not (path.parent / link).exists():
                lost.append(f"{path.name} {link}")
    named = re.findall(r"`((?:mailer/)?[a-z_]+(?:/[a-z_]+)*/[a-z_]+\.py)`", read("architecture.md"))
    lost += [name for name in named if not any((ROOT / root / name).exists() for root in ("", "mailer"))]
    assert named and not lost


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_says_what_why_and_what_was_rejected_on_one_page(path: object) -> None:
    source = (DOCS / "adr" / str(path).rsplit("/", 1)[1]).read_text(encoding="utf-8")
    assert len(source.splitlines()) <= LONGEST_DECISION
    assert all(word in source for word in ("**What.**", "**Why.**", "**Rejected.**"))


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    assert all(path.read_text(encoding="utf-8").startswith(f"# {int(path.name[:4])} ") for path in DECISIONS)


def test_every_point_that_a_comment_cites_stands_somewhere() -> None:
    index = read("adr/README.md")
    known = {int(number) for row in re.findall(r"^\| ([0-9, ]+) \|", index, re.MULTILINE)
             for number in row.split(",")}
    cited = {int(number) for _, source in rules.modules("mailer", "workers", "tests", "migrations")
             for found in re.findall(r"\bdecisions? ((?:\d+(?:, | and |-)?)+)", source)
             for number in re.findall(r"\d+", found)}
    assert cited <= known
