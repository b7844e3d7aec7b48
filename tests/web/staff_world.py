"""A browser and a team for the tests of staff pages: the real application over the real database."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import unescape

import pyotp
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from mailer.audit.models import AuditEntry
from mailer.core.modes import Mode
from mailer.organisation import profile
from mailer.services import Services, unit_of_work
from mailer.staff import accounts, links
from mailer.staff.roles import Role

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PASSWORD = "violet kettle drum"
CSRF = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass
class Browser:
    """One browser: it keeps cookies, and posts forms as the page that it has open."""

    app: Flask
    network: str = "203.0.113.7"
    client: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.app.test_client()

    def get(self, path: str, **more: object) -> TestResponse:
        return self.client.get(path, headers={"User-Agent": FIREFOX}, environ_base={"REMOTE_ADDR": self.network},
                               **more)  # type: ignore[arg-type]

    def post(self, path: str, page: str = "/staff/help", headers: dict[str, str] | None = None, **fields: object
             ) -> TestResponse:
        """Post fields with the CSRF token that `page` shows."""
        found = CSRF.search(self.get(page).get_data(as_text=True))
        data = {**fields, **({"csrf_token": found[1]} if found else {})}
        return self.client.post(path, data=data, headers={"User-Agent": FIREFOX, **(headers or {})},
                                environ_base={"REMOTE_ADDR": self.network})

    def sign_in(self, email: str, password: str = PASSWORD) -> TestResponse:
        return self.post("/staff/sign-in", "/staff/sign-in", email=email, password=password)


@dataclass
class Team:
    """People who work here."""

    services: Services
    app: Flask

    def add(self, email: str, *roles: Role, name: str = "Quilliambert", password: str | None = PASSWORD) -> int:
        with unit_of_work(self.services) as ctx:
            profile.ensure_instance(ctx)
            profile.ensure_row(ctx)
            return accounts.add(ctx, email=email, name=name, roles=roles, password=password).id

    def browser(self, email: str, *roles: Role) -> Browser:
        """A browser signed in as a new colleague."""
        self.add(email, *roles)
        browser = Browser(self.app)
        assert browser.sign_in(email).status_code == 303
        return browser

    def start_code(self) -> str:
        with unit_of_work(self.services) as ctx:
            code = links.issue_start(ctx)
        assert code is not None
        return code

    def mode(self, mode: Mode) -> None:
        with unit_of_work(self.services) as ctx:
            profile.ensure_row(ctx).mode = mode

    def acts(self, act: str = "") -> list[AuditEntry]:
        with unit_of_work(self.services) as ctx:
            query = select(AuditEntry).order_by(AuditEntry.seq)
            return list(ctx.db.scalars(query.where(AuditEntry.act == act) if act else query))

    def one(self, query: str, **values: object) -> object:
        with unit_of_work(self.services) as ctx:
            return ctx.db.scalar(text(query), values)

    def second_factor(self, browser: Browser) -> str:
        """Set up the second factor in that browser; returns the secret."""
        setup = "/staff/account/second-factor"
        browser.post(setup, setup, own_password=PASSWORD)
        secret = re.search(r"<code>([A-Z2-7]{32})</code>", browser.get(setup).get_data(as_text=True))
        assert secret is not None
        answer = browser.post(f"{setup}/confirm", setup, code=self.code(secret[1]))
        assert "Your recovery codes" in text_of(answer)
        return secret[1]

    def code(self, secret: str) -> str:
        return pyotp.TOTP(secret).at(self.services.clock.now())


def text_of(answer: TestResponse) -> str:
    return unescape(answer.get_data(as_text=True))


def errors_of(answer: TestResponse) -> list[str]:
    """The sentences of the error summary."""
    summary = re.search(r'data-error-summary.*?</ul>', text_of(answer), re.S)
    return re.findall(r'<li><a href="#[\w-]+">(.*?)</a></li>', summary[0]) if summary else []


def everybody() -> Iterable[Role]:
    return tuple(Role)
