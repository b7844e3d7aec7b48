"""Forms, built by buttons: the list manager's ways in, in versions that are never changed (ux 2.16)."""

import re
from dataclasses import dataclass
from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from mailer.context import Context
from mailer.core.errors import Conflict, InvalidInput, NotFound
from mailer.lists import catalogue, embed
from mailer.lists import forms as ways
from mailer.lists.forms import Definition
from mailer.lists.models import Form, FormVersion, MailingList, Wording
from mailer.organisation import profile as organisation
from mailer.policy import notices, packs, partners
from mailer.web import form_page
from mailer.web.headers import FRAMED
from mailer.web.staff.door import staff_only
from mailer.web.staff.fields import Fields, whole_number
from mailer.web.staff.found import row
from mailer.web.staff.frame import staff_page
from mailer.web.staff.mistakes import sentence
from mailer.web.support import blueprint, brand_of, is_fragment, unit

forms = blueprint("staff_forms", "/staff/forms")

SWITCHES = ("ask_first_name", "ask_frequency", "ask_format", "partner_offers", "share")
TEXTS = ("title", "intro", "age_line", "thanks")
OLDER = (18, 21)
"""Ages that a form may name instead of its policy's own."""


@dataclass(frozen=True)
class Line:
    """One form of the table."""

    form: Form
    mailing_list: MailingList
    version: FormVersion


@forms.get("")
@staff_only("edit_forms")
def page() -> Response:
    """The table of forms."""
    with unit() as ctx:
        rows = ctx.db.execute(select(Form, MailingList).join(MailingList, MailingList.id == Form.list_id).order_by(
            Form.archived, Form.id)).all()
        lines = [Line(form, mailing_list, ways.versions(ctx, form.id)[0]) for form, mailing_list in rows]
        lists = _lists(ctx)
    return staff_page("staff/forms/forms.html", lines=lines, lists=lists)


@forms.get("/new")
@staff_only("edit_forms")
def new() -> Response:
    """Choose the list first, then build."""
    with unit() as ctx:
        found = _lists(ctx)
        chosen = next((each for each in found if str(each.id) == request.args.get("list")), None)
        if chosen is None and len(found) == 1:
            chosen = found[0]
        if chosen is None:
            return staff_page("staff/forms/choose.html", lists=found)
        name = organisation.current(ctx).name
        topics = catalogue.topics_of(ctx, chosen.id)
        draft = Definition(title=f"Get news from {name}" if name else "Get our news",
                           topics=tuple(topic.id for topic in topics), age_line=packs.current(ctx).age_line)
        values = _values(draft) | {"name": chosen.name, "slug": _free_slug(ctx, chosen.name)}
    return _builder(chosen.id, None, values)


@forms.post("/new")
@staff_only("edit_forms")
def create() -> Response:
    """Make the form and its version 1."""
    fields = Fields()
    list_id = whole_number(fields.raw("list")) or 0
    values = _typed(fields)
    try:
        with unit() as ctx:
            mailing_list = row(ctx, MailingList, list_id)
            made = ways.create_form(ctx, slug=values["slug"], list_id=mailing_list.id, name=values["name"],
                                    definition=_definition(values), notice=notices.in_force(ctx),
                                    partners=partners.current(ctx), may_share=packs.current(ctx).shares())
    except (InvalidInput, Conflict) as error:
        return _builder(list_id, None, values, 422, sentence(error))
    flash("The form is made. Its link and its HTML are below.", "good")
    return redirect(url_for("staff_forms.one", form_id=made.id), 303)


@forms.get("/<int:form_id>")
@staff_only("edit_forms")
def one(form_id: int) -> Response:
    """The builder with the newest version, its preview, link, embed and versions."""
    with unit() as ctx:
        form = row(ctx, Form, form_id)
        values = _values(Definition.from_json(ways.versions(ctx, form_id)[0].definition))
    return _builder(form.list_id, form, values)


@forms.post("/<int:form_id>")
@staff_only("edit_forms")
def change(form_id: int) -> Response:
    """Changed words make version n+1; a version that somebody else saved meanwhile is never written over."""
    fields = Fields()
    values = _typed(fields)
    with unit() as ctx:
        form = row(ctx, Form, form_id)
        newest = ways.versions(ctx, form_id)[0].version
    if fields.raw("version") != str(newest):
        words = f"Version {newest} was saved since you opened this page. Yours is below: press Save to keep it."
        return _builder(form.list_id, form, values, 409, {"title": words})
    try:
        with unit() as ctx:
            made = ways.new_version(ctx, row(ctx, Form, form_id), _definition(values), notices.in_force(ctx),
                                    partners.current(ctx), may_share=packs.current(ctx).shares())
    except InvalidInput as error:
        return _builder(form.list_id, form, values, 422, sentence(error))
    flash(f"Version {made.version} is in use now." if made.version > newest else "Nothing had changed.", "good")
    return redirect(url_for("staff_forms.one", form_id=form_id), 303)


@forms.get("/<int:form_id>/versions/<int:number>")
@staff_only("edit_forms")
def version(form_id: int, number: int) -> Response:
    """The exact words of one version."""
    with unit() as ctx:
        form = row(ctx, Form, form_id)
        found = next((each for each in ways.versions(ctx, form_id) if each.version == number), None)
        if found is None:
            raise NotFound(form=form_id)
        said = [ctx.db.get_one(Wording, wording_id).text
                for wording_id in (found.wording_id, found.partner_wording_id, found.share_wording_id) if wording_id]
    return staff_page("staff/forms/version.html", form=form, version=found, said=said)


@forms.post("/<int:form_id>/archive")
@staff_only("edit_forms")
def archive(form_id: int) -> Response:
    """Take a form out of use, or back."""
    with unit() as ctx:
        form = row(ctx, Form, form_id)
        ways.archive(ctx, form, not form.archived)
    flash("The form is archived: its link leads nowhere now." if form.archived else "The form is in use again.", "good")
    return redirect(url_for("staff_forms.one", form_id=form_id), 303)


@forms.post("/preview")
@staff_only("edit_forms")
def preview() -> Response:
    """The public page with what is typed so far: a whole document for a frame, or both frames for a script."""
    values = _typed(Fields())
    with unit() as ctx:
        document = _document(ctx, values)
    if is_fragment():
        return staff_page("staff/forms/frames.html", document=document)
    response = make_response(document)
    response.headers["Content-Security-Policy"] = FRAMED
    response.headers["Cache-Control"] = "no-store"
    return response


def _document(ctx: Context, values: dict[str, Any]) -> str:
    brand = brand_of(ctx)
    return render_template("public/join.html", form=form_page.shown(ctx, _definition(values), 1, brand["name"]),
                           values={}, errors={}, action="#", brand=brand, stamp="")


def _builder(list_id: int, form: Form | None, values: dict[str, Any], status: int = 200,
             errors: dict[str, str] | None = None) -> Response:
    with unit() as ctx:
        mailing_list = row(ctx, MailingList, list_id)
        topics = catalogue.topics_of(ctx, list_id)
        profile = organisation.current(ctx)
        document = _document(ctx, values)
        history = ways.versions(ctx, form.id) if form else []
        code = _embed(ctx, form, history[0], profile) if form else ""
        pack, named = packs.current(ctx), partners.current(ctx)
    older = (f"For people aged {age} or over." for age in OLDER if age > pack.floor())
    ages = list(dict.fromkeys([pack.age_line, *older, values["age_line"]]))
    return staff_page("staff/forms/builder.html", status, list=mailing_list, form=form, values=values, topics=topics,
                      ages=[(line, line) for line in ages if line], document=document, versions=history, embed=code,
                      pack=pack, partners=named,
                      link=f"{profile.public_url}/join/{form.slug if form else ''}", errors=errors or {})


def _embed(ctx: Context, form: Form, newest: FormVersion, profile: organisation.Profile) -> str:
    definition, pack = Definition.from_json(newest.definition), packs.current(ctx)
    where = ", ".join(part for part in (*profile.postal_address.splitlines(), profile.help_email) if part)
    return embed.html(definition, ways.topics_shown(ctx, definition), slug=form.slug, version=newest.version,
                      public_url=profile.public_url, brand=profile.name, contact=where,
                      partners=partners.current(ctx), may_share=pack.shares(), asks_age=pack.asks_age)


def _typed(fields: Fields) -> dict[str, Any]:
    """Everything posted, as it was typed."""
    kept: dict[str, Any] = {name: fields.raw(name) for name in ("name", "slug", "partner_names", *TEXTS)}
    kept |= {name: fields.raw(name) == "yes" for name in SWITCHES}
    return kept | {"topics": [value for value in fields.many("topics") if whole_number(value) is not None]}


def _values(definition: Definition) -> dict[str, Any]:
    kept: dict[str, Any] = {name: getattr(definition, name) for name in (*TEXTS, *SWITCHES)}
    return kept | {"partner_names": "\n".join(definition.partner_names),
                   "topics": [str(topic) for topic in definition.topics]}


def _definition(values: dict[str, Any]) -> Definition:
    names = [line.strip() for line in values["partner_names"].splitlines() if line.strip()]
    return Definition(
        **{name: values[name].strip() for name in TEXTS}, **{name: values[name] for name in SWITCHES},
        topics=tuple(int(topic) for topic in values["topics"]), partner_names=tuple(names))


def _free_slug(ctx: Context, name: str) -> str:
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:30].strip("-") or "news"
    taken = set(ctx.db.scalars(select(Form.slug)))
    return next(slug for slug in (stem, *(f"{stem}-{n}" for n in range(2, len(taken) + 3))) if slug not in taken)


def _lists(ctx: Context) -> list[MailingList]:
    return list(ctx.db.scalars(select(MailingList).where(MailingList.archived.is_(False)).order_by(MailingList.id)))
