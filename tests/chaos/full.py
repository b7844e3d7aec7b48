"""The full size of the kill test: `make chaos`. Prints a line a seed; the exit status is 1 when a promise was broken.

By default 10,000 recipients, a mail server that answers after 20 ms, 20 SIGKILLs at random over all processes, all of
them while it sends, 10 seeds.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.killing import Toll, kill_while_it_sends
from tests.chaos.live import CONNECTIONS, PROCESSES, live
from tests.chaos.mail_server import MailServer, serving
from tests.chaos.sending import Reckoning, Sending
from tests.instance import Instance

THE_END = 300.0


def main() -> int:
    """Run the seeds asked for; 1 when any of them broke a promise."""
    asked = _arguments()
    folder = Path(tempfile.mkdtemp(prefix="mailer-chaos-"))
    try:
        with serving(folder / "taken.tsv", f"dot:delay={asked.delay}") as server, live(folder, server) as instance:
            instance.command("seed", "--people", str(asked.people))
            good = [one_seed(instance, server, seed, asked.people, asked.kills) for seed in _seeds(asked.seeds)]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{sum(good)} of {len(good)} seeds kept every promise.")
    return 0 if all(good) else 1


def one_seed(instance: Instance, server: MailServer, seed: int, people: int, kills: int) -> bool:
    """One campaign under fire; whether everything promised held."""
    began = time.monotonic()
    sending = Sending(instance, [server], f"Chaos {seed}")
    toll = kill_while_it_sends(instance, sending, people, kills, random.Random(seed))
    try:
        found = sending.the_end(THE_END)
        found.everybody(people)
        right = found.uncertain <= toll.most_unsure(CONNECTIONS, PROCESSES)
    except AssertionError as broken:
        print(f"seed {seed}: BROKEN {broken}")
        return False
    print(line(seed, found, toll, time.monotonic() - began) + ("" if right else " TOO MANY UNSURE"), flush=True)
    return right


def line(seed: int, found: Reckoning, toll: Toll, seconds: float) -> str:
    """What one seed found."""
    struck = ", ".join(f"{role} {n}" for role, n in sorted(toll.struck.items()))
    return (f"seed {seed}: twice {found.twice}, lost {found.lost}, uncertain {found.uncertain} "
            f"(at most {toll.most_unsure(CONNECTIONS, PROCESSES)}), kills {toll.total} ({struck}), {seconds:.0f} s")


def _seeds(text: str) -> list[int]:
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.full")
    parser.add_argument("--seeds", default="1-10", help="one seed, or the first and the last")
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--delay", type=float, default=0.02, help="seconds the mail server waits at each dot")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
