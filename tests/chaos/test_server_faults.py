"""Mail servers that misbehave in the middle of a campaign: rows end in the right state, nobody twice, nobody lost."""

import pytest

from tests.chaos.live import PEOPLE
from tests.chaos.mail_server import SLOWLY, MailServer
from tests.chaos.sending import Sending, add_people
from tests.instance import Instance

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(120)]

OTHERS, REFUSING = 300, 12
"""People of a domain that takes nothing: too few for a campaign to pause by itself (decision 31)."""


def test_an_answer_cut_off_after_the_dot_makes_that_one_unsure_and_is_never_sent_again(
        instance: Instance, mail: MailServer) -> None:
    """Engine guarantee 2: the server took it and hung up before its 250; all others get theirs."""
    mail.becomes("dot:close*4+50", SLOWLY)
    found = Sending(instance, [mail], "Dropped").the_end(hurried=True)

    found.holds()
    assert found.uncertain == 4
    assert found.arrived == PEOPLE


@pytest.mark.parametrize("stage", ["rcpt", "data", pytest.param("mail", marks=pytest.mark.soak)])
def test_a_server_that_says_421_in_the_middle_of_a_pipeline_makes_nobody_unsure(
        stage: str, instance: Instance, mail: MailServer) -> None:
    """What travelled behind the refused command was never begun, so it goes again."""
    mail.becomes(f"{stage}:421 4.3.2 closing*5+40", SLOWLY)
    found = Sending(instance, [mail], f"Closing at {stage}").the_end(hurried=True)

    found.holds()
    assert found.uncertain == 0
    assert found.arrived == PEOPLE


def test_a_server_that_is_slow_to_read_holds_up_nothing_but_its_connection(
        instance: Instance, mail: MailServer) -> None:
    """Six bodies take longer than a clearance lasts: those are finished, what waited behind them is cleared anew."""
    mail.becomes("body:delay=1.5*6+20")
    found = Sending(instance, [mail], "Slow").the_end(hurried=True)

    found.holds()
    assert found.uncertain == 0
    assert found.arrived == PEOPLE


def test_a_storm_of_later_answers_ends_with_everybody_written_to_once(instance: Instance, mail: MailServer) -> None:
    mail.becomes(f"rcpt:451 4.3.2 later*{PEOPLE // 2}+20", "dot:452 4.3.1 full*20", SLOWLY)
    found = Sending(instance, [mail], "Storm").the_end(hurried=True)

    found.holds()
    assert found.uncertain == 0
    assert found.arrived == PEOPLE


def test_a_tarpit_is_waited_for(instance: Instance, mail: MailServer) -> None:
    mail.becomes("banner:delay=2*8", "mail:delay=0.4*30", "rcpt:delay=0.4*30")
    found = Sending(instance, [mail], "Tarpit").the_end(hurried=True)

    found.holds()
    assert found.uncertain == 0
    assert found.arrived == PEOPLE


def test_a_domain_that_refuses_fails_alone(instance: Instance, mail: MailServer) -> None:
    """Refused at the address or after the content: both are failures with the server's code, and nobody else's."""
    instance.command("seed", "--people", str(OTHERS), "--list", "refusing")
    for domain in ("rcpt.example", "dot.example"):
        add_people(instance, domain, REFUSING // 2, "refusing")
    mail.becomes("rcpt@*@rcpt.example:550 5.1.1 nobody of that name", "dot@*@dot.example:550 5.1.1 nobody of that name",
                 SLOWLY)
    campaign = Sending(instance, [mail], "Refused", "refusing")
    found = campaign.the_end(hurried=True)

    found.holds()
    assert (found.rows["failed"], found.rows["accepted"]) == (REFUSING, OTHERS)
    assert instance.command("campaign", "status", str(campaign.id))["failed_by_code"] == {"550 5.1.1": REFUSING}
    assert found.arrived == OTHERS
