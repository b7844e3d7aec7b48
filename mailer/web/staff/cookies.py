"""The one cookie of staff pages: signed, unreadable for scripts, gone when the browser closes (promise M26)."""

from urllib.parse import urlsplit

from flask import Flask, request, session
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import CSRFError
from werkzeug.wrappers import Response

from mailer.web.support import services

TOKEN, BY_LINK = "token", "by_link"  # noqa: S105 - names of entries of the cookie.
THEME = "mailer_theme"
THEMES = ("light", "dark")


class StaffCookies(SecureCookieSessionInterface):
    """With https the cookie is `__Host-` bound and Secure (RFC 6265bis §4.1.3.2)."""

    def get_cookie_name(self, app: Flask) -> str:
        return f"__Host-{app.config['SESSION_COOKIE_NAME']}" if request.is_secure else super().get_cookie_name(app)

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure

    def get_cookie_path(self, app: Flask) -> str:
        return "/"


def keep(token: str, *, by_link: bool = False) -> None:
    """Put a new session's token into an emptied cookie: nothing planted before signing in survives it."""
    session.clear()
    session[TOKEN] = token
    if by_link:
        session[BY_LINK] = True


def remember_theme(response: Response, theme: str) -> Response:
    """Keep or drop the choice of light or dark, until the browser closes."""
    if theme in THEMES:
        response.set_cookie(THEME, theme, httponly=True, samesite="Lax", secure=request.is_secure)
    else:
        response.delete_cookie(THEME, secure=request.is_secure, httponly=True, samesite="Lax")
    return response


def theme() -> str | None:
    """The look chosen in this browser; None follows the system."""
    chosen = request.cookies.get(THEME)
    return chosen if chosen in THEMES else None


def refuse_other_sites() -> None:
    """Beside the CSRF token: a change must come from our own pages. Raises: CSRFError (OWASP ASVS 5.0, V3.5)."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        if site not in ("same-origin", "none"):
            raise CSRFError("Another site asked for this.")
        return
    origin = request.headers.get("Origin")
    known = {request.host, urlsplit(services().settings.public_url).netloc}
    if origin and urlsplit(origin).netloc not in known:
        raise CSRFError("Another site asked for this.")
