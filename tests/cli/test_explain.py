"""`mailer explain address` says what we make of an address, with no instance running."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailer.cli.explain import explain

KIT = json.loads((Path(__file__).parents[1] / "vectors" / "email_addresses.json").read_text(encoding="utf-8"))
EXPECTED = ("id", "accept", "normalized", "identity", "smtputf8", "ascii_domain")


@pytest.fixture(autouse=True)
def _away_from_any_instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILER_DATA_DIR", str(tmp_path / "none"))
    monkeypatch.delenv("DATABASE_URL", raising=False)


def run(*arguments: str, given: str = "") -> Result:
    return CliRunner().invoke(explain, ["address", *arguments], input=given)


def test_the_vectors_come_back_line_by_line_with_exactly_the_fields_they_expect() -> None:
    given = "\n".join(json.dumps({"id": vector["id"], "input": vector["input"]}) for vector in KIT["vectors"])
    result = run("--json-lines", given=given + "\n")
    assert result.exit_code == 0
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {name: vector[name] for name in EXPECTED} for vector in KIT["vectors"]]


def test_a_value_is_explained_in_a_sentence() -> None:
    assert run("Anna.Berg@Example.ORG").stdout == (
        "We would write to Anna.Berg@example.org, and know it again as anna.berg@example.org.\n")
    assert run("anna@example").stdout.startswith("Not an address we can write to. What stands after the @")


def test_a_value_may_come_on_standard_input_and_the_answer_as_one_object() -> None:
    answer = json.loads(run("--json", given="jörg@example.org\n").stdout)
    assert answer["accept"] is True and answer["smtputf8"] is True and answer["why"] is None
    assert json.loads(run("--json", given="x\n").stdout)["why"] == "no_at"


@pytest.mark.parametrize("line", ["{", "[]", "{}", '{"input": 5}', "null"])
def test_a_line_that_is_no_such_object_is_named(line: str) -> None:
    result = run("--json-lines", given='{"id": 1, "input": "a@b.co"}\n' + line)
    assert result.exit_code == 1 and "line 2" in str(result.exception)


def test_wrong_use_ends_with_2() -> None:
    assert run("a@b.co", "--json-lines").exit_code == 2
    assert not any(Path.cwd().glob("none"))
