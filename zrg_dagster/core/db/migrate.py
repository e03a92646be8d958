"""Schema migrations: apply them, tell where a database stands, and refuse to work on another schema."""

import argparse
from functools import lru_cache
from pathlib import Path

import psycopg

MIGRATIONS = Path(__file__).with_name("migrations")
VERSION_SCHEMA = "ops"
VERSION_TABLE = "alembic_version"


class SchemaMismatch(RuntimeError):
    """The database is at another revision than the code expects. One line with the fix."""


class MigrationError(RuntimeError):
    """A migration could not be applied; the database is as it was before that migration. One line."""


def upgrade(dsn: str, *, migrations: Path = MIGRATIONS, revision: str = "head") -> tuple[str | None, str | None]:
    """Apply all missing migrations as `zrg_owner`; returns (revision before, revision after).

    `dsn` is the migrator's. Concurrent callers wait for each other. `revision` stops earlier, for tests on a
    populated older database.
    """
    from alembic import command
    from alembic.util.exc import CommandError
    from sqlalchemy.exc import DBAPIError

    config = _config(migrations)
    config.attributes["dsn"] = dsn
    before = status(dsn)
    try:
        command.upgrade(config, revision)
    except CommandError as error:
        raise MigrationError(_one_line(error)) from None
    except DBAPIError as error:
        raise MigrationError(f"migration failed, nothing of it was kept: {_one_line(error.orig or error)}") from error
    return before, status(dsn)


def status(conn_or_dsn: psycopg.Connection | str) -> str | None:
    """The revision of the database; None before the first migration. `SchemaMismatch` if this role may not ask."""
    if isinstance(conn_or_dsn, str):
        # A process with the migrator's DSN inherits nothing: it must become the owner to look.
        with psycopg.connect(conn_or_dsn, autocommit=True) as connection:
            if connection.info.user == "zrg_migrator":
                connection.execute("SET ROLE zrg_owner")
            return status(connection)
    try:
        with conn_or_dsn.transaction():
            row = conn_or_dsn.execute(f"SELECT version_num FROM {VERSION_SCHEMA}.{VERSION_TABLE}").fetchone()
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return None
    except psycopg.errors.InsufficientPrivilege:
        raise SchemaMismatch(
            f"role {conn_or_dsn.info.user} may not read {VERSION_SCHEMA}.{VERSION_TABLE}: run `zrg db upgrade`"
        ) from None
    return str(row[0]) if row else None


@lru_cache(maxsize=8)
def expected_revision(migrations: Path = MIGRATIONS) -> str | None:
    """The newest revision in the code; None when there is no migration at all."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config(migrations)).get_current_head()


def check_schema(conn_or_dsn: psycopg.Connection | str, *, migrations: Path = MIGRATIONS) -> None:
    """Return when the database fits this code, else raise `SchemaMismatch`. A process calls it before it works."""
    found, expected = status(conn_or_dsn), expected_revision(migrations)
    if found == expected:
        return
    at = f"at {found}" if found else "empty"
    raise SchemaMismatch(f"database is {at}, this code expects {expected}: run `zrg db upgrade`")


def _config(migrations: Path):
    from alembic.config import Config

    # `%` is special in the ini syntax that alembic keeps options in.
    config = Config(cmd_opts=argparse.Namespace(x=None))
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("version_locations", str(migrations / "versions").replace("%", "%%"))
    config.set_main_option("path_separator", "newline")  # a path may contain spaces and colons
    return config


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
