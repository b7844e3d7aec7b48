"""What commands print: a sentence for people, one JSON object for programs, one sentence for an error."""

import errno
import json
import sys
from collections.abc import Mapping
from datetime import datetime

import click
import psycopg
from sqlalchemy.exc import SQLAlchemyError

from mailer.core.errors import MailerError

SENTENCES = {
    "already_running": "Another mailer is running on {folder} (process {pid}); stop it or set MAILER_DATA_DIR.",
    "bench_failed": "The measurement ended early, at {step}: {why}.",
    "backup_failed": "This did not work: {why}.",
    "bad_settings": "{setting} must be {why}.",
    "behind_exits": "The database was put back to an earlier state: see `mailer exits status` and `exits apply`.",
    "cannot_send": "Nothing was sent; mend this first: {lacks}.",
    "clock_not_shifted": "The clock moves only where the instance was started with `mailer run --clock TIME`.",
    "no_instance": "No instance is running; start one with `mailer run`.",
    "not_this_machine": "The bench sends only to this machine: smtp:// and a loopback address.",
    "other_key": "This file was made with another key. Its fingerprints mean nothing here; nothing was taken in.",
    "port_taken": "Port {port} is in use by another program; set PORT to a free one.",
    "server_failed": "{server} did not start; see {log}.",
    "unknown_staff": "Nobody who works here has this address.",
    "database_silent": "The database has not answered for {seconds} seconds.",
}

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


class Commands(click.Group):
    """Turns an error into one sentence on standard error and exit status 1; only a mistake of ours is traced."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except MailerError as error:
            said = sentence(error)
        except UnicodeError:
            said = "What was given is not text in UTF-8."
        except (SQLAlchemyError, psycopg.Error) as error:
            said = f"The database could not do this ({type(getattr(error, 'orig', error)).__name__})."
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            said = f"This machine could not do this: {error.strerror or type(error).__name__}."
        click.echo(said, err=True)
        sys.exit(1)


def sentence(error: MailerError) -> str:
    """What to tell a person about an error: its own sentence, or its code and fields."""
    known = SENTENCES.get(error.code)
    if known is not None:
        try:
            return known.format_map(error.context)
        except KeyError:
            pass
    facts = ", ".join(f"{name}: {value}" for name, value in error.context.items())
    return error.code.replace("_", " ").capitalize() + (f" ({facts})." if facts else ".")


def show(result: Mapping[str, object], json_wanted: bool, text: str, *, err: bool = False) -> None:
    """Print the result: one JSON object on standard output, or the text; `err` where the output is the thing itself."""
    click.echo(json.dumps(result, ensure_ascii=False, default=_plain) if json_wanted else text, err=err)


def _plain(value: object) -> str:
    """Moments as RFC 3339 writes them; everything else as it prints itself."""
    return value.isoformat() if isinstance(value, datetime) else str(value)
