"""Promises that the product has kept from its first day, each with a test that names it."""

import re

import pytest
from flask import Flask
from sqlalchemy import text

from mailer.analytics import k_anonymity
from mailer.context import Context
from mailer.db import Model
from mailer.services import Services, unit_of_work
from mailer.staff.roles import Role
from tests.guards.test_pages import paths
from tests.people.builders import a_list, join
from tests.web.public_pages import Visitor
from tests.web.staff_world import Browser, Team

ADDRESS = "quintessamar.velozzini@example.org"
NETWORK = re.compile(r"(?:^|_)(?:ip|ip_address|remote_addr|client_addr|network|user_agent)(?:$|_)")
WATCHED = re.compile(r"(?:^|_)(?:open|opened|opens|click|clicked|clicks|view|viewed|pixel|visit|visited)(?:$|_)")


def people(ctx: Context) -> None:
    made, topics = a_list(ctx)
    join(ctx, ADDRESS, made.id, topics)


def columns() -> list[tuple[str, str, str]]:
    return [(table.fullname, column.name, str(column.type)) for table in Model.metadata.sorted_tables
            for column in table.columns]


def test_no_table_has_a_column_for_a_network_address() -> None:
    """C3, T8. Nothing to link an IP address with: no type and no name of one in the whole schema."""
    assert len(columns()) > 200
    held = [(table, name) for table, name, kind in columns() if kind in ("INET", "CIDR") or NETWORK.search(name)]
    assert all(table == "session" or table.startswith("staff") for table, _ in held), held


def test_no_table_can_hold_what_a_reader_opened_or_clicked() -> None:
    """S20, S21. There is no place for a view or a click of one person, so none is kept."""
    watched = [(table, name) for table, name, _ in columns() if WATCHED.search(name)]
    # A block is open until each of its messages is settled, a request until it is closed.
    assert [each for each in watched if each[0] not in ("message_block", "slice", "rights_request")] == []


def test_what_was_submitted_lies_nowhere_in_clear(services: Services) -> None:
    """C9, T23. Every table of both schemas is read whole, as somebody would who took the database."""
    with unit_of_work(services) as ctx:
        people(ctx)
    with unit_of_work(services) as ctx:
        tables = ctx.db.scalars(text("SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables "
                                     "WHERE schemaname IN ('public', 'vault')")).all()
        found = [table for table in tables for needle in (ADDRESS, "velozzini", "Quillonwick")
                 if ctx.db.scalar(text(f"SELECT EXISTS (SELECT FROM {table} AS one WHERE one::text ILIKE :needle)"),
                                  {"needle": f"%{needle}%"})]
    assert len(tables) > 50 and found == []


@pytest.mark.parametrize("role", list(Role))
def test_no_role_reaches_a_page_or_a_file_that_hands_out_addresses(
        app: Flask, services: Services, team: Team, role: Role) -> None:
    """C2, T1, M23. Every path is asked by every role: nobody's address comes out of any, and a refusal is noted."""
    with unit_of_work(services) as ctx:
        people(ctx)
    browser = team.browser(f"{role}@example.net", role)
    for path in paths(app, staff=True):
        assert ADDRESS not in browser.get(path).get_data(as_text=True), path
    for path in ("/staff/people/export", "/staff/partners/export", "/staff/lists/1/export", "/api/people"):
        assert browser.get(path).status_code == browser.post(path).status_code == 404


def test_https_is_said_to_browsers_and_cookies_are_bound_to_it(app: Flask, team: Team) -> None:
    """C8. Over https every answer asks for https from then on, and the one cookie is Secure and of this host."""
    team.add("quentessa@example.org", Role.ADMIN)
    secure = {"base_url": "https://localhost"}
    answer = app.test_client().get("/", **secure)
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    client = app.test_client()
    page = client.get("/staff/sign-in", **secure).get_data(as_text=True)
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    signed_in = client.post("/staff/sign-in", headers={"Referer": "https://localhost/staff/sign-in"}, data={
        "email": "quentessa@example.org", "password": "violet kettle drum", "csrf_token": found[1] if found else ""},
        **secure)
    [cookie] = signed_in.headers.getlist("Set-Cookie")
    assert cookie.startswith("__Host-mailer_staff=") and "Secure" in cookie and "Path=/" in cookie


def test_figures_about_fewer_than_the_floor_are_withheld() -> None:
    """M4, S22. One below the floor is not told from none, and what hides can not be worked out from the total."""
    floor = k_anonymity.FLOOR
    assert k_anonymity.shown(floor - 1) == k_anonymity.shown(0) == f"fewer than {floor}"
    assert k_anonymity.shown(floor) == str(floor)
    said = k_anonymity.parts({"a": floor - 1, "b": floor + 5, "c": 40})
    assert str(floor - 1) not in said.values() and str(floor + 5) not in said.values()


def test_pages_work_for_a_browser_that_keeps_nothing(app: Flask, services: Services) -> None:
    """M26, C4. Asking, stopping and reading need neither cookie nor script: none is sent and none is asked for."""
    visitor = Visitor(app)
    for path in ("/", "/stop", "/stop-email", "/privacy", "/contact"):
        page = visitor.get(path)
        assert page.status_code == 200 and "<script" not in page.text
    assert Browser(app).get("/").headers.getlist("Set-Cookie") == []
