"""How long staff wait for a page when many people are there and campaigns of that size run and have ended."""

from collections.abc import Callable, Mapping

from sqlalchemy import text

from mailer.bench import newsletter
from mailer.bench.browser import Browser, milliseconds, once
from mailer.bench.errors import BenchFailed
from mailer.bench.plan import NOBODY_LISTENS, planned
from mailer.bench.rows import measured
from mailer.bench.scratch import Scratch, live, scratch
from mailer.embedded.processes import wait_until
from mailer.services import Services, unit_of_work
from mailer.staff import accounts
from mailer.staff.roles import Role
from mailer.subscriptions.leave import UNDO_LASTS
from mailer.subscriptions.seed import made_up

WHO = "pages@example.org"
PATIENCE = 120.0
LEAVERS_ONE_IN = 200
"""While a campaign is on its way; its page counts who gets nothing any more."""

LEFT = text("INSERT INTO goodbye (contact_point_id, at, undo_until, ended) "
            "SELECT id, :now, :until, CAST('{}' AS jsonb) FROM contact_point WHERE id % :one_in = 0")
SENT = text("SELECT state = 'sent' FROM campaign WHERE id = :id")


def pages(people: int) -> dict[str, object]:
    """Milliseconds by page with so many people, one campaign to all of them sent and one half-way.

    The one half-way is paused, so that the pages are measured and not the sending. Raises: BenchFailed, ServerFailed.
    """
    with scratch(**live(NOBODY_LISTENS)) as made:
        made.start_servers()
        services = made.services()
        try:
            numbers = _campaigns(made, services, people)
            with unit_of_work(services, actor="operator") as ctx:
                accounts.add(ctx, email=WHO, name="Pages", roles=list(Role))
            made.run()
            sent = numbers["report"]
            if not wait_until(lambda: _is_sent(services, sent), PATIENCE, pause=0.5):
                raise BenchFailed(step=f"campaign {sent}", why="it was not closed")
            newsletter.settle(services)
            return {"people": people, "milliseconds": _measured(made, numbers)}
        finally:
            services.engine.dispose()


def _campaigns(made: Scratch, services: Services, people: int) -> Mapping[str, int]:
    """One sent, one paused, one about to be: each to everybody."""
    sent, _ = newsletter.prepare(made, people)
    planned(made, services, sent)
    measured(made, services, sent, made.settings.worker_processes)
    halfway, _ = newsletter.another(made, services)
    planned(made, services, halfway)
    made.command("campaign", "pause", str(halfway))
    with unit_of_work(services) as ctx:
        now = ctx.clock.now()
        ctx.db.execute(LEFT, {"now": now, "until": now + UNDO_LASTS, "one_in": LEAVERS_ONE_IN})
    draft, _ = newsletter.another(made, services)
    return {"check": draft, "progress": halfway, "report": sent}


def _is_sent(services: Services, number: int) -> bool:
    with services.engine.connect() as connection:
        return bool(connection.scalar(SENT, {"id": number}))


def _measured(made: Scratch, numbers: Mapping[str, int]) -> dict[str, float]:
    browser = Browser(made.port)
    browser.sign_in(str(made.command("staff", "link", WHO)["link"]))
    campaign = "/staff/campaigns/{}/{}".format
    paths = {
        "home": "/staff", "people": "/staff/people", "lists": "/staff/lists", "campaigns": "/staff/campaigns",
        "check": campaign(numbers["check"], "check"), "progress": campaign(numbers["progress"], "progress"),
        "progress_part": campaign(numbers["progress"], "progress/part"),
        "report": campaign(numbers["report"], "report"),
    }
    asks: dict[str, Callable[[], object]] = {name: _opening(browser, path) for name, path in paths.items()}
    asks["stop_list"] = lambda: browser.post("/staff/people/stop-list", email=made_up(1).address)
    asks["find_person"] = lambda: browser.post("/staff/people", email=made_up(1).address)
    try:
        # A forecast is counted when the page is opened first, and kept for a while.
        return {"check_first": once(asks["check"])} | {name: milliseconds(ask) for name, ask in asks.items()}
    finally:
        browser.close()


def _opening(browser: Browser, path: str) -> Callable[[], object]:
    return lambda: browser.get(path)
