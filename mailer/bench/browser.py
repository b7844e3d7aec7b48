"""A member of staff at the screen: signs in by a link from the command line and opens pages over HTTP."""

import http.client
import re
from collections.abc import Callable
from http.cookies import SimpleCookie
from statistics import median
from time import perf_counter
from urllib.parse import urlencode, urlsplit

from mailer.bench.errors import BenchFailed

CSRF = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
WAIT_SECONDS = 300
TIMES = 7


class Browser:
    """One kept connection and its cookies."""

    def __init__(self, port: int) -> None:
        self._host = f"localhost:{port}"
        self._web = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_SECONDS)
        self._cookies: SimpleCookie = SimpleCookie()
        self.csrf = ""

    def get(self, path: str) -> str:
        """The page. Raises: BenchFailed unless it is one."""
        return self._ask("GET", path, "", (http.HTTPStatus.OK,))

    def post(self, path: str, **fields: str) -> str:
        """What a form with these fields is answered with, a page or the way to one. Raises: BenchFailed."""
        body = urlencode({"csrf_token": self.csrf, **fields})
        return self._ask("POST", path, body, (http.HTTPStatus.OK, http.HTTPStatus.SEE_OTHER))

    def sign_in(self, link: str) -> None:
        """Use a link up."""
        path = urlsplit(link).path
        self.get(path)
        self.post(path)

    def close(self) -> None:
        self._web.close()

    def _ask(self, method: str, path: str, body: str, good: tuple[http.HTTPStatus, ...]) -> str:
        headers = {"Host": self._host, "Cookie": "; ".join(f"{name}={each.value}"
                                                           for name, each in self._cookies.items())}
        if method == "POST":
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": f"http://{self._host}"}
        self._web.request(method, path, body or None, headers)
        response = self._web.getresponse()
        text = response.read().decode("utf-8", "replace")
        for value in response.headers.get_all("Set-Cookie") or []:
            self._cookies.load(value)
        if response.status not in good:
            raise BenchFailed(step="page", why=f"status {response.status} at {method}")
        if found := CSRF.search(text):
            self.csrf = found.group(1)
        return text


def milliseconds(ask: Callable[[], object], times: int = TIMES) -> float:
    """The median over some times, after one that does not count."""
    ask()
    return round(median([once(ask) for _ in range(times)]), 1)


def once(ask: Callable[[], object]) -> float:
    """Milliseconds of one time."""
    began = perf_counter()
    ask()
    return round((perf_counter() - began) * 1000, 1)
