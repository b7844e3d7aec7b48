"""The Outbox as JSON, for tests of an organisation's own (`OUTBOX_KEY`) and for scripts of staff."""

from datetime import UTC
from typing import Any

from flask import Response, jsonify, request

from mailer.practice import box
from mailer.web.outbox.pages import find
from mailer.web.outbox.reader import Shown, before, by_key_or_staff, reader, shown
from mailer.web.support import unit

A_PAGE, LARGEST_PAGE = 50, 200


@by_key_or_staff
def messages() -> Response:
    """The newest messages, or those with a smaller id than `before`; `next` is the id to go on from."""
    by = reader()
    size = min(max(request.args.get("size", A_PAGE, type=int), 1), LARGEST_PAGE)
    with unit() as ctx:
        items = box.listed(ctx.db, staff_only_of=by.staff_only_of, before=before(), size=size + 1)
        found = [_brief(shown(ctx, item, by)) for item in items[:size]]
        count = box.count(ctx.db, staff_only_of=by.staff_only_of)
    return _answer({"count": count, "messages": found, "next": items[size - 1].id if len(items) > size else None})


@by_key_or_staff
def message(item_id: int) -> Response:
    """One message with its parts and its source."""
    found = find(item_id)
    reading = found.reading
    return _answer(_brief(found) | {"text": reading.text, "html": reading.html, "source": reading.source,
                                    "size": reading.size, "campaign": found.item.campaign_id})


def _brief(found: Shown) -> dict[str, Any]:
    """Headers by name; where a name stands twice, its values are joined by a line feed."""
    headers: dict[str, str] = {}
    for name, value in found.reading.headers:
        headers[name] = f"{headers[name]}\n{value}" if name in headers else value
    return {
        "id": found.item.id, "at": found.item.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "channel": found.item.channel, "to": found.to, "subject": found.reading.subject, "new": not found.item.seen,
        "links": [link.url for link in found.reading.links], "headers": headers,
    }


def _answer(values: dict[str, Any]) -> Response:
    response = jsonify(values)
    response.headers["Cache-Control"] = "no-store"
    return response
