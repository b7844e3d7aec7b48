"""What people do with the messages that a campaign brought them: read headers, press Unsubscribe."""

import email
import re
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from email.policy import SMTP

from tests.fakes.smtp_server import SmtpServer

AT_ONCE = 8


def messages(server: SmtpServer) -> dict[str, EmailMessage]:
    """The newest message of each recipient, parsed."""
    return {each.recipient: email.message_from_bytes(each.body or b"", policy=SMTP)
            for each in server.record.deliveries}


def post(url: str, **fields: str) -> tuple[int, str]:
    """Send a form; the answer's status and text."""
    data = urllib.parse.urlencode(fields).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data=data, method="POST"), timeout=30) as answer:
        return answer.status, answer.read().decode()


def get(url: str) -> str:
    """A page's text."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        return str(answer.read().decode())


def unsubscribe(message: EmailMessage) -> int:
    """What a mail program does when its own button is pressed (RFC 8058)."""
    (url,) = re.findall(r"<(https?://[^>]+)>", str(message["List-Unsubscribe"]))
    return post(url, **{"List-Unsubscribe": "One-Click"})[0]


def unsubscribe_all(chosen: list[EmailMessage]) -> None:
    """Several at a time; each is answered well."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert set(pool.map(unsubscribe, chosen)) == {200}
