"""Roles, databases and database-level rights, set up once by an administrator and safe to repeat.

Works on the embedded cluster and on any Postgres 16 or later through `ZRG_DB_ADMIN_URL`: a superuser, or a login with
CREATEROLE and CREATEDB. Rights inside the database (tables, functions, policies) belong to the migrations.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import LiteralString
from urllib.parse import quote

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

DATABASE = "zrg"
DAGSTER_DATABASE = "zrg_dagster"
OWNER = "zrg_owner"
LEAST_VERSION = 16


class RolesError(RuntimeError):
    """The roles cannot be set up. The message is one line with the fix."""


@dataclass(frozen=True, slots=True)
class Login:
    """A login role: its database, whether it may connect at all, and its session settings."""

    key: str  # the word in ZRG_DB_<KEY>_URL
    role: str
    database: str = DATABASE
    connection_limit: int = -1
    settings: Mapping[str, str] = field(default_factory=dict)


# statement_timeout bounds what one process can hold up; idle_in_transaction bounds how long a hung one holds locks.
LOGINS = (
    Login("migrator", "zrg_migrator"),
    Login(
        "receiver",
        "zrg_receiver",
        settings={"statement_timeout": "5s", "lock_timeout": "3s", "idle_in_transaction_session_timeout": "10s"},
    ),
    Login("worker", "zrg_worker", settings={"idle_in_transaction_session_timeout": "60s"}),
    Login("build", "zrg_build", settings={"idle_in_transaction_session_timeout": "60s"}),
    Login(
        "analyst",
        "zrg_analyst",
        connection_limit=5,
        settings={
            "default_transaction_read_only": "on",
            "statement_timeout": "60s",
            "idle_in_transaction_session_timeout": "60s",
        },
    ),
    Login("web", "zrg_web", settings={"statement_timeout": "15s", "idle_in_transaction_session_timeout": "30s"}),
    Login("monitor", "zrg_monitor", connection_limit=5, settings={"statement_timeout": "10s"}),
    # Dagster opens a connection per query; the limit keeps it from starving the platform's own connections.
    Login("dagster", "dagster_instance", database=DAGSTER_DATABASE, connection_limit=120),
)
BY_KEY = {login.key: login for login in LOGINS}


def new_password() -> str:
    """URL-safe, so that no DSN needs escaping (Dagster does not escape `/`)."""
    return secrets.token_urlsafe(24)


def password_of(dsn: str) -> str:
    """The password inside a DSN; empty when there is none."""
    return str(conninfo_to_dict(dsn).get("password") or "")


def role_dsn(admin_dsn: str, login: Login, password: str) -> str:
    """The DSN of a login role on the server that `admin_dsn` names, other connection options kept."""
    options = {key: str(value) for key, value in conninfo_to_dict(admin_dsn).items() if value is not None}
    for own in ("user", "password", "dbname", "passfile"):
        options.pop(own, None)
    # Host and port as query options: the one URL form that fits host names, addresses and socket folders alike.
    host, port = options.pop("host", ""), options.pop("port", "5432")
    place = ""
    if host.startswith("/") or not host:
        options = {**({"host": host} if host else {}), "port": port, **options}
    else:
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    query = "&".join(f"{key}={quote(value, safe='')}" for key, value in options.items())
    return f"postgresql://{login.role}:{quote(password, safe='')}@{place}/{login.database}" + (
        f"?{query}" if query else ""
    )


def bootstrap(admin_dsn: str, passwords: Mapping[str, str]) -> list[str]:
    """Create or repair roles, databases and database rights. `passwords` maps each key of `BY_KEY` to a password.

    Returns notes for the operator (a right that this administrator could not grant). Raises `RolesError`.
    """
    missing = [key for key in BY_KEY if not passwords.get(key)]
    if missing:
        raise RolesError(f"no password given for {', '.join(missing)}")
    try:
        with psycopg.connect(admin_dsn, autocommit=True) as admin:
            notes = _roles(admin, passwords)
            for database, owner in ((DATABASE, OWNER), (DAGSTER_DATABASE, BY_KEY["dagster"].role)):
                _database(admin, database, owner)
            apply_database_rights(admin_dsn, DATABASE)
            apply_database_rights(admin_dsn, DAGSTER_DATABASE)
            _forget_memberships(admin)
    except psycopg.Error as error:
        raise RolesError(_one_line(error)) from None
    return notes


def apply_database_rights(admin_dsn: str, database: str) -> None:
    """Close `database` to PUBLIC and open it to its roles. Needed after CREATE DATABASE … TEMPLATE too: a clone starts
    with the default rights, PUBLIC included."""
    name, role = sql.Identifier(database), sql.Identifier(_owner_of(database))
    with psycopg.connect(admin_dsn, autocommit=True) as admin:
        # An administrator without superuser rights was shut out by an earlier call: let it in for this one.
        admin.execute(sql.SQL("SET ROLE {}").format(role))
        for statement in database_rights(database):
            admin.execute(statement)
        admin.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO SESSION_USER").format(name))
        with psycopg.connect(make_conninfo(admin_dsn, dbname=database), autocommit=True) as inside:
            inside.execute(sql.SQL("SET ROLE {}").format(role))
            inside.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        admin.execute(sql.SQL("REVOKE CONNECT ON DATABASE {} FROM SESSION_USER").format(name))


def database_rights(database: str) -> list[sql.Composed]:
    """Who may connect to `database`, as statements of its owner."""
    name, is_dagster = sql.Identifier(database), database == DAGSTER_DATABASE
    logins = [login for login in LOGINS if (login.database == DAGSTER_DATABASE) == is_dagster]
    if is_dagster:
        logins.append(BY_KEY["monitor"])  # queue and connection counts of both databases
    opened = [
        sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(name, sql.Identifier(login.role)) for login in logins
    ]
    return [sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name), *opened]


def _owner_of(database: str) -> str:
    return BY_KEY["dagster"].role if database == DAGSTER_DATABASE else OWNER


def _roles(admin: psycopg.Connection, passwords: Mapping[str, str]) -> list[str]:
    version = admin.info.server_version // 10_000
    if version < LEAST_VERSION:
        raise RolesError(f"Postgres {version} at the administrator's URL: {LEAST_VERSION} or later is needed")
    _role(admin, OWNER, "NOLOGIN")
    for login in LOGINS:
        _role(admin, login.role, "LOGIN")
        limit = sql.SQL("ALTER ROLE {} CONNECTION LIMIT {}")
        admin.execute(limit.format(sql.Identifier(login.role), sql.Literal(login.connection_limit)))
        # The verifier is computed here: a plain password in the statement could end in the server's log.
        verifier = admin.pgconn.encrypt_password(
            passwords[login.key].encode(), login.role.encode(), b"scram-sha-256"
        ).decode()
        role = sql.Identifier(login.role)
        admin.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, sql.Literal(verifier)))
        admin.execute(sql.SQL("ALTER ROLE {} RESET ALL").format(role))
        for name, value in login.settings.items():
            admin.execute(sql.SQL("ALTER ROLE {} SET {} = {}").format(role, sql.Identifier(name), sql.Literal(value)))
    admin.execute(f"GRANT {OWNER} TO zrg_migrator WITH INHERIT FALSE, SET TRUE, ADMIN FALSE")
    if not _is_superuser(admin):
        # A CREATEROLE login may administer what it created, but needs SET to make and close databases for it.
        for owner in (OWNER, BY_KEY["dagster"].role):
            admin.execute(
                sql.SQL("GRANT {} TO CURRENT_USER WITH INHERIT FALSE, SET TRUE").format(sql.Identifier(owner))
            )
    return _monitor_right(admin)


def _role(admin: psycopg.Connection, role: str, attributes: LiteralString) -> None:
    name = sql.Identifier(role)
    if admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone() is None:
        admin.execute(sql.SQL("CREATE ROLE {}").format(name))
    admin.execute(sql.SQL("ALTER ROLE {} {} NOINHERIT NOCREATEDB NOCREATEROLE").format(name, sql.SQL(attributes)))
    dangerous = admin.execute(
        "SELECT rolsuper OR rolbypassrls OR rolreplication FROM pg_roles WHERE rolname = %s", (role,)
    ).fetchone()
    if dangerous and dangerous[0]:
        if not _is_superuser(admin):
            raise RolesError(f"role {role} is superuser, replication or bypassrls: have a superuser remove that")
        admin.execute(sql.SQL("ALTER ROLE {} NOSUPERUSER NOREPLICATION NOBYPASSRLS").format(name))


def _monitor_right(admin: psycopg.Connection) -> list[str]:
    try:
        admin.execute("GRANT pg_monitor TO zrg_monitor WITH INHERIT TRUE, SET FALSE")
    except psycopg.errors.InsufficientPrivilege:
        return [
            "this login may not grant pg_monitor: `GRANT pg_monitor TO zrg_monitor WITH INHERIT TRUE` is left to you"
        ]
    return []


def _database(admin: psycopg.Connection, database: str, owner: str) -> None:
    name, role = sql.Identifier(database), sql.Identifier(owner)
    found = admin.execute(
        "SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding) FROM pg_database WHERE datname = %s", (database,)
    ).fetchone()
    if found is None:
        admin.execute(sql.SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0").format(name, role))
    elif found[1] != "UTF8":
        raise RolesError(f"database {database} has encoding {found[1]}: UTF8 is needed, recreate it")
    elif found[0] != owner:
        admin.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(name, role))


def _forget_memberships(admin: psycopg.Connection) -> None:
    """An administrator keeps no standing way into the data."""
    if not _is_superuser(admin):
        for owner in (OWNER, BY_KEY["dagster"].role):
            admin.execute(sql.SQL("REVOKE {} FROM CURRENT_USER GRANTED BY CURRENT_USER").format(sql.Identifier(owner)))


def _is_superuser(connection: psycopg.Connection) -> bool:
    row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    return bool(row and row[0])


def _one_line(error: psycopg.Error) -> str:
    return " ".join(str(error).split())
