"""A kept message, taken apart the way a mail program does it; odd messages are read as far as they go."""

import email
import email.policy
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from email.errors import MessageError
from email.message import EmailMessage
from html import escape
from html.parser import HTMLParser

ODD = (ValueError, LookupError, AttributeError, TypeError, AssertionError, MessageError)
"""What the standard library raises on headers and parts that break the rules it expects."""

POLICY = email.policy.default
HEAD_ENDS = re.compile(rb"\r?\n\r?\n")
ADDRESS_IN_TEXT = re.compile(r"https?://[^\s<>\"']+")
AFTER_A_LINK = ".,;:!?)]}"
IN_HEADER = re.compile(r"<([^<>\s]+)>")
LINK_HEADERS = ("list-unsubscribe", "list-help", "list-archive", "list-subscribe")


@dataclass(frozen=True)
class Link:
    """A link and the words that it stands under; `places` says where: html, text, header."""

    url: str
    words: str
    places: tuple[str, ...]


@dataclass(frozen=True)
class Picture:
    """A picture of the HTML part; `alt` is None where there is no such attribute."""

    src: str
    alt: str | None


@dataclass(frozen=True)
class Reading:
    """Everything that the tabs of a message show."""

    headers: tuple[tuple[str, str], ...]
    text: str
    html: str
    links: tuple[Link, ...]
    pictures: tuple[Picture, ...]
    source: str
    size: int

    @property
    def subject(self) -> str:
        return self.header("subject") or "(no subject)"

    def header(self, name: str) -> str:
        """The first header of that name, unfolded; empty when there is none."""
        return next(iter(self.every(name)), "")

    def every(self, name: str) -> list[str]:
        """All headers of that name."""
        return [value for known, value in self.headers if known.lower() == name.lower()]

    def masked(self, address: str, mask: str) -> "Reading":
        """The same without the address it would have gone to, however it is written (promise M23)."""
        spelled = _spellings(address)
        return replace(
            self,
            headers=tuple((name, mask if name.lower() == "to" else spelled.sub(mask, value))
                          for name, value in self.headers),
            text=spelled.sub(mask, self.text), html=spelled.sub(mask, self.html),
            links=tuple(replace(link, url=spelled.sub(mask, link.url), words=spelled.sub(mask, link.words))
                        for link in self.links),
            source=spelled.sub(mask, self.source))


def read(body: bytes) -> Reading:
    """Take a message apart; it never raises for one that breaks the rules (RFC 5322, RFC 2045)."""
    message = email.message_from_bytes(body, policy=POLICY)
    headers = _headers(message)
    text, html = _part(message, "plain"), _part(message, "html")
    page = Page()
    page.feed(html)
    page.close()
    links = [(url, words, "html") for url, words in page.links]
    links += [(found.rstrip(AFTER_A_LINK), "", "text") for found in ADDRESS_IN_TEXT.findall(text)]
    links += [(found, name, "header") for name, value in headers if name.lower() in LINK_HEADERS
              for found in IN_HEADER.findall(value)]
    return Reading(headers, text, html, _once(links), tuple(page.pictures), body.decode("utf-8", "replace"), len(body))


def subject_of(body: bytes) -> str:
    """The subject alone, without looking at the rest."""
    end = HEAD_ENDS.search(body)
    message = email.message_from_bytes(body[:end.start()] if end else body, policy=POLICY)
    return next((value for name, value in _headers(message, only="subject")), "")


def _headers(message: EmailMessage, only: str = "") -> tuple[tuple[str, str], ...]:
    found = []
    for name, raw in message.raw_items():
        if only and name.lower() != only:
            continue
        try:
            value = str(POLICY.header_fetch_parse(name, raw))
        except ODD:
            value = " ".join(str(raw).split())
        found.append((name, value.encode("utf-8", "replace").decode()))
    return tuple(found)


def _part(message: EmailMessage, subtype: str) -> str:
    """The first part of that kind which is no attachment, decoded as well as it can be."""
    try:
        body = message.get_body((subtype,))
    except ODD:
        return ""
    if not isinstance(body, EmailMessage) or body.get_content_type() != f"text/{subtype}":
        return ""
    try:
        content = body.get_content()
    except ODD:
        payload = body.get_payload(decode=True)
        content = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    return str(content).replace("\r\n", "\n").replace("\x00", "").encode("utf-8", "replace").decode()


def _once(found: Sequence[tuple[str, str, str]]) -> tuple[Link, ...]:
    """Each address once, in the order in which they are read, under the first words that say something."""
    links: dict[str, Link] = {}
    for url, words, place in found:
        known = links.get(url, Link(url, "", ()))
        places = known.places if place in known.places else (*known.places, place)
        links[url] = Link(url, known.words or words, places)
    return tuple(links.values())


def _spellings(address: str) -> re.Pattern[str]:
    local, _, domain = address.rpartition("@")
    forms = {address}
    with suppress(UnicodeError):
        forms.add(f"{local}@{domain.encode('idna').decode()}")
    return re.compile("|".join(_spelled(form) for form in sorted(forms)), re.IGNORECASE)


def _spelled(form: str) -> str:
    """Plain, as quoted-printable with soft line breaks (RFC 2045 §6.7), percent-encoded, or as HTML entities."""
    letters = []
    for letter in form:
        octets = letter.encode()
        letters.append("(?:" + "|".join((
            re.escape(letter), re.escape(escape(letter)), "".join(f"={octet:02X}" for octet in octets),
            "".join(f"%{octet:02X}" for octet in octets), f"&#{ord(letter)};", f"&#x{ord(letter):x};")) + ")")
    return r"(?:=\r?\n)?".join(letters)


class Page(HTMLParser):
    """Collects the links, with the words in them, and the pictures of an HTML part."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[tuple[str, str]] = []
        self.pictures: list[Picture] = []
        self._href = ""
        self._words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a":
            self._end_link()
            self._href = (given.get("href") or "").strip()
        elif tag == "img":
            self.pictures.append(Picture(given.get("src") or "", (given["alt"] or "") if "alt" in given else None))
            self._words.append(given.get("alt") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._end_link()

    def handle_data(self, data: str) -> None:
        if self._href:
            self._words.append(data)

    def close(self) -> None:
        super().close()
        self._end_link()

    def _end_link(self) -> None:
        if self._href:
            self.links.append((self._href, " ".join(" ".join(self._words).split())))
        self._href, self._words = "", []
