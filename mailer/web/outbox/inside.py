"""Asking our own pages from inside this process, as somebody from outside: no cookie, no session, no network."""

from collections.abc import Mapping
from contextvars import Context as Surroundings
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.test import Client

from mailer.practice.scanner import Answer

AGENT = "Mailer Outbox"
PORTS = {"http": 80, "https": 443}


class Outsider:
    """Fetches addresses that begin with `public_url`; others are not asked."""

    def __init__(self, app: Flask, public_url: str) -> None:
        self._app = app
        self._base = urlsplit(public_url)

    def path(self, url: str) -> str | None:
        """Where in our application an address leads, with its query; None for other places."""
        try:
            parts = urlsplit(url)
            same = _place(parts.scheme, parts.hostname, parts.port) == _place(
                self._base.scheme, self._base.hostname, self._base.port)
        except ValueError:
            return None
        prefix = self._base.path.rstrip("/")
        if not same or not (parts.path == prefix or parts.path.startswith(f"{prefix}/")):
            return None
        return (parts.path.removeprefix(prefix) or "/") + (f"?{parts.query}" if parts.query else "")

    def resolves(self, url: str, method: str) -> bool | None:
        """Whether a page of ours answers that method there; None for other places."""
        path = self.path(url)
        if path is None:
            return None
        try:
            self._app.url_map.bind("localhost").match(path.partition("?")[0], method)
        except RequestRedirect:
            return True
        except HTTPException:
            return False
        return True

    def fetch(self, method: str, url: str, form: Mapping[str, str] | None = None) -> Answer | None:
        """What comes back; None for other places, which are not asked."""
        path = self.path(url)
        if path is None:
            return None
        # Flask would lend a request inside a request its `g`, and with it the powers of the one signed in.
        return Surroundings().run(self._ask, method, path, form)

    def _ask(self, method: str, path: str, form: Mapping[str, str] | None) -> Answer:
        client = Client(self._app, use_cookies=False)
        with client.open(path, base_url=f"{self._base.scheme}://{self._base.netloc}", method=method,
                         data=dict(form) if form else None, headers={"User-Agent": AGENT},
                         environ_base={"REMOTE_ADDR": "127.0.0.1"}) as answer:
            return Answer(answer.status_code, answer.headers.get("Location", ""), "Set-Cookie" in answer.headers)


def _place(scheme: str, host: str | None, port: int | None) -> tuple[str, str | None, int | None]:
    return scheme.lower(), host, port or PORTS.get(scheme.lower())
