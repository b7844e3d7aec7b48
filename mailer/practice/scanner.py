"""Acts of the outside world on a kept message: a scanner that fetches every link, a mail program that unsubscribes.

Both work through `Fetch`, which reaches our own pages only and carries no cookie.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from mailer.core.errors import NotFound
from mailer.practice.read import IN_HEADER, Reading

TIMES = 3
MOST_LINKS = 50
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
"""The body of the request (RFC 8058 §3.2)."""


@dataclass(frozen=True)
class Answer:
    """What came back: the status, where a redirect points, and whether a cookie was set."""

    status: int
    location: str = ""
    cookie: bool = False


class Fetch(Protocol):
    """Asks our own pages; None where the address is not ours, which is then not asked."""

    def __call__(self, method: str, url: str, form: Mapping[str, str] | None = None) -> Answer | None: ...


@dataclass(frozen=True)
class Visit:
    """One link that a scanner fetched: the statuses in order; none where the link leads elsewhere."""

    url: str
    words: str
    gets: tuple[int, ...]
    heads: tuple[int, ...]


@dataclass(frozen=True)
class Pressed:
    """What the mail program's Unsubscribe button met."""

    url: str
    answer: Answer

    @property
    def is_right(self) -> bool:
        """RFC 8058 §3.2: done at once, no redirect, no cookie."""
        return 200 <= self.answer.status < 300 and not self.answer.location and not self.answer.cookie


def scan(reading: Reading, fetch: Fetch) -> list[Visit]:
    """Fetch every link by GET and HEAD three times, as mail scanners do; they must change nothing."""
    visits = []
    for link in [each for each in reading.links if each.url.lower().startswith(("http://", "https://"))][:MOST_LINKS]:
        pairs = [(fetch("GET", link.url), fetch("HEAD", link.url)) for _ in range(TIMES)]
        visits.append(Visit(link.url, link.words, _statuses([get for get, _ in pairs]),
                            _statuses([head for _, head in pairs])))
    return visits


def press_unsubscribe(reading: Reading, fetch: Fetch) -> Pressed:
    """Post what a mail program posts. Raises: NotFound when the message offers no one-click way to us."""
    for url in IN_HEADER.findall(reading.header("list-unsubscribe")):
        answer = fetch("POST", url, ONE_CLICK) if url.lower().startswith(("https://", "http://")) else None
        if answer is not None:
            return Pressed(url, answer)
    raise NotFound(what="one-click way out")


def can_press(reading: Reading) -> bool:
    """Whether a mail program would show its button (RFC 8058 §3.1)."""
    return bool(reading.header("list-unsubscribe")) and "one-click" in reading.header("list-unsubscribe-post").lower()


def _statuses(answers: Sequence[Answer | None]) -> tuple[int, ...]:
    return tuple(answer.status for answer in answers if answer is not None)
