"""What every page needs: the unit of work of a request, who is asking, and the mark that says who may.

The only module that reads Flask's current application.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, current_app, g, make_response, render_template, request

from mailer.context import Context
from mailer.core.vault import Opener
from mailer.organisation import profile as organisation
from mailer.policy import notices
from mailer.services import Services, unit_of_work
from mailer.web import outside

View = TypeVar("View", bound=Callable[..., Any])

OPEN = "open"
TOKEN = "token in the path"  # noqa: S105 - the name of a kind of proof.


def services() -> Services:
    """Every power; pages use `unit` and `opener` instead wherever that is enough."""
    return current_app.extensions["services"]  # type: ignore[no-any-return] # Flask's registry is untyped.


def application() -> Flask:
    """The application itself, for the Outbox, whose outside world asks our own pages."""
    return current_app._get_current_object()  # type: ignore[attr-defined,no-any-return] # Werkzeug's proxy is untyped.


def exits_folder() -> Path:
    """Where this host's record of people who left lies."""
    return services().settings.data_dir / "exits"


def opener() -> Opener:
    """The power to open, for masks and audited looks through mailer.audience.show only."""
    return services().opener


@contextmanager
def unit(actor: str | None = None) -> Iterator[Context]:
    """One transaction for this request, acting as the member of staff signed in, if any."""
    with unit_of_work(services(), actor=actor or g.get("actor", "public")) as ctx:
        yield ctx


def open_to_all(view: View) -> View:
    """Auth mark: anybody may ask."""
    view.auth_mark = OPEN  # type: ignore[attr-defined] # The mark is read by the architecture test.
    return view


def token_in_path(view: View) -> View:
    """Auth mark: the token in the path is the proof; no cookie is read or set."""
    view.auth_mark = TOKEN  # type: ignore[attr-defined] # The mark is read by the architecture test.
    return view


def public_page(template: str, status: int = 200, **values: Any) -> Response:
    """A public page: the brand at its foot, no cookie, never stored, never indexed."""
    with unit() as ctx:
        values.setdefault("brand", brand_of(ctx))
    ours = (request.host, urlsplit(str((values["brand"] or {}).get("public_url", ""))).netloc)
    response = make_response(outside.labelled(render_template(template, **values), ours), status)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def brand_of(ctx: Context) -> dict[str, Any]:
    """What every public page ends with."""
    profile = organisation.current(ctx)
    notice = notices.in_force(ctx)
    return {
        "name": profile.name or "Mailer", "postal_address": profile.postal_address,
        "help_email": profile.help_email, "mode": str(profile.mode), "public_url": profile.public_url,
        "notice_version": notice.version if notice else "",
        "notice_date": f"{notice.effective_at.day} {notice.effective_at:%B %Y}" if notice else "",
    }


def is_fragment() -> bool:
    """Whether htmx asks for a part of a page."""
    return request.headers.get("HX-Request") == "true"


def blueprint(name: str, prefix: str | None = None) -> Blueprint:
    """A blueprint of pages."""
    return Blueprint(name, f"mailer.web.{name}", url_prefix=prefix)
