"""M25, T10. Nothing personal in titles, headers, metrics or other people's mail; reports know nobody."""

import re

import pytest
from flask import Flask

from mailer.channels.email.channel import channel
from mailer.core.channel import Links
from mailer.services import Services, unit_of_work
from mailer.staff.roles import Role
from tests.architecture import rules
from tests.channels.email_samples import SITE, a_copy, a_letter, a_recipient
from tests.guards.test_pages import paths
from tests.people.builders import a_list, join
from tests.web.public_pages import Visitor
from tests.web.staff_world import Team, text_of

ADDRESS, NAME = "quintessamar.velozzini@example.org", "Quillonwick"
PERSONAL_TABLES = re.compile(
    r"\b(?:FROM|JOIN)\s+(?:vault\.)?(?:person|contact_point|pending_request|person_key|friend_request|rights_request"
    r"|collected_field|field_source)\b", re.IGNORECASE)


def test_no_title_and_no_header_of_a_page_names_a_person(app: Flask, services: Services, team: Team) -> None:
    """M25. Titles stay in histories and tabs, headers in proxies: neither may say whom a page is about."""
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx)
        join(ctx, ADDRESS, made.id, topics)
    browser, seen = team.browser("everyrolehere@example.org", *Role), 0
    for path in [*paths(app, staff=True), *paths(app, staff=False)]:
        answer = browser.get(path) if path.startswith(("/staff", "/outbox")) else Visitor(app).get(path)
        title = re.search(r"<title>(.*?)</title>", text_of(answer), re.S) if answer.mimetype == "text/html" else None
        said = (title[1] if title else "") + str(answer.headers)
        assert not {each for each in (ADDRESS, NAME, ADDRESS.split("@")[0]) if each in said}, path
        assert not title or "@" not in title[1], path
        seen += answer.status_code == 200
    assert seen > 30


def test_metrics_name_nobody(app: Flask, services: Services) -> None:
    """M25. What a monitor reads are numbers of things, and no label holds an address, a name or a domain."""
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx)
        join(ctx, ADDRESS, made.id, topics)
    said = Visitor(app).get("/metrics", headers={"Authorization": "Bearer x"}).text
    assert not re.search(r"@|velozzini|Quillonwick|example\.org", said)


def test_no_message_holds_anything_of_another_person() -> None:
    """M25. Two people's copies of one campaign: neither address, name nor link of one is in the other's, headers too.
    """
    program = channel.compile(a_copy())
    tokens = {"ada.quillfeather@example.org": "a" * 56, "bob.starkenberg@example.net": "b" * 56}
    built = {address: program.build(a_recipient(
        address=address, fields={"first name": address.split(".")[0].title()}, message_id=f"{token}@example.org",
        envelope_sender=f"b-{token[:8]}@example.org",
        links=Links(*(f"{SITE}/{way}/{token}" for way in ("u", "one-click", "p", "why"))))) for address, token
        in tokens.items()}
    for address, message in built.items():
        others = [other for other in tokens if other != address]
        assert address.encode() in message
        assert not any(part.encode() in message for other in others for part in (other, tokens[other][:20]))


def test_a_single_letter_names_one_recipient_and_no_copy() -> None:
    """M25. There is no Cc, no Bcc and one To."""
    head = channel.compose(a_letter()).split(b"\r\n\r\n")[0].lower()
    assert head.count(b"\nto:") == 1 and b"\ncc:" not in head and b"\nbcc:" not in head


@pytest.mark.parametrize(("path", "source"), [
    (path, source) for path, source in rules.modules("mailer/analytics", "mailer/campaigns")
    if "/analytics/" in path or path.endswith("/report.py")], ids=lambda each: each if "/" in each[:20] else "")
def test_no_report_joins_a_table_of_persons(path: str, source: str) -> None:
    """T10. Reports read from counters and from the ledger's random subjects, and the import contract says the same."""
    assert not PERSONAL_TABLES.search(source), path


def test_a_report_that_joins_persons_is_found() -> None:
    """T10. The search finds what it is there for."""
    assert PERSONAL_TABLES.search("SELECT country FROM campaign_count JOIN contact_point p ON p.id = 1")
