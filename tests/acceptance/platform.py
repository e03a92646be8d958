"""The whole platform as real processes on a home of its own, with the sandbox in the place of the vendors."""

import asyncio
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg

from zrg_dagster.launcher.worker import WORKER_TAG, Worker, worker_from_tags
from zrg_dagster.local.children import Ports, base_env
from zrg_dagster.local.demo.checks import Ledger
from zrg_dagster.local.demo.set_up import apply_workspace
from zrg_dagster.local.demo.story import demo_settings
from zrg_dagster.local.postgres import EmbeddedPostgres
from zrg_dagster.local.probes import port_is_free
from zrg_dagster.local.process import GuardedProcess
from zrg_dagster.local.stack import Stack, StackError
from zrg_dagster.local.supervisor import Supervisor

LOG_LINES = 400  # kept per process
TAIL_LINES = 25  # shown per process when a test fails
_PORT_ARGUMENT = re.compile(r"(?:--port|-p)\0(\d+)")
_JOB_OF_LANE = {"inbound": "process_inbound", "replies": "process_replies", "sends": "process_sends"}
_OPEN_WORK = """
    SELECT 'events', count(*) FROM raw.webhook_event WHERE state IN ('pending', 'running')
    UNION ALL SELECT 'jobs', count(*) FROM app.job WHERE state IN ('pending', 'running', 'parked')
        AND kind <> 'escalate_review'
    UNION ALL SELECT 'sends', count(*) FROM app.send WHERE state IN ('planned', 'sending', 'unknown')"""
# The sandbox shows what it accepted within a second, so nobody need wait the minutes that real vendors may take.
_VENDORS_SETTLED = """
    UPDATE app.send SET settle_until = now(), due_at = least(due_at, now())
    WHERE state = 'unknown' AND settle_until > now() AND claimed_at < now() - interval '8 seconds'"""


class Platform:
    """One home and its running supervisor. `start` and `stop` may be repeated: the home and the ports stay."""

    def __init__(self, home: Path, postgres_major: int) -> None:
        self.home = home
        self.ports = Ports.free()
        self.stack = Stack(demo_settings(home, self.ports), postgres_major=postgres_major)
        self.logs: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=LOG_LINES))
        self._supervisor: Supervisor | None = None
        self._vendors: GuardedProcess | None = None

    # Life

    def start(self) -> None:
        """Every process is ready when this returns, and the demo's workspace exists."""
        if self._vendors is None:
            self._start_vendors()
        self._supervisor = Supervisor(self.stack, self.ports, sink=self._note)
        self._supervisor.start()
        self._supervisor.wait_ready()
        asyncio.run(apply_workspace(self.stack, self.sandbox_url))

    def stop(self) -> None:
        if self._supervisor is not None:
            self._supervisor.stop()
            self._supervisor = None

    def _start_vendors(self) -> None:
        """The sandbox lives longer than the platform: vendors do not forget when we restart."""
        command = (sys.executable, "-m", "provider_sandbox", "--port", str(self.ports.sandbox))
        self.stack.prepare()
        with (self.home / "logs" / "sandbox.log").open("ab") as log:
            self._vendors = GuardedProcess(command, env=base_env(self.stack), cwd=self.stack.run_folder, output=log)
        self.until(lambda: self.control("GET", "health"), "the sandbox answers")

    def restart(self) -> None:
        """A clean stop and a start on the same home and ports."""
        self.stop()
        self.start()

    def remove(self) -> None:
        """Stop everything and leave nothing on the disk, the cluster outside the home included."""
        self.stop()
        if self._vendors is not None:
            self._vendors.stop(3)
            self._vendors = None
        remove_home(self.home)

    @property
    def is_running(self) -> bool:
        return self._supervisor is not None

    @property
    def supervisor(self) -> Supervisor:
        assert self._supervisor is not None, "the platform was not started"
        return self._supervisor

    def _note(self, process: str, line: str) -> None:
        self.logs[process].append(f"{time.strftime('%H:%M:%S')} {line}")

    def tails(self) -> str:
        """The last lines of every process, for a failure's report."""
        parts = {name: list(lines) for name, lines in sorted(self.logs.items())}
        for path in sorted((self.home / "logs").glob("*.log")):
            parts[path.stem] = path.read_text(errors="replace").splitlines()
        parts["runs"] = self._runs()
        return "\n".join(
            f"--- {name}\n" + "\n".join(line[:500] for line in lines[-TAIL_LINES:]) for name, lines in parts.items()
        )

    def all_lines(self) -> list[str]:
        """Everything that the processes of this home wrote to their logs."""
        files = sorted((self.home / "logs").glob("*.log"))
        lines = [line for path in files for line in path.read_text(errors="replace").splitlines()]
        return [*lines, *(line for kept in self.logs.values() for line in kept)]

    def _runs(self) -> list[str]:
        """What Dagster thinks of the last runs."""
        try:
            with psycopg.connect(self.stack.dsn("dagster"), connect_timeout=5) as connection:
                rows = connection.execute(
                    "SELECT r.create_timestamp::time(0), r.pipeline_name, r.status, left(r.run_id, 8), t.value"
                    " FROM runs r LEFT JOIN run_tags t ON t.run_id = r.run_id AND t.key = %s ORDER BY r.id DESC LIMIT 20",
                    (WORKER_TAG,),
                ).fetchall()
        except (psycopg.Error, StackError) as error:
            return [f"not readable: {error}"]
        return [" ".join(str(value) for value in row) for row in reversed(rows)]

    # Addresses

    @property
    def receiver_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.receiver}"

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.sandbox}"

    # What is there

    @property
    def ledger(self) -> Ledger:
        """Questions to the database as the worker, which is what the drains may see."""
        return Ledger(self.stack.dsn("worker"))

    def until(self, what: Callable[[], Any], describe: str, seconds: float = 60.0) -> Any:
        """The first true value of `what`. A database or process that is down counts as "not yet"; `seconds` bounds a
        hang and measures nothing."""
        deadline = time.monotonic() + seconds
        last: Exception | None = None
        while time.monotonic() < deadline:
            try:
                if found := what():
                    return found
            except (psycopg.OperationalError, httpx.TransportError) as error:
                last = error
            time.sleep(0.1)
        raise AssertionError(f"did not happen within {seconds:g} s: {describe}" + (f" ({last})" if last else ""))

    def settle(self, seconds: float = 120.0) -> None:
        """Wait until no delivery, job or send is open. Looks at drafts that nobody has decided are planned hours ahead."""
        open_work: dict[str, int] = {}

        def is_quiet() -> bool:
            with psycopg.connect(self.stack.dsn("worker")) as connection:
                connection.execute(_VENDORS_SETTLED)
                open_work.update(connection.execute(_OPEN_WORK).fetchall())
            return not any(open_work.values())

        try:
            self.until(is_quiet, "all work is done", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; still open: {open_work}") from None

    def is_ready(self, name: str) -> bool:
        return self.supervisor.ready(name) is None

    def drain(self, lane: str) -> Worker | None:
        """The process that executes the lane's run now, found as operators and the launcher do: in the run's tags."""
        with psycopg.connect(self.stack.dsn("dagster")) as connection:
            rows = connection.execute(
                "SELECT t.value FROM run_tags t JOIN runs r ON r.run_id = t.run_id"
                " WHERE t.key = %s AND r.pipeline_name = %s AND r.status = 'STARTED' ORDER BY r.id DESC",
                (WORKER_TAG, _JOB_OF_LANE[lane]),
            ).fetchall()
        workers = (worker_from_tags({WORKER_TAG: value}) for (value,) in rows)
        return next((worker for worker in workers if worker and worker.is_alive()), None)

    @contextmanager
    def nobody_writes(self, table: str) -> Iterator[None]:
        """Transactions that write `table` wait inside this block: a drain can be met in the middle of its work."""
        with psycopg.connect(self.stack.dsn("worker")) as connection:
            connection.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE".encode())
            yield

    # The vendors

    def control(self, method: str, path: str, **arguments: Any) -> Any:
        """The sandbox's control plane."""
        answer = httpx.request(method, f"{self.sandbox_url}/_control/{path}", timeout=30, **arguments)
        answer.raise_for_status()
        return answer.json()

    def calls(self, provider: str) -> list[dict[str, Any]]:
        """Every POST that this vendor carried out. The sandbox must remember them all, or nothing follows from their number."""
        parameters = {"provider": provider, "method": "POST", "limit": 20_000}
        seen = self.control("GET", "requests", params=parameters)
        assert provider not in seen["forgotten"], seen["forgotten"]
        return [call for call in seen["requests"] if (call["status"] or 0) < 300]

    @contextmanager
    def slow_vendor(self, provider: str, path: str, seconds: float) -> Iterator[Callable[[], int]]:
        """The vendor does what it is asked at once and answers `seconds` later; yields how many calls it has taken."""
        rule = {"provider": provider, "mode": "slow", "seconds": seconds, "match": {"path_regex": path}}
        made = self.control("POST", "faults", json=rule)["faults"][0]["id"]

        def taken() -> int:
            return next(each["hits"] for each in self.control("GET", "faults")["faults"] if each["id"] == made)

        try:
            yield taken
        finally:
            self.control("DELETE", "faults", params={"id": made})

    # What was left behind

    def leftovers(self) -> list[str]:
        """Processes of this home that still live, without the vendors, and ports of it that are still taken."""
        ports = (self.ports.receiver, self.ports.webserver, self.ports.code_server)
        taken = [f"port {port} is taken" for port in ports if not port_is_free("127.0.0.1", port)]
        return [each for each in processes_of(self.home) if "provider_sandbox" not in each] + taken


@contextmanager
def running_platform(postgres_major: int) -> Iterator[Platform]:
    """A started platform on a new home (with a space in its path); nothing of it is left afterwards."""
    home = Path(tempfile.mkdtemp(prefix="zrg acceptance ")) / "home"
    platform = Platform(home, postgres_major)
    # A test run that is told to end cleans up like one that is interrupted.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        platform.start()
        yield platform
    except BaseException:
        print(platform.tails())
        raise
    finally:
        platform.remove()
        shutil.rmtree(home.parent, ignore_errors=True)
        signal.signal(signal.SIGTERM, before)


def remove_home(home: Path) -> None:
    """Delete a home and its cluster, which lies elsewhere when Postgres could not run as our own user."""
    for major in (16, 18):
        EmbeddedPostgres(home, major).remove()
    shutil.rmtree(home, ignore_errors=True)


def processes_of(home: Path) -> list[str]:
    """`pid command` of each living process that has `home` (or its cluster's folder) in its environment or command."""
    marks = (os.fsencode(home), os.fsencode(EmbeddedPostgres(home).base))
    found: list[str] = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            command = (folder / "cmdline").read_bytes()
            known = command + b"\0" + (folder / "environ").read_bytes()
        except OSError:
            continue  # it ended while we looked, or belongs to somebody else
        if command and any(mark in known for mark in marks):
            found.append(f"{folder.name} {command.replace(bytes(1), b' ').decode(errors='replace').strip()}")
    return found


def ports_of(home: Path) -> set[int]:
    """The ports that processes of `home` were told to listen on."""
    found: set[int] = set()
    for process in processes_of(home):
        try:
            command = Path(f"/proc/{process.split()[0]}/cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        found |= {int(port) for port in _PORT_ARGUMENT.findall(command)}
    return found
