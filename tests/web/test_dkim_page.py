"""The record to publish for each sending domain, on the settings page."""

from flask import Flask

from mailer.core.mail_signing import Algorithm
from mailer.organisation import dkim, senders
from mailer.services import unit_of_work
from mailer.staff.roles import Role
from tests.web.staff_world import Team, text_of


def test_the_record_of_each_key_can_be_copied_and_its_state_is_a_word(app: Flask, team: Team) -> None:
    with unit_of_work(team.services) as ctx:
        senders.add(ctx, name="News", address="news@cadenza.example.org")
        senders.add(ctx, name="Shop", address="shop@other.example.org")
        first = dkim.make(ctx, "cadenza.example.org", Algorithm.RSA, "one")
        dkim.activate(ctx, first.id)
        waiting = dkim.make(ctx, "cadenza.example.org", Algorithm.RSA, "two")
    auditor = team.browser("aud@example.org", Role.AUDITOR)
    page = text_of(auditor.get("/staff/settings"))
    for key, word in ((first, "In use"), (waiting, "Waiting")):
        assert f'<code id="dkim-{key.id}-value">{key.record.value}</code>' in page
        assert f'<code id="dkim-{key.id}-name">{key.record.name}</code>' in page and word in page
    assert "mailer dkim new --domain other.example.org" in page and page.count("Not signed") == 1
    assert "mailer dkim rotate --domain cadenza.example.org" in page
    with unit_of_work(team.services) as ctx:
        dkim.activate(ctx, waiting.id)
    page = text_of(auditor.get("/staff/settings"))
    assert first.record.value not in page and "Leave its record published until 9 March 2026" in page


def test_a_domain_appears_with_its_first_sender(app: Flask, team: Team) -> None:
    page = text_of(team.browser("ana@example.org", Role.ADMIN).get("/staff/settings"))
    assert "A domain appears here with the first sender." in page
