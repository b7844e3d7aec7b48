"""Signing in and out: password, second factor, one-time links and invitations."""

from flask import redirect, request, session, url_for
from werkzeug.wrappers import Response

from mailer.core.errors import NotFound
from mailer.organisation import profile as organisation
from mailer.staff import accounts, links, passwords, sessions, team
from mailer.staff import sign_in as verbs
from mailer.staff.models import Staff
from mailer.staff.roles import in_words
from mailer.staff.sign_in import Entry
from mailer.web import waits
from mailer.web.doors import network
from mailer.web.staff import cookies
from mailer.web.staff.door import browser, here, safe_next, settle, staff_only
from mailer.web.staff.fields import Fields
from mailer.web.staff.frame import staff_page
from mailer.web.support import blueprint, open_to_all, opener, token_in_path, unit

sign_in = blueprint("staff_sign_in", "/staff")

sign_in.record_once(lambda state: setattr(state.app, "session_interface", cookies.StaffCookies()))

WRONG = "Email or password is wrong."
WRONG_CODE = "This code does not fit. Codes change every 30 seconds; each works once."


@sign_in.get("/sign-in")
@open_to_all
def page() -> Response:
    """The sign-in form; `next` is where to go on to."""
    return staff_page("staff/sign_in.html", next=request.args.get("next", ""), email="")


@sign_in.post("/sign-in")
@open_to_all
def enter() -> Response:
    """Try e-mail and password."""
    cookies.refuse_other_sites()
    fields = Fields()
    email, target = fields.raw("email"), fields.raw("next")
    with unit() as ctx:
        entry = verbs.by_password(ctx, email=email, password=fields.raw("password"), network=network(),
                                  user_agent=browser())
    if not entry.token:
        return staff_page("staff/sign_in.html", _status(entry), next=target, email=email,
                          errors={"email": _answer(entry, WRONG)})
    settle(entry.token)
    return redirect(safe_next(target), 303)


@sign_in.post("/sign-out")
@open_to_all
def leave() -> Response:
    """Sign this browser out."""
    cookies.refuse_other_sites()
    with unit() as ctx:
        staff = sessions.find(ctx, session.get(cookies.TOKEN))
        if staff is not None:
            sessions.end(ctx, staff.staff_id, staff.session_id)
    session.clear()
    return redirect(url_for("staff_sign_in.page"), 303)


@sign_in.get("/second-factor")
@staff_only("signed_in", before_second_factor=True)
def second_factor() -> Response:
    """Where the code of the app is typed."""
    return staff_page("staff/second_factor.html") if here().has_second_factor else redirect(
        url_for("staff_home.page"), 303)


@sign_in.post("/second-factor")
@staff_only("signed_in", before_second_factor=True)
def show_second_factor() -> Response:
    """Take a code of the app, or a recovery code."""
    by_link = bool(session.get(cookies.BY_LINK))
    with unit() as ctx:
        entry = verbs.second_step(ctx, opener(), here(), Fields().raw("code")[:100], network=network(),
                                  user_agent=browser())
    if not entry.token:
        return staff_page("staff/second_factor.html", _status(entry), errors={"code": _answer(entry, WRONG_CODE)})
    settle(entry.token, by_link=by_link)
    return redirect(url_for("staff_home.page"), 303)


@sign_in.get("/link/<token>")
@token_in_path
def link(token: str) -> Response:
    """A way in from the command line: shows a button, since looking must use nothing up."""
    with unit() as ctx:
        links.look(ctx, token, "sign_in")
    return staff_page("staff/link.html")


@sign_in.post("/link/<token>")
@token_in_path
def use_link(token: str) -> Response:
    """Use the link up and sign in."""
    cookies.refuse_other_sites()
    with unit() as ctx:
        entry = verbs.by_link(ctx, token, user_agent=browser())
    settle(entry.token, by_link=True)
    return redirect(url_for("staff_home.page"), 303)


@sign_in.get("/invitation/<token>")
@token_in_path
def invitation(token: str) -> Response:
    """The form for a colleague who was invited."""
    return staff_page("staff/invitation.html", invited=_invited(token), name="")


@sign_in.post("/invitation/<token>")
@token_in_path
def accept(token: str) -> Response:
    """Take name and password, and sign in."""
    cookies.refuse_other_sites()
    invited = _invited(token)
    fields = Fields()
    name = fields.checked(accounts.check_name, fields.raw("name"))
    known = (fields.raw("name"), invited["email"].partition("@")[0], invited["organisation"])
    password = fields.checked(passwords.check, fields.raw("password"), known)
    if name is None or password is None:
        return staff_page("staff/invitation.html", 422, invited=invited, name=fields.raw("name"), errors=fields.errors)
    with unit() as ctx:
        staff_id = team.accept(ctx, token, name=name, password=password)
        session_token = sessions.begin(ctx, staff_id, user_agent=browser(), second_factor=False)
    settle(session_token)
    return redirect(url_for("staff_home.page"), 303)


def _invited(token: str) -> dict[str, str]:
    with unit() as ctx:
        member = ctx.db.get(Staff, links.look(ctx, token, "invitation").staff_id)
        if member is None or member.state != "invited":
            raise NotFound(what="link")
        return {"email": accounts.email_of(opener(), member), "organisation": organisation.current(ctx).name,
                "roles": in_words(accounts.roles_of(ctx, member.id))}


def _answer(entry: Entry, wrong: str) -> str:
    if not entry.wait:
        return wrong
    return f"Too many tries. Wait {waits.in_words(entry.wait)}, then try again."


def _status(entry: Entry) -> int:
    return 429 if entry.wait else 422
