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
    finally:
        engine.dispose()


def _verbatim(cursor, statement, parameters, execution) -> bool:
    """Raw SQL files hold many statements and percent signs: without parameters the driver must not parse them."""
    if execution.compiled is not None or parameters:
        return False
    cursor.execute(statement)
    return True


_run()
