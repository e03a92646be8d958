"""One home folder: files and their permissions, DSNs, keys, and your own Postgres instead of the embedded one."""

import os
import stat
import subprocess
import sys

import psycopg
import pytest
from psycopg import sql

from zrg_dagster.core.base.seal import Sealer
from zrg_dagster.core.base.settings import load_settings
from zrg_dagster.core.db import migrate, roles
from zrg_dagster.local.postgres import PostgresError
from zrg_dagster.local.stack import Stack, StackError, bootstrap_external


@pytest.fixture
def stack(tmp_path, postgres_major):
    stack = Stack(load_settings(ZRG_HOME=tmp_path / "home"), postgres_major=postgres_major, durable=False)
    yield stack
    if stack.postgres:
        stack.postgres.remove()


def test_first_and_second_start(stack):
    with stack.running():
        assert stack.upgrade() == (None, migrate.expected_revision())
        first = {key: stack.dsn(key) for key in roles.BY_KEY}
        keys = [stack.keys("secret"), stack.keys("verify")]
        for key, login in roles.BY_KEY.items():
            with psycopg.connect(first[key]) as connection:
                found = connection.execute("select current_user, current_database()").fetchone()
            assert found == (login.role, login.database)
    assert len(set(first.values())) == len(first), "two roles share a password"
    assert keys[0] != keys[1]
    Sealer(keys[0]).seal("value", scope="a:b")

    for folder in ("dsn", "keys"):
        assert stat.S_IMODE((stack.home / folder).stat().st_mode) == 0o700
        for file in (stack.home / folder).iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file

    again = Stack(stack.settings, postgres_major=stack.postgres.major, durable=False)
    with again.running():
        assert {key: again.dsn(key) for key in roles.BY_KEY} == first, "a second start changed the passwords"
        assert again.upgrade() == (migrate.expected_revision(),) * 2
    assert [again.keys("secret"), again.keys("verify")] == keys
    assert again.notes == []


def test_a_home_is_removed_with_its_data_and_nothing_else_is(stack, tmp_path):
    with stack.running():
        stack.upgrade()
        base = stack.postgres.base
        with pytest.raises(PostgresError, match="still runs"):
            stack.remove()
    stack.remove()
    assert not stack.home.exists()
    assert not base.exists()

    foreign = tmp_path / "documents"
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("years of work")
    with pytest.raises(StackError, match="no home of this platform"):
        Stack(load_settings(ZRG_HOME=foreign)).remove()
    assert (foreign / "thesis.txt").exists()


def test_a_lost_dsn_file_is_made_again(stack):
    with stack.running():
        (stack.home / "dsn" / "worker.url").unlink()
        with pytest.raises(StackError, match=r"worker\.url is missing: `zrg up`"):
            stack.dsn("worker")
        stack.bootstrap()
        with psycopg.connect(stack.dsn("worker")) as connection:
            assert connection.info.user == "zrg_worker"


def test_only_some_urls_is_an_error_that_names_the_missing_ones(tmp_path):
    urls = {f"ZRG_DB_{key.upper()}_URL": "postgresql://u:p@h/d" for key in roles.BY_KEY}
    assert not Stack(load_settings(ZRG_HOME=tmp_path, **urls)).embedded
    assert Stack(load_settings(ZRG_HOME=tmp_path)).embedded
    del urls["ZRG_DB_WEB_URL"], urls["ZRG_DB_BUILD_URL"]
    with pytest.raises(StackError) as raised:
        Stack(load_settings(ZRG_HOME=tmp_path, **urls))
    assert "ZRG_DB_BUILD_URL, ZRG_DB_WEB_URL" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_production_invents_no_keys(tmp_path):
    stack = Stack(load_settings(ZRG_HOME=tmp_path / "home", ZRG_ENV="production"))
    with pytest.raises(StackError, match=r"ZRG_SECRET_KEYS is unset: make a key with `zrg secrets keygen`"):
        stack.prepare()


def test_development_says_that_it_generated_keys(tmp_path):
    stack = Stack(load_settings(ZRG_HOME=tmp_path / "home"))
    stack.prepare()
    assert [note.split(":")[0] for note in stack.notes] == ["ZRG_SECRET_KEYS is unset", "ZRG_VERIFY_KEYS is unset"]


@pytest.mark.parametrize(
    ("content", "mode", "complaint"),
    [("secret\n", 0o600, "white space"), ("secret", 0o644, "others can read it"), ("", 0o600, "is empty")],
)
def test_a_spoiled_secret_file_is_refused(tmp_path, content, mode, complaint):
    stack = Stack(load_settings(ZRG_HOME=tmp_path / "home"))
    stack.prepare()
    path = stack.home / "keys" / "secret.keys"
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(StackError, match=complaint) as raised:
        stack.keys("secret")
    assert "secret " not in str(raised.value).replace(str(path), "")


def test_your_own_postgres_by_a_login_that_is_no_superuser(stack, tmp_path):
    """`zrg db bootstrap` needs CREATEROLE and CREATEDB only, and repeating it keeps the passwords."""
    stack.prepare()
    assert stack.postgres
    with stack.postgres.running():
        with psycopg.connect(stack.postgres.dsn("postgres"), autocommit=True) as connection:
            connection.execute("create role chief login createrole createdb password 'p'")
        settings = load_settings(
            ZRG_HOME=tmp_path / "mine", ZRG_DB_ADMIN_URL=stack.postgres.dsn("postgres", "chief", "p")
        )
        path, notes = bootstrap_external(settings, settings.home)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert [note for note in notes if "pg_monitor" in note]
        first = path.read_text()
        bootstrap_external(settings, settings.home)
        assert path.read_text() == first

        urls = dict(line.split("=", 1) for line in first.splitlines())
        external = Stack(load_settings(ZRG_HOME=tmp_path / "mine", **urls))
        assert not external.embedded
        with external.running():
            assert external.upgrade() == (None, migrate.expected_revision())
            with psycopg.connect(external.dsn("worker")) as connection:
                migrate.check_schema(connection)
        # The administrator keeps no standing way into the data.
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(stack.postgres.dsn("zrg", "chief", "p"))


def test_the_command_line_prints_one_line_and_no_traceback(tmp_path):
    def zrg(*arguments, **env):
        return subprocess.run(
            [sys.executable, "-m", "zrg_dagster.cli", *arguments],
            env={"PATH": os.environ["PATH"], "ZRG_HOME": str(tmp_path / "home"), **env},
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )

    (tmp_path / "file").write_text("")
    faults = [
        (zrg("up", ZRG_RECEIVER_PORT="eighty"), "setting ZRG_RECEIVER_PORT"),
        (zrg("up", OPENAI_API_KEY="sk-x\n"), "setting OPENAI_API_KEY: has leading or trailing white space"),
        (zrg("up", ZRG_DB_WORKER_URL="postgresql://u:p@h/d"), "ZRG_DB_MIGRATOR_URL"),
        (zrg("up", ZRG_HOME=str(tmp_path / "file" / "x")), "set ZRG_HOME to a writable folder"),
        (zrg("db", "bootstrap"), "ZRG_DB_ADMIN_URL is unset"),
        (zrg("db", "bootstrap", ZRG_DB_ADMIN_URL="postgresql://u:p@127.0.0.1:1/d"), "127.0.0.1"),
    ]
    for done, expected in faults:
        assert done.returncode == 1, done
        assert done.stderr.startswith("zrg: "), done.stderr
        assert expected in done.stderr
        assert done.stderr.count("\n") == 1, done.stderr
        assert "sk-x" not in done.stderr
    assert zrg("nonsense").returncode == 2
    key = zrg("secrets", "keygen").stdout.strip()
    Sealer(key)


def test_cloned_databases_are_closed_to_strangers(cluster, database):
    cluster.execute(sql.SQL("create role stranger login password 'p'"))
    try:
        for name in (database.name, roles.DATABASE, roles.DAGSTER_DATABASE):
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                psycopg.connect(cluster.postgres.dsn(name, "stranger", "p"))
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(cluster.dsn("worker", roles.DAGSTER_DATABASE))
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(cluster.dsn("dagster", database.name))
    finally:
        cluster.execute(sql.SQL("drop role stranger"))
