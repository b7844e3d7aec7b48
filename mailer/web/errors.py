"""Errors become pages here, once: what happened, what was not lost, what to do."""

import logging
import math
from base64 import b32encode

from flask import Flask, Response, jsonify, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, OperationalError
from werkzeug.exceptions import HTTPException

from mailer.core.errors import MailerError, TooMany
from mailer.web import waits
from mailer.web.card_numbers import CardNumber
from mailer.web.support import public_page, services

log = logging.getLogger(__name__)

PAGES = {400: "errors/csrf.html", 404: "errors/404.html", 405: "errors/405.html", 409: "errors/409.html",
         413: "errors/413.html", 429: "errors/429.html", 500: "errors/500.html", 503: "errors/503.html"}

CARD_NUMBER = "errors/422.html"
STOP = "/stop"
"""Where anybody can stop messages, whatever else went wrong."""


def install(app: Flask) -> None:
    """Map every error to its page, or to JSON where JSON was asked for."""
    app.register_error_handler(MailerError, _ours)
    app.register_error_handler(CSRFError, lambda error: _page(400))
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(OperationalError, _unavailable)
    app.register_error_handler(DBAPIError, _unexpected)
    app.register_error_handler(OSError, _unavailable)
    app.register_error_handler(500, _unexpected)


def _ours(error: MailerError) -> Response:
    if error.status >= 500:
        log.error("request_failed", extra={"code": error.code})
    if isinstance(error, CardNumber):
        return _page(422, error.code, template=CARD_NUMBER)
    wait = error.context.get("wait") if isinstance(error, TooMany) else None
    return _page(error.status, error.code, wait=wait if isinstance(wait, int | float) else None)


def _http(error: HTTPException) -> Response:
    return _page(error.code or 500, wait=waits.of_limit() if error.code == 429 else None)


def _unavailable(error: Exception) -> Response:
    log.error("request_unavailable", extra={"error": type(error).__name__})
    response = _page(503)
    response.headers["Retry-After"] = "30"
    return response


def _unexpected(error: Exception) -> Response:
    reference = b32encode(services().tokens.random_bytes(5)).decode()[:4]
    cause = getattr(error, "original_exception", None) or error
    log.error("request_broke", extra={"reference": reference, "error": type(cause).__name__}, exc_info=cause)
    return _page(500, reference=reference)


def _page(status: int, code: str = "", *, wait: float | None = None, reference: str = "", template: str = ""
          ) -> Response:
    if request.path.startswith(("/api/", "/outbox/api")):
        response = jsonify(error=code or f"http_{status}")
        response.status_code = status
        return response
    template = template or PAGES.get(status, PAGES[404] if status < 500 else PAGES[500])
    try:
        response = public_page(template, status, wait=waits.in_words(wait or waits.UNKNOWN), reference=reference,
                               stop_url=STOP)
    except (DBAPIError, OSError):
        response = public_fallback(status)
    if wait:
        response.headers["Retry-After"] = str(math.ceil(wait))
    return response


def public_fallback(status: int) -> Response:
    """The page when even the database cannot be asked who we are."""
    return Response("Something is not available on our side just now. Nothing was sent or lost. Try again in a minute.",
                    status, mimetype="text/plain")
