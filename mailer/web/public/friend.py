"""Telling a friend: the sender's page and press, the friend's own page, and the code that lifts a "never"."""

from collections.abc import Mapping
from urllib.parse import quote

from flask import Response, request, url_for

from mailer.core.errors import InvalidInput, NotFound
from mailer.friends import invite, never, settings
from mailer.friends import page as friend_page
from mailer.friends.settings import Offer
from mailer.friends.words import SENTENCES, Typed
from mailer.organisation import profile
from mailer.subscriptions import words
from mailer.subscriptions.answers import UnfitAnswers
from mailer.subscriptions.links import Outcome
from mailer.web import stamps
from mailer.web.doors import LIMITER
from mailer.web.public.door import LONGEST_ECHO, from_our_pages, link_over, public_blueprint, typed
from mailer.web.support import open_to_all, opener, public_page, token_in_path, unit

friend = public_blueprint("public_friend")

TRIES = "20/hour"
CODE_TRIES = "10/hour"
STAMP, CODE_STAMP = "friend", "lift"
STALE = "This page was open for long. What you typed is still here: press once more"
ADDRESS = "Enter an email address, like name@example.com"
FIELDS = ("first_name", "sender", "friend", "words")
TRAP = "website"


@friend.get("/friend")
@open_to_all
def show() -> Response:
    """The page of a list that may be passed on: a text to share, or the form where our server may write."""
    return _page(_offer())


@friend.post("/friend")
@open_to_all
@LIMITER.shared_limit(TRIES, scope="friend")
def ask() -> Response:
    """Take the request; the page that follows is the same whatever we hold of either address."""
    from_our_pages()
    offer = _offer()
    if not offer.by_mail:
        return _page(offer)
    with unit() as ctx:
        ours = stamps.fits(ctx, STAMP, typed("stamp"))
    if not ours:
        return _page(offer, {"first_name": STALE}, 400)
    try:
        with unit() as ctx:
            invite.ask(ctx, offer, Typed(*(typed(name) for name in FIELDS)), trapped=bool(typed(TRAP)))
    except UnfitAnswers as error:
        return _page(offer, {field: SENTENCES.get((field, why), ADDRESS) for field, why in error.faults.items()}, 422)
    return public_page("public/friend_asked.html", outbox_url="/outbox")


@friend.get("/friend/press/<token>")
@token_in_path
def show_press(token: str) -> Response:
    """A button, because reading changes nothing."""
    with unit() as ctx:
        answer = invite.look(ctx, token)
    if answer.outcome is not Outcome.OPEN:
        return _closed(answer.outcome)
    return public_page("public/friend_press.html", action=url_for("public_friend.press", token=token),
                       asked_on=words.full_day(answer.day))


@friend.post("/friend/press/<token>")
@token_in_path
def press(token: str) -> Response:
    """Let the message go; twice is once."""
    from_our_pages()
    with unit() as ctx:
        answer = invite.press(ctx, token)
    if answer.outcome not in (Outcome.OPEN, Outcome.USED):
        return _closed(answer.outcome)
    return public_page("public/friend_pressed.html")


@friend.get("/friend/<token>")
@token_in_path
def friends_page(token: str) -> Response:
    """Who gave us this address, and the ways out."""
    return _friends_page(token)


@friend.post("/friend/<token>/never")
@token_in_path
def say_never(token: str) -> Response:
    """Shut the address for good, and show the code that opens it."""
    from_our_pages()
    with unit() as ctx:
        code = never.say(ctx, token)
    return public_page("public/friend_never.html", code=code, lift_url=url_for("public_friend.show_code"))


@friend.post("/friend/<token>/report")
@token_in_path
def report(token: str) -> Response:
    """Note that the friend did not know the sender."""
    from_our_pages()
    with unit() as ctx:
        friend_page.report(ctx, token)
    return _friends_page(token, thanks=True)


@friend.get("/lift")
@open_to_all
def show_code() -> Response:
    """Where the code of a "never" page is typed."""
    return _code_page("", {})


@friend.post("/lift")
@open_to_all
@LIMITER.shared_limit(CODE_TRIES, scope="lift")
def take_back() -> Response:
    """Lift a "never" by its code."""
    from_our_pages()
    with unit() as ctx:
        ours = stamps.fits(ctx, CODE_STAMP, typed("stamp"))
    if not ours:
        return _code_page(typed("code"), {"code": STALE}, 400)
    try:
        with unit() as ctx:
            never.take_back(ctx, typed("code"))
    except InvalidInput as error:
        return _code_page(typed("code"), {"code": str(error.context["why"])}, 422)
    return public_page("public/lift_done.html", home_url=url_for("public_site.home"))


def _offer() -> Offer:
    """The list that the address names, else the first. Raises: NotFound where none may be passed on."""
    with unit() as ctx:
        offers = settings.offers(ctx)
    slug = request.values.get("about", "")
    found = next((each for each in offers if slug in ("", each.slug)), None)
    if found is None:
        raise NotFound(friend="offer")
    return found


def _page(offer: Offer, errors: Mapping[str, str] | None = None, status: int = 200) -> Response:
    with unit() as ctx:
        stamp = stamps.make(ctx, STAMP)
        house = profile.current(ctx)
        others = [each for each in settings.offers(ctx) if each.slug != offer.slug]
        title = settings.title(ctx, offer)
        link = f"{house.public_url}{url_for('public_join.show', slug=offer.slug)}"
    share = f"{title}: I read {offer.list_name} by {house.name}. If you like it too, you can join here: {link}"
    return public_page(
        "public/friend.html", status, offer=offer, share=share, stamp=stamp, errors=errors or {},
        mail=f"mailto:?subject={quote(offer.list_name)}&body={quote(share)}",
        action=url_for("public_friend.ask"), values={name: typed(name)[:LONGEST_ECHO] for name in FIELDS},
        others=[(each.list_name, url_for("public_friend.show", about=each.slug)) for each in others])


def _friends_page(token: str, *, thanks: bool = False) -> Response:
    with unit() as ctx:
        found = friend_page.look(ctx, opener(), token)
        day = words.day(found.day, ctx.clock.now().date()) if found.day else ""
    return public_page(
        "public/friend_page.html", found=found, day=day, thanks=thanks,
        join_url=url_for("public_join.show", slug=found.slug) if found.slug else url_for("public_site.home"),
        never_action=url_for("public_friend.say_never", token=token),
        report_action=url_for("public_friend.report", token=token))


def _code_page(value: str, errors: Mapping[str, str], status: int = 200) -> Response:
    with unit() as ctx:
        stamp = stamps.make(ctx, CODE_STAMP)
    return public_page("public/lift.html", status, action=url_for("public_friend.take_back"), stamp=stamp,
                       value=value[:LONGEST_ECHO], errors=errors)


def _closed(outcome: Outcome) -> Response:
    lead = "It was used already: your message needs nothing more from you." if outcome is Outcome.USED \
        else "What you typed was kept for 24 hours and is deleted. Nothing was sent."
    return link_over("This link is over", lead)
