"""The instance under fire: `mailer run` in Live, as large as its tests say."""

from contextlib import AbstractContextManager
from pathlib import Path

from tests.chaos.mail_server import MailServer
from tests.instance import Instance, running

CONNECTIONS = 10
PROCESSES = 2
PEOPLE = 1_500
"""On the list `seed` of the instance that the small tests share."""


def live(folder: Path, server: MailServer) -> AbstractContextManager[Instance]:
    """An instance that sends to that server."""
    return running(folder, MAILER_MODE="live", SMTP_URL=server.url, MAIL_FROM="news@example.org",
                   WORKER_PROCESSES=str(PROCESSES), SMTP_CONNECTIONS=str(CONNECTIONS))
