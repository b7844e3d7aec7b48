"""Puts the web application together: blueprints, error pages, headers."""

from hashlib import sha256
from pathlib import Path

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from mailer import wiring
from mailer.core.jobs import Jobs
from mailer.core.vault import Use
from mailer.db import db
from mailer.services import Services
from mailer.settings import Settings, resource_folder
from mailer.web import card_numbers, errors, headers
from mailer.web.doors import CSRF, EXEMPT_FROM_CSRF, LIMITER
from mailer.web.numbers import RowNumber
from mailer.web.routes import BLUEPRINTS

STATIC = Path(__file__).parent / "web" / "static"
LARGEST_REQUEST = 4 * 1024 * 1024
"""Octets; a picture of a campaign is the largest thing anybody posts."""


def create_app(settings: Settings, *, jobs: Jobs, services: Services | None = None) -> Flask:
    """The WSGI application. Raises: BadSettings, KeyProblem."""
    app = Flask("mailer", template_folder=str(resource_folder("templates")), static_folder=str(STATIC))
    services = services or wiring.build(settings, wiring.open_engine(settings), jobs)
    app.config.update(
        SQLALCHEMY_DATABASE_URI=services.engine.url,
        SECRET_KEY=services.sealer.secret(Use.SESSION),
        MAX_CONTENT_LENGTH=LARGEST_REQUEST,
        MAX_FORM_MEMORY_SIZE=LARGEST_REQUEST,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_NAME="mailer_staff",
        WTF_CSRF_TIME_LIMIT=None,
        RATELIMIT_STORAGE_URI=_limits_in(settings.redis_url),
        RATELIMIT_HEADERS_ENABLED=False,
    )
    app.extensions["services"] = services
    app.jinja_env.globals["static_version"] = _static_version()
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.url_map.converters["int"] = RowNumber
    db.init_app(app)
    card_numbers.install(app)
    CSRF.init_app(app)
    LIMITER.init_app(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    for name in EXEMPT_FROM_CSRF:
        CSRF.exempt(app.view_functions[name])
    headers.install(app)
    errors.install(app)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign] # Flask's own documented way.
    return app


def _limits_in(redis_url: str) -> str:
    """Where limits are counted, in the words of the library that counts them."""
    return redis_url.replace("unix://", "redis+unix://", 1) or "memory://"


def _static_version() -> str:
    """Changes when a stylesheet or script does, so that browsers may keep them for long."""
    files = sorted(path for path in STATIC.rglob("*") if path.is_file())
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:10]

