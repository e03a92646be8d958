"""Tenant isolation, tried from outside: every table, view, function and verb that the catalogue knows, as every login.

The web role is the one whose rows differ by context; all other roles are held against the matrix below.
"""

from collections.abc import Iterator
from fnmatch import fnmatch
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from tests.integration.tenancy_sweep import Context, Login, contexts, functions, statement, superuser, sweep
from tests.integration.tenancy_world import ROLES, Table, World, discover
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
        **dict.fromkeys(("app.ai_call", "app.message", "app.draft", "app.decision", "app.job", "app.send"), READ),
    },
    "worker": {
        "ops.alembic_version": READ,
        "ops.audit": {"SELECT", "INSERT"},
        "app.prompt_revision": {"SELECT", "INSERT"},
        # What the platform did and decided is never deleted by those who did it.
        **dict.fromkeys(
            ("raw.webhook_event", "app.send", "app.touch", "app.decision", "app.sentiment_event", "ops.intake_count"),
            WRITE - {"DELETE"},
        ),
        **dict.fromkeys(("app.lead_merge", "app.lead_assignment_event"), WRITE - {"DELETE"}),
        "ops.lane_state": WRITE - {"DELETE"},
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


@pytest.fixture
def world(database) -> Iterator[World]:
    with psycopg.connect(database.dsn("bootstrap"), autocommit=True) as conn:
        yield World(conn)


def test_the_web_tier_reaches_no_row_of_another_workspace(database, world):
    leaks = sweep(database, world)
    assert leaks == [], "\n".join(leaks)


@pytest.mark.parametrize("injected", [
    "CREATE TABLE app.fresh (workspace_id uuid, note text); GRANT SELECT ON app.fresh TO zrg_web",
    "CREATE TABLE app.fresh (workspace_id uuid, note text); GRANT SELECT (note) ON app.fresh TO zrg_web",
    "CREATE TABLE app.fresh (workspace_id uuid, note text); GRANT UPDATE (note) ON app.fresh TO zrg_web",
    "CREATE TABLE app.fresh (workspace_id uuid, note text); GRANT INSERT ON app.fresh TO zrg_web",
    "CREATE TABLE app.fresh (workspace_id uuid, note text); GRANT DELETE ON app.fresh TO PUBLIC",
    "CREATE VIEW app.fresh AS SELECT email AS mail FROM app.lead; GRANT SELECT ON app.fresh TO zrg_web",
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
        admin.execute(f"SET ROLE zrg_owner; {injected}; RESET ROLE".encode())
        if "CREATE TABLE" in injected:
            admin.execute("INSERT INTO app.fresh VALUES (%s, 'bbb')", (world.workspace("b"),))
    where = next(name for name in ("app.message", "app.fresh", "app.lead") if f" {name}" in injected)
    assert any(where in leak for leak in sweep(database, world, only=where))


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
    seen = {}
    with Login(database, "web", context) as login:
        for table in world.tables.values():
            if table.name.startswith("app."):
                answer = login.read(sql.SQL("SELECT count(*) FROM {}").format(table.identifier))
                seen[table.name] = -1 if answer.denied else answer.rows[0][0]
    # What a weaker role does not see of a table that it may ask.
    hidden_from = {
        **dict.fromkeys(("app.integration", "app.prompt_revision"), ("INBOX_MANAGER", "SETTER", "CLIENT_PORTAL")),
        **dict.fromkeys(("app.lead_memory", "app.workspace_memory"), ("CLIENT_PORTAL",)),
        **dict.fromkeys(
            (
                *("app.lead_merge_candidate", "app.suppression", "app.ai_call", "app.digest", "app.kill_switch"),
                *("app.linkedin_relation", "app.vendor_notice", "app.assignment_rotation", "app.round_robin_turn"),
            ),
            ("SETTER", "CLIENT_PORTAL"),
        ),
    }
    for name, rows in seen.items():
        expected = len(world.rows[name, "a"])
        if rows == -1:
            hidden = ("app.job", "app.job_attempt", "app.email_host", "app.lead_merge", "app.lead_merge_row")
            hidden += ("app.draft_pipeline_run", "app.draft_pipeline_artifact")
            assert name in hidden, f"{name} has no grant"
        elif role in hidden_from.get(name, ()):
            assert rows == 0, name
        elif role == "SETTER" and any("1ead" in str(row) for row in world.rows[name, "a"]) and expected == 2:
            assert rows == 1, f"{name}: a setter sees the rows of the assigned lead only"
        else:
            assert rows == expected, name


@pytest.mark.parametrize("role", sorted(MATRIX))
def test_every_login_may_do_exactly_what_the_matrix_says(database, world, role):
    wrong = []
    with superuser(database) as admin:
        tables = discover(admin, "rpvmf", partitions=True)
    with Login(database, role) as login:
        for table in tables.values():
            allowed = next((may for pattern, may in MATRIX[role].items() if fnmatch(table.name, pattern)), set())
            for verb in VERBS:
                if _is_refused(login, verb, table) != (verb not in allowed):
                    wrong.append(f"{verb} {table.name}: expected {'to work' if verb in allowed else 'a refusal'}")
    assert wrong == []


def _is_refused(login: Login, verb: str, table: Table) -> bool:
    if not login.write(statement(verb, table)).denied:
        return False
    # A right on one column is a right.
    single = {"SELECT": "SELECT {column} FROM {table}", "UPDATE": "UPDATE {table} SET {column} = DEFAULT"}.get(verb)
    return single is None or all(
        login.write(sql.SQL(single).format(table=table.identifier, column=sql.Identifier(column))).denied  # type: ignore[arg-type]
        for column in table.columns
    )


@pytest.mark.parametrize("role", [login.key for login in roles.LOGINS if login.key != "dagster"])
def test_every_login_may_call_exactly_its_functions(database, role):
    with superuser(database) as admin:
        calls = functions(admin)
    with Login(database, role) as login:
        reached = {name for name, call in calls if not login.write(call).denied}
        for ddl in ("CREATE TABLE app.x (i int)", "CREATE SCHEMA x", "CREATE ROLE x", "CREATE TABLE public.x (i int)"):
            assert login.write(sql.SQL(ddl)).denied, ddl  # type: ignore[arg-type]
        others = [each.role for each in roles.LOGINS if each.key != role] + [roles.OWNER]
        becomes = [
            each for each in others if not login.write(sql.SQL("SET ROLE {}").format(sql.Identifier(each))).denied
        ]
    assert reached == CALLABLE.get(role, set())
    assert becomes == ([roles.OWNER] if role == "migrator" else [])


def test_the_builder_cannot_read_what_people_wrote(database):
    written = {
        "message": "body",
        "draft": "body",
        "follow_up_step": "message_template",
        "send": "content",
        "lead": "email",
    }
    with Login(database, "build") as login:
        for table, column in written.items():
            statement = sql.SQL("SELECT {} FROM app.{}").format(sql.Identifier(column), sql.Identifier(table))
            assert login.read(statement).denied, f"{table}.{column}"


def test_the_strongest_role_counts_and_a_foreign_workspace_gives_none(database, world):
    a, user = world.workspace("a"), world.user("a", "CLIENT_PORTAL")

    def role(workspace: UUID, person: UUID) -> str | None:
        with Login(database, "web", Context("", str(workspace), str(person), ())) as login:
            return login.read(sql.SQL("SELECT authz.member_role()")).rows[0][0]

    assert role(a, user) == "CLIENT_PORTAL"
    with superuser(database) as admin:
        for stronger in ("SETTER", "INBOX_MANAGER", "ADMIN"):
            admin.execute(
                "INSERT INTO app.member (workspace_id, user_id, role) VALUES (%s, %s, %s)", (a, user, stronger)
            )
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
        with Login(database, "web", by_name[role]) as login:
            answers[role] = login.write(handed)
    assert answers["SETTER"].denied
    assert answers["CLIENT_PORTAL"].touched == 0
    assert answers["INBOX_MANAGER"].touched == 2


def test_the_context_is_read_once_for_a_query_and_not_for_each_row(database, world):
    with Login(database, "web", contexts(world)[-1]) as login:
        plan = "\n".join(row[0] for row in login.read(sql.SQL("EXPLAIN (COSTS off) SELECT body FROM app.message")).rows)
    assert "InitPlan" in plan
    assert "workspace_id()" not in plan.split("InitPlan")[0], plan
