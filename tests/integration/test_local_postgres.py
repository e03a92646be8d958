"""The embedded Postgres: both versions of the wheel, as root and as an ordinary user, with hostile paths."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from zrg_dagster.local.postgres import EmbeddedPostgres, PostgresError

MAJORS = (16, 18)


def _cluster(tmp_path: Path, major: int) -> Iterator[EmbeddedPostgres]:
    postgres = EmbeddedPostgres(tmp_path / "home of a user", major, durable=False)
    yield postgres
    postgres.stop()
    postgres.remove()


@pytest.fixture
def postgres(tmp_path, postgres_major):
    yield from _cluster(tmp_path, postgres_major)


@pytest.fixture(params=MAJORS)
def each_postgres(request, tmp_path):
    yield from _cluster(tmp_path, request.param)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_starts_stops_and_starts_again_on_the_same_data(each_postgres):
    postgres = each_postgres
    postgres.start()
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        assert connection.info.server_version // 10_000 == postgres.major
        assert connection.execute("show data_checksums").fetchone() == ("on",)
        assert connection.execute("show listen_addresses").fetchone() == ("",)
        assert connection.execute("select upper('ä'), 'Z' < 'a'").fetchone() == ("Ä", True)
        connection.execute("create table kept (n int)")
    identity = postgres.identity
    assert postgres.is_running
    postgres.stop()
    assert postgres.pid is None
    assert not postgres.is_running

    again = EmbeddedPostgres(postgres.home, postgres.major, durable=False)
    with again.running():
        assert again.identity == identity
        with psycopg.connect(again.dsn("postgres")) as connection:
            assert connection.execute("select count(*) from kept").fetchone() == (0,)


def test_durable_by_default(tmp_path):
    command = EmbeddedPostgres(tmp_path, 18)._command()
    assert "fsync=on" in command
    assert "full_page_writes=on" in command
    assert "fsync=off" in EmbeddedPostgres(tmp_path, 18, durable=False)._command()


def test_folders_are_private_and_parents_keep_their_mode(postgres):
    parent = postgres.home.parent
    parent.chmod(0o700)
    postgres.start()
    assert _mode(parent) == 0o700
    for folder in (postgres.base, postgres.data, postgres.socket_folder, postgres.home / "pg"):
        assert _mode(folder) == 0o700, folder
    assert _mode(postgres.data / "pg_hba.conf") == 0o600
    owner = postgres.data.stat().st_uid
    assert owner != 0, "Postgres data must not belong to root"
    assert postgres.binary("postgres").stat().st_mode & 0o022 == 0, "others could replace the binary"


def test_only_the_bootstrap_role_enters_without_a_password(postgres):
    postgres.start()
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        connection.execute("create role plain login password 'p'")
        rules = connection.execute("select type, user_name, auth_method from pg_hba_file_rules").fetchall()
    assert [rule for rule in rules if rule[2] in ("trust", "md5", "password")] == []
    assert {rule[2] for rule in rules if rule[1] == ["all"]} == {"scram-sha-256"}
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(postgres.dsn("postgres", "plain"))
    with psycopg.connect(postgres.dsn("postgres", "plain", "p")) as connection:
        assert connection.execute("select current_user").fetchone() == ("plain",)


def test_recovers_from_a_sigkill_and_a_stale_pid_file(postgres):
    postgres.start()
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        connection.execute("create table kept as select 1 as n")
    os.kill(postgres.pid, signal.SIGKILL)
    postgres.process.wait(10)
    # After a reboot the number belongs to somebody else: to us, for example.
    pid_file = postgres.data / "postmaster.pid"
    pid_file.write_text("\n".join([str(os.getpid()), *pid_file.read_text().splitlines()[1:]]) + "\n")
    assert postgres.pid is None

    again = EmbeddedPostgres(postgres.home, postgres.major, durable=False)
    with again.running(), psycopg.connect(again.dsn("postgres")) as connection:
        assert connection.execute("select n from kept").fetchone() == (1,)


def test_a_cluster_that_runs_is_used_and_not_started_twice(postgres):
    postgres.start()
    other = EmbeddedPostgres(postgres.home, postgres.major, durable=False)
    with other.running():
        assert other.process is None
    assert postgres.is_running
    with pytest.raises(PostgresError, match=f"already runs \\(pid {postgres.pid}\\)"):
        other._wait_until_free(timeout_s=0.2)


def test_another_major_in_the_folder_is_one_clear_line(tmp_path):
    old = EmbeddedPostgres(tmp_path / "home", 16, durable=False)
    old.ensure()
    try:
        with pytest.raises(PostgresError, match="holds Postgres 16 data and 18 was asked for: dump and restore"):
            EmbeddedPostgres(tmp_path / "home", 18).start()
    finally:
        old.remove()


def test_a_folder_prepared_by_somebody_else_is_refused(postgres):
    """In /tmp anybody can take the name of our folder first, or put a link there."""
    elsewhere = postgres.home.parent / "elsewhere"
    elsewhere.mkdir()
    postgres.socket_folder.parent.mkdir(parents=True, exist_ok=True)
    postgres.socket_folder.symlink_to(elsewhere)
    with pytest.raises(PostgresError, match="remove it or set ZRG_HOME"):
        postgres.ensure()
    assert list(elsewhere.iterdir()) == []
    postgres.socket_folder.unlink()


def test_unwritable_home_is_one_clear_line(tmp_path):
    # A file in the way stops root as well, whom permissions do not stop.
    (tmp_path / "file").write_text("")
    with pytest.raises(PostgresError, match=r"cannot write .*set ZRG_HOME to a writable folder"):
        EmbeddedPostgres(tmp_path / "file" / "home", 18).ensure()


def test_deleted_home_never_meets_the_data_of_its_predecessor(postgres):
    """As root the data lies outside the home; its passwords and keys went with the home."""
    postgres.start()
    first = postgres.identity
    postgres.stop()
    shutil.rmtree(postgres.home)
    again = EmbeddedPostgres(postgres.home, postgres.major, durable=False)
    again.ensure()
    assert again.identity != first
    moved = [path for path in again.base.iterdir() if ".left-" in path.name]
    assert len(moved) == len(again.notes) == (1 if os.geteuid() == 0 else 0)


ORDINARY = """
import json, os, sys
from pathlib import Path
import psycopg
from zrg_dagster.local.postgres import EmbeddedPostgres
home = Path(sys.argv[1])
postgres = EmbeddedPostgres(home, int(sys.argv[2]), durable=False)
with postgres.running():
    with psycopg.connect(postgres.dsn("postgres")) as connection:
        row = connection.execute("select current_user, current_setting('server_version_num')::int / 10000").fetchone()
    print(json.dumps({
        "euid": os.geteuid(), "row": row, "base": str(postgres.base), "socket": str(postgres.socket_folder),
        "socket_mode": postgres.socket_folder.stat().st_mode & 0o777, "owner": postgres.data.stat().st_uid,
    }))
pid = postgres.pid
postgres.remove()
assert pid is None and not postgres.base.exists() and not postgres.socket_folder.exists()
"""


@pytest.mark.parametrize(("major", "name"), [(18, "a home"), (16, "deep " * 25)])
def test_as_an_ordinary_user(major, name):
    """Everything below the home; the socket elsewhere only when the path would not fit into a socket address."""
    with tempfile.TemporaryDirectory(prefix="zrg-") as place:
        Path(place).chmod(0o755)
        home = Path(place) / name.strip()
        home.mkdir()
        seen = _run_as_ordinary_user(home, major)
    assert seen["row"] == ["zrg_bootstrap", major]
    assert seen["base"] == str(home / "pg")
    assert seen["socket_mode"] == 0o700
    assert seen["socket"].startswith(seen["base"]) == (name == "a home")


def _run_as_ordinary_user(home: Path, major: int) -> dict:
    command = [sys.executable, "-c", ORDINARY, str(home), str(major)]
    uid = os.geteuid()
    if uid == 0:
        uid = 65534
        # The account may read everything (the interpreter may lie in /root), but it is not root.
        capability = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override")
        command = ["setpriv", f"--reuid={uid}", "--regid=65534", "--clear-groups", *capability, *command]
        os.chown(home, uid, 65534)
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", timeout=120)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["euid"] == seen["owner"] == uid
    return seen


def test_ends_with_the_process_that_started_it(tmp_path):
    home = tmp_path / "home"
    program = (
        "import sys, time; from pathlib import Path\n"
        "from zrg_dagster.local.postgres import EmbeddedPostgres\n"
        "postgres = EmbeddedPostgres(Path(sys.argv[1]), 18, durable=False); postgres.start()\n"
        "print(postgres.pid, flush=True); time.sleep(600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(home)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        pid = int(process.stdout.readline())
        process.kill()
    postgres = EmbeddedPostgres(home, 18, durable=False)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert postgres.pid is None
    assert "database system is shut down" in postgres.log.read_text().splitlines()[-1], "it was not a clean shutdown"
    postgres.remove()
