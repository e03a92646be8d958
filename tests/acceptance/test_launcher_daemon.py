"""The warm launcher inside the real daemon: queue, UI, monitoring, and every way the daemon can end."""

import json
import os
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from psycopg import sql

from tests.dagster_stack import DagsterStack, create_run, is_running, status_of, wait_for
from zrg_dagster.launcher.worker import Worker, worker_from_tags

pytestmark = pytest.mark.xdist_group("launcher in a daemon")

SUCCESS, FAILURE = dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE
QUEUED, CANCELED = dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.CANCELED

# One run at a time shows whether a slot is free. Short monitoring so that a test need not wait for it; no retries, so
# that each run ends once.
OVERRIDES = {
    "concurrency": {"runs": {"max_concurrent_runs": 1}},
    "run_monitoring": {"enabled": True, "poll_interval_seconds": 1, "free_slots_after_run_end_seconds": 1},
    "run_retries": {"enabled": False},
}


@pytest.fixture(scope="module")
def stack(cluster: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DagsterStack]:
    name = f"daemon_{os.getpid()}"
    cluster.execute(sql.SQL("CREATE DATABASE {} OWNER dagster_instance").format(sql.Identifier(name)))
    home = tmp_path_factory.mktemp("dagster home")
    stack = DagsterStack(home, cluster.dsn("dagster_instance", name), overrides=OVERRIDES)
    with stack.instance():
        pass  # creates the tables before several processes do
    stack.start_code_server()
    yield stack
    stack.close()


class Runs:
    """Submits through the queue, as sensors and the UI do, and looks at what became of it."""

    def __init__(self, stack: DagsterStack, instance: dg.DagsterInstance, workspace: Any, folder: Path) -> None:
        self.stack = stack
        self.instance = instance
        self.workspace = workspace
        self.folder = folder

    def submit(self, job: str) -> str:
        run_id = create_run(self.instance, self.workspace, job, None if job == "nothing_job" else self.folder).run_id
        self.instance.submit_run(run_id, self.workspace)
        return run_id

    def wait_started(self) -> None:
        wait_for((self.folder / "started").exists, "the op starts")

    def worker(self, run_id: str) -> Worker:
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        worker = worker_from_tags(run.tags)
        assert worker is not None
        return worker

    def ends(self, run_id: str) -> dg.DagsterRunStatus:
        def final() -> dg.DagsterRunStatus | None:
            run = self.instance.get_run_by_id(run_id)
            return run.status if run and run.is_finished else None

        return wait_for(final, f"run {run_id} ends; daemon: {self.stack.log('daemon')[-2000:]}", 90)


@pytest.fixture
def runs(stack: DagsterStack, tmp_path: Path) -> Iterator[Runs]:
    """The daemon runs, whatever the test before did to it."""
    if not stack.has("daemon"):
        stack.start_daemon()
    with stack.instance() as instance, stack.workspace(instance) as workspace:
        yield Runs(stack, instance, workspace, tmp_path)


def _terminate_in_ui(url: str, run_id: str) -> str:
    """What the Terminate button sends."""
    query = "mutation($id: String!) { terminateRun(runId: $id) { __typename } }"
    body = json.dumps({"query": query, "variables": {"id": run_id}}).encode()
    request = urllib.request.Request(f"{url}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)["data"]["terminateRun"]["__typename"]


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/server_info", timeout=5) as response:
            return response.status == 200
    except OSError:
        return False


def test_cancel_in_the_ui_ends_busy_async_work_as_canceled(stack: DagsterStack, runs: Runs) -> None:
    """The webserver is another process than the daemon, which owns the fork server."""
    url = stack.start_webserver()
    wait_for(lambda: _answers(url), "the webserver answers")
    run_id = runs.submit("work_async_job")
    runs.wait_started()
    assert _terminate_in_ui(url, run_id) == "TerminateRunSuccess"
    assert runs.ends(run_id) == CANCELED
    assert int((runs.folder / "finished").read_text()) > 0


def test_a_killed_run_is_failed_and_frees_its_slot(runs: Runs) -> None:
    killed = runs.submit("sleep_job")
    runs.wait_started()
    waiting = runs.submit("nothing_job")
    assert status_of(runs.instance, waiting) == QUEUED
    os.kill(runs.worker(killed).pid, signal.SIGKILL)
    assert runs.ends(killed) == FAILURE
    assert runs.ends(waiting) == SUCCESS


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.proof)])
def test_stopping_the_daemon_ends_its_runs_as_canceled(stack: DagsterStack, runs: Runs, number: signal.Signals) -> None:
    run_id = runs.submit("work_async_job")
    runs.wait_started()
    worker = runs.worker(run_id)
    assert stack.stop("daemon", number) == 0
    assert not is_running(worker.pid)
    assert not is_running(worker.server)
    assert status_of(runs.instance, run_id) == CANCELED
    assert (runs.folder / "finished").exists()


@pytest.mark.proof
def test_a_killed_daemon_leaves_no_worker_behind(stack: DagsterStack, runs: Runs) -> None:
    run_id = runs.submit("work_async_job")
    runs.wait_started()
    worker = runs.worker(run_id)
    stack.stop("daemon", signal.SIGKILL)
    wait_for(lambda: not is_running(worker.pid) and not is_running(worker.server), "worker and fork server leave")
    # Nobody asked for a cancel, so the end reads as a crash; what was in flight was finished all the same.
    assert status_of(runs.instance, run_id) == FAILURE
    assert (runs.folder / "finished").exists()


@pytest.mark.proof
def test_when_everything_is_killed_the_next_daemon_fails_the_run(stack: DagsterStack, runs: Runs) -> None:
    """The case that only run monitoring can see: nobody is left who heard the worker die."""
    run_id = runs.submit("sleep_job")
    runs.wait_started()
    worker = runs.worker(run_id)
    stack.stop("daemon", signal.SIGKILL)
    for pid in (worker.server, worker.pid):
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not is_running(worker.pid), "the worker is dead")
    assert not runs.instance.get_run_by_id(run_id).is_finished  # pyright: ignore[reportOptionalMemberAccess]
    waiting = runs.submit("nothing_job")
    stack.start_daemon()
    assert runs.ends(run_id) == FAILURE
    assert runs.ends(waiting) == SUCCESS
    assert f"process {worker.pid} is gone" in stack.log("daemon")
