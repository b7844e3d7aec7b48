"""`mailer explain address` says what we make of an address, with no instance running."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailer.cli.explain import explain

REPLIES = json.loads((Path(__file__).parents[1] / "vectors" / "smtp_replies.json").read_text(encoding="utf-8"))
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


def reply(*arguments: str, given: str = "") -> Result:
    return CliRunner().invoke(explain, ["reply", *arguments], input=given)


def test_the_replies_of_the_vectors_come_back_with_what_they_mean() -> None:
    result = reply("--json-lines", given="\n".join(map(json.dumps, REPLIES["vectors"])))
    assert result.exit_code == 0
    assert [(found["id"], found["action"]) for found in map(json.loads, result.stdout.splitlines())] == [
        (vector["id"], vector["action"]) for vector in REPLIES["vectors"]]


def test_a_reply_is_explained_in_a_sentence_or_as_one_object() -> None:
    assert reply("451 4.7.1 greylisted", "--stage", "rcpt").stdout == "Not now: we try again later.\n"
    assert json.loads(reply("--stage", "data-end", "--json", given="550 5.1.1 nobody\n").stdout) == {
        "action": "hard", "fate": "failed", "code": "550 5.1.1", "operator": False, "lane_down": False,
        "sentence": "There is no such mailbox: nothing more is sent to this address."}
    assert json.loads(reply("", "--stage", "data-end", "--json").stdout)["fate"] == "uncertain"
    assert json.loads(reply("hello", "--stage", "mail", "--json").stdout)["action"] == "protocol_error"


def test_an_unknown_stage_is_named_with_those_there_are() -> None:
    result = reply("250 ok", "--stage", "lunch")
    assert result.exit_code == 1 and "data-end" in str(result.exception)
