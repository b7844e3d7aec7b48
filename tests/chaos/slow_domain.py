"""What a domain that answers 451 costs everybody else: prints the others' rate without and with it.

`python -m tests.chaos.slow_domain`: a fifth of the people are of that domain; the mail server answers after 20 ms.
The exit status is 1 when the others keep less than nine tenths of their rate.
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.live import live
from tests.chaos.mail_server import SLOWLY, MailServer, serving
from tests.chaos.sending import Sending, add_people
from tests.instance import Instance

DOMAIN = "slow.example"
KEEPS = 0.9


def main() -> int:
    """Two campaigns to the same people: one while the domain takes mail, one while it says later."""
    asked = _arguments()
    folder = Path(tempfile.mkdtemp(prefix="mailer-chaos-"))
    try:
        with serving(folder / "taken.tsv", SLOWLY) as mail, live(folder, mail) as instance:
            instance.command("seed", "--people", str(asked.people * 4 // 5))
            add_people(instance, DOMAIN, asked.people // 5)
            well = rate(instance, mail, asked.people * 4 // 5, "Well")
            mail.becomes(f"rcpt@*@{DOMAIN}:451 4.3.0 come back later", SLOWLY)
            slow = rate(instance, mail, asked.people * 4 // 5, "Slow")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"others: {well:.0f}/s while all domains take mail, {slow:.0f}/s while one answers 451 "
          f"({slow / well:.2f} of it; at least {KEEPS})")
    return 0 if slow >= KEEPS * well else 1


def rate(instance: Instance, mail: MailServer, others: int, subject: str) -> float:
    """Messages a second to people of other domains, from the first of them to the last."""
    already = len(mail.taken())
    campaign = Sending(instance, [mail], subject)

    def arrivals() -> list[float]:
        return [each.at for each in mail.taken()[already:] if not each.recipient.endswith(DOMAIN)]

    ends = time.monotonic() + 600
    while len(arrivals()) < others:
        assert time.monotonic() < ends, f"{len(arrivals())} of {others}"
        time.sleep(1)
    instance.command("campaign", "stop", str(campaign.id), check=False)
    instance.wait_for(campaign.id, "sent", "stopped")
    times = sorted(arrivals())
    return (others - 1) / (times[-1] - times[0])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.slow_domain")
    parser.add_argument("--people", type=int, default=20_000)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
