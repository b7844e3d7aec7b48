"""The one line that `mailer run` ends its start with."""

from mailer import wiring
from mailer.core.jobs import NoJobs
from mailer.core.modes import Mode
from mailer.organisation import profile as organisation
from mailer.practice import box
from mailer.services import unit_of_work
from mailer.settings import Settings
from mailer.staff import links


def first_run_line(settings: Settings) -> str:
    """The link to open; called once the schema is up to date, before the web server answers.

    Until there is an Admin it is a fresh one-time link; what an Outbox holds does not outlive a start in Live.
    """
    engine = wiring.open_engine(settings)
    with unit_of_work(wiring.build(settings, engine, NoJobs()), actor="operator") as ctx:
        organisation.ensure_instance(ctx)
        code = links.issue_start(ctx)
        if organisation.current(ctx).mode is Mode.LIVE:
            box.empty(ctx.db)
    engine.dispose()
    here = f"http://localhost:{settings.port}"
    return f"Open {here}/start/{code} (works once)" if code else f"Open {here}/staff"
