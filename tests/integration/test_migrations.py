"""Upgrading a database that holds data: nothing is lost, nothing is opened, and nobody is kept waiting."""

import textwrap
import threading
import time

import psycopg
import pytest
from psycopg import sql

from tests.integration.tenancy_world import World, discover
from zrg_dagster.core.db import migrate, posture

LATEST_BEFORE = "0003"
# Columns that a revision removed on purpose, with where their values went.
REMOVED: dict[tuple[str, str], str] = {}


def rows_of(conn: psycopg.Connection) -> dict[str, list[dict]]:
    """Every row of every table as JSON, by table."""
    return {
        name: [row[0] for row in conn.execute(sql.SQL("SELECT to_jsonb(t) FROM {} t").format(table.identifier))]
        for name, table in discover(conn).items()
        if name != "ops.alembic_version"
    }


def as_key(row: dict) -> str:
    return repr(sorted(row.items()))


@pytest.fixture
def populated(empty_database):
    """A database at the previous revision with rows of two workspaces in every table."""
    migrate.upgrade(empty_database.dsn("migrator"), revision=LATEST_BEFORE)
    with psycopg.connect(empty_database.dsn("bootstrap"), autocommit=True) as conn:
        World(conn)
    return empty_database


def test_an_upgrade_keeps_every_row(populated):
    with psycopg.connect(populated.dsn("bootstrap"), autocommit=True) as conn:
        before = rows_of(conn)
        assert len(before) > 35
        assert all(before.values()), "a table without rows proves nothing"
        assert migrate.upgrade(populated.dsn("migrator")) == (LATEST_BEFORE, migrate.expected_revision())
        after = rows_of(conn)
        for table, rows in before.items():
            kept = [column for column in rows[0] if (table, column) not in REMOVED]
            assert set(kept) <= set(after[table][0]), f"{table} lost a column"
            old = sorted(as_key({column: row[column] for column in kept}) for row in rows)
            new = sorted(as_key({column: row[column] for column in kept}) for row in after[table])
            assert old == new, table
        assert posture.violations(conn) == []


def test_slack_recipients_become_people(empty_database):
    migrate.upgrade(empty_database.dsn("migrator"), revision="0001")
    with psycopg.connect(empty_database.dsn("bootstrap"), autocommit=True) as conn:
        World(conn)
        conn.execute("UPDATE app.user SET slack_user_id = 'U' || right(id::text, 8)")
        conn.execute("""UPDATE app.workspace_setting s SET slack_recipients = '{UGONE}' || ARRAY(
                        SELECT u.slack_user_id FROM app.user u JOIN app.member m ON m.user_id = u.id
                        WHERE m.workspace_id = s.workspace_id)""")
        named = "SELECT workspace_id, unnest(slack_recipients) FROM app.workspace_setting"
        before = {tuple(row) for row in conn.execute(named) if row[1] != "UGONE"}
        migrate.upgrade(empty_database.dsn("migrator"))
        moved = conn.execute(
            "SELECT r.workspace_id, u.slack_user_id FROM app.slack_recipient r JOIN app.user u ON u.id = r.user_id"
        )
        assert {tuple(row) for row in moved} == before != set()


def test_an_upgrade_of_a_current_database_changes_nothing(database):
    with psycopg.connect(database.dsn("bootstrap"), autocommit=True) as conn:
        before = rows_of(conn)
        assert migrate.upgrade(database.dsn("migrator")) == (migrate.expected_revision(),) * 2
        assert rows_of(conn) == before


def test_an_upgrade_that_meets_a_lock_gives_up_and_can_be_repeated(populated):
    """A migration that waits in line stops everybody behind it; it must step back instead."""
    with psycopg.connect(populated.dsn("bootstrap")) as holder:
        holder.execute("LOCK TABLE app.lead, app.integration IN ACCESS SHARE MODE")
        with pytest.raises(migrate.MigrationError, match="lock timeout"):
            migrate.upgrade(populated.dsn("migrator"))
        holder.rollback()
    assert migrate.status(populated.dsn("migrator")) == LATEST_BEFORE
    assert migrate.upgrade(populated.dsn("migrator"))[1] == migrate.expected_revision()


def test_an_index_is_built_while_others_write(empty_database, tmp_path):
    """The form that the lint asks for works with how migrations run: as the owner, outside of a transaction."""
    versions = tmp_path / "versions"
    versions.mkdir()
    (versions / "t1_table.py").write_text(
        textwrap.dedent("""
        from alembic import op
        revision, down_revision = "t1", None
        def upgrade():
            op.execute("CREATE TABLE ops.large (id int)")
            op.execute("INSERT INTO ops.large SELECT generate_series(1, 1000)")
    """)
    )
    (versions / "t2_index.py").write_text(
        textwrap.dedent("""
        from alembic import op
        revision, down_revision = "t2", "t1"
        def upgrade():
            with op.get_context().autocommit_block():
                op.execute("CREATE INDEX CONCURRENTLY large_id ON ops.large (id)")
    """)
    )
    dsn = empty_database.dsn("migrator")
    migrate.upgrade(dsn, migrations=tmp_path, revision="t1")
    upgraded = threading.Thread(target=migrate.upgrade, args=(dsn,), kwargs={"migrations": tmp_path})
    with psycopg.connect(empty_database.dsn("bootstrap")) as writer:
        writer.execute("INSERT INTO ops.large VALUES (0)")
        upgraded.start()
        with psycopg.connect(empty_database.dsn("bootstrap"), autocommit=True) as other:
            other.execute("SET lock_timeout = '5s'")
            while not other.execute("SELECT FROM pg_stat_progress_create_index").rowcount:
                assert upgraded.is_alive(), "the index was built without waiting for the open transaction"
                time.sleep(0.01)
            other.execute("INSERT INTO ops.large VALUES (-1)")  # would wait behind a plain CREATE INDEX
        writer.commit()
    upgraded.join(timeout=60)
    with psycopg.connect(empty_database.dsn("bootstrap")) as conn:
        assert migrate.status(dsn) == "t2"
        row = conn.execute("""
            SELECT i.indisvalid, pg_get_userbyid(c.relowner) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
            WHERE c.relname = 'large_id'""").fetchone()
    assert row == (True, "zrg_owner")
