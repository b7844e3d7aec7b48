"""One kept connection to a mail server, handing over one message at a time (RFC 5321)."""

import contextlib
import re
import smtplib
import time
from collections.abc import Callable

import idna

from mailer.channels.email.replies import Action, Stage, Verdict, classify
from mailer.channels.email.signon import Server, Timeouts, judge, plug_of, sign_on
from mailer.core.channel import Clearance, Fate, Journal, Outcome, Parcel

BARE_LINE_END = re.compile(rb"\r\n|\r|\n")
UNSAFE = re.compile(r"[\x00-\x1f\x7f<>]")

LOST = Verdict(Action.RETRY, Fate.UNBEGUN, "lost", lane_down=True)
TOO_LATE = Verdict(Action.RETRY, Fate.UNBEGUN)
NOT_JOURNALLED = Verdict(Action.RETRY, Fate.UNBEGUN, "journal", operator=True)
UNSENDABLE_ADDRESS = Verdict(Action.SOFT, Fate.FAILED, "5.1.3")
NEEDS_SMTPUTF8 = Verdict(Action.SOFT, Fate.FAILED, "5.6.7")
NEEDS_8BITMIME = Verdict(Action.BLOCK, Fate.FAILED, "5.6.3", operator=True)
TOO_BIG = Verdict(Action.BLOCK, Fate.FAILED, "5.3.4", operator=True)


def open_session(server: Server) -> "Session":
    """A connection ready for its first message. Raises: NoSession."""
    return Session(sign_on(server), server.timeouts)


class Session:
    """An open connection between messages. After `broken` it is of no use."""

    def __init__(self, smtp: smtplib.SMTP, timeouts: Timeouts) -> None:
        self._smtp = smtp
        self._timeouts = timeouts
        # Addresses with UTF-8 are written only after SMTPUTF8 was offered.
        smtp.command_encoding = "utf-8"
        self._at = Stage.CONNECT
        self.kept = False
        self.broken = False

    def hand_over(self, parcel: Parcel, journal: Journal, on_begin: Callable[[Clearance], None]) -> Outcome | None:
        """Hand over one message; None when a kept connection proved gone before anything began.

        The clearance's time is looked at just before MAIL is written (decision 7), the journal is written between
        the 354 and the data (decision 8).
        """
        try:
            verdict = self._envelope(parcel, on_begin)
        except OSError:
            self.drop()
            verdict = LOST
            if self._at is Stage.MAIL and self.kept:
                return None
        if verdict is None:
            outcome = self._content(parcel, journal)
        elif verdict.code.startswith("421") and self._at is Stage.MAIL and self.kept:
            return None
        else:
            outcome = verdict.outcome(parcel.clearance.row)
        self.kept = True
        return outcome

    def _envelope(self, parcel: Parcel, on_begin: Callable[[Clearance], None]) -> Verdict | None:
        """The verdict that ends the matter, or None when the server waits for the content."""
        self._at = Stage.RCPT
        lines = self._lines(parcel)
        if isinstance(lines, Verdict):
            return lines
        mail, recipient = lines
        if time.monotonic() >= parcel.clearance.begin_before:
            return TOO_LATE
        on_begin(parcel.clearance)
        waits = self._timeouts
        for stage, line, wait in ((Stage.MAIL, mail, waits.command), (Stage.RCPT, recipient, waits.command),
                                  (Stage.DATA, "DATA", waits.data)):
            self._at = stage
            self._wait(wait)
            verdict = judge(*self._smtp.docmd(line), stage)
            if verdict.fate is not None:
                self._settle(verdict, stage)
                return verdict
        return None

    def _lines(self, parcel: Parcel) -> tuple[str, str] | Verdict:
        """MAIL and RCPT as this server takes them, or why it cannot take the message."""
        addresses = _wire_form(parcel.sender), _wire_form(parcel.clearance.address)
        if addresses[0] is None or not addresses[1]:
            return UNSENDABLE_ADDRESS
        offered = self._smtp.esmtp_features
        mail = f"MAIL FROM:<{addresses[0]}>"
        plain = parcel.body.isascii()
        head = parcel.body if plain else parcel.body.partition(b"\r\n\r\n")[0]
        if not ("".join(map(str, addresses)).isascii() and head.isascii()):
            if "smtputf8" not in offered:
                return NEEDS_SMTPUTF8
            mail += " SMTPUTF8"
        if not plain:
            if "8bitmime" not in offered:
                return NEEDS_8BITMIME
            mail += " BODY=8BITMIME"
        if "size" in offered:
            limit = offered["size"].strip()
            if limit.isdigit() and 0 < int(limit) < len(parcel.body):
                return TOO_BIG
            mail += f" SIZE={len(parcel.body)}"
        return mail, f"RCPT TO:<{addresses[1]}>"

    def _settle(self, verdict: Verdict, stage: Stage) -> None:
        """Leave the connection as the next message needs it."""
        if verdict.code.startswith("421") or verdict.action is Action.PROTOCOL_ERROR:
            self.drop()
            return
        if stage is Stage.MAIL or stage is Stage.DATA_END:
            return
        try:
            self._wait(self._timeouts.command)
            if self._smtp.docmd("RSET")[0] != 250:
                self.drop()
        except OSError:
            self.drop()

    def _content(self, parcel: Parcel, journal: Journal) -> Outcome:
        """The data, once the server waits for it and the journal knows."""
        clearance = parcel.clearance
        try:
            journal.begin(clearance)
        except OSError:
            # Without its dot the server throws the message away (RFC 5321 section 4.1.1.4).
            self.drop()
            return NOT_JOURNALLED.outcome(clearance.row)
        outcome = self._send(wire_content(parcel.body)).outcome(clearance.row)
        # The journal only matters to a successor; this outcome is on its way to the database already.
        with contextlib.suppress(OSError):
            journal.end(clearance, outcome)
        return outcome

    def _send(self, content: bytes) -> Verdict:
        try:
            self._wait(self._timeouts.block)
            plug_of(self._smtp).sendall(content)
        except OSError:
            # The socket refused at least the last octet, so no server has seen the final dot.
            self.drop()
            return LOST
        try:
            self._wait(self._timeouts.dot)
            verdict = judge(*self._smtp.getreply(), Stage.DATA_END)
        except OSError:
            self.drop()
            return classify(0, None, "", Stage.DATA_END)
        if verdict.action is Action.UNCERTAIN:
            self.drop()
        else:
            self._settle(verdict, Stage.DATA_END)
        return verdict

    def _wait(self, seconds: float) -> None:
        plug_of(self._smtp).settimeout(seconds)

    def drop(self) -> None:
        """Close without a word."""
        self.broken = True
        self._smtp.close()

    def quit(self) -> None:
        """Say goodbye."""
        with contextlib.suppress(OSError):
            self._wait(self._timeouts.quit)
            self._smtp.docmd("QUIT")
        self.drop()


def _wire_form(address: str) -> str | None:
    """The address with its domain as A-labels (RFC 6531 section 3.3), or None when it cannot be written."""
    if address.isascii():
        return None if UNSAFE.search(address) else address
    local, _, domain = address.rpartition("@")
    try:
        return None if UNSAFE.search(address) else f"{local}@{idna.encode(domain, uts46=True).decode('ascii')}"
    except idna.IDNAError:
        return None


def wire_content(body: bytes) -> bytes:
    """A message as DATA carries it: CRLF line ends, doubled leading dots, the final dot (RFC 5321 section 4.5.2).

    Bare line ends are mended, so that no server can read a second message into the first.
    """
    pairs = body.count(b"\r\n")
    if body.count(b"\n") != pairs or body.count(b"\r") != pairs:
        body = BARE_LINE_END.sub(b"\r\n", body)
    if body.startswith(b"."):
        body = b"." + body
    if b"\n." in body:
        body = body.replace(b"\n.", b"\n..")
    return body + (b".\r\n" if body.endswith(b"\r\n") or not body else b"\r\n.\r\n")
