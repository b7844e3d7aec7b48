"""How fast a campaign goes from the database to accepted and recorded, beside a plain sender of ready-made bytes.

`python -m bench.send [--people N] [--processes P]` prints one JSON object. Both send to the same counting server on
this machine; the plain sender keeps ten connections and writes what the engine's own compiler made.
"""

import argparse
import json
import smtplib
import tempfile
import threading
from pathlib import Path
from time import monotonic

from tests.chaos.test_kill import counting_server
from tests.instance import Instance

CONNECTIONS = 10
BODY = "# News\n\nHello {first name | there},\n\n" + "A paragraph of quite ordinary words about music and rain. " * 60


def measure(people: int, processes: int) -> dict[str, object]:
    """Run both and put the figures side by side."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "taken.tsv"
        with counting_server(out) as port:
            figures = _engine(Path(folder), port, people, processes)
            raw = _plain(port, people, int(str(figures["message_bytes"])))
        figures["raw_per_second"] = raw
        figures["ratio_to_raw"] = round(float(str(figures["messages_per_second"])) / raw, 2)
        return figures


def _engine(folder: Path, port: int, people: int, processes: int) -> dict[str, object]:
    instance = Instance(folder, MAILER_MODE="live", SMTP_URL=f"smtp://127.0.0.1:{port}", MAIL_FROM="news@example.org",
                        WORKER_PROCESSES=str(processes), SMTP_CONNECTIONS=str(CONNECTIONS))
    instance.start()
    try:
        instance.command("seed", "--people", str(people))
        body = folder / "body.md"
        body.write_text(BODY)
        instance.command("campaign", "create", "--list", "seed", "--subject", "Bench", "--body-file", str(body))
        instance.command("campaign", "send", "1", "--yes")
        status = instance.wait_for(1, "sent", seconds=600)
    finally:
        instance.stop()
    lines = (folder / "taken.tsv").read_text().splitlines()
    at = sorted(int(line.split("\t")[0]) for line in lines)
    return {"people": people, "processes": processes, "accepted": status["accepted"],
            "messages_per_second": round(len(at) / ((at[-1] - at[0]) / 1e9)),
            "message_bytes": int(lines[0].split("\t")[3])}


def _plain(port: int, people: int, size: int) -> int:
    """Ready-made bytes over ten kept connections, no database: messages a second."""
    message = b"Subject: raw\r\nMessage-ID: <raw@localhost>\r\n\r\n" + b"x" * 70 + b"\r\n"
    message += (b"y" * 74 + b"\r\n") * ((size - len(message)) // 76)
    numbers = iter(range(people))
    taking = threading.Lock()

    def work() -> None:
        with smtplib.SMTP("127.0.0.1", port) as smtp:
            while True:
                with taking:
                    number = next(numbers, None)
                if number is None:
                    return
                smtp.sendmail("news@example.org", [f"raw{number}@example.org"], message)

    threads = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    started = monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return round(people / (monotonic() - started))


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--people", type=int, default=20_000)
    asked.add_argument("--processes", type=int, default=2)
    given = asked.parse_args()
    print(json.dumps(measure(given.people, given.processes)))


if __name__ == "__main__":
    main()
