"""The fork servers of one Dagster instance in this process: at most one that launches, and old ones finishing runs.

Kept per instance and not per launcher: Dagster creates the launcher on first use without a lock, so two threads of the
daemon can get two, and only one of them would be told to stop its runs at the end.
"""

import logging
import threading
import weakref
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from dagster import DagsterInstance
from dagster._utils import get_run_crash_explanation

from zrg_dagster.launcher.link import ForkServer, ForkServerError, fingerprint
from zrg_dagster.launcher.worker import close_run

_REMEMBERED_EXITS = 500

_log = logging.getLogger("dagster.launcher")
_pools: "weakref.WeakKeyDictionary[DagsterInstance, ServerPool]" = weakref.WeakKeyDictionary()
_pools_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class PoolConfig:
    """What `dagster.yaml` says about the fork server."""

    preload_modules: Sequence[str]
    watch_packages: Sequence[str]
    max_runs_per_server: int
    start_timeout_seconds: int


class ServerPool:
    """Starts, replaces and stops fork servers, and closes the runs of workers that died. Thread-safe."""

    def __init__(self, instance: DagsterInstance) -> None:
        self._instance = weakref.ref(instance)
        self._lock = threading.Lock()
        self._server: ForkServer | None = None
        self._code: object = None
        self._retired: list[ForkServer] = []
        self._exits: OrderedDict[str, int] = OrderedDict()
        self._exits_lock = threading.Lock()
        self._stopped = False

    @property
    def server(self) -> ForkServer | None:
        """The server that launches now."""
        return self._server

    def launch(self, config: PoolConfig, run_id: str, instance_ref: str) -> int:
        """Fork a worker from a server that has today's code; its pid. `ForkServerError` if that is not possible."""
        # One lock over both steps: a server is never replaced between being chosen and being asked. It forks one at a
        # time anyway.
        with self._lock:
            return self._current(config).launch(run_id, instance_ref)

    def _current(self, config: PoolConfig) -> ForkServer:
        """The server for the next run, started (about 4 s) or replaced when needed."""
        if self._stopped:
            raise ForkServerError("is stopped: this process is shutting down")
        code = fingerprint(config.watch_packages)
        server = self._server
        if server and server.is_usable:
            worn = server.launched >= config.max_runs_per_server or server.has_grown
            if code == self._code and not worn:
                return server
            # Its runs go on with the code they started with.
            server.retire()
            self._retired = [old for old in self._retired if old.is_usable] + [server]
        self._server = None
        # The fingerprint was taken before the import starts: a change during it is seen at the next launch.
        self._server = ForkServer(
            config.preload_modules, start_timeout_s=config.start_timeout_seconds, on_exit=self._on_bad_exit
        )
        self._code = code
        return self._server

    def exit_code(self, run_id: str) -> int | None:
        """How the run's worker ended, if it was one of ours and ended badly; negative: by that signal."""
        with self._exits_lock:
            return self._exits.get(run_id)

    def stop(self) -> None:
        """Stop all runs, which end CANCELED, and all servers: up to 10 s."""
        with self._lock:
            self._stopped = True
            servers = [server for server in (self._server, *self._retired) if server and server.is_usable]
            self._server, self._retired = None, []
        for server in servers:
            for run_id in server.running:
                self._announce_stop(run_id)
        stops = [threading.Thread(target=server.stop) for server in servers]
        for stop in stops:
            stop.start()
        for stop in stops:
            stop.join()

    def _announce_stop(self, run_id: str) -> None:
        """Mark the run CANCELING, so that its end reads as a stop and is not retried as a crash."""
        instance = self._instance()
        try:
            run = instance.get_run_by_id(run_id) if instance else None
            if instance and run and not run.is_finished:
                instance.report_run_canceling(run, message="Stopping: the daemon is shutting down.")
        except Exception:  # noqa: BLE001
            # Without the database the run still stops; it then reads as failed.
            _log.exception("could not mark run %s as stopping", run_id)

    def _on_bad_exit(self, run_id: str, code: int) -> None:
        """A worker ended without finishing its run: end the run now instead of at the next monitoring tick."""
        with self._exits_lock:
            self._exits[run_id] = code
            while len(self._exits) > _REMEMBERED_EXITS:
                self._exits.popitem(last=False)
        instance = self._instance()
        try:
            run = instance.get_run_by_id(run_id) if instance else None
            if instance and run and not run.is_finished:
                message = explain_exit(run_id, code)
                instance.report_engine_event(message, run, cls=self.__class__)
                close_run(instance, run, message)
        except Exception:  # noqa: BLE001
            # The database may be away for the same reason that killed the worker; run monitoring repeats this check.
            _log.exception("could not record the end of run %s", run_id)


def pool_of(instance: DagsterInstance) -> ServerPool:
    """The one pool of this instance object in this process."""
    with _pools_lock:
        pool = _pools.get(instance)
        if pool is None:
            pool = _pools[instance] = ServerPool(instance)
        return pool


def explain_exit(run_id: str, code: int) -> str:
    """One sentence for people: the signal's name, and what SIGKILL usually means."""
    return get_run_crash_explanation(prefix=f"The process of run {run_id}", exit_code=code)
