"""A real Dagster for tests and benchmarks: code server, daemon and webserver as processes, instance from our yaml."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import yaml
from dagster._cli.job import _create_run
from dagster._core.remote_representation.code_location import CodeLocation
from dagster._core.workspace.context import WorkspaceProcessContext, WorkspaceRequestContext
from dagster._core.workspace.load_target import GrpcServerTarget
from dagster._grpc.client import DagsterGrpcClient

from zrg_dagster.launcher.warm import DEFAULT_PRELOAD

REPOSITORY = Path(__file__).parent.parent
LOCATION_FOLDER = Path(__file__).parent / "data"
LOCATION_MODULE = "dagster_location.definitions"
WARM = {
    "module": "zrg_dagster.launcher",
    "class": "WarmRunLauncher",
    # The product's own list with the test's code location in the place of the product's.
    "config": {
        "preload_modules": [*(name for name in DEFAULT_PRELOAD if name != "zrg_dagster.definitions"), LOCATION_MODULE],
        "watch_packages": ["dagster_location"],
    },
}
STOCK = {"module": "dagster", "class": "DefaultRunLauncher"}


def storage_url(dsn: str) -> str:
    """The DSN of role dagster_instance in the form that Dagster's storage needs."""
    return dsn.replace("postgresql://", "postgresql+psycopg2://", 1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition: Callable[[], Any], what: str, timeout_s: float = 60.0) -> Any:
    """The first true value of `condition`; the test fails after `timeout_s`, which bounds a hang, measures nothing."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.05)
    raise AssertionError(f"did not happen within {timeout_s:g} s: {what}")


class DagsterStack:
    """DAGSTER_HOME in `home` from the repository's dagster.yaml, with `overrides` per top-level key."""

    def __init__(
        self,
        home: Path,
        dsn: str,
        *,
        overrides: Mapping[str, Any] | None = None,
        module: str = LOCATION_MODULE,
        python_path: Path = LOCATION_FOLDER,
    ) -> None:
        self.home = home
        self.port = free_port()
        self._module = module
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        config = yaml.safe_load((REPOSITORY / "dagster.yaml").read_text()) | {"run_launcher": WARM} | (overrides or {})
        home.mkdir(parents=True, exist_ok=True)
        (home / "dagster.yaml").write_text(yaml.safe_dump(config))
        self.env = {
            **os.environ,
            "DAGSTER_HOME": str(home),
            "ZRG_DAGSTER_STORAGE_URL": storage_url(dsn),
            "ZRG_CODE_SERVER_HOST": "127.0.0.1",
            "ZRG_CODE_SERVER_PORT": str(self.port),
            "PYTHONPATH": str(python_path),
            "DAGSTER_DISABLE_TELEMETRY": "1",
        }

    # Processes

    def start(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start `python -m ...` with its output in `home/<name>.log`."""
        with (self.home / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                env=self.env,
                cwd=self.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._processes[name] = process
        return process

    def start_code_server(self) -> None:
        location = ("--location-name", "zrg_dagster", "-h", "127.0.0.1", "-p", str(self.port))
        self.start("code-server", "dagster", "api", "grpc", "-m", self._module, *location)
        client = DagsterGrpcClient(port=self.port, host="127.0.0.1")
        wait_for(lambda: _answers(client), "the code server answers")

    def start_daemon(self) -> subprocess.Popen[bytes]:
        return self.start("daemon", "dagster._daemon", "run", "-w", str(REPOSITORY / "workspace.yaml"))

    def start_webserver(self) -> str:
        port = free_port()
        workspace = str(REPOSITORY / "workspace.yaml")
        self.start("webserver", "dagster_webserver", "-h", "127.0.0.1", "-p", str(port), "-w", workspace)
        return f"http://127.0.0.1:{port}"

    def has(self, name: str) -> bool:
        """Whether the process was started and not stopped."""
        return name in self._processes

    def stop(self, name: str, number: signal.Signals = signal.SIGTERM, timeout_s: float = 40.0) -> int:
        """Signal one process and wait for its end."""
        process = self._processes.pop(name)
        process.send_signal(number)
        return process.wait(timeout_s)

    def close(self) -> None:
        """Stop everything: the daemon first, because it owns the runs."""
        for name in sorted(self._processes, key=lambda each: each != "daemon"):
            process = self._processes[name]
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)

    def log(self, name: str) -> str:
        return (self.home / f"{name}.log").read_text(errors="replace")

    # Runs

    @contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        """The instance as another process sees it, with the environment and import path that the stack's have."""
        before = dict(os.environ)
        os.environ.update(self.env)
        sys.path.insert(0, self.env["PYTHONPATH"])
        try:
            with dg.DagsterInstance.from_config(str(self.home)) as instance:
                yield instance
        finally:
            sys.path.remove(self.env["PYTHONPATH"])
            os.environ.clear()
            os.environ.update(before)

    @contextmanager
    def workspace(self, instance: dg.DagsterInstance) -> Iterator[WorkspaceRequestContext]:
        target = GrpcServerTarget(host="127.0.0.1", port=self.port, socket=None, location_name="zrg_dagster")
        with WorkspaceProcessContext(instance, target) as process_context:
            yield process_context.create_request_context()


def create_run(
    instance: dg.DagsterInstance, workspace: WorkspaceRequestContext, job: str, folder: Path | None = None
) -> dg.DagsterRun:
    """A run of `job` in status NOT_STARTED; its op writes its notes into `folder`."""
    location: CodeLocation = workspace.get_code_location("zrg_dagster")
    repository = next(iter(location.get_repositories().values()))
    remote_job = repository.get_full_job(job)
    op = job.removesuffix("_job")
    config = {"ops": {op: {"config": {"folder": str(folder)}}}} if folder else {}
    return _create_run(instance, location, repository, remote_job, config, None, None, None)


def status_of(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status


def is_running(pid: int) -> bool:
    """Whether a process lives; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in (b"Z", b"X")


def _answers(client: DagsterGrpcClient) -> bool:
    try:
        client.ping("")
    except Exception:
        return False
    return True
