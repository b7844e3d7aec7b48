"""The stop list's own page: asking, figures, domain rules, and adding one or many (ux 2.14)."""

import io
from datetime import date
from typing import Any

from flask import request
from sqlalchemy import select
from werkzeug.wrappers import Response

from mailer.analytics import k_anonymity, stop_list
from mailer.audit import trail
from mailer.context import Context
from mailer.core.errors import InvalidInput
from mailer.core.reasons import Reason
from mailer.lists import catalogue
from mailer.lists.models import MailingList
from mailer.organisation import profile as organisation
from mailer.staff.roles import Permission
from mailer.subscriptions.stop_many import Added, stop_many
from mailer.suppression import files, queries
from mailer.suppression.files import BadLine, Means, Plain
from mailer.web.staff.campaigns.words import reason
from mailer.web.staff.counted import counted
from mailer.web.staff.door import here, staff_only
from mailer.web.staff.fields import Fields, whole_number
from mailer.web.staff.frame import staff_page
from mailer.web.staff.stop_list import answers
from mailer.web.staff.stop_list.answers import CHANNEL, CHANNELS
from mailer.web.support import blueprint, unit

stop_list_pages = blueprint("staff_stop_list", "/staff/stop-list")

WHOLE = "Type a whole email address, like name@example.org"
REASONS = ((str(Reason.STAFF_STOP), "They asked us to stop", "The privacy officer can lift it."),
           (str(Reason.LAW), "The law forbids writing to them", "Nobody here can lift it."))
EVERYTHING = ("", "Everything by email")
MOST = 20_000
"""Addresses that one press takes in; more go by `mailer suppress import`."""
TOO_MANY = f"Paste at most {MOST:,} lines at a time. The command `mailer suppress import` takes any number."
LARGEST = 3_000_000
BAD_SHOWN = 100


@stop_list_pages.get("")
@staff_only("see_people")
def page() -> Response:
    """The question, what there is, and the forms that add to it."""
    return shown()


@stop_list_pages.post("/ask")
@staff_only("see_people")
def ask() -> Response:
    """Whether an address is on the list: yes or no, with reason, scope and day; noted without the address."""
    return answers.asked() or shown(422, email=Fields().raw("email").strip(), errors={"email": WHOLE})


@stop_list_pages.post("/add")
@staff_only("reveal")
def add() -> Response:
    """Stop one or many: hashed at once; the text that was pasted is not kept, and shown again only where it is refused.
    """
    fields = Fields()
    typed = fields.whole("addresses", LARGEST)
    with unit() as ctx:
        plain = fields.checked(_plain, ctx, fields.raw("reason"), fields.raw("scope"))
        lines = len(typed.split("\n"))
        if not typed.strip():
            fields.errors["addresses"] = "Type one address, or paste one on each line."
        elif lines > MOST or len(typed) > LARGEST:
            fields.errors["addresses"] = TOO_MANY
        if plain is not None and not fields.errors:
            added, bad = _stop(ctx, typed, plain)
    if plain is None or fields.errors:
        return shown(422, errors=fields.errors, typed={name: fields.raw(name) for name in ("reason", "scope")},
                     addresses=typed if len(typed) <= LARGEST else "")
    return _added(typed, added, bad)


def shown(status: int = 200, *, errors: dict[str, str] | None = None, email: str = "", addresses: str = "",
          domain: str = "", typed: dict[str, str] | None = None) -> Response:
    """The page, with what was typed and what is wrong with it."""
    with unit() as ctx:
        today = ctx.clock.now().date()
        mode = organisation.mode(ctx)
        figures = counted(("stop_list", today, mode), lambda: stop_list.figures(queries.by_month(ctx), today))
        values: dict[str, Any] = {
            "any_entry": queries.any_entry(ctx), "rules": answers.rules(ctx), "scopes": _scopes(ctx),
            **_figures(figures)}
    return staff_page("staff/stop_list/stop_list.html", status, errors=errors or {}, email=email, addresses=addresses,
                      domain=domain, typed=typed or {}, reasons=REASONS, may_add=here().may(Permission.REVEAL),
                      may_lift=here().may(Permission.PRIVACY), **values)


def _plain(ctx: Context, why: str, scope: str) -> Plain:
    """What all of the addresses are stopped for. Raises: InvalidInput."""
    if why not in [value for value, _, _ in REASONS]:
        raise InvalidInput(field="reason", why="Choose why they are stopped.")
    if scope not in [value for value, _ in _scopes(ctx)]:
        raise InvalidInput(field="scope", why="Choose what they are stopped for.")
    list_id, _, topic_id = scope.partition("/")
    return Plain(CHANNEL, Reason(why), whole_number(list_id) or 0, whole_number(topic_id) or 0)


def _stop(ctx: Context, typed: str, plain: Plain) -> tuple[Added, list[BadLine]]:
    means = Means(ctx.sealer, ctx.channels, ctx.clock.now().date())
    added, bad = Added(), list[BadLine]()
    for part in files.parts(io.BytesIO(typed.encode()), plain, means, only_plain=True):
        added += stop_many(ctx, part.stops, how="staff_stop", source="stop_list")
        bad += part.bad
    trail.record(ctx, "stop_list_added", "stop_list", reason=plain.reason, list=plain.list_id, topic=plain.topic_id,
                 new=added.new, known=added.known, ended=added.ended, bad=len(bad))
    return added, bad


def _added(typed: str, added: Added, bad: list[BadLine]) -> Response:
    """Counts and the numbers of lines that were left out; of a single address, since when it is stopped."""
    with unit() as ctx:
        address = answers.read(ctx, typed.strip())
        lines = answers.lines_of(ctx, address) if address is not None and added.known else []
    return staff_page("staff/stop_list/added.html", 200, added=added, bad=bad[:BAD_SHOWN], bad_count=len(bad),
                      entries=lines)


def _scopes(ctx: Context) -> list[tuple[str, str]]:
    """Everything, each list, and each topic where a list has several."""
    scopes = [EVERYTHING]
    for each in ctx.db.scalars(select(MailingList).where(MailingList.archived.is_(False)).order_by(MailingList.name)):
        scopes.append((str(each.id), f"{each.name}, all of it"))
        topics = catalogue.topics_of(ctx, each.id)
        scopes += [(f"{each.id}/{topic.id}", f"{each.name}: {topic.name}") for topic in topics if len(topics) > 1]
    return scopes


def _figures(found: stop_list.Figures) -> dict[str, Any]:
    """The same figures in words: what is hidden reads so in drawing and table."""
    few = k_anonymity.shown(0)
    names = [_row_name(*row) for row in found.rows]
    steps = [_step_name(month, found.width) for month in found.steps]
    # The newest first: a table that is wider than the window begins with it.
    last = len(steps)
    table = [[name, *["–" if n == 0 else few if n is None else f"{n:,}" for n in [*cells[:last][::-1], *cells[last:]]]]
             for name, cells in zip(names, found.cells, strict=False)]
    return {
        "total": k_anonymity.shown(found.total), "steps": steps, "step_sums": found.step_sums, "table": table,
        "heads": [{"label": "Reason"}, *[{"label": name, "num": True} for name in
                                         [*steps[::-1], *(["Older"] if found.has_older else [])]]],
        "bars": [(name, n, few if n is None else f"{n:,}") for name, n in zip(names, found.sums, strict=True)],
    }


def _row_name(why: str, channel: str) -> str:
    return "All other reasons" if why == stop_list.OTHER else f"{reason(why)}, by {CHANNELS[channel].lower()}"


def _step_name(month: date, width: int) -> str:
    return f"{month:%b %Y}" if width == 1 else f"From {month:%b %Y}"


def typed_domain() -> str:
    """What stood in the field for a domain."""
    return request.form.get("domain", "")[:answers.LONGEST].strip()
