"""`WarmRunLauncher`: what `dagster.yaml` names and the daemon, the webserver and the code server instantiate.

Only the process that launches (the daemon) has a fork server. Terminate and health checks work from every process on
the machine, because a run's tags say which process executes it.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import yaml
from dagster import DagsterInstance, Field, IntSource, Noneable
from dagster import _check as check
from dagster._config import UserConfigSchema
from dagster._core.errors import DagsterLaunchFailedError
from dagster._core.launcher import CheckRunHealthResult, LaunchRunContext, RunLauncher, WorkerStatus
from dagster._core.storage.dagster_run import DagsterRun
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._serdes import ConfigurableClass, ConfigurableClassData, serialize_value

from zrg_dagster.launcher.link import ForkServerError
from zrg_dagster.launcher.pool import PoolConfig, explain_exit, pool_of
from zrg_dagster.launcher.worker import Worker, close_run, worker_from_events, worker_from_tags

# What a run would otherwise import after the fork. Explicit, because a module that starts threads (numpy, pandas) must
# never get in; a missing one fails the launch with its name.
DEFAULT_PRELOAD = (
    "dagster",
    "dagster._core.definitions.repository_definition.repository_data_builder",
    "dagster._core.execution.plan.active",
    "dagster._core.executor.in_process",
    "dagster._core.instance.factory",
    "dagster._core.secrets.env_file",
    "dagster._core.storage.noop_compute_log_manager",
    "dagster._core.storage.root",
    "dagster._core.storage.sqlite_storage",
    "dagster._core.system_config.composite_descent",
    "dagster._core.utility_ops",
    "dagster._core.workspace.autodiscovery",
    "dagster._grpc.impl",
    "dagster._utils.hosted_user_process",
    "dagster._utils.test.definitions",
    "dagster_postgres",
    "fsspec.implementations.local",  # what Dagster's default IO manager opens its folder with
    "upath.implementations.local",
    "sqlalchemy.dialects.postgresql.psycopg2",
    "psycopg2.extras",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.ext.asyncio",
    "psycopg",
    "psycopg_pool",
    "httpx",
    # What httpx and the OpenAI SDK would load at their first request.
    "anyio._backends._asyncio",
    "httpcore",
    "httpcore2",
    "openai._vendor.httpx_aiohttp.transport",
    "structlog",
    "zrg_dagster.definitions",
    # What the drains load when they begin; the code location itself stays without it.
    "zrg_dagster.core.ai.client",
    "zrg_dagster.core.intake.drain",
    "zrg_dagster.core.replies.drain",
    "zrg_dagster.core.sending.drain",
)
DEFAULT_WATCH = ("zrg_dagster",)

# A cancelled worker that is still there after this is wedged: `run_async` gives its work 10 s, sync ops end at once.
KILL_AFTER_CANCEL_S = 30.0
# A worker names itself about 0.1 s after the fork; a terminate in between waits for it this long.
_WORKER_WAIT_S = 3.0


class WarmRunLauncher(RunLauncher[DagsterInstance], ConfigurableClass):
    """Forks every run from a process that has already imported Dagster and our modules. Linux only."""

    def __init__(
        self,
        *,
        preload_modules: Sequence[str] = DEFAULT_PRELOAD,
        watch_packages: Sequence[str] = DEFAULT_WATCH,
        max_runs_per_server: int = 5000,
        start_timeout_seconds: int = 60,
        inst_data: ConfigurableClassData | None = None,
    ) -> None:
        super().__init__()
        self._inst_data = inst_data
        self._config = PoolConfig(
            preload_modules=tuple(preload_modules),
            watch_packages=tuple(watch_packages),
            max_runs_per_server=max_runs_per_server,
            start_timeout_seconds=start_timeout_seconds,
        )

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        return self._inst_data

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        return {
            "preload_modules": Field(
                Noneable([str]),
                is_required=False,
                description="Modules imported before the first fork. None means the built-in list.",
            ),
            "watch_packages": Field(
                Noneable([str]),
                is_required=False,
                description="Packages whose change on disk replaces the fork server before the next run.",
            ),
            "max_runs_per_server": Field(
                IntSource, is_required=False, default_value=5000, description="Runs after which it is replaced anyway."
            ),
            "start_timeout_seconds": Field(
                IntSource, is_required=False, default_value=60, description="Time it may take to import everything."
            ),
        }

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> Self:
        # `or`: an empty list would start cold children, so it means the default like an absent one.
        return cls(
            preload_modules=config_value.get("preload_modules") or DEFAULT_PRELOAD,
            watch_packages=config_value.get("watch_packages") or DEFAULT_WATCH,
            max_runs_per_server=config_value["max_runs_per_server"],
            start_timeout_seconds=config_value["start_timeout_seconds"],
            inst_data=inst_data,
        )

    # Launch

    def launch_run(self, context: LaunchRunContext) -> None:
        """Fork a worker for the run. Milliseconds when warm; about 4 s when the fork server must start first.

        `DagsterLaunchFailedError` when it cannot; the daemon then fails the run with the message.
        """
        run = context.dagster_run
        origin = check.not_none(run.job_code_origin, "a run without a code origin cannot be launched")
        _require_same_python(origin.repository_origin.executable_path)
        try:
            pool_of(self._instance).launch(self._config, run.run_id, _worker_ref(self._instance))
        except ForkServerError as error:
            raise DagsterLaunchFailedError(f"warm run launcher: fork server {error}") from error

    # Terminate

    def terminate(self, run_id: str) -> bool:
        """Ask the run's process to stop; True when it was asked or is gone already. Works from any process here.

        False with an engine event when the worker is not ours to signal: another machine, or the stock launcher's.
        """
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        worker = self._worker_of(run)
        if worker and not worker.is_local():
            # Before CANCELING is written: run monitoring would report a run canceled that works on elsewhere.
            return self._refuse(run, f"its worker runs on {worker.machine}, this process on another machine")
        if worker is None and GRPC_INFO_TAG in run.tags:
            return self._refuse(run, "it was started by the code server, not by this launcher")
        self._instance.report_run_canceling(run)
        worker = worker or self._await_worker(run_id)
        if worker is None:
            # It has not reached its first line. It cancels itself there when it sees the run's state.
            return True
        if not _ask_to_stop(worker):
            latest = self._instance.get_run_by_id(run_id)
            if latest and not latest.is_finished:
                close_run(self._instance, latest, f"The run's process {worker.pid} had already ended.")
        return True

    def _worker_of(self, run: DagsterRun) -> Worker | None:
        return worker_from_tags(run.tags) or worker_from_events(self._instance, run.run_id)

    def _await_worker(self, run_id: str) -> Worker | None:
        deadline = time.monotonic() + _WORKER_WAIT_S
        while time.monotonic() < deadline:
            run = self._instance.get_run_by_id(run_id)
            if run is None or run.is_finished:
                return None
            if worker := self._worker_of(run):
                return worker
            time.sleep(0.1)
        return None

    def _refuse(self, run: DagsterRun, reason: str) -> bool:
        self._instance.report_engine_event(f"Cannot terminate this run: {reason}.", run, cls=self.__class__)
        return False

    # Health

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether the run's process lives. Anything but RUNNING or SUCCESS makes run monitoring fail the run."""
        worker = self._worker_of(run)
        if worker is None:
            if GRPC_INFO_TAG in run.tags:
                return CheckRunHealthResult(WorkerStatus.RUNNING, "started by the code server, which watches it")
            return CheckRunHealthResult(WorkerStatus.UNKNOWN, "no worker is recorded for this run")
        name = f"{worker.machine}:{worker.pid}"
        if worker.is_alive():
            return CheckRunHealthResult(WorkerStatus.RUNNING, run_worker_id=name)
        latest = self._instance.get_run_by_id(run.run_id)
        if latest is None or latest.is_finished:
            return CheckRunHealthResult(WorkerStatus.SUCCESS, run_worker_id=name)
        if not worker.is_local():
            # There is one daemon, and its workers end with it: a worker elsewhere belonged to a daemon that is gone.
            why = f"the worker ran on {worker.machine}, where this daemon is not"
            return CheckRunHealthResult(WorkerStatus.FAILED, why, run_worker_id=name)
        code = pool_of(self._instance).exit_code(run.run_id)
        why = f"process {worker.pid} is gone" if code is None else explain_exit(run.run_id, code)
        return CheckRunHealthResult(WorkerStatus.FAILED, why, run_worker_id=name)

    # End

    def dispose(self) -> None:
        """Stop this process's runs, which end CANCELED, and the fork server: up to 10 s. A no-op without a server."""
        if self.has_instance:
            pool_of(self._instance).stop()


def _worker_ref(instance: DagsterInstance) -> str:
    """The instance as a worker opens it. This process has created the tables: three look-ups for them a run are saved."""
    ref = instance.get_ref()
    storage = ref.storage_data
    if storage and storage.class_name == "DagsterPostgresStorage":
        config = yaml.safe_dump({**storage.config_dict, "should_autocreate_tables": False})
        ref = ref._replace(storage_data=storage._replace(config_yaml=config))
    return serialize_value(ref)


def _ask_to_stop(worker: Worker) -> bool:
    """SIGTERM now, SIGKILL to its group after `KILL_AFTER_CANCEL_S`; False when the process is gone already."""
    try:
        handle = os.pidfd_open(worker.pid)
    except ProcessLookupError:
        return False
    # The handle pins the process: if the start time is right now, the signal cannot reach a successor of the pid.
    if not worker.is_alive():
        os.close(handle)
        return False
    signal.pidfd_send_signal(handle, signal.SIGTERM)
    timer = threading.Timer(KILL_AFTER_CANCEL_S, _kill_wedged, args=(worker, handle))
    timer.daemon = True
    timer.start()
    return True


def _kill_wedged(worker: Worker, handle: int) -> None:
    try:
        if worker.is_alive():
            signal.pidfd_send_signal(handle, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        os.close(handle)


def _require_same_python(executable: str) -> None:
    """A fork runs in this interpreter; a code location of another environment would get our packages instead."""
    if Path(executable).parent != Path(sys.executable).parent:
        raise DagsterLaunchFailedError(
            f"warm run launcher: the code location uses {executable}, the daemon {sys.executable}; "
            "use one environment for both, or the stock launcher"
        )
