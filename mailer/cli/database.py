"""`mailer migrate`: brings the schema up to date."""

import click
import sqlalchemy
from alembic import command
from alembic.config import Config

from mailer.cli.instance import find, wait_for_database
from mailer.cli.output import as_json, show
from mailer.settings import Settings, resource_folder


@click.command()
@as_json
def migrate(as_json: bool) -> None:
    """Bring the database's schema up to date; doing so twice changes nothing."""
    settings = find()
    version = bring_up_to_date(settings)
    show({"version": version}, as_json, f"The schema is at {version}.")


def bring_up_to_date(settings: Settings) -> str:
    """Run what has not run yet, in one transaction; returns the revision that the schema is at then.

    Raises: DatabaseSilent.
    """
    wait_for_database(settings)
    config = Config()
    config.set_main_option("script_location", str(resource_folder("migrations")).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    engine = sqlalchemy.create_engine(settings.database_url, hide_parameters=True, poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.rollback()
        return str(connection.scalar(sqlalchemy.text("SELECT version_num FROM alembic_version")))
