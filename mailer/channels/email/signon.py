"""Reaching the organisation's mail server: connect, greet, encrypt, sign in (RFC 5321, 3207, 4954)."""

import base64
import ipaddress
import smtplib
import socket
import ssl
from dataclasses import dataclass

from mailer.channels.email.replies import Action, Stage, Verdict, classify, read_enhanced
from mailer.core.channel import Fate
from mailer.core.errors import MailerError

NOBODY_THERE = classify(0, None, "", Stage.CONNECT)
NOT_ENCRYPTED = Verdict(Action.CONFIG_ERROR, Fate.DEFERRED, "tls", operator=True, lane_down=True)
NO_LOGIN = Verdict(Action.CONFIG_ERROR, Fate.DEFERRED, "auth", operator=True, lane_down=True)


@dataclass(frozen=True)
class Timeouts:
    """Seconds to wait at each stage; the least that RFC 5321 section 4.5.3.2 asks for."""

    banner: float = 300
    command: float = 300
    data: float = 120
    block: float = 180
    dot: float = 600
    quit: float = 5
    group: float = 15
    """Between two replies to commands that were sent in one piece: our own, since it ends a hand-over not begun."""


@dataclass(frozen=True, repr=False)
class Server:
    """Where the mail goes and how we sign in."""

    scheme: str
    host: str
    port: int
    user: str
    password: str
    host_name: str
    tls: ssl.SSLContext
    timeouts: Timeouts


class NoSession(MailerError):
    """No connection can be had now; `verdict` is what that means for a message."""

    code = "no_session"

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        super().__init__(reply=verdict.code)


def sign_on(server: Server) -> smtplib.SMTP:
    """A connection ready for MAIL. Raises: NoSession."""
    smtp: smtplib.SMTP | None = None
    stage = Stage.CONNECT
    try:
        smtp = _connect(server)
        plug = plug_of(smtp)
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plug.settimeout(server.timeouts.command)
        stage = Stage.EHLO
        _greet(smtp)
        if server.scheme == "smtp+starttls":
            stage = Stage.STARTTLS
            smtp.starttls(context=server.tls)
            _greet(smtp)
        if server.user:
            stage = Stage.AUTH
            _sign_in(smtp, server)
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
        raise _abandoned(smtp, NOBODY_THERE) from None
    except (ssl.SSLError, smtplib.SMTPNotSupportedError):
        raise _abandoned(smtp, NOT_ENCRYPTED) from None
    except smtplib.SMTPResponseException as refusal:
        raise _abandoned(smtp, judge(refusal.smtp_code, refusal.smtp_error, stage)) from None
    except OSError:
        raise _abandoned(smtp, NOBODY_THERE) from None
    except NoSession as refusal:
        raise _abandoned(smtp, refusal.verdict) from None
    return smtp


def plug_of(smtp: smtplib.SMTP) -> socket.socket:
    """The socket below. Raises: SMTPServerDisconnected when it is gone."""
    if smtp.sock is None:
        raise smtplib.SMTPServerDisconnected("gone")
    return smtp.sock


def _connect(server: Server) -> smtplib.SMTP:
    wait = server.timeouts.banner
    if server.scheme == "smtps":
        return smtplib.SMTP_SSL(server.host, server.port, server.host_name, timeout=wait, context=server.tls)
    return smtplib.SMTP(server.host, server.port, server.host_name, timeout=wait)


def _abandoned(smtp: smtplib.SMTP | None, verdict: Verdict) -> NoSession:
    if smtp is not None:
        smtp.close()
    return NoSession(verdict)


def _greet(smtp: smtplib.SMTP) -> None:
    code, words = smtp.ehlo()
    if judge(code, words, Stage.EHLO).action is Action.FALLBACK_HELO:
        code, words = smtp.helo()
    if code != 250:
        raise smtplib.SMTPResponseException(code, words)


def _sign_in(smtp: smtplib.SMTP, server: Server) -> None:
    """Under TLS or on this machine alone (RFC 4954 section 4)."""
    plug = plug_of(smtp)
    if not isinstance(plug, ssl.SSLSocket):
        peer = str(plug.getpeername()[0]).partition("%")[0]
        if not ipaddress.ip_address(peer).is_loopback:
            raise NoSession(NOT_ENCRYPTED)
    offered = smtp.esmtp_features.get("auth", "").upper().split()
    if "PLAIN" in offered:
        code, words = smtp.docmd("AUTH", "PLAIN " + _base64(f"\0{server.user}\0{server.password}"))
    elif "LOGIN" in offered:
        code, words = smtp.docmd("AUTH", "LOGIN " + _base64(server.user))
        if code == 334:
            code, words = smtp.docmd(_base64(server.password))
    else:
        raise NoSession(NO_LOGIN)
    if code != 235:
        raise smtplib.SMTPResponseException(code, words)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")


def judge(code: int, words: bytes | str, stage: Stage) -> Verdict:
    """`classify` for a reply as smtplib gives it."""
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return classify(code or -1, read_enhanced(text), text, stage)
