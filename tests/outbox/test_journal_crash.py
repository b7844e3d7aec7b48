"""What a journal tells after its process was killed in the middle of sending."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mailer.outbox.journal import dead_journals
from tests.fakes.smtp_server import SmtpServer

SENDER = """
import sys
from pathlib import Path
from mailer.channels.email.transport import open_transport
from mailer.outbox.journal import FileJournal
from tests.channels.smtp_world import a_parcel

journal = FileJournal(Path(sys.argv[1]), "w")
journal.start_slice(1, "campaign")
transport = open_transport(sys.argv[2], connections=int(sys.argv[3]), host_name="us.example")
sent = [a_parcel(row) for row in range(1, 101)]
wire = transport.wire()
wire.deliver(sent, journal)
while wire.under_way:
    wire.turn(0.05)
"""


@pytest.mark.parametrize("connections", [1, 4])
def test_a_process_killed_between_dot_and_reply_leaves_one_unsure_a_connection(tmp_path: Path, connections: int
                                                                               ) -> None:
    """Engine guarantee 2: at most one uncertain per open connection; everyone else is known."""
    with SmtpServer("dot:stall+20") as server:
        with subprocess.Popen([sys.executable, "-c", SENDER, str(tmp_path), server.url, str(connections)]) as process:
            while len(server.record.deliveries) < 20 + connections and process.poll() is None:
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
        taken = {int(message_id[1:].partition("@")[0]) for _, message_id in server.record.counts}

    [dead] = dead_journals(tmp_path)

    begun = dead.slices[1].begun
    unsure = [row for row, hand_over in begun.items() if hand_over.outcome is None]
    assert dead.whole
    assert len(unsure) == connections
    assert set(begun) == taken
    assert len(begun) == 20 + connections
    assert set(server.record.counts.values()) == {1}
