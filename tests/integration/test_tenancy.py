"""Tenant isolation, tried from outside: every table, view, function and verb that the catalogue knows, as every login.

The web role is the one whose rows differ by context; all other roles are held against the matrix below.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any, cast
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

from tests.integration.tenancy_world import OTHERS_LEAD, ROLES, World, discover
from zrg_dagster.core.db import posture, roles

VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "DROP", "ALTER")
READ, WRITE = {"SELECT"}, {"SELECT", "INSERT", "UPDATE", "DELETE"}
# What each login may do where; the first pattern that fits a table decides, and what no pattern names is denied.
MATRIX: dict[str, dict[str, set[str]]] = {
    "receiver": {"ops.alembic_version": READ, "raw.route": READ},
    "monitor": {"ops.alembic_version": READ},
    "migrator": {},
    "analyst": {"ops.alembic_version": READ, "facts.*": READ, "marts.*": READ},
    "build": {
        "ops.alembic_version": READ,
        "ops.fact_dirty": WRITE,
        "facts.*": WRITE,
        "marts.*": WRITE,
        **dict.fromkeys(("app.workspace", "app.appointment", "app.follow_up_sequence", "app.follow_up_step"), READ),
        **dict.fromkeys(("app.follow_up_instance", "app.follow_up_step_execution"), READ),
    },
    "worker": {
        "ops.alembic_version": READ,
        "ops.audit": {"SELECT", "INSERT"},
        # What the platform did and decided is never deleted by those who did it.
        **dict.fromkeys(
            ("raw.webhook_event", "app.send", "app.touch", "app.decision", "app.sentiment_event", "ops.intake_count"),
            WRITE - {"DELETE"},
        ),
        "raw.webhook_body_*": set(),
        **dict.fromkeys(("raw.*", "app.*", "secret.*", "ops.*"), WRITE),
        **dict.fromkeys(("facts.*", "marts.*"), READ),
    },
}
CALLABLE = {
    "receiver": {"raw.accept_deliveries"},
    "worker": {"raw.maintain_bodies", "raw.notify_route"},
    "web": {"authz.workspace_id", "authz.user_id", "authz.member_role"},
}
# Tables where nobody behind the web tier reads a row, whatever the role.
UNREAD_BY_WEB = ("raw.*", "secret.*", "ops.*", "facts.*", "marts.*")


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
        self._context = context

    def __enter__(self) -> "Login":
        return self

    def __exit__(self, *_: object) -> None:
        self.conn.close()

    def try_(self, statement: sql.Composable, *, keep: bool = False) -> "Answer":
        """Run one statement; rolled back unless `keep`."""
        try:
            with self.conn.transaction(force_rollback=not keep):
                if self._context:
                    for name, value in (("workspace_id", self._context.workspace), ("user_id", self._context.user)):
                        if value is not None:
                            self.conn.execute("SELECT set_config(%s, %s, true)", (f"app.{name}", value))
                number = self.conn.execute("SELECT pg_current_xact_id()::text").fetchone() if keep else None
                cursor = self.conn.execute(cast(sql.Composed, statement))
                rows = cursor.fetchall() if cursor.description else []
                return Answer(rows=rows, touched=cursor.rowcount, transaction=number[0] if number else "")
        except psycopg.errors.InsufficientPrivilege:
            return Answer(denied=True)
        except psycopg.Error as error:
            return Answer(error=f"{type(error).__name__}: {error}")


@dataclass(frozen=True)
class Answer:
    denied: bool = False
    error: str = ""  # anything but a refusal: the statement got past the rights
    rows: list[Any] | None = None
    touched: int = 0
    transaction: str = ""


@pytest.fixture
def world(database) -> Iterator[World]:
    with psycopg.connect(database.dsn("bootstrap"), autocommit=True) as conn:
        yield World(conn)


@contextmanager
def superuser(database: Any) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.dsn("bootstrap"), autocommit=True) as conn:
        yield conn


def contexts(world: World) -> list[Context]:
    ours, theirs = str(world.workspace("a")), str(world.workspace("b"))
    found = [
        Context(role, ours, str(world.user("a", role)),
                ("bbb", OTHERS_LEAD) if role == "SETTER" else ("bbb",), role != "CLIENT_PORTAL")
        for role in ROLES
    ]  # fmt: skip
    found += [Context(f"{role} in a foreign workspace", theirs, str(world.user("a", role)), ("aaa", "bbb"))
              for role in ROLES]  # fmt: skip
    nobody = {
        "nothing": (None, None),
        "no user": (ours, None),
        "no workspace": (None, str(world.user("a", "OWNER"))),
        "empty": ("", ""),
        "garbled": ("' OR true --", "0"),
        "unknown user": (ours, str(uuid4())),
        "user and workspace swapped": (str(world.user("a", "OWNER")), ours),
    }
    return found + [Context(name, *ids, ("aaa", "bbb")) for name, ids in nobody.items()]


def sweep(database: Any, world: World) -> list[str]:
    """Every way in which the web tier reaches a row that is not its own; empty when there is none."""
    with superuser(database) as admin:
        tables = discover(admin, "rpvmf", partitions=True)
        functions = _functions(admin)
        leaks: list[str] = []
        for context in contexts(world):
            login = Login(database, "web", context)
            for table in tables.values():
                leaks += [f"{context.name}: {what}" for what in _reads(login, table, context)]
                leaks += [f"{context.name}: {what}" for what in _writes(login, admin, table, context, world)]
            for name, call in functions:
                answer = login.try_(call)
                shown = str(answer.rows)
                if any(marker in shown for marker in context.foreign) and "authz." not in name:
                    leaks.append(f"{context.name}: {name} returns foreign rows")
            login.conn.close()
    return leaks


def _reads(login: Login, table: Any, context: Context) -> Iterator[str]:
    for what in (sql.SQL("*"), *map(sql.Identifier, table.columns), sql.SQL("count(*)")):
        answer = login.try_(sql.SQL("SELECT {} FROM {}").format(what, table.identifier))
        if answer.denied:
            continue
        name = f"SELECT {what.as_string(login.conn)} FROM {table.name}"
        if answer.error:
            yield f"{name} failed: {answer.error}"
        elif any(fnmatch(table.name, pattern) for pattern in UNREAD_BY_WEB) and table.name != "ops.alembic_version":
            yield f"{name} is not refused"
        elif any(marker in str(answer.rows) for marker in context.foreign):
            yield f"{name} shows foreign rows"
        if answer.rows and what == sql.SQL("*"):
            break  # all columns were seen


def _writes(login: Login, admin: psycopg.Connection, table: Any, context: Context, world: World) -> Iterator[str]:
    for verb in VERBS:
        if verb in ("SELECT", "UPDATE"):
            continue
        if not login.try_(_statement(verb, table)).denied:
            yield f"{verb} {table.name} is not refused"
    own = (world.rows.get((table.name, "a")) or [{}])[0]
    for column in table.columns:
        # Without WHERE or RETURNING nothing is read, so that only the rules for writing stand between.
        statement = sql.SQL("UPDATE {} SET {} = {}").format(
            table.identifier, sql.Identifier(column), _literal(own.get(column))
        )
        answer = login.try_(statement, keep=True)
        if answer.denied or not (answer.error or answer.touched):
            continue
        name = f"UPDATE {table.name} SET {column}"
        if answer.error:
            yield f"{name} reached rows: {answer.error}"
        elif column in table.key or column in ("workspace_id", "lead_id") or not context.writes:
            yield f"{name} is not refused"
        changed = admin.execute(
            sql.SQL("SELECT t::text FROM {} t WHERE t.xmin::text = %s").format(table.identifier), (answer.transaction,)
        ).fetchall()
        if any(marker in row[0] for row in changed for marker in context.foreign):
            yield f"{name} changed foreign rows"


def _statement(verb: str, table: Any) -> sql.Composed:
    column = sql.Identifier(next(iter(table.columns)))
    return sql.SQL({
        "SELECT": "SELECT * FROM {table}",
        "INSERT": "INSERT INTO {table} DEFAULT VALUES",
        "UPDATE": "UPDATE {table} SET {column} = NULL",
        "DELETE": "DELETE FROM {table}",
        "TRUNCATE": "TRUNCATE {table}",
        "DROP": "DROP TABLE {table} CASCADE",
        "ALTER": "ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
    }[verb]).format(table=table.identifier, column=column)  # fmt: skip


def _literal(value: Any) -> sql.Composable:
    if isinstance(value, dict | list) and not (isinstance(value, list) and all(isinstance(v, str) for v in value)):
        return sql.SQL("NULL")
    return sql.Literal(value)


def _functions(conn: psycopg.Connection) -> list[tuple[str, sql.Composed]]:
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
                sql.SQL(", ").join(sql.SQL(f"NULL::{kind}") for kind in kinds),  # type: ignore[arg-type]
            ),
        )
        for schema, name, kinds in rows
    ]


def test_the_web_tier_reaches_no_row_of_another_workspace(database, world):
    assert sweep(database, world) == []


@pytest.mark.parametrize("injected", [
    "CREATE TABLE app.fresh (workspace_id uuid, note text); GRANT SELECT ON app.fresh TO zrg_web",
    "CREATE TABLE app.fresh (workspace_id uuid, note text); GRANT SELECT (note) ON app.fresh TO zrg_web",
    "CREATE TABLE app.fresh (workspace_id uuid, note text); GRANT UPDATE (note) ON app.fresh TO zrg_web",
    "CREATE TABLE app.fresh (workspace_id uuid, note text); GRANT INSERT ON app.fresh TO zrg_web",
    "CREATE TABLE app.fresh (workspace_id uuid, note text); GRANT DELETE ON app.fresh TO PUBLIC",
    "CREATE VIEW app.fresh AS SELECT * FROM app.lead; GRANT SELECT ON app.fresh TO zrg_web",
    "CREATE MATERIALIZED VIEW app.fresh AS SELECT * FROM app.lead; GRANT SELECT ON app.fresh TO zrg_web",
    "CREATE FUNCTION app.fresh() RETURNS SETOF text LANGUAGE sql SECURITY DEFINER"
    " SET search_path = pg_catalog, pg_temp AS 'SELECT email FROM app.lead';"
    " GRANT EXECUTE ON FUNCTION app.fresh() TO zrg_web",
    "CREATE POLICY fresh ON app.message FOR SELECT TO zrg_web USING (true)",
    "CREATE POLICY fresh ON app.lead FOR UPDATE TO zrg_web USING (true)",
])  # fmt: skip
def test_a_new_hole_is_found(database, world, injected):
    """The sweep itself, proven: each of these is something that a later revision could forget."""
    with superuser(database) as admin:
        # An owner's function sees through row security only as the owner, as in a real migration.
        admin.execute(f"SET ROLE zrg_owner; {injected}; RESET ROLE")
        if "CREATE TABLE" in injected:
            admin.execute("INSERT INTO app.fresh VALUES (%s, 'bbb')", (world.workspace("b"),))
        if "CREATE POLICY" in injected:
            assert sweep(database, world)
            return
    assert any("app.fresh" in leak for leak in sweep(database, world))


def test_a_new_table_without_any_grant_is_found_too(database):
    with superuser(database) as admin:
        admin.execute("SET ROLE zrg_owner; CREATE TABLE app.fresh (workspace_id uuid, note text)")
        assert "app.fresh" in {each.object for each in posture.violations(admin)}


def test_every_table_is_populated_for_both_workspaces(world):
    """What is empty cannot leak in a test; so this must fail before a sweep passes for want of rows."""
    empty = [name for name in world.tables if not (world.rows.get((name, "a")) and world.rows.get((name, "b")))]
    assert empty == ["ops.alembic_version"]


@pytest.mark.parametrize("role", ROLES)
def test_each_member_sees_the_rows_of_their_own_workspace(database, world, role):
    """The other direction: policies that show nothing would pass every test for leaks."""
    context = next(each for each in contexts(world) if each.name == role)
    login = Login(database, "web", context)
    seen = {}
    for table in world.tables.values():
        if table.name.startswith("app."):
            answer = login.try_(sql.SQL("SELECT count(*) FROM {}").format(table.identifier))
            seen[table.name] = -1 if answer.denied else answer.rows and answer.rows[0][0]
    login.conn.close()
    admins_only, managers_only = (
        {"app.integration"},
        {"app.lead_merge_candidate", "app.suppression", "app.ai_call", "app.digest", "app.kill_switch"},
    )
    for name, rows in seen.items():
        expected = len(world.rows[name, "a"])
        if rows == -1:
            assert name in ("app.job", "app.job_attempt", "app.email_host"), f"{name} has no grant"
        elif name in admins_only and role not in ("OWNER", "ADMIN"):
            assert rows == 0, name
        elif name in managers_only and role not in ("OWNER", "ADMIN", "INBOX_MANAGER"):
            assert rows == 0, name
        elif role == "SETTER" and any("1ead" in str(row) for row in world.rows[name, "a"]) and expected == 2:
            assert rows == 1, f"{name}: a setter sees the rows of the assigned lead only"
        else:
            assert rows == expected, name


@pytest.mark.parametrize("role", sorted(MATRIX))
def test_every_login_may_do_exactly_what_the_matrix_says(database, world, role):
    login = Login(database, role)
    wrong = []
    with superuser(database) as admin:
        tables = discover(admin, "rpvmf", partitions=True)
    for table in tables.values():
        allowed = next((may for pattern, may in MATRIX[role].items() if fnmatch(table.name, pattern)), set())
        for verb in VERBS:
            refused = login.try_(_statement(verb, table)).denied
            if verb == "SELECT" and refused:  # a right on some columns is a right to read
                refused = all(login.try_(sql.SQL("SELECT {} FROM {}").format(sql.Identifier(c), table.identifier)).denied
                              for c in table.columns)  # fmt: skip
            if verb == "UPDATE" and refused:
                refused = all(
                    login.try_(sql.SQL("UPDATE {} SET {} = NULL").format(table.identifier, sql.Identifier(c))).denied
                    for c in table.columns
                )
            if refused != (verb not in allowed):
                wrong.append(f"{verb} {table.name} is {'refused' if refused else 'not refused'}")
    login.conn.close()
    assert wrong == []


@pytest.mark.parametrize("role", [login.key for login in roles.LOGINS if login.key != "dagster"])
def test_every_login_may_call_exactly_its_functions(database, role):
    login = Login(database, role)
    with superuser(database) as admin:
        reached = {name for name, call in _functions(admin) if not login.try_(call).denied}
    for ddl in ("CREATE TABLE app.x (i int)", "CREATE SCHEMA x", "SET ROLE zrg_worker", "CREATE ROLE x"):
        assert login.try_(sql.SQL(ddl)).denied, ddl  # type: ignore[arg-type]
    may_become_owner = not login.try_(sql.SQL("SET ROLE zrg_owner")).denied
    login.conn.close()
    assert reached == CALLABLE.get(role, set())
    assert may_become_owner == (role == "migrator")


def test_the_builder_cannot_read_what_people_wrote(database, world):
    login = Login(database, "build")
    for table, column in (("message", "body"), ("draft", "body"), ("follow_up_step", "message_template"),
                          ("send", "content"), ("lead", "email")):  # fmt: skip
        statement = sql.SQL("SELECT {} FROM app.{}").format(sql.Identifier(column), sql.Identifier(table))
        assert login.try_(statement).denied, f"{table}.{column}"
    login.conn.close()


def test_the_strongest_role_counts_and_a_foreign_workspace_gives_none(database, world):
    a, user = world.workspace("a"), world.user("a", "CLIENT_PORTAL")

    def role(workspace: UUID, person: UUID) -> str | None:
        login = Login(database, "web", Context("", str(workspace), str(person), ()))
        (row,) = login.try_(sql.SQL("SELECT authz.member_role()")).rows or []
        login.conn.close()
        return row[0]

    assert role(a, user) == "CLIENT_PORTAL"
    with superuser(database) as admin:
        for stronger in ("SETTER", "INBOX_MANAGER", "ADMIN"):
            admin.execute("INSERT INTO app.member (workspace_id, user_id, role) VALUES (%s, %s, %s)", (a, user, stronger))
            assert role(a, user) == stronger
        assert role(world.workspace("b"), user) is None
        admin.execute("UPDATE app.workspace SET owner_user_id = %s WHERE id = %s", (user, a))
        assert role(a, user) == "OWNER"


def test_context_ends_with_its_transaction(database, world):
    with psycopg.connect(database.dsn("web"), autocommit=True) as conn:
        with conn.transaction():
            conn.execute("SELECT set_config('app.workspace_id', %s, true), set_config('app.user_id', %s, true)",
                         (str(world.workspace("a")), str(world.user("a", "OWNER"))))  # fmt: skip
            assert conn.execute("SELECT count(*) FROM app.lead").fetchone() == (2,)
        assert conn.execute("SELECT count(*) FROM app.lead").fetchone() == (0,)


def test_a_setter_cannot_hand_a_lead_away_and_a_manager_can(database, world):
    handed = sql.SQL("UPDATE app.lead SET assigned_to_user_id = {}").format(sql.Literal(world.user("a", "ADMIN")))
    by_name = {each.name: each for each in contexts(world)}
    answers = {}
    for role in ("SETTER", "CLIENT_PORTAL", "INBOX_MANAGER"):
        login = Login(database, "web", by_name[role])
        answers[role] = login.try_(handed)
        login.conn.close()
    assert answers["SETTER"].denied
    assert answers["CLIENT_PORTAL"].touched == 0
    assert answers["INBOX_MANAGER"].touched == 2


def test_the_context_is_read_once_for_a_query_and_not_for_each_row(database, world):
    login = Login(database, "web", contexts(world)[0])
    plan = "\n".join(row[0] for row in login.try_(sql.SQL("EXPLAIN (COSTS off) SELECT body FROM app.message")).rows or [])
    login.conn.close()
    assert "InitPlan" in plan
    assert "workspace_id()" not in plan.split("InitPlan")[0], plan
