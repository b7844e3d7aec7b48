"""Under a fresh link: a copy of everything, and erasing it all (ux 3.4, promise M11)."""

from datetime import datetime
from typing import Any

from flask import Response, url_for

from mailer.audience.models import Person
from mailer.context import Context
from mailer.core.errors import NotFound
from mailer.core.links import Link
from mailer.rights import copies, requests, watch
from mailer.rights.erase import erase, hold
from mailer.rights.models import AccessCopy
from mailer.subscriptions import claims, fresh, words
from mailer.subscriptions.fresh import Access
from mailer.web.public.door import from_our_pages, link_over, masked, public_blueprint
from mailer.web.support import opener, public_page, token_in_path, unit

my_data = public_blueprint("public_my_data")

READ_POLICY = ("default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
               "frame-ancestors 'none'")
"""The copy is one file with its own style and no script."""
SELF = "self"


@my_data.get("/me/<token>/copy")
@token_in_path
def copy(token: str) -> Response:
    """The copy that waits, or a button that makes one."""
    with unit() as ctx:
        access = fresh.read(ctx, token)
        values = _copy(ctx, access, copies.current(ctx, access.point.person_id))
    return public_page("public/my_copy.html", token=token, made=False, **values)


@my_data.post("/me/<token>/copy")
@token_in_path
def build(token: str) -> Response:
    """Make the copy now; the request for it is opened and closed by that."""
    from_our_pages()
    with unit() as ctx:
        access = fresh.read(ctx, token)
        if access.whole and not _held(ctx, access):
            return _erased_already()
        if access.whole:
            request = requests.open_request(ctx, "access", source=SELF, point=access.point)
            made = copies.build(ctx, opener(), ctx.db.get_one(Person, access.point.person_id), by=SELF,
                                request_id=request.id)
            requests.close(ctx, request, "copy made", by=SELF)
            values = _copy(ctx, access, made)
        else:
            values = _copy(ctx, access, None)
    return public_page("public/my_copy.html", token=token, made=access.whole, **values)


@my_data.get("/me/<token>/copy/<any(read, html, json):form>")
@token_in_path
def file(token: str, form: str) -> Response:
    """The copy itself: to read here, or to keep."""
    with unit() as ctx:
        access = fresh.read(ctx, token)
        found = copies.current(ctx, access.point.person_id) if access.whole else None
        files = copies.fetch(ctx, opener(), found) if found else None
    if files is None:
        return link_over("This copy is gone.", "A copy waits for 7 days. Make a new one on your page.",
                         url_for("public_my_data.copy", token=token), "Back to your data")
    answer = Response(files.json if form == "json" else files.html,
                      mimetype="application/json" if form == "json" else "text/html")
    if form != "read":
        answer.headers["Content-Disposition"] = f'attachment; filename="my-data.{form}"'
    answer.headers["Content-Security-Policy"] = READ_POLICY
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


@my_data.get("/me/<token>/erase")
@token_in_path
def ask_erase(token: str) -> Response:
    """What goes, what stays, and two buttons."""
    with unit() as ctx:
        access = fresh.read(ctx, token)
        stop = claims.token(ctx, Link.LEAVE, access.point.id, claims.today(ctx))
        values: dict[str, Any] = {"masked": masked(ctx, access.point), "whole": access.whole,
                                  "stop_action": url_for("public_leave.page", token=stop)}
    return public_page("public/erase_me.html", token=token, **values)


@my_data.post("/me/<token>/erase")
@token_in_path
def press_erase(token: str) -> Response:
    """Erase everything and show the receipt; no mail follows."""
    from_our_pages()
    with unit() as ctx:
        access = fresh.read(ctx, token)
        if not access.whole:
            return ask_erase(token)
        if not _held(ctx, access):
            return _erased_already()
        request = requests.open_request(ctx, "erasure", source=SELF, point=access.point)
        certificate = erase(ctx, access.point.person_id, by=SELF, request_id=request.id)
        requests.close(ctx, request, "erased", by=SELF)
        values = receipt(ctx, certificate.id, certificate.body, certificate.signature)
    return public_page("public/erased.html", request_id=request.id, **values)


def receipt(ctx: Context, number: int, body: dict[str, Any], signature: bytes) -> dict[str, Any]:
    """What a receipt of an erasure shows, to print."""
    return {"number": number, "body": body, "signature": signature.hex(), "public_key": ctx.sealer.public_key.hex(),
            "at": _moment(ctx, body["at"]), "forgotten_by": _moment(ctx, body["keys_forgotten_by"]),
            "escalation": watch.escalation(ctx)}


def _held(ctx: Context, access: Access) -> bool:
    """Whether the person is still there, locked before a request refers to them, so that two presses queue up."""
    try:
        hold(ctx, access.point.person_id)
    except NotFound:
        return False
    return True


def _erased_already() -> Response:
    return link_over("This is erased already.", "There is nothing left to show or to change.")


def _copy(ctx: Context, access: Access, found: AccessCopy | None) -> dict[str, Any]:
    zone = words.zone(ctx)
    return {"masked": masked(ctx, access.point), "whole": access.whole,
            "until": words.full_day(found.expires_at.astimezone(zone).date()) if found and access.whole else "",
            "escalation": watch.escalation(ctx)}


def _moment(ctx: Context, iso: str) -> str:
    local = datetime.fromisoformat(iso).astimezone(words.zone(ctx))
    return f"{words.full_day(local.date())}, {local:%H:%M}"
