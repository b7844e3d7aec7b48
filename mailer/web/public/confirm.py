"""The page behind a confirmation mail: it shows, and waits for a press."""

from flask import Response, url_for

from mailer.subscriptions import confirm as confirming
from mailer.subscriptions import words
from mailer.subscriptions.confirm import Answer
from mailer.subscriptions.links import Outcome
from mailer.web.public.door import from_our_pages, link_over, public_blueprint
from mailer.web.support import public_page, token_in_path, unit

confirm = public_blueprint("public_confirm")


@confirm.get("/confirm/<token>")
@token_in_path
def show(token: str) -> Response:
    """What pressing agrees to."""
    with unit() as ctx:
        answer = confirming.look(ctx, token)
    if answer.outcome is not Outcome.OPEN:
        return _closed(answer)
    return public_page(
        "public/confirm.html", confirm_action=url_for("public_confirm.press", token=token),
        not_me_action=url_for("public_confirm.not_me", token=token), agreed=answer.agreed,
        wording=answer.wording or None, stamp=None)


@confirm.post("/confirm/<token>")
@token_in_path
def press(token: str) -> Response:
    """Confirm; a second press is answered and changes nothing."""
    from_our_pages()
    with unit() as ctx:
        answer = confirming.confirm(ctx, token)
    if answer.outcome is not Outcome.OPEN:
        return _closed(answer)
    return public_page("public/confirm_done.html", agreed=answer.agreed,
                       thanks=answer.thanks.removeprefix("You are in. "))


@confirm.post("/confirm/<token>/not-me")
@token_in_path
def not_me(token: str) -> Response:
    """Forget the request; pressing twice is answered alike."""
    from_our_pages()
    with unit() as ctx:
        answer = confirming.not_me(ctx, token)
    if answer.outcome in (Outcome.USED, Outcome.EXPIRED):
        return _closed(answer)
    return public_page("public/not_me_done.html")


def _closed(answer: Answer) -> Response:
    with unit() as ctx:
        slug, today = confirming.ask_again_path(ctx), ctx.clock.now().date()
    ask_url = url_for("public_join.show", slug=slug) if slug else url_for("public_site.home")
    if answer.outcome is Outcome.USED:
        return public_page("public/confirm_already.html", confirmed_on=words.day(answer.day, today))
    if answer.outcome is Outcome.EXPIRED:
        return public_page("public/link_old.html", 410, ask_url=ask_url)
    return link_over("This link no longer works", "A newer request took its place, or the request was taken back.",
                     ask_url, "Ask again")
