"""The way of a delivery without Dagster: Postgres, the receiver and one inbound drain as processes that can be killed.

They come back as in the platform: Postgres and the receiver half a second after their end, as the supervisor starts them,
the drain when the sensor next looks, every five seconds. Dagster only decides when a drain runs; what a drain does with
its claims, and what the door promises, is the same.
"""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

from tests.acceptance.platform import remove_home
from zrg_dagster.local.children import RECEIVER, Child, Ports, base_env, product_children
from zrg_dagster.local.demo.checks import Ledger
from zrg_dagster.local.demo.set_up import apply_workspace
from zrg_dagster.local.demo.story import demo_settings
from zrg_dagster.local.process import GuardedProcess
from zrg_dagster.local.stack import Stack
from zrg_dagster.local.supervisor import POSTGRES

ROOT = Path(__file__).parents[2]
DRAIN, BACKEND = "drain", "postgres session"
VICTIMS = (RECEIVER, DRAIN, POSTGRES, BACKEND)
RESTART_AFTER_S = 0.5
SENSOR_EVERY_S = 5.0
TICK_S = 0.05
_SESSIONS = (
    """SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'zrg-%' AND backend_type = 'client backend'"""
)


class Chain:
    """The three processes of one home. A thread starts again what ended, but for what `hold` keeps down."""

    def __init__(self, home: Path, postgres_major: int) -> None:
        self.home = home
        self.ports = Ports.free()
        self.stack = Stack(demo_settings(home, self.ports), postgres_major=postgres_major)
        assert self.stack.postgres is not None
        self.postgres = self.stack.postgres
        self._commands: dict[str, Callable[[], GuardedProcess]] = {POSTGRES: self.postgres.spawn}
        self._processes: dict[str, GuardedProcess] = {}
        self._held: set[str] = set()
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._cleanup = ExitStack()
        self._keeper = threading.Thread(target=self._keep, name="keeper")

    # Life

    def start(self) -> None:
        self._cleanup.enter_context(self.stack.running())
        self.stack.upgrade()
        asyncio.run(apply_workspace(self.stack, "http://127.0.0.1:9"))  # no vendor is asked anything
        assert self.postgres.process is not None
        self._processes[POSTGRES] = self.postgres.process
        receiver = next(each for each in product_children(self.stack, self.ports) if each.name == RECEIVER)
        self._commands[RECEIVER] = lambda: self._spawn(receiver)
        command = (sys.executable, "-m", "benchmarks.drainer", "--until-stopped")
        environment = {**base_env(self.stack), "ZRG_DB_WORKER_URL": self.stack.dsn("worker")}
        drain = Child(DRAIN, command, environment)
        self._commands[DRAIN] = lambda: self._spawn(drain)
        for name in (RECEIVER, DRAIN):
            self._processes[name] = self._commands[name]()
        self.until(lambda: receiver.ready() is None, "the receiver is ready")
        self._keeper.start()

    def _spawn(self, child: Child) -> GuardedProcess:
        with (self.home / "logs" / f"{child.name}.log").open("ab") as log:
            environment = {**child.env, "PYTHONPATH": str(ROOT)}
            return GuardedProcess(child.command, env=environment, cwd=self.stack.run_folder, output=log.fileno())

    def remove(self) -> None:
        """End everything and leave nothing on the disk."""
        self._stopping.set()
        if self._keeper.is_alive():
            self._keeper.join()
        with self._lock:
            for name in (DRAIN, RECEIVER):
                if name in self._processes:
                    self._processes[name].stop(5)
        self._cleanup.close()
        remove_home(self.home)

    def _keep(self) -> None:
        due = dict.fromkeys(self._commands, 0.0)
        while not self._stopping.wait(TICK_S):
            now = time.monotonic()
            with self._lock:
                for name, start in self._commands.items():
                    if name in self._held or self._processes[name].poll() is None:
                        due[name] = 0.0
                    elif not due[name]:
                        due[name] = now + (SENSOR_EVERY_S - now % SENSOR_EVERY_S if name == DRAIN else RESTART_AFTER_S)
                    elif now >= due[name]:
                        self._processes[name] = start()
                        due[name] = 0.0

    # Trouble

    def kill(self, victim: str) -> bool:
        """SIGKILL a process with all that it started, or one session of Postgres; False when it is not alive now."""
        with self._lock:
            if victim == BACKEND:
                return self._kill_session()
            process = self._processes[victim]
            if process.poll() is not None:
                return False
            process.kill()
            return True

    def _kill_session(self) -> bool:
        """One of our own sessions dies inside the server, which then throws all of them out and recovers."""
        try:
            with psycopg.connect(self.postgres.dsn("postgres"), connect_timeout=2) as connection:
                sessions = [pid for (pid,) in connection.execute(_SESSIONS).fetchall()]
        except psycopg.Error:
            return False
        if not sessions:
            return False
        os.kill(sessions[time.monotonic_ns() % len(sessions)], signal.SIGKILL)
        return True

    def hold(self, name: str) -> None:
        """Stop it as an operator would, and keep it down."""
        with self._lock:
            self._held.add(name)
            self._processes[name].stop(20)

    def release(self, name: str) -> None:
        """Start what was held."""
        with self._lock:
            self._held.discard(name)
            self._processes[name] = self._commands[name]()

    # What is there

    @property
    def receiver_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.receiver}"

    def control(self, method: str, path: str, **_arguments: Any) -> Any:
        raise AssertionError(f"there are no vendors in this chain: {method} {path}")

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.stack.dsn("worker"))

    def until(self, what: Callable[[], Any], describe: str, seconds: float = 60.0) -> Any:
        """The first true value of `what`; a database that is down counts as "not yet"."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with suppress(psycopg.Error):
                if found := what():
                    return found
            time.sleep(TICK_S)
        raise AssertionError(f"{describe}: not within {seconds:g} s\n{self.tails()}")

    def settle(self, seconds: float = 120.0) -> None:
        """Every delivery is worked."""
        open_ = "SELECT count(*) FROM raw.webhook_event WHERE state IN ('pending', 'running')"
        self.until(lambda: self.ledger.one(open_) == 0, "all deliveries are worked", seconds)

    def tails(self) -> str:
        """The last lines of every process."""
        parts = []
        for path in sorted((self.home / "logs").glob("*.log")):
            parts += [f"--- {path.stem}", *(line[:500] for line in path.read_text(errors="replace").splitlines()[-25:])]
        return "\n".join(parts)


@contextmanager
def running_chain(postgres_major: int) -> Iterator[Chain]:
    """A started chain on a new home; nothing of it is left afterwards."""
    home = Path(tempfile.mkdtemp(prefix="zrg chain ")) / "home"
    chain = Chain(home, postgres_major)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        chain.start()
        yield chain
    except BaseException:
        print(chain.tails())
        raise
    finally:
        chain.remove()
        shutil.rmtree(home.parent, ignore_errors=True)
        signal.signal(signal.SIGTERM, before)
