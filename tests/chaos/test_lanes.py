"""One slow domain delays nobody but itself (engine guarantee 5)."""

import psycopg
import pytest

from tests.chaos.mail_server import SLOWLY, MailServer, still_for
from tests.chaos.sending import Sending, add_people, database
from tests.instance import Instance

PEOPLE, SLOW = 400, 100
DOMAIN = "slow.example"


@pytest.mark.chaos
@pytest.mark.timeout(120)
def test_a_domain_that_answers_451_waits_alone_and_is_asked_seldom(instance: Instance, mail: MailServer) -> None:
    """A fifth of the people are there: the others get theirs meanwhile, and the fifth is left alone for minutes."""
    instance.command("seed", "--people", str(PEOPLE), "--list", "lanes")
    add_people(instance, DOMAIN, SLOW, "lanes")
    mail.becomes(f"rcpt@*@{DOMAIN}:451 4.3.0 come back later", SLOWLY)
    campaign = Sending(instance, [mail], "A slow domain", "lanes")
    campaign.reaches(PEOPLE)
    seen = campaign.look()
    assert seen is not None and seen[0] == "sending"
    assert seen[1]["waiting"] >= SLOW
    assert still_for(mail, 3)
    assert 0 < tries(database(instance), campaign.id) <= 2 * SLOW

    mail.becomes(SLOWLY)
    found = campaign.the_end(hurried=True)

    found.holds()
    assert found.uncertain == 0
    assert found.arrived == PEOPLE + SLOW


def tries(url: str, campaign: int) -> int:
    """How often messages for that domain were taken in hand; some go back before the server is asked."""
    with psycopg.connect(url) as connection:
        row = connection.execute("""
            SELECT coalesce(sum(m.attempt), 0) FROM message m JOIN contact_point c ON c.id = m.contact_point_id
            WHERE m.campaign_id = %s AND m.state <> 'accepted'""", (campaign,)).fetchone()
    assert row is not None
    return int(row[0])
