"""Time from STARTING to RUN_START with the warm launcher and with Dagster's stock launcher.

    python -m benchmarks.run_start [--rounds N]

One job with one op that does nothing, one code server, one Postgres; two instances that differ in `run_launcher` only.
Runs are launched as the daemon's queue does it: the STARTING event, then `launch_run`. Both times come from the event
log. The warm launcher's fork server is up before the first measured run; its own start is printed beside the result.
"""

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
from psycopg import sql

from benchmarks.common import interleave, median, note, report
from tests.dagster_stack import STOCK, WARM, DagsterStack, create_run, wait_for
from zrg_dagster.local.postgres import EmbeddedPostgres

_PASSWORD = "benchmark"


def _database(postgres: EmbeddedPostgres, name: str) -> str:
    with psycopg.connect(postgres.dsn("postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(name), sql.Literal(_PASSWORD))
        )
        connection.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(sql.Identifier(name)))
    return postgres.dsn(name, name, _PASSWORD)


def _seconds_to_start(instance: dg.DagsterInstance, workspace: Any) -> float:
    """Launch one run, wait for its end, and read the two events. A run that does not succeed ends the benchmark."""
    run = create_run(instance, workspace, "nothing_job")
    instance.launch_run(run.run_id, workspace)

    def final() -> dg.DagsterRun | None:
        latest = instance.get_run_by_id(run.run_id)
        return latest if latest and latest.is_finished else None

    status = wait_for(final, "the run ends").status
    if status != dg.DagsterRunStatus.SUCCESS:
        raise SystemExit(f"run {run.run_id} ended {status.value}: nothing to measure")
    times = {
        entry.dagster_event.event_type: entry.timestamp
        for entry in instance.all_logs(run.run_id)
        if entry.dagster_event
    }
    return times[dg.DagsterEventType.RUN_START] - times[dg.DagsterEventType.RUN_STARTING]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Run start: warm launcher against the stock launcher.")
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args(arguments).rounds
    with tempfile.TemporaryDirectory(prefix="zrg bench ") as folder, ExitStack() as cleanup:
        home = Path(folder)
        postgres = EmbeddedPostgres(home / "stack")
        cleanup.callback(postgres.remove)
        cleanup.callback(postgres.stop)
        postgres.start()
        dsn = _database(postgres, "run_start")
        stacks = {
            "warm": DagsterStack(home / "warm", dsn, overrides={"run_launcher": WARM}),
            "stock": DagsterStack(home / "stock", dsn, overrides={"run_launcher": STOCK}),
        }
        server = stacks["stock"]
        with server.instance():
            pass  # creates the tables before several processes do
        cleanup.callback(server.close)
        server.start_code_server()
        stacks["warm"].port = server.port
        measure = {}
        for name, stack in stacks.items():
            instance = cleanup.enter_context(stack.instance())
            workspace = cleanup.enter_context(stack.workspace(instance))
            began = time.monotonic()
            _seconds_to_start(instance, workspace)
            note(
                "run_start",
                f"{name}: {type(instance.run_launcher).__name__}, first run {time.monotonic() - began:.2f} s",
            )
            measure[name] = lambda instance=instance, workspace=workspace: _seconds_to_start(instance, workspace)
        samples = interleave(measure, rounds)
        for name, values in samples.items():
            note("run_start", f"{name} samples " + " ".join(f"{value:.3f}" for value in values))
        warm, stock = median(samples["warm"]), median(samples["stock"])
        report("run_start", warm_s=warm, stock_s=stock, ratio=stock / warm, rounds=rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
