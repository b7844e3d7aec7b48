"""A visitor without cookies or script, for tests of public pages."""

import re
from html import unescape

from flask import Flask
from werkzeug.test import TestResponse


class Visitor:
    """Asks pages as a browser does that keeps nothing; every answer is searched for cookies."""

    def __init__(self, app: Flask, network: str = "198.51.100.7") -> None:
        self._client = app.test_client(use_cookies=False)
        self._network = {"REMOTE_ADDR": network}

    def get(self, path: str, **kw: object) -> TestResponse:
        return self.ask(path, method="GET", **kw)

    def post(self, path: str, data: object = None, **kw: object) -> TestResponse:
        return self.ask(path, method="POST", data={} if data is None else data, **kw)

    def ask(self, path: str, **kw: object) -> TestResponse:
        response = self._client.open(path, environ_base=self._network, **kw)  # type: ignore[arg-type] # As a test says.
        assert "Set-Cookie" not in response.headers, path
        return response


def heading(response: TestResponse) -> str:
    """The page's first heading."""
    found = re.search(r"<h1[^>]*>(.*?)</h1>", response.text, re.DOTALL)
    return unescape(found[1]) if found else ""


def words(response: TestResponse) -> str:
    """The page as text."""
    joined = re.sub(r"</?(?:a|b|em|strong|span|button)\b[^>]*>", "", response.text)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", joined)))


def actions(response: TestResponse) -> list[str]:
    """Where the page's forms post to."""
    return re.findall(r'(?:form)?action="([^"]+)"', response.text)


def hidden(response: TestResponse, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', response.text)
    return unescape(found[1]) if found else ""
