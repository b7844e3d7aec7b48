"""The one line that `mailer run` ends its start with."""

from mailer.settings import Settings


def first_run_line(settings: Settings) -> str:
    """The link to open; called once the schema is up to date, before the web server answers."""
    return f"Open http://localhost:{settings.port}/"
