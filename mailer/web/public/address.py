"""A new e-mail address: the page behind the mail to the new mailbox, and behind the undo in the old one."""

from flask import Response, url_for

from mailer.subscriptions import address as changing
from mailer.subscriptions import words
from mailer.subscriptions.address import Answer, Undo
from mailer.subscriptions.links import Outcome
from mailer.web.public.door import from_our_pages, link_over, public_blueprint
from mailer.web.support import opener, public_page, token_in_path, unit

address = public_blueprint("public_address")


@address.get("/address/<token>")
@token_in_path
def show(token: str) -> Response:
    """A button, because mail programs open links by themselves."""
    with unit() as ctx:
        answer = changing.look(ctx, token)
    if not _acts(answer):
        return _closed(answer)
    return public_page("public/address_confirm.html", confirm_action=url_for("public_address.press", token=token),
                       not_me_action=url_for("public_address.not_me", token=token))


@address.post("/address/<token>")
@token_in_path
def press(token: str) -> Response:
    """The new address replaces the old one, which is told."""
    from_our_pages()
    with unit() as ctx:
        answer = changing.confirm(ctx, opener(), token)
    if not _acts(answer):
        return _closed(answer)
    return public_page("public/address_done.html", title="This is your address now",
                       lead="From now on we write to this address. We told the old one, where it can be taken back "
                            "for 7 days.", manage_url=url_for("public_fresh.manage"))


@address.post("/address/<token>/not-me")
@token_in_path
def not_me(token: str) -> Response:
    """Forget the wish; pressing twice is answered alike."""
    from_our_pages()
    with unit() as ctx:
        answer = changing.not_me(ctx, token)
    if answer.outcome in (Outcome.USED, Outcome.EXPIRED):
        return _closed(answer)
    return public_page("public/not_me_done.html")


@address.get("/address-undo/<token>")
@token_in_path
def ask_undo(token: str) -> Response:
    """From the notice in the old mailbox: a button, because reading changes nothing."""
    with unit() as ctx:
        state = changing.look_undo(ctx, token)
    if state.open_until is None or state.barred:
        return _undo_closed(state)
    return public_page("public/address_undo.html", action=url_for("public_address.undo", token=token),
                       until=words.full_day(state.open_until.date()))


@address.post("/address-undo/<token>")
@token_in_path
def undo(token: str) -> Response:
    """Go back to the old address; twice is once."""
    from_our_pages()
    with unit() as ctx:
        before = changing.look_undo(ctx, token)
        state = changing.undo(ctx, opener(), token)
    if before.open_until is None or state.undone_at is None:
        return _undo_closed(state)
    return public_page("public/address_done.html", title="Taken back",
                       lead="We write to this address again. Whatever page was open with your choices is closed.",
                       manage_url=url_for("public_fresh.manage"))


def _acts(answer: Answer) -> bool:
    return answer.outcome is Outcome.OPEN and not answer.barred and answer.waits_until is None


def _closed(answer: Answer) -> Response:
    manage = url_for("public_fresh.manage")
    if answer.outcome is Outcome.USED:
        with unit() as ctx:
            day = words.day(answer.day, ctx.clock.now().date())
        return link_over("Already confirmed", f"This address was confirmed on {day}. All good.", manage,
                         "See your choices")
    if answer.outcome is Outcome.EXPIRED:
        return link_over("This link is over 7 days old", "We deleted the request. Nothing was changed.", manage,
                         "Ask again")
    if answer.barred:
        return link_over("We cannot write to this address",
                         "It is on our stop list, and we keep to that. Nothing was changed.")
    if answer.waits_until is not None:
        return link_over("Not yet", "This address came to somebody else a few days ago, and that may still be taken "
                         f"back. Press the link in your mail again after {words.full_day(answer.waits_until.date())}.")
    return link_over("This link no longer works", "A newer request took its place, or the request was taken back.",
                     manage, "Ask again")


def _undo_closed(state: Undo) -> Response:
    if state.undone_at is not None:
        with unit() as ctx:
            day = words.day(state.undone_at.astimezone(words.zone(ctx)).date(), ctx.clock.now().date())
        return link_over("Already taken back", f"This was taken back on {day}. We write to this address again.")
    if state.barred:
        return link_over("We cannot write to this address",
                         "It is on our stop list, and we keep to that. Nothing was changed.")
    return link_over("The 7 days are over", "The change stands. Write to us if it was not yours.")
