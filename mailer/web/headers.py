"""Security headers on every answer (OWASP ASVS V3; RFC 6797 for HSTS)."""

from flask import Flask, Response, request

POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
          "form-action 'self'; frame-src 'self'; base-uri 'none'; frame-ancestors 'none'")
FRAMED = POLICY.replace("frame-ancestors 'none'", "frame-ancestors 'self'")
"""For previews, which the composer shows in a sandboxed frame."""


def install(app: Flask) -> None:
    """Set the headers after each request; a view may have set a policy of its own."""

    @app.after_request
    def secure(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", POLICY)
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "no-referrer")
        headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        if request.is_secure:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        return response
