"""Acts of the outside world: what a mail program and a mail scanner do with a message."""

from werkzeug.wrappers import Response

from mailer.practice import scanner
from mailer.web.outbox.pages import find, message_page, outsider
from mailer.web.staff.door import staff_only


@staff_only("outbox")
def press(item_id: int) -> Response:
    """Press the mail program's Unsubscribe (RFC 8058 §3.2) and show what it met."""
    found = find(item_id)
    return message_page(found, pressed=scanner.press_unsubscribe(found.reading, outsider().fetch))


@staff_only("outbox")
def scan(item_id: int) -> Response:
    """Let a scanner fetch every link, and show what came back."""
    found = find(item_id)
    return message_page(found, visits=scanner.scan(found.reading, outsider().fetch))
