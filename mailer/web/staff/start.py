"""The page behind the one-time start link: one form, then Home."""

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from mailer.context import Context
from mailer.core.errors import NotFound
from mailer.organisation import details
from mailer.sample import load as sample
from mailer.staff import accounts, first_run, links, passwords, sessions, sign_in
from mailer.web.doors import network
from mailer.web.staff import cookies
from mailer.web.staff.door import browser, settle
from mailer.web.staff.fields import Fields
from mailer.web.staff.frame import staff_page
from mailer.web.support import blueprint, token_in_path, unit

start = blueprint("staff_start")


@start.get("/start/<code>")
@token_in_path
def page(code: str) -> Response:
    """The form; 404 once the link was used."""
    with unit() as ctx:
        if links.has_admin(ctx):
            raise NotFound(what="link")
        links.look(ctx, code, "start")
    return staff_page("staff/start.html", values={"sample": "yes"})


@start.post("/start/<code>")
@token_in_path
def begin(code: str) -> Response:
    """Make the first account and go Home. A second press of the same form signs the same person in."""
    cookies.refuse_other_sites()
    fields = Fields()
    with unit() as ctx:
        typed = _typed(ctx, fields)
    if fields.errors:
        _still_open(code)
        kept = {name: fields.raw(name) for name in ("organisation", "name", "email", "sample")}
        return staff_page("staff/start.html", 422, values=kept, errors=fields.errors)
    try:
        with unit("first run") as ctx:
            staff_id = first_run.open_house(ctx, code, **typed)
            if request.form.get("sample") == "yes" and not sample.is_loaded(ctx):
                sample.load(ctx)
            token = sessions.begin(ctx, staff_id, user_agent=browser(), second_factor=False)
    except NotFound:
        token = _pressed_twice(typed["email"], typed["password"])
    settle(token)
    return redirect(url_for("staff_home.page"), 303)


def _typed(ctx: Context, fields: Fields) -> dict[str, str]:
    organisation_name = fields.checked(details.check_name, fields.raw("organisation"))
    name = fields.checked(accounts.check_name, fields.raw("name"))
    email = fields.checked(accounts.check_email, ctx, fields.raw("email"))
    known = [each for each in (organisation_name, name, email and email.partition("@")[0]) if each]
    password = fields.checked(passwords.check, fields.raw("password"), known)
    return {"organisation_name": organisation_name or "", "name": name or "", "email": email or "",
            "password": password or ""}


def _still_open(code: str) -> None:
    with unit() as ctx:
        links.look(ctx, code, "start")


def _pressed_twice(email: str, password: str) -> str:
    with unit() as ctx:
        entry = sign_in.by_password(ctx, email=email, password=password, network=network(), user_agent=browser())
    if not entry.token:
        raise NotFound(what="link")
    return entry.token
