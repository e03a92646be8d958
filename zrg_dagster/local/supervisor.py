"""Starts the platform's processes in order, keeps them alive, and stops them in order.

One thread looks after all processes; one more per child copies its output. Processes are started through their guards
(guard.py), so whatever ends this process ends them too.
"""

import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Self

from zrg_dagster.core.db import migrate
from zrg_dagster.local.children import Child, Ports, product_children
from zrg_dagster.local.output import Sink, print_line
from zrg_dagster.local.postgres import EmbeddedPostgres
from zrg_dagster.local.probes import Broken, port_is_free
from zrg_dagster.local.process import GuardedProcess
from zrg_dagster.local.stack import Stack

POSTGRES = "postgres"
_TICK_S = 0.1
_BACKOFF_FIRST_S = 0.5
_BACKOFF_MOST_S = 30.0
_STABLE_S = 60.0  # alive this long, a child has earned a fresh backoff
_START_TRIES = 3  # a child that ends this often before it was ever ready has a fault that waiting does not cure
_READY_TIMEOUT_S = 120.0
_STOP_LIMIT_S = 13.0  # all children
_POSTGRES_STOP_S = 2.0  # at least, for its checkpoint; it has what the children left of the whole
_STOP_TOTAL_S = 14.5

ChildFactory = Callable[[Stack, Ports], Iterable[Child]]


class SupervisorError(RuntimeError):
    """The platform could not be started. The message is one line with the fix."""


class _Watched:
    """A child, its process and its restart clock. Only the owner's lock holder touches it."""

    def __init__(self, name: str, start: Callable[[], GuardedProcess]) -> None:
        self.name = name
        self.process: GuardedProcess | None = None
        self.was_ready = False
        self.failures = 0
        self.restarts = 0
        self.last_lines: list[str] = []
        self._start = start
        self._started_at = 0.0
        self._due_at = 0.0

    def start(self) -> None:
        self.process = self._start()
        self._started_at = time.monotonic()

    def ended(self) -> int | None:
        """The exit code, once, when the process has ended; schedules the next start."""
        if self.process is None or (code := self.process.poll()) is None:
            return None
        self.process = None
        if time.monotonic() - self._started_at >= _STABLE_S:
            self.failures = 0
        delay = min(_BACKOFF_FIRST_S * 2**self.failures, _BACKOFF_MOST_S)
        self.failures += 1
        self._due_at = time.monotonic() + delay
        return code

    @property
    def is_due(self) -> bool:
        return self.process is None and time.monotonic() >= self._due_at

    @property
    def wait_s(self) -> float:
        return max(0.0, self._due_at - time.monotonic())


class Supervisor:
    """The running platform of one stack. `start`, `wait_ready`, `stop`; or a `with` block, which does all three.

    `children` replaces the product's processes (tests); `extra_env` adds variables to one child by its name;
    `sink` receives (child, line) of all output. After `stop` everything is gone, within 15 s.
    """

    def __init__(
        self,
        stack: Stack,
        ports: Ports,
        *,
        children: ChildFactory | None = None,
        extra_env: Mapping[str, Mapping[str, str]] | None = None,
        sandbox: bool = False,
        sink: Sink = print_line,
    ) -> None:
        self.stack = stack
        self.ports = ports
        self._factory = children or (lambda stack, ports: product_children(stack, ports, sandbox=sandbox))
        self._extra_env = extra_env or {}
        self._sink = sink
        self._children: list[Child] = []
        self._watched: dict[str, _Watched] = {}
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._ready = threading.Event()
        self._error: str | None = None
        self._held = ExitStack()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self.start()
        try:
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # Starting

    def start(self) -> None:
        """Database, roles and migrations, then the processes one after the other in the background.

        Raises `SupervisorError`, `StackError`, `PostgresError`, `RolesError`, `MigrationError` or `SchemaMismatch`
        before any process of the platform runs.
        """
        try:
            self.stack.prepare()
            self._held.enter_context(self.stack.lock())
            if self.stack.postgres is not None:
                self._start_postgres(self.stack.postgres)
            self.stack.bootstrap()
            self._tell_notes()
            self._migrate()
            self._children = [self._with_extra_env(child) for child in self._factory(self.stack, self.ports)]
            self._check_ports()
        except BaseException:
            self.stop()
            raise
        self._run(self._bring_up, "bring-up")
        self._run(self._look_after, "look-after")

    def wait_ready(self, timeout_s: float = 300.0) -> None:
        """Block until every process answered its readiness question, or raise `SupervisorError`."""
        if not self._ready.wait(timeout_s):
            raise SupervisorError(f"the platform was not ready after {timeout_s:.0f} s")
        if self._error:
            raise SupervisorError(self._error)

    def _start_postgres(self, postgres: EmbeddedPostgres) -> None:
        watched = self._watched[POSTGRES] = _Watched(POSTGRES, postgres.spawn)
        try:
            postgres.start()
            watched.was_ready = True
        finally:
            watched.process = postgres.process  # an interrupted start is stopped too

    def _migrate(self) -> None:
        """The embedded database follows the code; your own one changes only by `zrg db upgrade`."""
        if not self.stack.embedded:
            migrate.check_schema(self.stack.dsn("migrator"))
            return
        before, after = self.stack.upgrade()
        if before != after:
            self._say(f"database upgraded from {before or 'empty'} to {after}")

    def _with_extra_env(self, child: Child) -> Child:
        extra = self._extra_env.get(child.name)
        return replace(child, env={**child.env, **extra}) if extra else child

    def _check_ports(self) -> None:
        for child in self._children:
            if child.address and not port_is_free(*child.address):
                host, port = child.address
                fix = f"set {child.port_setting} to another port" if child.port_setting else "stop what listens there"
                raise SupervisorError(f"port {port} on {host}, wanted by {child.name}, is in use: {fix}")

    def _bring_up(self) -> None:
        for child in self._children:
            with self._lock:
                if self._stopping.is_set():
                    return
                watched = _Watched(child.name, lambda child=child: self._launch(child))
                self._watched[child.name] = watched
                watched.start()
            problem = self._await_ready(child, watched)
            if problem is not None:
                self._error = problem
                break
        self._ready.set()

    def _await_ready(self, child: Child, watched: _Watched) -> str | None:
        """None when ready (or when we are stopping), else one line."""
        deadline = time.monotonic() + _READY_TIMEOUT_S
        while not self._stopping.wait(_TICK_S):
            try:
                lacking = child.ready() if watched.process is not None else "it is not running"
            except Broken as error:
                return f"{child.name}: {error}"
            if lacking is None:
                watched.was_ready = True
                self._say(f"{child.name} is ready")
                return None
            if watched.failures >= _START_TRIES:
                return f"{child.name} does not start: {_telling(watched.last_lines)}"
            if time.monotonic() > deadline:
                return f"{child.name} was not ready after {_READY_TIMEOUT_S:.0f} s: {lacking}"
        return None

    def _launch(self, child: Child) -> GuardedProcess:
        process = GuardedProcess(
            child.command,
            env=child.env,
            cwd=self.stack.run_folder,
            output=subprocess.PIPE,
            stop_signal=child.stop_signal,
        )
        lines: list[str] = []
        if child.name in self._watched:
            self._watched[child.name].last_lines = lines
        self._run(lambda: self._copy_output(child.name, process, lines), f"output-{child.name}")
        return process

    # Looking after

    def _look_after(self) -> None:
        while not self._stopping.wait(_TICK_S):
            with self._lock:
                if self._stopping.is_set():
                    return
                for watched in list(self._watched.values()):
                    self._look_at(watched)

    def _look_at(self, watched: _Watched) -> None:
        code = watched.ended()
        if code is not None:
            self._say(f"{watched.name} ended with code {code}, starts again in {watched.wait_s:.1f} s")
        elif watched.is_due and (watched.was_ready or watched.failures < _START_TRIES):
            watched.restarts += 1
            watched.start()

    # Stopping

    def stop(self) -> None:
        """Stop everything, in order, within 15 s; what does not stop in time is killed. Safe to call twice."""
        self._stopping.set()
        with self._lock:
            started = time.monotonic()
            for group in sorted({child.stop_group for child in self._children}):
                self._stop_group(
                    [child for child in self._children if child.stop_group == group], started + _STOP_LIMIT_S
                )
            postgres = self._watched.pop(POSTGRES, None)
            if postgres is not None and postgres.process is not None:
                # Killed in its checkpoint it would lose nothing, but the next start would begin with a recovery.
                postgres.process.stop(max(_POSTGRES_STOP_S, started + _STOP_TOTAL_S - time.monotonic()))
            self._watched.clear()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(2)
        self._held.close()
        self._ready.set()

    def _stop_group(self, children: list[Child], deadline: float) -> None:
        """Signal all of a group, then wait for each: their times do not add up."""
        running = [
            (child, watched.process)
            for child in children
            if (watched := self._watched.get(child.name)) is not None and watched.process is not None
        ]
        for child, process in running:
            process.signal(child.stop_signal)
        started = time.monotonic()
        for child, process in running:
            until = min(started + child.stop_timeout_s, deadline)
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._say(f"{child.name} did not stop in time and is killed")
                process.kill()

    # For tests and demonstrations

    def pid(self, name: str) -> int | None:
        """The process id of a child (`postgres` included) while it runs."""
        with self._lock:
            watched = self._watched.get(name)
            return watched.process.pid if watched and watched.process and watched.process.poll() is None else None

    def restarts(self, name: str) -> int:
        """How often a child was started again after it had ended."""
        with self._lock:
            return self._watched[name].restarts if name in self._watched else 0

    def kill(self, name: str) -> int:
        """SIGKILL a child, as a crash would; it is started again. Returns the killed process id."""
        with self._lock:
            watched = self._watched.get(name)
            if watched is None or watched.process is None:
                raise SupervisorError(f"{name} is not running")
            pid = watched.process.pid
            watched.process.kill()
            return pid

    def ready(self, name: str) -> str | None:
        """Ask a child's readiness question now: None when ready, else what is missing."""
        if name == POSTGRES:
            postgres = self.stack.postgres
            return None if postgres is not None and postgres.is_running else "Postgres does not accept connections"
        child = next(each for each in self._children if each.name == name)
        return child.ready() if self.pid(name) else "it is not running"

    # Output

    def _copy_output(self, name: str, process: GuardedProcess, lines: list[str]) -> None:
        stream = process.stdout
        if stream is None:
            return
        with stream:
            for raw in stream:
                line = raw.decode(errors="replace").rstrip()
                lines.append(line)
                del lines[:-20]
                self._sink(name, line)

    def _tell_notes(self) -> None:
        for notes in (self.stack.notes, self.stack.postgres.notes if self.stack.postgres else []):
            while notes:
                self._say(notes.pop(0))

    def _say(self, line: str) -> None:
        self._sink("zrg", line)

    def _run(self, target: Callable[[], None], name: str) -> None:
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=target, name=f"zrg-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()


def _telling(lines: list[str]) -> str:
    """The line that says most: the last one that is not a server's own remark about its shutdown (`[INFO] …`)."""
    with_content = [line.strip() for line in lines if line.strip()]
    own = [line for line in with_content if not line.startswith("[")]
    return (own or with_content or ["it printed nothing"])[-1]
