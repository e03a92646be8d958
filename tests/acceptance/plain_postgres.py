"""A Postgres that somebody else runs: TCP, a password, the distribution's defaults. Nothing of our local stack's."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from zrg_dagster.core.db.roles import LEAST_VERSION
from zrg_dagster.local import binaries
from zrg_dagster.local.probes import free_port
from zrg_dagster.local.process import GuardedProcess, User

ADMIN = "dba"
_DEBIAN = Path("/usr/lib/postgresql")
_WHEEL_MAJOR = 16  # the oldest version that is supported


@contextmanager
def plain_postgres() -> Iterator[str]:
    """The administrator's DSN of a running server: Debian's package when it is new enough, else the wheel's binaries."""
    user = _server_user()
    # Not below the test's own folder: a service account could not enter that.
    folder = Path(tempfile.mkdtemp(prefix="zrg-plain-postgres-"))
    try:
        if user:
            os.chown(folder, user.uid, user.gid)
        programs = _programs(folder)
        password, port, log = secrets.token_urlsafe(16), free_port(), folder / "server.log"
        _make_cluster(programs, folder, password, user)
        command = [
            *(programs / "postgres", "-D", folder / "data", "-h", "127.0.0.1", "-p", str(port)),
            *("-c", "unix_socket_directories="),
        ]
        with log.open("ab") as output:
            server = GuardedProcess(
                command, env=_environment(), cwd=Path("/"), output=output, stop_signal=signal.SIGINT, user=user
            )
        try:
            dsn = f"postgresql://{ADMIN}:{password}@127.0.0.1:{port}/postgres"
            _wait_until_up(dsn, server, log)
            yield dsn
        finally:
            server.stop(8)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs(folder: Path) -> Path:
    """The folder of `initdb` and `postgres`."""
    found = [
        path / "bin"
        for path in sorted(_DEBIAN.glob("*"), key=lambda path: int(path.name) if path.name.isdigit() else 0)
        if path.name.isdigit() and int(path.name) >= LEAST_VERSION and (path / "bin" / "initdb").exists()
    ]
    if found:
        return found[-1]
    binaries.copy(_WHEEL_MAJOR, folder / "install")
    return (folder / "install" / binaries.relative(_WHEEL_MAJOR, "postgres")).parent


def _make_cluster(programs: Path, folder: Path, password: str, user: User | None) -> None:
    secret = folder / "password"
    secret.write_text(password)
    if user:
        os.chown(secret, user.uid, user.gid)
    account = {"user": user.uid, "group": user.gid, "extra_groups": []} if user else {}
    done = subprocess.run(
        [
            *(programs / "initdb", "-D", folder / "data", "-U", ADMIN, "--pwfile", secret, "--auth=scram-sha-256"),
            *("--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"),
        ],
        env=_environment(),
        cwd="/",
        capture_output=True,
        text=True,
        **account,
    )
    assert done.returncode == 0, f"initdb: {done.stderr}"


def _wait_until_up(dsn: str, server: GuardedProcess, log: Path) -> None:
    deadline = time.monotonic() + 60
    last = "it was never asked"
    while time.monotonic() < deadline and server.poll() is None:
        try:
            psycopg.connect(dsn, connect_timeout=2).close()
        except psycopg.OperationalError as error:
            last = str(error)
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"the server did not start: {last}\n{log.read_text()}")


def _server_user() -> User | None:
    """Postgres refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return User(name, entry.pw_uid, entry.pw_gid)
    raise AssertionError("running as root needs an account `postgres` or `nobody`")


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
