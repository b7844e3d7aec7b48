"""Log lines hold no personal data."""

import io
import json
import logging

import pytest

from mailer.core.errors import Conflict
from mailer.core.logs import JsonLines, redacted


@pytest.mark.parametrize(("text", "expected"), [
    ("to marrowyn.telka@example.org failed", "to [address] failed"),
    ("<Ünïcode@bücher.example>", "<[address]>"),
    ('"POST /u/abcdefgh2345?x=1 HTTP/1.1"', '"POST /u/[token]?x=1 HTTP/1.1"'),
    ("GET /confirm/abc /why/abc /one-click/abc /p/abc /start/abc",
     "GET /confirm/[token] /why/[token] /one-click/[token] /p/[token] /start/[token]"),
    ("GET /undo/abc /staff/link/abc /staff/invitation/abc",
     "GET /undo/[token] /staff/link/[token] /staff/invitation/[token]"),
    ("Invalid request from ip=203.0.113.9: bad", "Invalid request from [peer] bad"),
    ("from 203.0.113.9 port 4", "from [peer] port 4"),
    ("Listening at: http://127.0.0.1:8000", "Listening at: http://127.0.0.1:8000"),
    ("/privacy and /people stay", "/privacy and /people stay"),
])
def test_addresses_tokens_and_peers_are_taken_out(text: str, expected: str) -> None:
    assert redacted(text) == expected


def lines_of(log: logging.Logger, stream: io.StringIO) -> logging.Logger:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    log.handlers[:], log.propagate = [handler], False
    return log


def test_a_line_is_one_object_with_its_fields() -> None:
    stream = io.StringIO()
    lines_of(logging.getLogger("tests.fields"), stream).warning(
        "slice_done", extra={"campaign": 7, "who": "telka@example.org"})
    line = json.loads(stream.getvalue())
    assert (line["event"], line["level"], line["campaign"], line["who"]) == ("slice_done", "warning", 7, "[address]")


@pytest.mark.parametrize(("error", "about"), [
    (ValueError("Marrowyn Telka"), None), (Conflict(campaign=7), "conflict campaign=7"),
])
def test_an_exception_shows_its_places_but_neither_its_text_nor_variables(error: Exception, about: str | None) -> None:
    stream = io.StringIO()
    log = lines_of(logging.getLogger("tests.exceptions"), stream)
    try:
        raise error
    except (ValueError, Conflict):
        log.exception("failed")
    line = json.loads(stream.getvalue())
    assert line["exception"] == type(error).__name__
    assert line["places"][0].startswith(__file__)
    assert line.get("about") == about
    assert "Marrowyn" not in stream.getvalue()
