"""`python -m bench.stop_list [LINES]`: a stop list of two million fingerprints taken in and written out again.

One line in the middle is cut, and every hundredth fingerprint is a person's, whose consent ends. Prints one JSON
object: seconds, lines a second and the largest memory of the commands.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import text

from mailer.bench.scratch import Scratch, python, scratch
from mailer.suppression.files import mark_of

LINES = 2_000_000
PEOPLE_PER_LINE = 100


def main() -> None:
    """Measure and print."""
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else LINES
    with scratch() as made:
        made.start_servers()
        made.command("seed", "--people", str(lines // PEOPLE_PER_LINE), "--list", "news")
        given, written = made.folder / "given.jsonl", made.folder / "written.jsonl"
        write(made, given, lines)
        found = {"lines": lines, "import": suppress(made, "import", given)}
        with written.open("w") as file:
            found["export"] = suppress(made, "export", given, file.fileno())
        found["written_megabytes"] = written.stat().st_size >> 20
    print(json.dumps(found, indent=2))


def write(made: Scratch, given: Path, lines: int) -> None:
    """A file as `mailer suppress export` writes it: of people that there are, of others, and a line that is cut."""
    services = made.services()
    with services.engine.connect() as connection, given.open("w") as file:
        people = iter(connection.execute(text("SELECT fingerprint FROM contact_point")).scalars().all())
        key = mark_of(services.sealer)
        for n in range(1, lines + 1):
            print_of = next(people) if n % PEOPLE_PER_LINE == 0 else n.to_bytes(32, "big")
            file.write("{cut\n" if n == lines // 2 + 1 else json.dumps({
                "fingerprint": print_of.hex(), "reason": "unsubscribed", "channel": "email", "list_id": 0,
                "topic_id": 0, "day": "2026-01-05", "until": "", "key": key}) + "\n")
    services.engine.dispose()


def suppress(made: Scratch, act: str, source: Path, out: int = subprocess.PIPE) -> dict[str, object]:
    """One command: what it says of itself, and its seconds and megabytes as seen from outside."""
    began = time.monotonic()
    with source.open("rb") as typed:
        done = subprocess.run([*python("mailer.cli"), "suppress", act, "--json"], env=made.env, stdin=typed, stdout=out,
                              stderr=subprocess.PIPE, check=False)
    said = (done.stdout or done.stderr).decode().strip().splitlines()
    found = json.loads(said[-1])
    return {name: value for name, value in found.items() if name != "seconds"} | {
        "seconds": round(time.monotonic() - began, 1),
        "largest_megabytes": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024}


if __name__ == "__main__":
    main()
