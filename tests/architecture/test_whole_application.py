"""Every page has its mark, every link its page, every job its actor, every state its row."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect, Rule

from mailer.core.jobs import Job
from mailer.core.links import Link
from mailer.core.messages import MOVES, WAITING, CampaignState, State
from mailer.outbox.models import STATES
from mailer.subscriptions.claims import PATHS
from mailer.web.doors import EXEMPT_FROM_CSRF
from tests.architecture import rules
from tests.architecture.rules import ROOT
from workers import actors
from workers.broker import broker

ANY_TOKEN = "1"
NOT_A_PAGE = {
    "mailer/web/errors.py": "the start of paths that are answered in JSON",
}
"""Modules whose path-like texts are no links, with the reason."""
OURS = re.compile(r"/(?:u|one-click|p|why|undo|confirm|join|staff|outbox|privacy|stop|stop-email|healthz|readyz"
                  r"|metrics)(?:/.*)?")
"""Texts that look like paths of ours; a route below a prefix is written without it and looks like none."""


def rules_of(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint != "static"]


def resolves(app: Flask, path: str) -> bool:
    """Whether some method is answered at this path."""
    try:
        app.url_map.bind("localhost").match(path, method="GET")
    except (MethodNotAllowed, RequestRedirect):
        return True
    except NotFound:
        return False
    return True


def test_every_route_says_who_may_enter(app: Flask) -> None:
    views = {rule.endpoint: app.view_functions[rule.endpoint] for rule in rules_of(app)}
    assert not [endpoint for endpoint, view in views.items() if not getattr(view, "auth_mark", "")]


def test_a_route_without_a_mark_is_found(app: Flask) -> None:
    app.add_url_rule("/planted", "planted", lambda: "in")
    with pytest.raises(AssertionError):
        test_every_route_says_who_may_enter(app)


def test_staff_pages_are_for_staff(app: Flask) -> None:
    """Below /staff only the doors themselves are open to everybody."""
    doors = {"staff_start", "staff_sign_in", "staff_help"}
    open_pages = {rule.endpoint for rule in rules_of(app) if rule.rule.startswith(("/staff", "/outbox"))
                  and "staff: " not in app.view_functions[rule.endpoint].auth_mark}
    assert {endpoint.split(".")[0] for endpoint in open_pages} <= doors


def test_exactly_the_public_forms_are_exempt_from_session_csrf(app: Flask) -> None:
    """Staff forms use session CSRF; public forms carry no cookie (decision 24)."""
    public = {rule.endpoint for rule in rules_of(app) if rule.endpoint.startswith("public_")
              and "POST" in (rule.methods or set())}
    assert set(EXEMPT_FROM_CSRF) == public
    assert len(set(EXEMPT_FROM_CSRF)) == len(EXEMPT_FROM_CSRF)


def test_get_is_answered_wherever_a_letter_points(app: Flask) -> None:
    """Each purpose that a letter prints has its path, and the path its page."""
    for link, path in PATHS.items():
        adapter = app.url_map.bind("localhost")
        endpoint, _ = adapter.match(f"/{path}/{ANY_TOKEN}", method="GET")
        assert endpoint.startswith("public_"), link
    assert set(PATHS) == {Link.LEAVE, Link.ONE_CLICK, Link.PREFERENCES, Link.WHY, Link.UNDO}


def test_every_path_that_the_code_prints_has_a_page(app: Flask) -> None:
    lost = [f"{path}:{line} {printed}" for path, source in rules.modules("mailer") if path not in NOT_A_PAGE
            for line, printed in rules.paths_printed(source)
            if OURS.fullmatch(printed)
            and not resolves(app, printed + ANY_TOKEN if printed.endswith("/") else printed)]
    assert not lost


def test_a_campaign_prints_the_four_links_of_a_person() -> None:
    source = (ROOT / "mailer/outbox/pack.py").read_text(encoding="utf-8")
    assert {printed for _, printed in rules.paths_printed(source)} >= {"/u/", "/one-click/", "/p/", "/why/"}


def test_a_path_without_a_page_is_found(app: Flask) -> None:
    [(_, printed)] = rules.paths_printed('LINK = f"{base}/unsubscribe-me/{token}"')
    assert printed == "/unsubscribe-me/1" and not resolves(app, printed)


def templates() -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / "templates").rglob("*.*")):
        yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def test_every_endpoint_that_is_named_exists(app: Flask) -> None:
    lost = [f"{path}:{line} {endpoint}" for path, source in [*templates(), *rules.modules("mailer")]
            for line, endpoint in rules.endpoints_named(source) if endpoint not in app.view_functions]
    assert not lost


def test_every_link_in_a_template_has_a_page(app: Flask) -> None:
    """What differs from case to case counts as `1`."""
    lost = []
    for path, source in templates():
        for found in re.finditer(r'\b(?:href|action|src|hx-get|hx-post|formaction)="(/[^"]*)"', source):
            target = re.sub(r"\{\{.*?\}\}", ANY_TOKEN, found[1]).split("?")[0].split("#")[0]
            if "{%" not in target and not resolves(app, target):
                lost.append(f"{path} {target}")
    assert not lost


def test_every_job_has_exactly_one_actor_and_every_actor_its_job() -> None:
    source = (ROOT / "workers/actors.py").read_text(encoding="utf-8")
    named = re.findall(r"actor_name=Job\.(\w+)\.value", source)
    assert sorted(named) == sorted(job.name for job in Job)
    assert source.count("@dramatiq.actor(") == len(named)
    assert broker.get_declared_actors() == {getattr(actors, job.value).actor_name for job in Job}


def test_every_state_has_its_row_of_moves() -> None:
    assert set(MOVES) == set(State)
    assert all(isinstance(target, State) for targets in MOVES.values() for target in targets)


def test_what_waits_can_move_and_what_ended_stays() -> None:
    """A late answer may still correct an unsure one (decision 8); nothing else that ended moves."""
    assert all(MOVES[state] for state in WAITING)
    assert {state for state in set(State) - WAITING if MOVES[state]} == {State.UNCERTAIN}


def test_every_state_can_be_reached() -> None:
    reached, rest = {State.READY}, [State.READY]
    while rest:
        fresh = MOVES[rest.pop()] - reached
        reached |= fresh
        rest += fresh
    assert reached == set(State)


def test_nobody_is_accepted_who_was_not_handed_over() -> None:
    before = {state for state, targets in MOVES.items() if State.ACCEPTED in targets}
    assert before == {State.HANDED, State.UNCERTAIN}


def test_the_database_knows_the_same_states() -> None:
    assert set(re.findall(r"'(\w+)'", STATES)) == {str(state) for state in State}
    assert {str(state) for state in CampaignState} == {
        "draft", "needs_approval", "scheduled", "starting", "sending", "paused", "stopped", "sent", "could_not_start"}
