"""Trying everything that the catalogue knows, as a login role: what a test of tenancy sends and how it judges."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any, LiteralString, cast
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from tests.integration.tenancy_world import OTHERS_LEAD, ROLES, Table, World, discover
from zrg_dagster.core.db import posture


@dataclass(frozen=True)
class Context:
    """What the web tier says about itself in a transaction, and whose rows it may then see."""

    name: str
    workspace: str | None
    user: str | None
    foreign: tuple[str, ...]  # markers of rows that must stay invisible
    writes: bool = False


class Login:
    """One connection as a login role. Each attempt is a transaction of its own."""

    def __init__(self, database: Any, role: str, context: Context | None = None) -> None:
        self.conn = psycopg.connect(database.dsn(role), autocommit=True)
        # A role's read-only default is a courtesy that anyone may switch off: it must not be what protects.
        self.conn.execute("SET default_transaction_read_only = off")
        if context:
            for name, value in (("workspace_id", context.workspace), ("user_id", context.user)):
                if value is not None:
                    self.conn.execute("SELECT set_config(%s, %s, false)", (f"app.{name}", value))

    def __enter__(self) -> "Login":
        return self

    def __exit__(self, *_: object) -> None:
        self.conn.close()

    def read(self, statement: sql.Composable) -> "Answer":
        """Run a statement that changes nothing."""
        return self._run(statement)

    def write(self, statement: sql.Composable, *, keep: bool = False) -> "Answer":
        """Run a statement that may change something; rolled back unless `keep`."""
        try:
            with self.conn.transaction(force_rollback=not keep):
                number = self.conn.execute("SELECT pg_current_xact_id()::text").fetchone() if keep else None
                answer = self._run(statement, number[0] if number else "")
                if answer.denied or answer.error:
                    raise psycopg.Rollback
        except psycopg.Error as error:  # a constraint that is checked at commit
            return Answer(error=f"{type(error).__name__}: {error}")
        return answer

    def _run(self, statement: sql.Composable, transaction: str = "") -> "Answer":
        try:
            cursor = self.conn.execute(cast(sql.Composed, statement))
            rows = cursor.fetchall() if cursor.description else []
            return Answer(rows=tuple(rows), touched=cursor.rowcount, transaction=transaction)
        except psycopg.errors.InsufficientPrivilege:
            return Answer(denied=True)
        except psycopg.Error as error:
            return Answer(error=f"{type(error).__name__}: {error}")


@dataclass(frozen=True)
class Answer:
    denied: bool = False
    error: str = ""  # anything but a refusal: the statement got past the rights
    rows: tuple[Any, ...] = ()
    touched: int = 0
    transaction: str = ""


@contextmanager
def superuser(database: Any) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.dsn("bootstrap"), autocommit=True) as conn:
        yield conn


def contexts(world: World) -> list[Context]:
    """Strangers first, then members from weak to strong: what a stronger one changes must not widen a weaker one."""
    ours, theirs = str(world.workspace("a")), str(world.workspace("b"))
    nobody = {
        "nothing": (None, None),
        "no user": (ours, None),
        "no workspace": (None, str(world.user("a", "OWNER"))),
        "empty": ("", ""),
        "garbled": ("' OR true --", "0"),
        "unknown user": (ours, str(uuid4())),
        "user and workspace swapped": (str(world.user("a", "OWNER")), ours),
        **{f"{role} in a foreign workspace": (theirs, str(world.user("a", role))) for role in ROLES},
    }
    found = [Context(name, workspace, user, ("aaa", "bbb")) for name, (workspace, user) in nobody.items()]
    for role in reversed(ROLES):
        foreign = ("bbb", OTHERS_LEAD) if role == "SETTER" else ("bbb",)
        found.append(Context(role, ours, str(world.user("a", role)), foreign, writes=role != "CLIENT_PORTAL"))
    return found


def sweep(database: Any, world: World, only: str = "*") -> list[str]:
    """Every way in which the web tier reaches a row that is not its own; empty when there is none.

    `only` is a pattern of relations and functions.
    """
    leaks: list[str] = []
    with superuser(database) as admin:
        tables = [table for name, table in discover(admin, "rpvmf", partitions=True).items() if fnmatch(name, only)]
        calls = [each for each in functions(admin) if fnmatch(each[0], only)]
        refused: set[str] = set()  # rights are the role's, so what is refused in one context is refused in all
        for context in contexts(world):
            with Login(database, "web", context) as login:
                for table in tables:
                    for found in (
                        *_reads(login, table, context, refused),
                        *_writes(login, admin, table, context, world, refused),
                    ):
                        leaks.append(f"{context.name}: {found}")
                for name, call in calls:
                    shown = str(login.write(call).rows)
                    if any(marker in shown for marker in context.foreign) and not name.startswith("authz."):
                        leaks.append(f"{context.name}: {name} returns foreign rows")
    return leaks


def _reads(login: Login, table: Table, context: Context, refused: set[str]) -> Iterator[str]:
    for what in ("*", *table.columns, "count(*)"):
        name = f"SELECT {what} FROM {table.name}"
        if name in refused:
            continue
        column = sql.Identifier(what) if what in table.columns else sql.SQL(cast(LiteralString, what))
        answer = login.read(sql.SQL("SELECT {} FROM {}").format(column, table.identifier))
        if answer.denied:
            refused.add(name)
        elif answer.error:
            yield f"{name} failed: {answer.error}"
        elif table.name != "ops.alembic_version" and not table.name.startswith("app."):
            yield f"{name} is not refused"  # nothing else is for the web tier
        elif any(marker in str(answer.rows) for marker in context.foreign):
            yield f"{name} shows foreign rows"
        if what == "*" and not answer.denied:
            return  # every column was seen


def _writes(
    login: Login, admin: psycopg.Connection, table: Table, context: Context, world: World, refused: set[str]
) -> Iterator[str]:
    for verb in ("INSERT", "DELETE", "TRUNCATE", "DROP", "ALTER"):
        name = f"{verb} {table.name}"
        if name not in refused:
            if login.write(statement(verb, table)).denied:
                refused.add(name)
            else:
                yield f"{name} is not refused"
    own = (world.rows.get((table.name, "a")) or [{}])[0]
    for column in table.columns:
        name = f"UPDATE {table.name} SET {column}"
        if name in refused:
            continue
        # Without WHERE or RETURNING nothing is read, so that only the rules for writing stand between.
        answer = login.write(
            sql.SQL("UPDATE {} SET {} = {}").format(
                table.identifier,
                sql.Identifier(column),
                sql.SQL("DEFAULT") if column in table.always else _literal(own.get(column)),
            ),
            keep=True,
        )
        if answer.denied:
            # A policy's refusal and a missing right look the same; only the second holds in every context.
            if not admin.execute(
                "SELECT has_column_privilege('zrg_web', %s::regclass, %s, 'UPDATE')",
                (table.identifier.as_string(admin), column),
            ).fetchone()[0]:  # type: ignore[index]
                refused.add(name)
        elif answer.error:
            yield f"{name} reached rows: {answer.error}"
        elif answer.touched:
            yield from _judge_update(name, admin, table, column, context, answer)


def _judge_update(
    name: str, admin: psycopg.Connection, table: Table, column: str, context: Context, answer: "Answer"
) -> Iterator[str]:
    if column in table.key or column in ("workspace_id", "lead_id") or not context.writes:
        yield f"{name} is not refused"
    changed = admin.execute(
        sql.SQL("SELECT t::text FROM {} t WHERE t.xmin::text = %s").format(table.identifier), (answer.transaction,)
    ).fetchall()
    if any(marker in row[0] for row in changed for marker in context.foreign):
        yield f"{name} changed foreign rows"


_STATEMENTS: dict[str, LiteralString] = {
    "SELECT": "SELECT * FROM {table}",
    "INSERT": "INSERT INTO {table} DEFAULT VALUES",
    "UPDATE": "UPDATE {table} SET {column} = DEFAULT",
    "DELETE": "DELETE FROM {table}",
    "TRUNCATE": "TRUNCATE {table}",
    "DROP": "DROP TABLE {table} CASCADE",
    "ALTER": "ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
}


def statement(verb: str, table: Table) -> sql.Composed:
    """The simplest statement of a verb that says nothing about rows, so that nothing but the right decides."""
    column = sql.Identifier(next(iter(table.columns)))
    return sql.SQL(_STATEMENTS[verb]).format(table=table.identifier, column=column)


def _literal(value: Any) -> sql.Composable:
    return sql.Literal(Jsonb(value) if isinstance(value, dict) else value)


def functions(conn: psycopg.Connection) -> list[tuple[str, sql.Composed]]:
    """(schema.name, a call with null arguments) of every function of ours."""
    rows = conn.execute(
        """SELECT n.nspname, p.proname, ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) t)
           FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = ANY (%s) ORDER BY 1, 2""",
        (list(posture.SCHEMAS),),
    ).fetchall()
    return [
        (
            f"{schema}.{name}",
            sql.SQL("SELECT {}({})").format(
                sql.Identifier(schema, name),
                sql.SQL(", ").join(sql.SQL(cast(LiteralString, f"NULL::{kind}")) for kind in kinds),
            ),
        )
        for schema, name, kinds in rows
    ]
