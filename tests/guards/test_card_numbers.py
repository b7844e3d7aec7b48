"""C7, T22. A card number is taken by no input: refused before the database, and printed nowhere."""

import ast
import re
from collections.abc import Iterator
from inspect import getsourcefile, unwrap
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text
from werkzeug.routing import Rule

from mailer.cli.main import main
from mailer.core.card_numbers import holds_card_number
from mailer.services import Services, unit_of_work
from mailer.staff.roles import Role
from mailer.web.card_numbers import EXEMPT_ENDPOINTS, EXEMPT_FIELDS, SAID_IN_PLACE
from tests.architecture.rules import ROOT
from tests.web.staff_world import Browser, Team

CARD = "4111 1111 1111 1111"
TYPED = f"Please bill {CARD} as before."


def fields_read(source: str) -> set[str]:
    """Names of fields that a module of pages reads: the texts it hands to something called like a reader."""
    readers = {"typed", "get", "getlist", "raw", "whole", "many", "checked", "text", "ids", "flag", "number"}
    return {str(argument.value) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)
            and (getattr(node.func, "attr", "") or getattr(node.func, "id", "")) in readers
            for argument in node.args[:1] if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            and re.fullmatch(r"[a-z][a-z0-9_]*", argument.value)}


def posts(app: Flask) -> Iterator[tuple[Rule, set[str]]]:
    for rule in app.url_map.iter_rules():
        if "POST" in (rule.methods or ()) and rule.endpoint != "static":
            file = getsourcefile(unwrap(app.view_functions[rule.endpoint]))
            yield rule, fields_read(Path(str(file)).read_text(encoding="utf-8")) | {"note", "reason"}


def path_of(rule: Rule) -> str:
    return re.sub(r"<(?:int:)?[a-z_]+>", "1", rule.rule)


def test_every_text_field_of_every_form_refuses_a_card_number(app: Flask, services: Services, team: Team) -> None:
    """C7, T22. Every POST route, every field that its module reads, signed in with every role and as a stranger."""
    staff = team.browser("everyrolehere@example.org", *Role)
    asked = 0
    for rule, names in posts(app):
        for name in sorted(names - EXEMPT_FIELDS):
            if "password" in name or (rule.endpoint, name) in SAID_IN_PLACE or rule.endpoint in EXEMPT_ENDPOINTS:
                continue
            for who in (staff, Browser(app)):
                answer = who.client.post(path_of(rule), data={name: TYPED, "csrf_token": "x"})
                assert answer.status_code == 422, (rule.rule, name, answer.status_code)
                assert "1111" not in answer.get_data(as_text=True)
                asked += 1
    assert asked > 200
    with unit_of_work(services) as ctx:
        tables = ctx.db.scalars(text("SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables "
                                     "WHERE schemaname IN ('public', 'vault')")).all()
        held = [name for name in tables if ctx.db.scalar(text(f"SELECT EXISTS (SELECT FROM {name} AS one "
                                                              "WHERE one::text LIKE '%1111 1111%')"))]
    assert held == []


@pytest.mark.parametrize("number", ["4111111111111111", "4111-1111-1111-1111", "5555 5555 5555 4444",
                                    "378282246310005", "6011.1111.1111.1117", "3530111333300000"])
def test_the_page_says_what_is_wrong_and_never_the_number(app: Flask, team: Team, number: str) -> None:
    """C7. As it is typed on a desk: with spaces, dashes or dots, of several schemes."""
    staff = team.browser("everyrolehere@example.org", *Role)
    answer = staff.post("/staff/people", "/staff/people", find=f"Call about {number}")
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert "That looks like a card number" in page and number not in page


def test_what_only_looks_alike_is_taken() -> None:
    """C7, decision 34: order numbers, book numbers, phone numbers and dates are left alone."""
    assert not any(holds_card_number(each) for each in (
        "978-3-16-148410-0", "2026-03-02 15:00:00", "+44 20 7946 0958", "4111 1111 1111 1112", "Order 1234567890123"))


def test_the_command_line_takes_none_and_does_not_repeat_it(capsys: pytest.CaptureFixture[str]) -> None:
    """C7, T22. Whatever the command, nothing is done."""
    for words in (["campaign", "create", "--list", "News", "--subject", TYPED, "--body", "x"],
                  ["staff", "invite", "a@example.org", "--name", CARD], ["suppress", "ask", CARD]):
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 2
        said = capsys.readouterr()
        assert "looks like a card number" in said.err and "1111" not in said.err + said.out


def test_each_field_that_says_so_in_place_is_one_whose_own_check_refuses(app: Flask) -> None:
    """C7. The exceptions are endpoints that exist, and their modules ask the same question."""
    asking = {path.name for path in (ROOT / "mailer").rglob("*.py")
              if "holds_card_number" in path.read_text(encoding="utf-8")}
    assert {endpoint for endpoint, _ in SAID_IN_PLACE} <= set(app.view_functions)
    assert {"answers.py", "words.py"} <= asking
