"""The way out in every message, as any mail program finds it (M17, RFC 8058, RFC 2369, RFC 2919)."""

import email
import re
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from flask.testing import FlaskClient

from mailer.app import create_app
from mailer.core.messages import CampaignState
from tests.conftest import RememberedJobs
from tests.fakes.smtp_server import SmtpServer
from tests.flows.world import Sending

PEOPLE, LEAVERS = 300, 20
ONE_CLICK = re.compile(r"<(http://localhost:8000/one-click/[a-z0-9]{1,56})>")
LEAVE = re.compile(r"http://localhost:8000/u/[a-z0-9]{1,56}\b")
FORM = {"data": "List-Unsubscribe=One-Click", "content_type": "application/x-www-form-urlencoded"}


@pytest.fixture
def sent(world: Sending, server: SmtpServer) -> dict[str, EmailMessage]:
    """A campaign to everybody, parsed, by recipient."""
    world.people(PEOPLE)
    seen = world.turns_to_the_end(world.launched())
    assert (seen.accepted, seen.state) == (PEOPLE, CampaignState.SENT)
    return {each.recipient: email.message_from_bytes(each.body or b"", policy=SMTP)
            for each in server.record.deliveries}


@pytest.fixture
def visitor(world: Sending, jobs: RememberedJobs) -> FlaskClient:
    return create_app(world.services.settings, jobs=jobs, services=world.services).test_client()


def one_click_of(message: EmailMessage) -> str:
    (value,) = message.get_all("List-Unsubscribe")
    (uri,) = ONE_CLICK.findall(str(value))
    return str(uri)


def part(message: EmailMessage, kind: str) -> str:
    found = message.get_body(preferencelist=(kind,))
    assert found is not None
    return str(found.get_content())


def test_every_message_has_its_own_way_out_in_its_headers_and_in_both_parts(
        server: SmtpServer, sent: dict[str, EmailMessage]) -> None:
    """M17: RFC 8058 section 3.1, and a link that a person sees."""
    assert len(server.record.deliveries) == len(sent) == PEOPLE
    assert len({message["Message-ID"] for message in sent.values()}) == PEOPLE
    assert len({one_click_of(message) for message in sent.values()}) == PEOPLE
    leave_links = set()
    for recipient, message in sent.items():
        assert not message.defects
        assert [each.addr_spec for each in message["To"].addresses] == [recipient]
        assert message.get_all("List-Unsubscribe-Post") == ["List-Unsubscribe=One-Click"]
        assert re.fullmatch(r".*<l\d+\.[^<>@\s]+>", str(message["List-Id"]))
        assert len(message.get_all("List-Id")) == len(message.get_all("Message-ID")) == 1
        (in_text,), in_html = set(LEAVE.findall(part(message, "plain"))), set(LEAVE.findall(part(message, "html")))
        assert in_html == {in_text}
        leave_links.add(in_text)
    assert len(leave_links) == PEOPLE


def test_the_next_campaign_refuses_exactly_those_who_pressed_the_mail_programs_button(
        world: Sending, server: SmtpServer, sent: dict[str, EmailMessage], visitor: FlaskClient) -> None:
    """M17, RFC 8058 section 3.2: one POST without cookie, question or redirect."""
    leavers = set(sorted(sent)[:LEAVERS])
    for recipient in leavers:
        path = one_click_of(sent[recipient]).removeprefix("http://localhost:8000")
        assert visitor.get(path).status_code == 200
        answer = visitor.post(path, **FORM)
        assert (answer.status_code, answer.headers.get("Set-Cookie")) == (200, None)
    server.record.deliveries.clear()

    seen = world.turns_to_the_end(world.launched(subject="Once more"))
    assert dict(seen.refused_by_reason) == {"unsubscribed": LEAVERS}
    assert seen.accepted == PEOPLE - LEAVERS
    assert set(world.taken) == set(sent) - leavers


def test_looking_at_the_links_as_a_scanner_does_unsubscribes_nobody(
        world: Sending, sent: dict[str, EmailMessage], visitor: FlaskClient) -> None:
    """Decision 21: GET and HEAD change nothing."""
    message = next(iter(sent.values()))
    links = {one_click_of(message), *re.findall(r"http://localhost:8000/[^\s\"<>]+", part(message, "html"))}
    for link in links:
        path = link.removeprefix("http://localhost:8000")
        assert visitor.head(path).status_code == visitor.get(path).status_code == 200, path
    assert world.turns_to_the_end(world.launched()).accepted == PEOPLE
