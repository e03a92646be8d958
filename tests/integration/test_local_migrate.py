"""Migrations with throwaway versions, and the refusal to work on another schema."""

import shutil
from pathlib import Path

import psycopg
import pytest

from zrg_dagster.core.db import migrate

VERSION = '''
from alembic import op
revision = "{revision}"
down_revision = {down!r}
def upgrade():
    op.get_bind().exec_driver_sql("""{statement}""")
'''


@pytest.fixture
def migrations(tmp_path) -> Path:
    folder = tmp_path / "migrations of 100%"
    (folder / "versions").mkdir(parents=True)
    return folder


def _write(migrations: Path, revision: str, down: str | None, statement: str) -> None:
    text = VERSION.format(revision=revision, down=down, statement=statement)
    (migrations / "versions" / f"{revision}_x.py").write_text(text)
    migrate.expected_revision.cache_clear()


def test_upgrade_acts_as_the_owner_and_is_repeatable(empty_database, migrations):
    dsn = empty_database.dsn("migrator")
    # Several statements and percent signs, as in a SQL file.
    _write(migrations, "0001", None, "create schema app; create table app.thing (n text default '%s 5%'); select 1")
    assert migrate.status(dsn) is None
    assert migrate.upgrade(dsn, migrations=migrations) == (None, "0001")
    assert migrate.upgrade(dsn, migrations=migrations) == ("0001", "0001")
    with psycopg.connect(empty_database.dsn("bootstrap")) as connection:
        owners = connection.execute("select tableowner from pg_tables where schemaname in ('app', 'ops')").fetchall()
        schemas = connection.execute(
            "select nspowner::regrole::text from pg_namespace where nspname = 'ops'"
        ).fetchall()
    assert {owner for (owner,) in owners} == {"zrg_owner"}
    assert schemas == [("zrg_owner",)]


def test_a_failing_migration_keeps_nothing_of_itself_and_all_before_it(empty_database, migrations):
    dsn = empty_database.dsn("migrator")
    _write(migrations, "0001", None, "create schema app")
    _write(migrations, "0002", "0001", "create table app.half (n int); select no_such_function()")
    with pytest.raises(migrate.MigrationError, match="no_such_function") as raised:
        migrate.upgrade(dsn, migrations=migrations)
    assert "\n" not in str(raised.value)
    assert migrate.status(dsn) == "0001"
    with psycopg.connect(empty_database.dsn("bootstrap")) as connection:
        assert connection.execute("select to_regclass('app.half')").fetchone() == (None,)


def test_another_schema_is_refused_in_one_line(empty_database, migrations):
    dsn = empty_database.dsn("migrator")
    _write(migrations, "0001", None, "create schema app")
    with pytest.raises(
        migrate.SchemaMismatch, match=r"database is empty, this code expects 0001: run `zrg db upgrade`"
    ):
        migrate.check_schema(dsn, migrations=migrations)
    migrate.upgrade(dsn, migrations=migrations)
    migrate.check_schema(dsn, migrations=migrations)
    _write(migrations, "0002", "0001", "create table app.more (n int)")
    with pytest.raises(migrate.SchemaMismatch, match="database is at 0001, this code expects 0002"):
        migrate.check_schema(dsn, migrations=migrations)


def test_a_database_of_a_newer_code_is_refused(empty_database, migrations):
    dsn = empty_database.dsn("migrator")
    _write(migrations, "0001", None, "create schema app")
    _write(migrations, "0002", "0001", "create table app.more (n int)")
    migrate.upgrade(dsn, migrations=migrations)
    (migrations / "versions" / "0002_x.py").unlink()
    shutil.rmtree(migrations / "versions" / "__pycache__", ignore_errors=True)
    migrate.expected_revision.cache_clear()
    with pytest.raises(migrate.SchemaMismatch, match="database is at 0002, this code expects 0001"):
        migrate.check_schema(dsn, migrations=migrations)
    with pytest.raises(migrate.MigrationError, match="0002"):
        migrate.upgrade(dsn, migrations=migrations)


@pytest.mark.parametrize("role", ["worker", "receiver", "build", "web", "analyst", "monitor"])
def test_every_process_may_ask_for_the_revision(database, role):
    migrate.check_schema(database.dsn(role))


def test_the_question_leaves_the_callers_transaction_usable(empty_database):
    with psycopg.connect(empty_database.dsn("worker")) as connection:
        connection.execute("select 1")
        assert migrate.status(connection) is None
        assert connection.execute("select 2").fetchone() == (2,)
