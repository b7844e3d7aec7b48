"""Pictures as readers fetch them, the same for everyone, and the page where the links of a test lead."""

from flask import make_response
from werkzeug.wrappers import Response

from mailer.content import pictures
from mailer.core.errors import NotFound
from mailer.web.support import blueprint, open_to_all, public_page, unit

shown = blueprint("campaign_pictures")

FOR_A_YEAR = "public, max-age=31536000, immutable"
DIGEST = 64


@shown.get("/pictures/<digest>")
@open_to_all
def picture(digest: str) -> Response:
    """One picture by the SHA-256 of its octets; no cookie, nothing that tells who asked."""
    if len(digest) != DIGEST or set(digest) - set("0123456789abcdef"):
        raise NotFound(what="picture")
    with unit("public") as ctx:
        found = pictures.by_sha256(ctx, bytes.fromhex(digest))
        response = make_response(found.octets)
        response.mimetype = found.media_type
    response.headers["Cache-Control"] = FOR_A_YEAR
    response.headers["ETag"] = f'"{digest}"'
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    # Mail programs in the browser show it on pages of their own.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@shown.get("/test-link")
@open_to_all
def test_link() -> Response:
    """Where every personal link of a test or preview leads."""
    return public_page("staff/campaigns/test_link.html")
