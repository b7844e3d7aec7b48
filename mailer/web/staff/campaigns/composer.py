"""Writing a campaign: form at the left, preview at the right, saved as one types."""

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from flask import jsonify, redirect, request, url_for
from werkzeug.wrappers import Response

from mailer.campaigns import compose, test_send
from mailer.campaigns.models import Campaign
from mailer.content import pictures, starter
from mailer.context import Context
from mailer.core.errors import Conflict, InvalidInput
from mailer.core.messages import CampaignState
from mailer.organisation import profile as organisation
from mailer.organisation import senders
from mailer.outbox import assignment
from mailer.web.staff.campaigns import drafts, testing, words
from mailer.web.staff.campaigns.check import audience_of
from mailer.web.staff.campaigns.preview import VIEWS
from mailer.web.staff.door import here, staff_only
from mailer.web.staff.fields import Fields
from mailer.web.staff.frame import staff_page
from mailer.web.support import blueprint, unit

composer = blueprint("composer")

LONGEST_ALT = 300


@composer.get("/new")
@staff_only("edit_content")
def blank() -> Response:
    """The form with example text, addressed to the first list; nothing is kept before the first save."""
    with unit() as ctx:
        audiences = drafts.audiences(ctx)
        if not audiences:
            return redirect(url_for("staff_campaigns.page"), 303)
        text = starter.BLANK
        typed = drafts.Typed(0, audiences[0][0], "", text.subject, text.preview_line, text.markdown, "en")
        values = _values(ctx, None, typed)
    return staff_page("staff/campaigns/compose.html", **values)


@composer.post("/new")
@staff_only("edit_content")
def create() -> Response:
    """The first save: from now on it is a draft."""
    typed, fields = drafts.posted(), Fields()
    try:
        with unit() as ctx:
            typed = _with_picture(ctx, typed, fields)
            number = 0 if fields.errors else drafts.create(ctx, typed, here().staff_id).id
    except InvalidInput as error:
        _note(fields, error)
    return _again(None, typed, fields) if fields.errors else _onward(number)


@composer.get("/<int:number>/edit")
@staff_only("edit_content")
def edit(number: int) -> Response:
    """The form; what can be written to no more is shown instead."""
    with unit() as ctx:
        campaign = compose.find(ctx, number)
        if campaign.state not in compose.EDITABLE:
            return redirect(url_for("staff_campaigns.show", number=number), 303)
        values = _values(ctx, campaign, drafts.stored(ctx, campaign))
        if request.args.get("counted"):
            values |= _figures(ctx, campaign)
    return staff_page("staff/campaigns/compose.html", **values)


@composer.post("/<int:number>/edit")
@staff_only("edit_content")
def save(number: int) -> Response:
    """Save, and go on to where the button pressed leads."""
    typed, fields = drafts.posted(), Fields()
    try:
        with unit() as ctx:
            typed = _with_picture(ctx, typed, fields)
            if not fields.errors:
                drafts.keep(ctx, number, typed)
    except InvalidInput as error:
        _note(fields, error)
    except Conflict:
        return _conflict(number, typed)
    return _again(number, typed, fields) if fields.errors else _onward(number)


@composer.post("/<int:number>/autosave")
@staff_only("edit_content")
def autosave(number: int) -> Response:
    """Save without leaving the page; answers when, and the version to save on top of next."""
    typed = drafts.posted()
    try:
        with unit() as ctx:
            campaign = drafts.keep(ctx, number, typed)
            zone = ZoneInfo(organisation.current(ctx).time_zone)
            return jsonify(saved_at=f"{ctx.clock.now().astimezone(zone):%H:%M}",
                           fields={"version": str(campaign.version)})
    except InvalidInput as error:
        return jsonify(message=f"Not saved yet. {drafts.sentence(error)}")


@composer.get("/<int:number>/audience")
@staff_only("read_content")
def audience(number: int) -> Response:
    """In and Out for an audience that may not be saved yet: the part beside the choice."""
    chosen = drafts.Typed(0, request.args.get("audience", ""), "", "", "", "", "en")
    with unit() as ctx:
        campaign = compose.find(ctx, number)
        ctx.db.expunge(campaign)
        if chosen.audience in dict(drafts.audiences(ctx)):
            campaign.list_id, campaign.topic_id = chosen.list_id, chosen.topic_id
        values = _figures(ctx, campaign)
    return staff_page("staff/campaigns/audience_part.html", **values)


def _onward(number: int) -> Response:
    """To where the button pressed leads, with everything saved."""
    act = request.form.get("act", "save")
    if act == "check":
        return redirect(url_for("staff_campaigns.check.page", number=number), 303)
    if act == "test":
        testing.send_me_one(number)
    edit_page = url_for("staff_campaigns.composer.edit", number=number)
    return redirect(f"{edit_page}?counted=1#audience" if act == "count" else edit_page, 303)


def _with_picture(ctx: Context, typed: drafts.Typed, fields: Fields) -> drafts.Typed:
    """The form with an uploaded picture at the end of its message, where one was sent."""
    if request.form.get("act") != "picture":
        return typed
    upload = request.files.get("picture")
    octets = upload.stream.read(pictures.LARGEST + 1) if upload else b""
    alt = " ".join(fields.raw("alt").split())[:LONGEST_ALT]
    ornament = bool(fields.raw("ornament"))
    if not octets:
        fields.errors["picture"] = "Choose a picture: PNG, JPEG, GIF or WebP."
    elif not alt and not ornament:
        fields.errors["alt"] = "Say what the picture shows, or tick that it is an ornament."
    if fields.errors:
        return typed
    try:
        kept = pictures.store(ctx, octets)
    except InvalidInput as error:
        fields.errors["picture"] = f"This file {error.context['why']}."
        return typed
    address = f"{organisation.current(ctx).public_url}/pictures/{kept.sha256.hex()}"
    words_for_it = "" if ornament else ctx.channels["email"].literal(alt)
    block = f"![{words_for_it}]({address})" + ("{decorative}" if ornament else "")
    return replace(typed, markdown=f"{typed.markdown.rstrip()}\n\n{block}\n")


def _again(number: int | None, typed: drafts.Typed, fields: Fields) -> Response:
    """The form once more, with what is wrong and everything that was typed."""
    with unit() as ctx:
        values = _values(ctx, compose.find(ctx, number) if number else None, typed)
    return staff_page("staff/campaigns/compose.html", 422, **(values | {"errors": fields.errors}))


def _conflict(number: int, typed: drafts.Typed) -> Response:
    """Somebody saved other words meanwhile: both are kept, and the person chooses."""
    with unit() as ctx:
        campaign = compose.find(ctx, number)
        newer = drafts.stored(ctx, campaign)
        names = dict(drafts.audiences(ctx))
        over = campaign.state not in compose.EDITABLE
    return staff_page("staff/campaigns/conflict.html", 409, number=number, typed=typed, newer=newer, over=over,
                      audience_name=names.get(typed.audience, ""))


def _note(fields: Fields, error: InvalidInput) -> None:
    field = str(error.context["field"])
    fields.errors[drafts.FIELD_IDS.get(field, field)] = drafts.sentence(error)


def _values(ctx: Context, campaign: Campaign | None, typed: drafts.Typed) -> dict[str, Any]:
    profile = organisation.current(ctx)
    default = assignment.sender_of(ctx, profile, None, None)
    fixed = bool(ctx.fixed.mail_from)
    from_choices = [("", f"{default.name} <{default.address}>" + ("" if fixed else ", the default"))]
    if not fixed:
        from_choices += [(str(each.id), f"{each.name} <{each.address}>") for each in senders.listed(ctx)]
    return {
        "number": campaign.id if campaign else None, "typed": typed, "audiences": drafts.audiences(ctx),
        "senders": from_choices, "languages": drafts.LANGUAGES, "postal_address": profile.postal_address,
        "help_email": profile.help_email, "organisation_name": profile.name, "people": test_send.PEOPLE,
        "views": VIEWS, "press": testing.new_press(ctx),
        "seen": None, "reasons": [],
        "why": words.why_not_started(campaign.why_not_started) if campaign else "",
        "waits": campaign is not None and campaign.state == CampaignState.NEEDS_APPROVAL,
    }


def _figures(ctx: Context, campaign: Campaign) -> dict[str, Any]:
    seen = audience_of(ctx, campaign)
    return {"seen": seen, "reasons": words.waterfall(seen.reasons), "number": campaign.id}
