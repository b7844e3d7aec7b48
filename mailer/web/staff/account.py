"""One's own account: name, password, second factor, recovery codes, mailbox, signed-in browsers."""

from flask import flash, g, redirect, request, session, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from mailer.audit.models import AuditEntry
from mailer.context import Context
from mailer.core.errors import InvalidInput
from mailer.organisation import profile as organisation
from mailer.staff import accounts, passwords, post, sessions, tries, two_factor
from mailer.staff.models import Staff
from mailer.web import waits
from mailer.web.doors import network
from mailer.web.staff import cookies
from mailer.web.staff.door import browser, here, settle, staff_only
from mailer.web.staff.fields import Fields
from mailer.web.staff.frame import staff_page
from mailer.web.support import blueprint, opener, unit

account = blueprint("staff_account", "/staff")

OWN_ACTS = 20


@account.get("/account")
@staff_only("signed_in", before_second_factor=True)
def page() -> Response:
    """Everything about one's own account."""
    return _page(200, {})


@account.post("/account/name")
@staff_only("signed_in")
def name() -> Response:
    """Change the name that colleagues see."""
    fields = Fields()
    checked = fields.checked(accounts.check_name, fields.raw("name"))
    if checked is None:
        return _page(422, fields.errors)
    with unit() as ctx:
        accounts.rename(ctx, here().staff_id, checked)
    flash("Your name is changed.", "good")
    return redirect(url_for("staff_account.page"), 303)


@account.post("/account/tries")
@staff_only("signed_in")
def forget_tries() -> Response:
    """The wrong tries were one's own: Home need not tell of them any more."""
    with unit() as ctx:
        ctx.db.get_one(Staff, here().staff_id).failed_tries = 0
    return redirect(url_for("staff_account.page"), 303)


@account.post("/account/password")
@staff_only("signed_in")
def password() -> Response:
    """Choose a new password; every other browser is signed out."""
    fields = Fields()
    with unit() as ctx:
        _own_password(ctx, fields, "current_password")
        member = ctx.db.get_one(Staff, here().staff_id)
        known = (accounts.name_of(opener(), member), accounts.email_of(opener(), member).partition("@")[0],
                 organisation.current(ctx).name)
        fresh = fields.checked(passwords.check, fields.raw("password"), known)
        if fresh and not fields.errors:
            accounts.set_password(ctx, member.id, fresh)
            sessions.end_all(ctx, member.id, but=here().session_id)
    if fields.errors:
        return _page(422, fields.errors)
    session.pop(cookies.BY_LINK, None)
    flash("Your password is changed. Every other browser is signed out.", "good")
    return redirect(url_for("staff_account.page"), 303)


@account.get("/account/second-factor")
@staff_only("signed_in", before_second_factor=True)
def second_factor() -> Response:
    """What the second factor is, and how it is set up."""
    return _second_factor_page(200, {})


@account.post("/account/second-factor")
@staff_only("signed_in", before_second_factor=True)
def prepare() -> Response:
    """Make a fresh secret, once the password was shown again (OWASP ASVS 7.5.1)."""
    fields = Fields()
    with unit() as ctx:
        if _own_password(ctx, fields, "own_password"):
            two_factor.prepare(ctx, here().staff_id)
    return _second_factor_page(422, fields.errors) if fields.errors else redirect(
        url_for("staff_account.second_factor"), 303)


@account.get("/account/second-factor/code.svg")
@staff_only("signed_in", before_second_factor=True)
def picture() -> Response:
    """The secret as a picture to scan; 404 once it is in use."""
    with unit() as ctx:
        member = ctx.db.get_one(Staff, here().staff_id)
        drawn = two_factor.picture(opener(), member, account=accounts.email_of(opener(), member),
                                   organisation=organisation.current(ctx).name or "Mailer")
    return Response(drawn, mimetype="image/svg+xml", headers={"Cache-Control": "no-store"})


@account.post("/account/second-factor/confirm")
@staff_only("signed_in", before_second_factor=True)
def confirm() -> Response:
    """Switch it on and show the recovery codes, once."""
    fields = Fields()
    codes: list[str] = []
    token = ""
    with unit() as ctx:
        wait = tries.wait_before(ctx, f"second factor {here().staff_id}", network())
        if wait:
            fields.errors["code"] = f"Too many tries. Wait {waits.in_words(wait)}, then try again."
        else:
            codes = fields.checked(two_factor.confirm, ctx, opener(), here().staff_id, fields.raw("code")) or []
        if codes:
            tries.it_was_right(ctx, f"second factor {here().staff_id}", network())
            token = sessions.renew(ctx, here(), user_agent=browser())
    if not codes:
        return _second_factor_page(429 if wait else 422, fields.errors)
    settle(token)
    _look_again(token)
    return staff_page("staff/recovery_codes.html", codes=codes)


@account.post("/account/second-factor/off")
@staff_only("signed_in")
def switch_off() -> Response:
    """Forget the device, to set up another one."""
    fields = Fields()
    with unit() as ctx:
        if _own_password(ctx, fields, "own_password"):
            two_factor.switch_off(ctx, here().staff_id)
    if fields.errors:
        return _second_factor_page(422, fields.errors)
    flash("The second factor is off. Set up the new device now.", "warn")
    return redirect(url_for("staff_account.second_factor"), 303)


@account.post("/account/recovery-codes")
@staff_only("signed_in")
def recovery_codes() -> Response:
    """Ten new codes in place of the old ones, shown once."""
    fields = Fields()
    codes: list[str] = []
    with unit() as ctx:
        if _own_password(ctx, fields, "own_password") and here().has_second_factor:
            codes = two_factor.new_codes(ctx, here().staff_id)
    if not codes:
        return _second_factor_page(422, fields.errors)
    return staff_page("staff/recovery_codes.html", codes=codes)


@account.post("/account/test-message")
@staff_only("signed_in")
def test_message() -> Response:
    """Send a real message to oneself."""
    fields = Fields()
    try:
        with unit() as ctx:
            post.send_test(ctx, here().staff_id)
    except InvalidInput as error:
        fields.note(error)
        return _page(422, fields.errors)
    flash("A test message is on its way to you. Type the code that stands in it.", "info")
    return redirect(url_for("staff_account.page"), 303)


@account.post("/account/mailbox")
@staff_only("signed_in")
def mailbox() -> Response:
    """Take the code of the test message."""
    with unit() as ctx:
        wrong = post.prove(ctx, here().staff_id, Fields().raw("mailbox_code")[:100])
    if wrong:
        return _page(422, {"mailbox_code": wrong})
    flash("Your mailbox is proven. The mail server works.", "good")
    return redirect(url_for("staff_account.page"), 303)


@account.post("/account/sessions/<int:session_id>/end")
@staff_only("signed_in")
def end_session(session_id: int) -> Response:
    """Sign one browser out."""
    with unit() as ctx:
        sessions.end(ctx, here().staff_id, session_id)
    return redirect(url_for("staff_account.page"), 303)


@account.post("/account/sessions/end")
@staff_only("signed_in")
def end_sessions() -> Response:
    """Sign out everywhere, here too."""
    with unit() as ctx:
        sessions.end_all(ctx, here().staff_id)
    session.clear()
    return redirect(url_for("staff_sign_in.page"), 303)


@account.post("/account/look")
@staff_only("signed_in", before_second_factor=True)
def look() -> Response:
    """Choose light or dark for this browser."""
    return cookies.remember_theme(redirect(url_for("staff_home.page"), 303), request.form.get("theme", ""))


def _page(status: int, errors: dict[str, str]) -> Response:
    typed = Fields().raw("name")
    with unit() as ctx:
        member = ctx.db.get_one(Staff, here().staff_id)
        values = {
            "email": accounts.email_of(opener(), member), "email_verified": member.email_verified,
            "own_name": typed if "name" in errors else accounts.name_of(opener(), member),
            "has_password": member.password_hash is not None, "by_link": bool(session.get(cookies.BY_LINK)),
            "failed_tries": member.failed_tries, "codes_left": two_factor.codes_left(ctx, member.id),
            "browsers": sessions.living(ctx, member.id), "session_id": here().session_id,
            "acts": list(ctx.db.scalars(select(AuditEntry).where(AuditEntry.actor == g.actor).order_by(
                AuditEntry.seq.desc()).limit(OWN_ACTS))),
        }
    return staff_page("staff/account.html", status, errors=errors, second_factor=here().has_second_factor, **values)


def _second_factor_page(status: int, errors: dict[str, str]) -> Response:
    with unit() as ctx:
        member = ctx.db.get_one(Staff, here().staff_id)
        prepared = member.sealed_totp is not None and not member.totp_confirmed
        secret = two_factor.secret_of(opener(), member) if prepared else ""
        values = {"secret": secret, "on": member.totp_confirmed, "codes_left": two_factor.codes_left(ctx, member.id),
                  "by_link": bool(session.get(cookies.BY_LINK)) or member.password_hash is None}
    return staff_page("staff/second_factor_setup.html", status, errors=errors, **values)


def _own_password(ctx: Context, fields: Fields, field: str) -> bool:
    """Whether the asker showed their password again; whoever came by a link just now need not."""
    member = ctx.db.get_one(Staff, here().staff_id)
    if session.get(cookies.BY_LINK) or member.password_hash is None:
        return True
    wait = tries.wait_before(ctx, f"own password {member.id}", network())
    if wait:
        fields.errors[field] = f"Too many tries. Wait {waits.in_words(wait)}, then try again."
    elif not passwords.fits(member.password_hash, fields.raw(field)):
        fields.errors[field] = "This is not your password."
    else:
        tries.it_was_right(ctx, f"own password {member.id}", network())
    return field not in fields.errors


def _look_again(token: str) -> None:
    """The frame of this very answer shows what the new session may do."""
    with unit() as ctx:
        g.staff = sessions.find(ctx, token)
