"""What a mailbox provider or an accessibility tool would say about a kept message."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from mailer.core.channel import Grade
from mailer.practice.read import IN_HEADER, Reading

ONE_CLICK = "List-Unsubscribe=One-Click"
LEAVING = ("/u/", "/test-link")
CLIPPED_FROM = 102_000
"""Octets of HTML from which the largest mailbox provider cuts a message off."""

ONCE = ("From", "To", "Subject", "Date", "Message-ID")

Resolves = Callable[[str, str], bool | None]
"""Whether one of our pages answers a method at an address; None where the address is not ours."""


@dataclass(frozen=True)
class Check:
    """One finding, as words; `code` names it for tests."""

    grade: Grade
    code: str
    words: str
    detail: str = ""


def examine(reading: Reading, resolves: Resolves, *, bulk: bool) -> list[Check]:
    """Every check; those of mailings to many are left out for a single letter, which nobody can unsubscribe from."""
    found = [*_headers(reading)]
    if bulk or reading.header("list-id"):
        found += [*_one_click(reading, resolves), *_visible_ways_out(reading)]
    return [*found, *_parts(reading), *_pictures(reading), *_links(reading, resolves), *_size(reading)]


def _say(right: bool, code: str, good: str, bad: str, *, detail: str = "", grade: Grade = Grade.MUST_FIX) -> Check:
    return Check(Grade.FINE, code, good) if right else Check(grade, code, bad, detail)


def _headers(reading: Reading) -> Iterator[Check]:
    wrong = [name for name in ONCE if len(reading.every(name)) != 1]
    yield _say(not wrong, "headers", "From, To, Subject, Date and Message-ID stand there once each.",
               "Headers that must stand there exactly once do not.", detail=", ".join(wrong))


def _one_click(reading: Reading, resolves: Resolves) -> Iterator[Check]:
    """RFC 8058 §3.1, RFC 2369 §2, RFC 2919."""
    headers = reading.every("list-unsubscribe")
    urls = [url for value in headers for url in IN_HEADER.findall(value) if url.startswith(("https://", "http://"))]
    yield _say(len(headers) == 1 and len(urls) == 1, "list-unsubscribe",
               "List-Unsubscribe is there once and holds one web address.",
               "List-Unsubscribe must be there once and hold one web address.")
    posts = reading.every("list-unsubscribe-post")
    yield _say(posts == [ONE_CLICK], "list-unsubscribe-post", f"List-Unsubscribe-Post says {ONE_CLICK}.",
               f"List-Unsubscribe-Post must say {ONE_CLICK}.")
    yield _say(bool(urls) and all(resolves(url, "POST") for url in urls), "one-click",
               "One press: the address takes the mail program's POST.",
               "Nothing takes the mail program's POST at this address.")
    yield _say(bool(urls) and all(url.startswith("https://") for url in urls), "one-click-https",
               "The address is encrypted (https).", "The address is not https. Live needs it.", grade=Grade.LOOK)
    yield _say(bool(reading.header("list-id")), "list-id", "List-Id names the list.", "List-Id is missing.")


def _visible_ways_out(reading: Reading) -> Iterator[Check]:
    for part, name in ((reading.html, "html"), (reading.text, "text")):
        if part:
            there = any(name in link.places and any(path in urlsplit(link.url).path for path in LEAVING)
                        for link in reading.links)
            yield _say(there, f"way-out-{name}", f"The {_NAMES[name]} has a visible way to unsubscribe.",
                       f"The {_NAMES[name]} has no visible way to unsubscribe.")


def _parts(reading: Reading) -> Iterator[Check]:
    yield _say(bool(reading.text.strip()), "text-part", "There is a text part.",
               "There is no text part for those who read text.")


def _pictures(reading: Reading) -> Iterator[Check]:
    if reading.html:
        missing = sum(picture.alt is None for picture in reading.pictures)
        yield _say(not missing, "alt", "Every picture says what it shows, or that it is decoration."
                   if reading.pictures else "There is no picture that needs words.",
                   "Pictures without words for those who cannot see them.", detail=str(missing))


def _links(reading: Reading, resolves: Resolves) -> Iterator[Check]:
    ours = [(link, resolves(link.url, "POST" if link.places == ("header",) else "GET")) for link in reading.links]
    dead = [link.words or link.url for link, answer in ours if answer is False]
    count = sum(answer is not None for _, answer in ours)
    yield _say(not dead, "links", f"Every link to us leads to a page ({count})." if count else "No link leads to us.",
               "Links to us that lead to no page.", detail=", ".join(dead))


def _size(reading: Reading) -> Iterator[Check]:
    size = len(reading.html.encode())
    yield _say(size < CLIPPED_FROM, "size", f"The message is {reading.size:,} octets; nothing will be cut off.",
               f"The HTML part is {size:,} octets; some mail programs cut off what is beyond {CLIPPED_FROM:,}.",
               grade=Grade.LOOK)


_NAMES = {"html": "HTML part", "text": "text part"}
