"""Every address of the Outbox, in one place."""

from mailer.web.outbox import acts, api, pages, reader
from mailer.web.support import blueprint

outbox = blueprint("outbox", "/outbox")
outbox.before_request(reader.absent_in_live)

outbox.add_url_rule("", "page", pages.page)
outbox.add_url_rule("/search", "search", pages.search, methods=["POST"])
outbox.add_url_rule("/seen", "seen_all", pages.seen_all, methods=["POST"])
outbox.add_url_rule("/<int:item_id>", "item", pages.item)
outbox.add_url_rule("/<int:item_id>/html", "html", pages.html)
outbox.add_url_rule("/<int:item_id>/open", "opened", pages.opened)
outbox.add_url_rule("/<int:item_id>/seen", "seen", pages.seen, methods=["POST"])
outbox.add_url_rule("/<int:item_id>/unsubscribe", "press", acts.press, methods=["POST"])
outbox.add_url_rule("/<int:item_id>/scan", "scan", acts.scan, methods=["POST"])
outbox.add_url_rule("/api/messages", "messages", api.messages)
outbox.add_url_rule("/api/messages/<int:item_id>", "message", api.message)
