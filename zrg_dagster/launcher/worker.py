"""One run in one forked process: who it is, whether it lives, and what it does from fork to exit."""

import json
import os
import socket
import traceback
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from dagster import DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus, MetadataValue
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.events import EngineEventData
from dagster._core.instance.ref import InstanceRef
from dagster._serdes import deserialize_value
from dagster._utils.interrupts import capture_interrupts

# Stopping workers: ask; ask again (`run_async` then cancels what is in flight); kill. Together below the 15 s in which
# `zrg up` promises to be down.
SECOND_ASK_S = 5.0
KILL_S = 8.0

# Run tag with the worker's identity as JSON. One tag instead of four: each tag is an indexed row per run, for ever.
WORKER_TAG = "zrg/worker"
# The same identity in the engine event that announces the worker. Tags are rewritten as a whole by every status change
# (read, modify, write in Dagster's run storage), so a cancel at the same instant can lose ours; events are append-only.
_EVENT_METADATA_KEY = "worker"

# Connections of one worker to Dagster's storage. Kept for seconds only: a burst of events shares one, and a long run
# does not trip over a connection that a restart of Postgres closed minutes ago.
POOL_RECYCLE_S = 5
POOL_OVERFLOW = 10
STATEMENT_TIMEOUT_MS = 60_000

# Exit codes of a worker, read by the daemon: anything but OK makes it look at the run.
EXIT_OK = 0
EXIT_UNFINISHED = 70


@dataclass(frozen=True, slots=True)
class Worker:
    """The identity of a run's process: a bare pid may belong to somebody else by the time it is read.

    `start` is the process's start time in clock ticks since boot, `machine` what makes the pid meaningful at all.
    """

    pid: int
    start: int
    machine: str
    server: int

    def is_alive(self) -> bool:
        """Whether this very process still runs here. A zombie is dead: it waits for its parent only."""
        return self.is_local() and start_time(self.pid) == self.start

    def is_local(self) -> bool:
        return self.machine == this_machine()

    def to_tag(self) -> str:
        return json.dumps(asdict(self))


@lru_cache(maxsize=1)
def this_machine() -> str:
    """`host/boot/pid namespace`: where a pid can be looked up.

    Start times count from boot, hence the boot id; two containers may share a host name, hence the namespace.
    """
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
    namespace = Path("/proc/self/ns/pid").readlink().name.partition("[")[2].rstrip("]")
    return f"{socket.gethostname()}/{boot}/{namespace}"


def start_time(pid: int) -> int | None:
    """Start time of a living process in clock ticks since boot (/proc/PID/stat field 22); None when it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command name may contain spaces and brackets: fields count from the last bracket.
    fields = stat.rpartition(b")")[2].split()
    return None if fields[0] in (b"Z", b"X") else int(fields[19])


def worker_from_tags(tags: Mapping[str, str]) -> Worker | None:
    """The worker that a run's tags name, None when there is none or the tag is not ours."""
    return _parse(tags.get(WORKER_TAG))


def worker_from_events(instance: DagsterInstance, run_id: str) -> Worker | None:
    """The worker that announced itself in the event log: slower than the tag, but never overwritten."""
    for entry in instance.all_logs(run_id, of_type=DagsterEventType.ENGINE_EVENT):
        data = entry.dagster_event.engine_event_data if entry.dagster_event else None
        value = data.metadata.get(_EVENT_METADATA_KEY) if data else None
        worker = _parse(value.value) if value is not None else None
        if worker:
            return worker
    return None


def _parse(text: object) -> Worker | None:
    if not isinstance(text, str):
        return None
    try:
        return Worker(**json.loads(text))
    except (ValueError, TypeError):
        return None


def execute(run_id: str, serialized_instance_ref: str, server_pid: int) -> int:
    """Execute the run in this process and return its exit code. The counterpart of the code server's `StartRun`.

    Dagster writes every failure to the event log before it raises, so the code only says whether the run was left in
    a final state. Errors before that point (no database, unknown run) go to stderr and to the daemon as the exit code.
    """
    with capture_interrupts():
        reference = deserialize_value(serialized_instance_ref, InstanceRef)
        with DagsterInstance.from_ref(reference) as instance:
            # The storages otherwise open a connection per statement, about forty a run: half of the time to start.
            instance.optimize_for_webserver(
                statement_timeout=STATEMENT_TIMEOUT_MS, pool_recycle=POOL_RECYCLE_S, max_overflow=POOL_OVERFLOW
            )
            run = instance.get_run_by_id(run_id)
            if run is None:
                raise LookupError(f"run {run_id} is not in this instance's storage")
            _announce(instance, run, server_pid)
            _execute_started(instance, run)
            return _settle(instance, run_id)


def _announce(instance: DagsterInstance, run: DagsterRun, server_pid: int) -> None:
    """Write the worker's identity before any code of the job runs: terminate and health checks depend on it."""
    pid = os.getpid()
    worker = Worker(pid=pid, start=start_time(pid) or 0, machine=this_machine(), server=server_pid)
    instance.add_run_tags(run.run_id, {WORKER_TAG: worker.to_tag()})
    instance.report_engine_event(
        f"Started process for run (pid: {pid}).",
        run,
        EngineEventData(
            metadata={"pid": MetadataValue.text(str(pid)), _EVENT_METADATA_KEY: MetadataValue.text(worker.to_tag())}
        ),
    )


def _execute_started(instance: DagsterInstance, run: DagsterRun) -> None:
    # Here and not above: the daemon and the webserver import this module and never execute a run.
    from dagster._grpc.impl import core_execute_run
    from dagster._utils.hosted_user_process import recon_job_from_origin

    if run.job_code_origin is None:
        raise LookupError(f"run {run.run_id} does not say where its job's code is")
    job = recon_job_from_origin(run.job_code_origin)
    try:
        for event in core_execute_run(job, run, instance, inject_env_vars=True):
            if event.event_type == DagsterEventType.RUN_START:
                _keep_early_cancel(instance, run)
    except (KeyboardInterrupt, DagsterExecutionInterruptedError):
        return  # recorded in the event log before it was raised; _settle gives the run its final state
    except Exception:  # noqa: BLE001 - the same holds; the text is for the process log
        traceback.print_exc()
    finally:
        instance.report_engine_event(f"Process for run exited (pid: {os.getpid()}).", run)


def _keep_early_cancel(instance: DagsterInstance, run: DagsterRun) -> None:
    """Repeat a cancel that arrived while the run was starting.

    The start event sets STARTED over CANCELING; the run would then end FAILURE ("no user initiated termination request
    was found") and the run retries would launch it again.
    """
    if not instance.all_logs(run.run_id, of_type=DagsterEventType.RUN_CANCELING):
        return
    current = instance.get_run_by_id(run.run_id)
    if current and current.status == DagsterRunStatus.STARTED:
        instance.report_run_canceling(current, message="Cancel was requested while the run was starting.")


def _settle(instance: DagsterInstance, run_id: str) -> int:
    """Give the run a final state if Dagster did not: a cancel before the first step is otherwise left CANCELING."""
    run = instance.get_run_by_id(run_id)
    if run is None or run.is_finished:
        return EXIT_OK
    close_run(instance, run, "The run's process ended before the run had a final state.")
    return EXIT_UNFINISHED


def close_run(instance: DagsterInstance, run: DagsterRun, why: str) -> None:
    """End a run that has no process any more: CANCELED when that was asked for, else FAILURE."""
    if run.status == DagsterRunStatus.CANCELING:
        instance.report_run_canceled(run, message=why)
    else:
        instance.report_run_failed(run, message=why)
