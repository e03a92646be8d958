"""The posture of the database: nothing to find today, and each kind of violation is found and named."""

import json
import subprocess
import sys
from collections.abc import Iterator

import dagster as dg
import psycopg
import pytest

from zrg_dagster.assets import posture as asset
from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.core.db import posture, roles
from zrg_dagster.resources.database import Database

# (code, statements that make it, what the finding names). Run as superuser in a transaction that is rolled back:
# roles belong to the cluster that all tests share.
INJECTED = [
    ("row_security_off", "ALTER TABLE app.lead DISABLE ROW LEVEL SECURITY", "app.lead"),
    ("row_security_off", "CREATE TABLE ops.forgotten (id int)", "ops.forgotten"),
    ("row_security_not_forced", "ALTER TABLE secret.credential NO FORCE ROW LEVEL SECURITY", "secret.credential"),
    ("owner_without_policy", "DROP POLICY owner_all ON app.message", "app.message"),
    ("grant_without_policy", "DROP POLICY web_read ON app.message", "app.message: SELECT for zrg_web"),
    ("grant_without_policy", "GRANT UPDATE (name) ON app.workspace TO zrg_web", "app.workspace: UPDATE for zrg_web"),
    ("policy_for_public", "CREATE POLICY p ON app.lead USING (true)", "app.lead: policy p"),
    ("policy_without_context", "CREATE POLICY p ON app.lead TO zrg_web USING (true)", "app.lead: policy p"),
    (
        "policy_without_context",
        "CREATE POLICY p ON app.lead FOR UPDATE TO zrg_web"
        " USING (workspace_id = (SELECT authz.workspace_id())) WITH CHECK (true)",
        "app.lead: policy p",
    ),
    (
        "right_beyond_ceiling",
        "GRANT SELECT ON raw.webhook_event TO zrg_receiver",
        "raw.webhook_event: SELECT for zrg_r",
    ),
    ("right_beyond_ceiling", "GRANT INSERT ON raw.route TO zrg_receiver", "raw.route: INSERT for zrg_receiver"),
    ("right_beyond_ceiling", "GRANT SELECT ON secret.credential TO zrg_web", "secret.credential: SELECT for zrg_web"),
    (
        "right_beyond_ceiling",
        "GRANT SELECT (sealed) ON secret.credential TO zrg_web",
        "secret.credential (sealed): SEL",
    ),
    ("right_beyond_ceiling", "GRANT UPDATE ON app.lead TO zrg_web", "app.lead: UPDATE for zrg_web"),
    ("right_beyond_ceiling", "GRANT DELETE ON app.lead TO zrg_web", "app.lead: DELETE for zrg_web"),
    ("right_beyond_ceiling", "GRANT TRUNCATE ON app.job TO zrg_worker", "app.job: TRUNCATE for zrg_worker"),
    ("right_beyond_ceiling", "GRANT SELECT ON app.lead TO zrg_analyst", "app.lead: SELECT for zrg_analyst"),
    ("right_beyond_ceiling", "CREATE ROLE anon; GRANT SELECT ON app.lead TO anon", "app.lead: SELECT for anon"),
    ("key_column_update", "GRANT UPDATE (workspace_id) ON app.lead TO zrg_web", "app.lead (workspace_id): zrg_web"),
    ("key_column_update", "GRANT UPDATE (id) ON app.lead TO zrg_web", "app.lead (id): zrg_web"),
    ("public_relation", "GRANT SELECT ON app.lead TO PUBLIC", "app.lead: SELECT"),
    ("public_relation", "GRANT SELECT (email) ON app.lead TO PUBLIC", "app.lead (email): SELECT"),
    (
        "unprotected_relation",
        "CREATE MATERIALIZED VIEW marts.m AS SELECT * FROM app.lead; GRANT SELECT ON marts.m TO zrg_analyst",
        "marts.m: zrg_analyst",
    ),
    ("view_without_security_invoker", "CREATE VIEW app.v AS SELECT * FROM app.lead", "app.v"),
    ("foreign_owner", "ALTER TABLE app.digest OWNER TO zrg_worker", "app.digest"),
    ("public_function", "CREATE FUNCTION app.f() RETURNS int LANGUAGE sql RETURN 1", "app.f()"),
    ("public_function", "GRANT EXECUTE ON FUNCTION authz.member_role() TO PUBLIC", "authz.member_role()"),
    (
        "call_beyond_ceiling",
        "GRANT EXECUTE ON FUNCTION raw.maintain_bodies(date, integer, integer) TO zrg_receiver",
        "raw.maintain_bodies(p_today date, p_keep_days integer, p_ahead_days integer): zrg_receiver",
    ),
    (
        "definer_search_path",
        "CREATE FUNCTION app.f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
        "app.f()",
    ),
    (
        "definer_search_path",
        "CREATE FUNCTION app.f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = app AS 'SELECT 1'",
        "app.f()",
    ),
    (
        "definer_search_path",
        "CREATE FUNCTION app.f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp"
        " AS 'SELECT 1'",
        "app.f()",
    ),
    ("public_schema_right", "GRANT USAGE ON SCHEMA authz TO PUBLIC", "schema authz: USAGE"),
    ("public_schema_right", "GRANT CREATE ON SCHEMA public TO PUBLIC", "schema public: CREATE"),
    ("may_create", "GRANT CREATE ON SCHEMA app TO zrg_worker", "schema app: zrg_worker"),
    ("public_database_right", "GRANT TEMPORARY ON DATABASE {database} TO PUBLIC", "database {database}: TEMPORARY"),
    ("public_type", "CREATE DOMAIN app.score AS int", "app.score"),
    (
        "default_privilege",
        "ALTER DEFAULT PRIVILEGES FOR ROLE zrg_owner GRANT SELECT ON TABLES TO PUBLIC",
        "default privileges of zrg_owner for all schemas: PUBLIC",
    ),
    (
        "default_privilege",
        "ALTER DEFAULT PRIVILEGES FOR ROLE zrg_owner IN SCHEMA app GRANT SELECT ON TABLES TO PUBLIC",
        "default privileges of zrg_owner for app: PUBLIC",
    ),
    (
        "default_privilege",
        "ALTER DEFAULT PRIVILEGES FOR ROLE zrg_owner GRANT ALL ON FUNCTIONS TO PUBLIC",
        "default privileges of zrg_owner: PUBLIC may use new functions",
    ),
    *(
        ("dangerous_role", f"ALTER ROLE zrg_web {attribute}", f"role zrg_web: {attribute}")
        for attribute in ("SUPERUSER", "BYPASSRLS", "CREATEROLE", "CREATEDB", "REPLICATION")
    ),
    ("dangerous_role", "ALTER ROLE zrg_owner LOGIN", "role zrg_owner: LOGIN"),
    ("membership", "GRANT zrg_worker TO zrg_web", "role zrg_web: member of zrg_worker"),
    ("membership", "GRANT pg_read_all_data TO zrg_analyst", "role zrg_analyst: member of pg_read_all_data"),
    (
        "owner_inherited",
        "GRANT zrg_owner TO zrg_migrator WITH INHERIT TRUE",
        "role zrg_migrator: inherits zrg_owner",
    ),
]


@pytest.mark.parametrize("role", ["worker", "web", "receiver", "analyst", "monitor"])
def test_a_migrated_database_has_no_violation_whoever_asks(database, role):
    with psycopg.connect(database.dsn(role)) as conn:
        assert posture.violations(conn) == []


@pytest.mark.parametrize(("code", "statements", "named"), INJECTED, ids=[f"{c}: {n}" for c, _, n in INJECTED])
def test_each_violation_is_found_and_named(database, code, statements, named):
    with psycopg.connect(database.dsn("bootstrap")) as conn:
        conn.execute(statements.format(database=database.name))
        found = posture.violations(conn)
        conn.rollback()
    named = named.format(database=database.name)
    assert [each for each in found if each.code == code and each.object.startswith(named)], found
    assert all(each.fix for each in found)


def test_every_check_is_proven_here():
    assert {code for code, _, _ in INJECTED} == set(posture._CHECKS)


def test_the_fix_of_a_violation_removes_it(database):
    with psycopg.connect(database.dsn("bootstrap")) as conn:
        conn.execute("""
            GRANT DELETE ON app.appointment TO zrg_build; GRANT UPDATE (id) ON app.lead TO zrg_web;
            GRANT SELECT ON app.digest TO PUBLIC; ALTER TABLE app.draft NO FORCE ROW LEVEL SECURITY;
            ALTER TABLE ops.worker DISABLE ROW LEVEL SECURITY; DROP POLICY owner_all ON app.touch;
            CREATE FUNCTION app.f(a int, b text) RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
            CREATE VIEW app.v AS SELECT 1; ALTER ROLE zrg_web CREATEDB""")
        found = posture.violations(conn)
        assert len(found) >= 9
        for each in found:
            conn.execute(each.fix.encode())
        assert [each for each in posture.violations(conn) if each.code != "foreign_owner"] == []
        conn.rollback()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def run(database, monkeypatch, instance) -> dg.ExecuteInProcessResult:
    monkeypatch.setenv("ZRG_DB_WORKER_URL", database.dsn("worker"))
    current_settings.cache_clear()
    return dg.materialize(
        [asset.posture], instance=instance, resources={"database": Database(role="worker")}, raise_on_error=False
    )


def test_the_asset_and_its_check_pass(database, monkeypatch, instance):
    result = run(database, monkeypatch, instance)
    assert result.success
    (check,) = result.get_asset_check_evaluations()
    assert (check.check_name, check.passed, check.blocking) == (asset.CHECK, True, True)


def test_the_asset_names_a_table_without_policy_and_its_check_fails_the_run(database, monkeypatch, instance):
    with psycopg.connect(database.dsn("migrator")) as conn:
        conn.execute("SET ROLE zrg_owner")
        conn.execute("CREATE TABLE app.forgotten (workspace_id uuid)")
    result = run(database, monkeypatch, instance)
    assert not result.success, "a violation must be a failed run: that is what alerts"
    (check,) = result.get_asset_check_evaluations()
    assert not check.passed
    assert check.severity == dg.AssetCheckSeverity.ERROR
    assert "app.forgotten" in str(check.metadata["listed"].value)


def test_the_command_exits_1_and_names_what_it_found(database, tmp_path):
    environment = {f"ZRG_DB_{key.upper()}_URL": database.dsn(key) for key in roles.BY_KEY}
    environment |= {"ZRG_HOME": str(tmp_path / "home"), "PYTHONTZPATH": "", "PATH": "/usr/bin:/bin"}

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "zrg_dagster.cli", "db", "posture", *arguments],
            env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    clean = command()
    assert (clean.returncode, clean.stdout) == (0, "posture: no violation\n"), clean.stderr
    with psycopg.connect(database.dsn("migrator")) as conn:
        conn.execute("SET ROLE zrg_owner")
        conn.execute("CREATE TABLE app.forgotten (workspace_id uuid)")
    found = command("--json")
    assert found.returncode == 1
    assert {each["code"] for each in json.loads(found.stdout)["violations"] if each["object"] == "app.forgotten"} == {
        "row_security_off",
        "row_security_not_forced",
        "owner_without_policy",
    }
    assert "app.forgotten" in command().stdout
