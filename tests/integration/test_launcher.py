"""The warm launcher against a real instance on Postgres and a real code server; the test process launches."""

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.errors import DagsterLaunchFailedError
from dagster._core.launcher import WorkerStatus
from dagster._core.workspace.context import WorkspaceRequestContext
from psycopg import sql

from tests.dagster_stack import (
    LOCATION_FOLDER,
    LOCATION_MODULE,
    WARM,
    DagsterStack,
    create_run,
    is_running,
    status_of,
    wait_for,
)
from zrg_dagster.launcher import WarmRunLauncher
from zrg_dagster.launcher.link import ForkServer
from zrg_dagster.launcher.pool import pool_of
from zrg_dagster.launcher.warm import DEFAULT_PRELOAD, _worker_ref
from zrg_dagster.launcher.worker import WORKER_TAG, Worker, start_time, this_machine, worker_from_tags

# One code server and one fork server serve all of them.
pytestmark = pytest.mark.xdist_group("launcher")


@pytest.fixture(scope="module")
def dagster_dsn(cluster: Any) -> str:
    name = f"launcher_{os.getpid()}"
    cluster.execute(sql.SQL("CREATE DATABASE {} OWNER dagster_instance").format(sql.Identifier(name)))
    return cluster.dsn("dagster_instance", name)


@pytest.fixture(scope="module")
def stack(dagster_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DagsterStack]:
    stack = DagsterStack(tmp_path_factory.mktemp("dagster home"), dagster_dsn)
    with stack.instance():
        pass  # creates the tables before several processes do
    stack.start_code_server()
    yield stack
    stack.close()


class Launching:
    """This process as the one that launches: it owns the fork server of `instance`."""

    def __init__(self, instance: dg.DagsterInstance, workspace: WorkspaceRequestContext, folder: Path) -> None:
        self.instance = instance
        self.workspace = workspace
        self.folder = folder

    @property
    def launcher(self) -> WarmRunLauncher:
        launcher = self.instance.run_launcher
        assert isinstance(launcher, WarmRunLauncher)
        return launcher

    @property
    def server(self) -> ForkServer:
        server = pool_of(self.instance).server
        assert server is not None
        return server

    def reconfigure(self, **changes: Any) -> None:
        self.launcher._config = dataclasses.replace(self.launcher._config, **changes)

    def create(self, job: str) -> str:
        folder = self.folder if job != "nothing_job" and job != "fail_job" else None
        return create_run(self.instance, self.workspace, job, folder).run_id

    def launch(self, job: str) -> str:
        run_id = self.create(job)
        self.instance.launch_run(run_id, self.workspace)
        return run_id

    def run(self, run_id: str) -> dg.DagsterRun:
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        return run

    def ends(self, run_id: str) -> dg.DagsterRunStatus:
        return wait_for(lambda: self.run(run_id).is_finished and self.run(run_id).status, f"run {run_id} ends")

    def started(self) -> list[int]:
        """Pids that the op has noted once it runs."""
        wait_for((self.folder / "started").exists, "the op starts")
        return [int(word) for word in (self.folder / "started").read_text().split()]

    def messages(self, run_id: str) -> str:
        entries = self.instance.all_logs(run_id)
        return "\n".join(
            str((entry.dagster_event.message if entry.dagster_event else "") or entry.user_message) for entry in entries
        )


@pytest.fixture(scope="module")
def opened(stack: DagsterStack) -> Iterator[tuple[dg.DagsterInstance, WorkspaceRequestContext]]:
    with stack.instance() as instance, stack.workspace(instance) as workspace:
        yield instance, workspace


@pytest.fixture
def launching(opened: tuple[dg.DagsterInstance, WorkspaceRequestContext], tmp_path: Path) -> Launching:
    """One fork server for all tests; those that spoil it open an instance of their own."""
    return Launching(*opened, tmp_path)


@pytest.fixture
def spoiling(stack: DagsterStack, tmp_path: Path) -> Iterator[Launching]:
    """An instance whose fork server the test may break."""
    with stack.instance() as instance, stack.workspace(instance) as workspace:
        yield Launching(instance, workspace, tmp_path)


def _in_another_process(stack: DagsterStack, statement: str) -> str:
    """The value of `statement` over `launcher` and `instance` in a process that launched nothing, like the webserver."""
    program = f"""
import dagster as dg
with dg.DagsterInstance.get() as instance:
    launcher = instance.run_launcher
    print({statement})
"""
    done = subprocess.run([sys.executable, "-c", program], env=stack.env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_run_is_forked_into_its_own_session_and_leaves_no_zombie(launching: Launching) -> None:
    run_id = launching.launch("report_job")
    assert launching.ends(run_id) == dg.DagsterRunStatus.SUCCESS
    version, pid, session = (launching.folder / "report").read_text().split()
    assert (version, session) == ("first", pid)
    worker = worker_from_tags(launching.run(run_id).tags)
    assert worker is not None
    assert (worker.pid, worker.server, worker.machine) == (int(pid), launching.server.pid, this_machine())
    wait_for(lambda: not Path(f"/proc/{pid}").exists(), "the worker is reaped")


def test_the_products_preload_list_leaves_one_thread() -> None:
    server = ForkServer(DEFAULT_PRELOAD, start_timeout_s=120, on_exit=lambda run_id, code: None)
    try:
        assert len(list(Path(f"/proc/{server.pid}/task").iterdir())) == 1
    finally:
        server.stop()


_FIRST_REQUESTS = """
import asyncio, importlib, socket, sys
import httpx, openai
from zrg_dagster.launcher.warm import DEFAULT_PRELOAD

for name in DEFAULT_PRELOAD:
    importlib.import_module(name)
known = set(sys.modules)
closed = socket.socket()
closed.bind(("127.0.0.1", 0))
url = f"http://127.0.0.1:{closed.getsockname()[1]}"

async def first_requests():
    http = openai.DefaultAioHttpClient()
    async with openai.AsyncOpenAI(api_key="sk-none", base_url=url, max_retries=0, http_client=http) as sdk:
        try:
            await sdk.responses.with_raw_response.create(extra_body={})
        except openai.APIConnectionError:
            print("refused")
    async with httpx.AsyncClient() as client:
        try:
            await client.get(url)
        except httpx.ConnectError:
            print("refused")

asyncio.run(first_requests())
print(sorted(set(sys.modules) - known))
"""


def test_no_run_loads_what_a_request_needs() -> None:
    said = subprocess.run([sys.executable, "-c", _FIRST_REQUESTS], capture_output=True, text=True, timeout=120)
    assert said.stdout.split("\n")[:3] == ["refused", "refused", "[]"], said.stderr[-2000:]


def test_an_op_failure_is_an_ordinary_failure(launching: Launching) -> None:
    run_id = launching.launch("fail_job")
    assert launching.ends(run_id) == dg.DagsterRunStatus.FAILURE
    assert launching.run(run_id).tags["dagster/failure_reason"] == "STEP_FAILURE"


@pytest.mark.proof
def test_launches_in_parallel_threads_all_run(spoiling: Launching) -> None:
    run_ids = [spoiling.create("nothing_job") for _ in range(6)]
    errors: list[Exception] = []

    def launch(run_id: str) -> None:
        try:
            spoiling.instance.launch_run(run_id, spoiling.workspace)
        except Exception as error:
            errors.append(error)

    # The first launches start the fork server, and Dagster may create a launcher for each thread: all must use one.
    threads = [threading.Thread(target=launch, args=(run_id,)) for run_id in run_ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert {spoiling.ends(run_id) for run_id in run_ids} == {dg.DagsterRunStatus.SUCCESS}
    workers = [worker_from_tags(spoiling.run(run_id).tags) for run_id in run_ids]
    assert {worker.server for worker in workers if worker} == {spoiling.server.pid}


@pytest.mark.proof
def test_a_killed_run_is_failed_at_once_with_its_signal(launching: Launching) -> None:
    run_id = launching.launch("sleep_job")
    os.kill(launching.started()[0], signal.SIGKILL)
    assert launching.ends(run_id) == dg.DagsterRunStatus.FAILURE
    assert "SIGKILL" in launching.messages(run_id)


class TestHealth:
    def test_of_a_living_run_from_another_process(self, stack: DagsterStack, launching: Launching) -> None:
        run_id = launching.launch("sleep_job")
        launching.started()
        seen = _in_another_process(
            stack, f"launcher.check_run_worker_health(instance.get_run_by_id({run_id!r})).status"
        )
        assert seen == "WorkerStatus.RUNNING"
        launching.launcher.terminate(run_id)
        launching.ends(run_id)

    def test_of_a_vanished_process_is_failed(self, launching: Launching) -> None:
        run = self._started(launching, Worker(pid=2**22, start=1, machine=this_machine(), server=1))
        result = launching.launcher.check_run_worker_health(run)
        assert result.status == WorkerStatus.FAILED
        assert result.msg == f"process {2**22} is gone"

    def test_names_the_signal_when_this_process_saw_it(self, launching: Launching) -> None:
        run = self._started(launching, Worker(pid=2**22, start=1, machine=this_machine(), server=1))
        pool_of(launching.instance)._exits[run.run_id] = -signal.SIGSEGV
        assert "SIGSEGV" in str(launching.launcher.check_run_worker_health(run).msg)

    def test_of_a_run_that_finished_meanwhile_is_success(self, launching: Launching) -> None:
        run = self._started(launching, Worker(pid=2**22, start=1, machine=this_machine(), server=1))
        launching.instance.report_run_canceled(run)
        assert launching.launcher.check_run_worker_health(run).status == WorkerStatus.SUCCESS

    def test_of_a_worker_of_a_daemon_elsewhere_is_failed(self, launching: Launching) -> None:
        run = self._started(launching, Worker(pid=os.getpid(), start=1, machine="elsewhere/0/0", server=1))
        result = launching.launcher.check_run_worker_health(run)
        assert result.status == WorkerStatus.FAILED
        assert "elsewhere/0/0" in str(result.msg)

    def test_without_a_worker_is_unknown(self, launching: Launching) -> None:
        assert launching.launcher.check_run_worker_health(self._started(launching, None)).status == WorkerStatus.UNKNOWN

    def test_of_a_run_of_the_stock_launcher_is_left_alone(self, launching: Launching) -> None:
        run = self._started(launching, None).with_tags({".dagster/grpc_info": "{}"})
        assert launching.launcher.check_run_worker_health(run).status == WorkerStatus.RUNNING

    def _started(self, launching: Launching, worker: Worker | None) -> dg.DagsterRun:
        return _fabricate(launching, worker)


def _fabricate(launching: Launching, worker: Worker | None) -> dg.DagsterRun:
    """A run in status STARTED whose tags name `worker`, without any process of ours behind it."""
    run_id = launching.create("nothing_job")
    if worker:
        launching.instance.add_run_tags(run_id, {WORKER_TAG: worker.to_tag()})
    event = dg.DagsterEvent(event_type_value=dg.DagsterEventType.RUN_START.value, job_name="nothing_job")
    launching.instance.report_dagster_event(event, run_id=run_id)
    assert launching.run(run_id).status == dg.DagsterRunStatus.STARTED
    return launching.run(run_id)


class TestTerminate:
    def test_from_another_process_lets_async_work_finish(self, stack: DagsterStack, launching: Launching) -> None:
        run_id = launching.launch("work_async_job")
        launching.started()
        assert _in_another_process(stack, f"launcher.terminate({run_id!r})") == "True"
        assert launching.ends(run_id) == dg.DagsterRunStatus.CANCELED
        assert int((launching.folder / "finished").read_text()) > 0
        assert "work in flight was finished" in launching.messages(run_id)

    def test_twice_cancels_work_that_ignores_the_flag(self, launching: Launching) -> None:
        run_id = launching.launch("stubborn_async_job")
        launching.started()
        assert launching.launcher.terminate(run_id)
        assert launching.launcher.terminate(run_id)
        assert launching.ends(run_id) == dg.DagsterRunStatus.CANCELED
        assert (launching.folder / "unwound").exists()

    def test_of_a_sync_op(self, launching: Launching) -> None:
        run_id = launching.launch("sleep_job")
        launching.started()
        assert launching.launcher.terminate(run_id)
        assert launching.ends(run_id) == dg.DagsterRunStatus.CANCELED

    @pytest.mark.proof
    def test_of_a_run_that_is_starting(self, launching: Launching) -> None:
        """No worker has named itself yet: the worker finds the request when it starts."""
        launching.ends(launching.launch("nothing_job"))  # the server is warm: launch and terminate now overlap
        for _ in range(5):
            run_id = launching.launch("work_async_job")
            assert launching.launcher.terminate(run_id)
            assert launching.ends(run_id) == dg.DagsterRunStatus.CANCELED

    def test_before_the_fork_runs_no_op(self, launching: Launching) -> None:
        run_id = launching.create("report_job")
        launching.instance.report_run_canceling(launching.run(run_id))
        pool_of(launching.instance).launch(launching.launcher._config, run_id, _worker_ref(launching.instance))
        assert launching.ends(run_id) == dg.DagsterRunStatus.CANCELED
        assert not (launching.folder / "report").exists()

    def test_never_signals_a_recycled_pid(self, launching: Launching) -> None:
        bystander = subprocess.Popen(["sleep", "60"])
        try:
            ticks = start_time(bystander.pid)
            assert ticks is not None
            real = Worker(pid=bystander.pid, start=ticks, machine=this_machine(), server=1)
            run = _fabricate(launching, dataclasses.replace(real, start=ticks - 1))
            assert launching.launcher.terminate(run.run_id)
            assert status_of(launching.instance, run.run_id) == dg.DagsterRunStatus.CANCELED
            assert bystander.poll() is None
            # The same call does reach the process that the tag means.
            run = _fabricate(launching, real)
            assert launching.launcher.terminate(run.run_id)
            assert bystander.wait(10) == -signal.SIGTERM
        finally:
            bystander.kill()
            bystander.wait()

    def test_on_another_machine_is_refused_and_changes_nothing(self, launching: Launching) -> None:
        run = _fabricate(launching, Worker(pid=1, start=1, machine="elsewhere/0/0", server=1))
        assert not launching.launcher.terminate(run.run_id)
        assert status_of(launching.instance, run.run_id) == dg.DagsterRunStatus.STARTED
        assert "Cannot terminate this run: its worker runs on elsewhere/0/0" in launching.messages(run.run_id)

    def test_finds_the_worker_whose_tag_was_overwritten(self, launching: Launching) -> None:
        """A status change that read the run before the tag was written, and wrote it after."""
        run_id = launching.launch("work_async_job")
        launching.started()
        launching.instance.add_run_tags(run_id, {WORKER_TAG: ""})
        assert launching.launcher.terminate(run_id)
        assert launching.ends(run_id) == dg.DagsterRunStatus.CANCELED
        assert (launching.folder / "finished").exists()

    def test_of_a_finished_run_is_false(self, launching: Launching) -> None:
        run_id = launching.launch("nothing_job")
        launching.ends(run_id)
        assert not launching.launcher.terminate(run_id)


class TestServer:
    def test_that_cannot_start_fails_the_launch_with_the_reason(self, spoiling: Launching) -> None:
        spoiling.reconfigure(preload_modules=("no_such_module",))
        run_id = spoiling.create("nothing_job")
        with pytest.raises(DagsterLaunchFailedError, match="cannot preload 'no_such_module'"):
            spoiling.instance.launch_run(run_id, spoiling.workspace)

    @pytest.mark.proof
    def test_that_died_or_had_its_share_of_runs_is_replaced(self, spoiling: Launching) -> None:
        spoiling.ends(spoiling.launch("nothing_job"))
        killed = spoiling.server
        killed.kill()
        wait_for(lambda: not killed.is_usable, "the launcher notices")
        spoiling.reconfigure(max_runs_per_server=1)
        assert spoiling.ends(spoiling.launch("nothing_job")) == dg.DagsterRunStatus.SUCCESS
        worn = spoiling.server
        assert spoiling.ends(spoiling.launch("nothing_job")) == dg.DagsterRunStatus.SUCCESS
        assert len({killed.pid, worn.pid, spoiling.server.pid}) == 3
        wait_for(lambda: not is_running(worn.pid), "an idle server leaves when it is replaced")

    def test_of_another_python_is_refused(self, launching: Launching, monkeypatch: pytest.MonkeyPatch) -> None:
        run_id = launching.create("nothing_job")
        monkeypatch.setattr(sys, "executable", "/elsewhere/bin/python")
        with pytest.raises(DagsterLaunchFailedError, match="use one environment for both"):
            launching.instance.launch_run(run_id, launching.workspace)


def test_a_changed_file_is_seen_by_the_next_run(dagster_dsn: str, tmp_path: Path) -> None:
    shutil.copytree(LOCATION_FOLDER / "dagster_location", tmp_path / "code" / "dagster_location")
    stack = DagsterStack(tmp_path / "home", dagster_dsn, python_path=tmp_path / "code")
    stack.start_code_server()
    try:
        with stack.instance() as instance, stack.workspace(instance) as workspace:
            launching = Launching(instance, workspace, tmp_path)
            seen = []
            for text in ("first", "first", "second"):
                path = tmp_path / "code" / "dagster_location" / "version.py"
                if text not in path.read_text():
                    path.write_text(f'VERSION = "{text}"\n')
                assert launching.ends(launching.launch("report_job")) == dg.DagsterRunStatus.SUCCESS
                seen.append(((tmp_path / "report").read_text().split()[0], launching.server.pid))
        versions, servers = [version for version, _ in seen], [pid for _, pid in seen]
        assert versions == ["first", "first", "second"]
        assert servers[0] == servers[1] != servers[2]
    finally:
        stack.close()


@pytest.mark.proof
def test_dispose_ends_every_run_as_canceled_and_leaves_no_process(stack: DagsterStack, tmp_path: Path) -> None:
    """One run that finishes what is in flight, and one that is deaf to signals and has a process of its own."""
    with stack.instance() as instance, stack.workspace(instance) as workspace:
        runs = {}
        for job in ("work_async_job", "wedge_job"):
            (tmp_path / job).mkdir()
            launching = Launching(instance, workspace, tmp_path / job)
            runs[job] = (launching.launch(job), launching.started())
        pids = [launching.server.pid, *(pid for _, started in runs.values() for pid in started)]
    assert [pid for pid in pids if is_running(pid)] == []
    assert (tmp_path / "work_async_job" / "finished").exists()
    with stack.instance() as instance:
        assert {status_of(instance, run_id) for run_id, _ in runs.values()} == {dg.DagsterRunStatus.CANCELED}


@pytest.mark.proof
def test_two_hundred_real_runs_leave_the_server_as_it_was(launching: Launching) -> None:
    for _ in range(5):
        launching.ends(launching.launch("nothing_job"))
    before = launching.server.rss_kb
    server = launching.server.pid
    for _ in range(200):
        assert launching.ends(launching.launch("nothing_job")) == dg.DagsterRunStatus.SUCCESS
    assert launching.server.pid == server
    assert launching.server.rss_kb - before < 2048, "the fork server grew by more than 2 MiB over 200 runs"


def test_the_location_of_these_tests_is_preloaded() -> None:
    assert LOCATION_MODULE in WARM["config"]["preload_modules"]
