"""The platform on a Postgres of the operator's own, by the documented way: bootstrap, settings file, upgrade, up."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.acceptance.plain_postgres import ADMIN, plain_postgres
from tests.acceptance.platform import processes_of, remove_home
from zrg_dagster.core.base.clock import utc_now
from zrg_dagster.core.base.settings import load_settings
from zrg_dagster.core.db import roles
from zrg_dagster.local.children import Ports
from zrg_dagster.local.demo import deliveries as world
from zrg_dagster.local.demo.checks import Ledger
from zrg_dagster.local.demo.set_up import DEMO_SECRETS, apply_workspace
from zrg_dagster.local.probes import port_is_free
from zrg_dagster.local.stack import Stack

pytestmark = [pytest.mark.xdist_group("own platform"), pytest.mark.timeout(600)]

PATIENCE_S = 240.0


class Operator:
    """Somebody with a shell in a folder that holds a `.env`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "zrg home"
        self.env_file = folder / ".env"
        self.log = folder / "up.log"
        self._up: subprocess.Popen[bytes] | None = None
        folder.mkdir()

    def write(self, settings: dict[str, Any]) -> None:
        self.env_file.write_text("".join(f"{name}='{value}'\n" for name, value in settings.items()))

    def zrg(self, *arguments: str) -> str:
        """Run one command to its end; its output. Fails with what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "zrg_dagster.cli", *arguments],
            cwd=self.folder,
            env=dict(os.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"zrg {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    def up(self) -> None:
        """`zrg up` until it says that it is up."""
        with self.log.open("wb") as log:
            self._up = subprocess.Popen(
                [sys.executable, "-m", "zrg_dagster.cli", "up"],
                cwd=self.folder,
                env=dict(os.environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.until(lambda: "up: UI on" in self.log.read_text(), "zrg up is ready")

    def until(self, what: Callable[[], Any], describe: str) -> Any:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if found := what():
                return found
            ended = self._up is not None and self._up.poll() is not None
            assert not ended, f"zrg up ended with {self._up and self._up.returncode}: {self._said()}"
            time.sleep(0.2)
        raise AssertionError(f"did not happen within {PATIENCE_S:g} s: {describe}\n{self._said()}")

    def ctrl_c(self) -> int:
        assert self._up is not None
        self._up.send_signal(signal.SIGINT)
        return self._up.wait(30)

    def close(self) -> None:
        """Nothing survives, whatever happened."""
        if self._up is not None and self._up.poll() is None:
            self._up.kill()
            self._up.wait(20)
        deadline = time.monotonic() + 20
        while processes_of(self.home) and time.monotonic() < deadline:
            time.sleep(0.2)
        remove_home(self.home)

    def _said(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-80:]) if self.log.exists() else ""


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    operator = Operator(tmp_path / "operator")
    yield operator
    operator.close()


def _users(admin_dsn: str) -> set[str]:
    """Who is connected to the product's databases."""
    with psycopg.connect(admin_dsn) as connection:
        rows = connection.execute(
            "SELECT DISTINCT usename FROM pg_stat_activity WHERE datname IN (%s, %s)",
            (roles.DATABASE, roles.DAGSTER_DATABASE),
        ).fetchall()
    return {name for (name,) in rows}


def test_the_platform_runs_on_an_external_postgres_with_restricted_roles(operator: Operator) -> None:
    ports = Ports.free()
    with plain_postgres() as admin_dsn:
        nowhere = f"http://127.0.0.1:{ports.sandbox}"  # no vendor is asked for anything here
        common = {
            "ZRG_HOME": operator.home,
            "ZRG_LOG_FORMAT": "json",
            "ZRG_RECEIVER_PORT": ports.receiver,
            "ZRG_WEBSERVER_PORT": ports.webserver,
            "ZRG_CODE_SERVER_PORT": ports.code_server,
            "GHL_BASE_URL": nowhere,
            "CALENDLY_BASE_URL": nowhere,
            "SLACK_API_BASE_URL": nowhere,
        }
        operator.write({**common, "ZRG_DB_ADMIN_URL": admin_dsn})
        said = operator.zrg("db", "bootstrap")
        path = re.search(r"are in (.+): copy them", said)
        assert path, said
        made = Path(path[1])
        assert made.stat().st_mode & 0o077 == 0
        assert ADMIN not in made.read_text()
        operator.write(common)
        with operator.env_file.open("a") as env_file:
            env_file.write(made.read_text())
        assert "upgraded from empty to" in operator.zrg("db", "upgrade")
        operator.zrg("db", "status")

        operator.up()
        stack = Stack(load_settings(_env_file=operator.env_file))
        assert not stack.embedded
        asyncio.run(apply_workspace(stack, nowhere))
        delivery = world.email_delivery(world.sent_mail(1, utc_now()), DEMO_SECRETS["DEMO_EMAILBISON_HOOK"])
        answer = httpx.post(
            f"http://127.0.0.1:{ports.receiver}{delivery.path}",
            content=delivery.body,
            headers={"content-type": delivery.content_type},
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        ledger = Ledger(stack.dsn("worker"))
        state = "SELECT state FROM raw.webhook_event WHERE state NOT IN ('pending', 'running')"
        assert operator.until(lambda: ledger.one(state), "the delivery is processed") == "processed"
        assert ledger.one("SELECT count(*) FROM app.message") == 1

        known = {login.role for login in roles.LOGINS}
        users = _users(admin_dsn)
        assert users <= known, "somebody is connected with more than a restricted role"
        assert {"zrg_receiver", "zrg_worker", "dagster_instance"} <= users
        assert not (operator.home / "pg").exists(), "an embedded Postgres was started"

        assert operator.ctrl_c() == 0
        assert processes_of(operator.home) == []
        taken = (ports.receiver, ports.webserver, ports.code_server)
        assert [port for port in taken if not port_is_free("127.0.0.1", port)] == []
        assert _users(admin_dsn) == set()
