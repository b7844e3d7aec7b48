"""Log lines that hold no personal data: one JSON object a line, addresses and link tokens taken out."""

import json
import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from typing import TextIO

from mailer.core.errors import MailerError

ADDRESS = re.compile(r"[^\s\"'<>(),;]*[^\s\"'<>(),;:\[\]]@[^\s\"'<>(),;]+")
TOKEN = re.compile(
    r"/(u|p|confirm|why|one-click|start|undo|link|invitation|fresh|me|address|address-undo|friend)/[^\s\"'?#<>]+")
PEER = re.compile(r"\bip=\S+|\b(?!127\.0\.0\.1\b|0\.0\.0\.0\b)\d{1,3}(?:\.\d{1,3}){3}\b")
STANDARD = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {"message", "asctime", "taskName"}
FRAMES = 12


def redacted(text: str) -> str:
    """The text without e-mail addresses, link tokens and network addresses."""
    return PEER.sub("[peer]", TOKEN.sub(r"/\1/[token]", ADDRESS.sub("[address]", text)))


class JsonLines(logging.Formatter):
    """One JSON object a line; an exception shows its kind and its places, never its text or its variables."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": redacted(record.getMessage()),
        }
        for name, value in vars(record).items():
            if name not in STANDARD:
                line[name] = value if isinstance(value, int | float | bool) else redacted(str(value))
        if record.exc_info and record.exc_info[1] is not None:
            line |= _exception(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False)


def set_up(stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Send every logger's lines to this stream (standard error by default) as JSON lines."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)


def _exception(error: BaseException) -> dict[str, object]:
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    shown: dict[str, object] = {"exception": type(error).__qualname__, "places": places[-FRAMES:]}
    # Our own errors carry ids and fields only; anyone else's text may quote what a person typed.
    return shown | ({"about": redacted(str(error))} if isinstance(error, MailerError) else {})
