"""Migrations go up, down and up again, one at a time, and end at the schema that the models describe."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, Engine, Integer, MetaData, Table, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from mailer.settings import child_environment, resource_folder
from mailer.tables import metadata
from tests.conftest import migrate
from tests.migrations.conftest import downgrade

pytestmark = pytest.mark.migrations

LEAVES = ("message_2", "message_3", "decision_2", "decision_3")
OURS = "table_schema IN ('public', 'vault')"
ONE_AT_A_TIME = 7141902
"""The advisory lock of migrations/env.py."""


def not_a_leaf(_object: object, name: str | None, kind: str, _reflected: bool, _compare_to: object) -> bool:
    return not (kind == "table" and ((name or "").startswith(LEAVES) or name == "alembic_version"))


def differences(connection: Connection, wanted: MetaData) -> list[object]:
    context = MigrationContext.configure(connection, opts={
        "include_schemas": True, "include_object": not_a_leaf, "compare_type": True})
    return list(compare_metadata(context, wanted))


def tables(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.scalars(text(f"SELECT table_name FROM information_schema.tables WHERE {OURS}")))


def schema(engine: Engine) -> list[tuple[object, ...]]:
    """Columns, constraints and triggers, as PostgreSQL tells them."""
    with engine.connect() as connection:
        return [tuple(row) for query in (
            f"SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns "
            f"WHERE {OURS} ORDER BY 1, 2",
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE connamespace IN ('public'::regnamespace, 'vault'::regnamespace) ORDER BY 1, 2",
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2",
            "SELECT indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
            "WHERE c.relnamespace IN ('public'::regnamespace, 'vault'::regnamespace) ORDER BY 1",
        ) for row in connection.execute(text(query))]


def test_up_down_and_up_again_ends_at_the_same_schema(empty_url: str) -> None:
    engine = create_engine(empty_url, poolclass=NullPool)
    migrate(empty_url)
    first = schema(engine)
    downgrade(empty_url)
    assert tables(engine) == {"alembic_version"}
    migrate(empty_url)
    assert first and schema(engine) == first


def test_going_down_leaves_no_function_sequence_or_trigger(empty_url: str) -> None:
    migrate(empty_url)
    downgrade(empty_url)
    with create_engine(empty_url, poolclass=NullPool).connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace")) == 0
        assert connection.scalar(text("SELECT count(*) FROM pg_class WHERE relkind = 'S' "
                                      "AND relnamespace = 'public'::regnamespace")) == 0


def test_going_back_to_before_there_were_topics_lifts_no_stop(migrated: Engine, empty_url: str) -> None:
    """A stop of a topic becomes one of its list, as strict as the strictest."""
    with migrated.begin() as connection:
        connection.execute(text("""
            INSERT INTO suppression (channel, fingerprint, list_id, topic_id, reason, fingerprint_version, mode, day,
                                     until, sample)
            VALUES ('email', 'a', 7, 8, 'staff_stop', 1, 'live', '2026-01-01', NULL, false),
                   ('email', 'a', 7, 9, 'staff_stop', 1, 'live', '2026-01-01', '2027-01-01', false),
                   ('email', 'b', 7, 8, 'hold', 1, 'live', '2026-01-01', NULL, false),
                   ('email', 'b', 7, 0, 'hold', 1, 'practice', '2026-01-01', '2027-01-01', false)"""))
    downgrade(empty_url, "0004")
    with migrated.connect() as connection:
        assert [tuple(row) for row in connection.execute(text(
            "SELECT fingerprint, list_id, reason, mode, until FROM suppression ORDER BY 1"))] == [
                (b"a", 7, "staff_stop", "live", None), (b"b", 7, "hold", "live", None)]


def test_migrating_twice_changes_nothing(empty_url: str) -> None:
    migrate(empty_url)
    engine = create_engine(empty_url, poolclass=NullPool)
    first = schema(engine)
    migrate(empty_url)
    assert schema(engine) == first


def test_the_models_are_the_schema(migrated: Engine) -> None:
    with migrated.connect() as connection:
        assert differences(connection, metadata) == []


def test_a_model_without_a_migration_is_found(migrated: Engine) -> None:
    wanted = MetaData()
    Table("planted", wanted, Column("id", Integer, primary_key=True))
    with migrated.connect() as connection:
        assert any(isinstance(each, tuple) and each[0] == "add_table" and each[1].name == "planted"
                   for each in differences(connection, wanted))


def newest() -> str | None:
    return ScriptDirectory(str(resource_folder("migrations"))).get_current_head()


def test_there_is_one_line_of_revisions() -> None:
    scripts = ScriptDirectory(str(resource_folder("migrations")))
    assert len(scripts.get_heads()) == 1 and len(scripts.get_bases()) == 1


def test_two_migrations_at_once_both_end_well(empty_url: str, tmp_path: Path) -> None:
    """`mailer migrate` on two hosts: one waits for the other and then finds nothing to do."""
    env = child_environment(DATABASE_URL=empty_url, MAILER_DATA_DIR=str(tmp_path))
    begun = [subprocess.Popen([sys.executable, "-m", "mailer.cli", "migrate"], env=env) for _ in range(2)]
    assert [process.wait(60) for process in begun] == [0, 0]
    engine = create_engine(empty_url, poolclass=NullPool)
    with engine.connect() as connection:
        assert connection.scalars(text("SELECT version_num FROM alembic_version")).all() == [newest()]
        assert differences(connection, metadata) == []


def test_a_migration_runs_under_limits_on_locks_and_statements(empty_url: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(resource_folder("migrations")))
    with create_engine(empty_url, poolclass=NullPool).connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        assert connection.scalar(text("SHOW lock_timeout")) == "4s"
        assert connection.scalar(text("SHOW statement_timeout")) == "1min"


def test_a_migration_waits_for_another_one(empty_url: str) -> None:
    with create_engine(empty_url, poolclass=NullPool).connect() as holder:
        holder.execute(text("SELECT pg_advisory_lock(:key)"), {"key": ONE_AT_A_TIME})
        holder.commit()
        second = threading.Thread(target=migrate, args=(empty_url,))
        second.start()
        second.join(0.5)
        assert second.is_alive()
        holder.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": ONE_AT_A_TIME})
        holder.commit()
        second.join(60)
        assert not second.is_alive()


def test_a_migration_gives_up_on_a_lock_instead_of_holding_everybody_up(migrated: Engine, empty_url: str) -> None:
    """Four seconds: requests queue behind a migration that waits."""
    with migrated.connect() as holder:
        holder.execute(text("LOCK TABLE person IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(OperationalError, match="lock timeout"):
            downgrade(empty_url)
    with migrated.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM person")) == 0
