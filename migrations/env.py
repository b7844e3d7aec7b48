"""Runs migrations on one connection, one at a time, with limits on locks and statements.

The caller puts an open connection into `config.attributes["connection"]`.
"""

from typing import Any

from alembic import context
from sqlalchemy import text

from mailer.tables import metadata

ONE_AT_A_TIME = 7141902
LEAVES = ("message_2", "message_3", "decision_2", "decision_3")


def kept_by_hand(_object: Any, name: str | None, kind: str, _reflected: bool, _compare_to: Any) -> bool:
    """Monthly leaves of partitioned tables are made at launch, not by the models."""
    return not (kind == "table" and (name or "").startswith(LEAVES))


def run() -> None:
    connection = context.config.attributes["connection"]
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ONE_AT_A_TIME})
    connection.execute(text("SET lock_timeout = '4s'"))
    connection.execute(text("SET statement_timeout = '60s'"))
    connection.execute(text("CREATE SCHEMA IF NOT EXISTS vault"))
    connection.commit()
    context.configure(connection=connection, target_metadata=metadata, include_schemas=True,
                      include_object=kept_by_hand, transaction_per_migration=True, compare_server_default=False)
    try:
        with context.begin_transaction():
            context.run_migrations()
    finally:
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ONE_AT_A_TIME})
        connection.commit()


run()
