"""Alembic's entry: one connection of the migrator, acting as `zrg_owner`, one transaction per migration.

Run by `zrg_dagster.core.db.migrate.upgrade`, which passes the DSN; the alembic command line is not used.
"""

from alembic import context
from alembic.util.exc import CommandError
from sqlalchemy import create_engine, event, pool, text
from sqlalchemy.engine import make_url

# A migration that waits for a lock blocks every query behind it: give up and let the operator run it again.
_LOCK_TIMEOUT = "10s"
_UPGRADE_LOCK = 7_236_001  # any constant of ours; two upgrades at once would both apply the same migration
_READERS = ("zrg_worker", "zrg_build", "zrg_web", "zrg_analyst", "zrg_monitor")


def _run() -> None:
    dsn = context.config.attributes.get("dsn")
    if context.is_offline_mode() or not dsn:
        raise CommandError("migrations run online only: use `zrg db upgrade`")
    engine = create_engine(make_url(dsn).set(drivername="postgresql+psycopg"), poolclass=pool.NullPool)
    event.listen(engine, "do_execute", _verbatim)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _UPGRADE_LOCK})
            connection.execute(text("SET ROLE zrg_owner"))
            connection.execute(text(f"SET lock_timeout = '{_LOCK_TIMEOUT}'"))
            connection.execute(text("CREATE SCHEMA IF NOT EXISTS ops"))
            connection.commit()  # a rolled back migration must not take the role with it
            context.configure(
                connection=connection,
                version_table="alembic_version",
                version_table_schema="ops",
                transaction_per_migration=True,
            )
            with context.begin_transaction():
                context.run_migrations()
            _open_version_table(connection)
            connection.commit()
    finally:
        engine.dispose()


def _verbatim(cursor, statement, parameters, execution) -> bool:
    """Raw SQL files hold many statements and percent signs: without parameters the driver must not parse them."""
    if execution.compiled is not None or parameters:
        return False
    cursor.execute(statement)
    return True


def _open_version_table(connection) -> None:
    """Every process may ask which schema it finds; row security as on every other table. Done once."""
    exists = connection.execute(text("SELECT to_regclass('ops.alembic_version')")).scalar()
    done = connection.execute(text("SELECT 1 FROM pg_policies WHERE policyname = 'read_version'")).scalar()
    if exists is None or done:
        return
    readers = ", ".join(_READERS)
    for statement in (
        "ALTER TABLE ops.alembic_version ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE ops.alembic_version FORCE ROW LEVEL SECURITY",
        "DROP POLICY IF EXISTS owner_all ON ops.alembic_version",
        "CREATE POLICY owner_all ON ops.alembic_version TO zrg_owner USING (true) WITH CHECK (true)",
        "DROP POLICY IF EXISTS read_version ON ops.alembic_version",
        f"CREATE POLICY read_version ON ops.alembic_version FOR SELECT TO {readers} USING (true)",
        f"GRANT USAGE ON SCHEMA ops TO {readers}",
        f"GRANT SELECT ON ops.alembic_version TO {readers}",
    ):
        connection.execute(text(statement))


_run()
