"""What a domain that answers 451 for ten minutes costs everybody else: prints the others' rate without and with it.

`python -m tests.chaos.slow_domain`: a fifth of the people are of that domain. The exit status is 1 when the others keep
less than nine tenths of their rate, or when anybody got a message twice.
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.live import CONNECTIONS, PROCESSES, live
from tests.chaos.mail_server import MailServer, serving
from tests.chaos.sending import Sending, add_people
from tests.instance import Instance

DOMAIN = "slow.example"
KEEPS = 0.9
BEGINNING = 3.0
"""Seconds at the beginning of a campaign that are not looked at: a process may join late."""


def main() -> int:
    """Two campaigns to the same people: one while the domain takes mail, one while it says later."""
    asked = _arguments()
    folder = Path(tempfile.mkdtemp(prefix="mailer-chaos-"))
    slowly = f"dot:delay={asked.delay}"
    most = CONNECTIONS * PROCESSES / asked.delay
    people = int(most * (max(asked.seconds, asked.before) + 10))
    try:
        with serving(folder / "taken.tsv", slowly) as mail, live(folder, mail) as instance:
            instance.command("seed", "--people", str(people))
            add_people(instance, DOMAIN, people // 4)
            well = rate(instance, mail, asked.before, "Well")
            mail.becomes(f"rcpt@*@{DOMAIN}:451 4.3.0 come back later", slowly)
            slow = rate(instance, mail, asked.seconds, "Slow")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"others: {well:.0f}/s while all domains took mail, {slow:.0f}/s in {asked.seconds:.0f} s while one answered "
          f"451 ({slow / well:.2f} of it; at least {KEEPS})")
    return 0 if slow >= KEEPS * well else 1


def rate(instance: Instance, mail: MailServer, seconds: float, subject: str) -> float:
    """Messages a second to people of other domains within the first so many seconds; then the campaign is stopped."""
    campaign = Sending(instance, [mail], subject)
    campaign.reaches(1)
    began = time.monotonic() + BEGINNING
    time.sleep(seconds)
    ended = time.monotonic()
    seen = campaign.look()
    assert seen is not None and seen[0] == "sending", seen
    instance.command("campaign", "stop", str(campaign.id))
    campaign.the_end().holds()
    times = [each.at for each in mail.taken() if began <= each.at < ended and not each.recipient.endswith(DOMAIN)]
    return len(times) / (ended - began)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.slow_domain")
    parser.add_argument("--seconds", type=float, default=600, help="how long the domain says later")
    parser.add_argument("--before", type=float, default=60, help="how long it takes mail in the campaign before")
    parser.add_argument("--delay", type=float, default=0.05, help="seconds the mail server waits at each dot")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
