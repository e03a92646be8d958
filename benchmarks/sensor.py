"""What the inbound sensor's question costs at the worst moment: after a drain, before any vacuum.

    python -m benchmarks.sensor      (SCALE: factor on all row counts, 1)

A transaction that has been open since before the drain keeps every dead row version and index entry, as a report or a
forgotten session does for ten minutes. The question is the product's own statement, with the worker's role, as the sensor
asks it eleven times of twelve; the thorough one of once a minute is shown beside it. The time is that of the whole call, the
buffers are those that EXPLAIN (ANALYZE, BUFFERS) counts for it.
"""

import sys
import time
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from benchmarks.common import median, note, report
from benchmarks.database import cluster, create_clone, prepare_process
from benchmarks.drain import BASE, LARGE, SCALE, Traffic, drain, prepare_base
from benchmarks.large import build
from benchmarks.traffic import deliver
from tests.conftest import Database
from zrg_dagster.core.base.clock import utc_now
from zrg_dagster.core.db.engine import sync_connect
from zrg_dagster.core.db.lanes import Lane
from zrg_dagster.core.db.pulse import lane_pulse

RUNS = 50


@dataclass
class Recorder:
    """Stands in for a connection: passes the question on and remembers it."""

    connection: psycopg.Connection[dict[str, Any]]
    asked: list[tuple[bytes, dict[str, Any]]] = field(default_factory=list)

    def execute(self, statement: bytes, parameters: dict[str, Any]) -> Any:
        self.asked.append((statement, parameters))
        return self.connection.execute(statement, parameters)


def _milliseconds(connection: psycopg.Connection[dict[str, Any]], *, thorough: bool) -> float:
    started = time.perf_counter()
    pulse = lane_pulse(connection, Lane.INBOUND, utc_now(), thorough=thorough)
    taken = (time.perf_counter() - started) * 1000
    if pulse.has_work or pulse.workers:
        raise SystemExit(f"the lane is not at rest: {pulse}")
    return taken


def _explain(connection: psycopg.Connection[dict[str, Any]], statement: bytes, parameters: dict[str, Any]) -> Any:
    with connection.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(b"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + statement, parameters).fetchone()
    assert row is not None
    return row[0][0]


def _buffers(plan: dict[str, Any]) -> int:
    """Pages that the root of a plan, its children included, found in or read into shared buffers."""
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]


def _scans(plan: dict[str, Any]) -> list[str]:
    own = [f"{plan['Index Name']} {_buffers(plan)} buffers"] if "Index Name" in plan else []
    return own + [line for child in plan.get("Plans", ()) for line in _scans(child)]


def measure(moment: str, database: Database, *, thorough: bool = False) -> tuple[float, int]:
    """Median milliseconds of 50 calls, and median buffers of 50 explained ones."""
    with sync_connect(database.dsn("worker"), statement_timeout_ms=60_000) as connection:
        recorder = Recorder(connection)
        lane_pulse(recorder, Lane.INBOUND, utc_now(), thorough=thorough)  # pyright: ignore[reportArgumentType]
        ((statement, parameters),) = recorder.asked
        first = _explain(connection, statement, parameters)
        times = [_milliseconds(connection, thorough=thorough) for _ in range(RUNS)]
        explained = [_explain(connection, statement, parameters) for _ in range(RUNS)]
    buffers = int(median([_buffers(each["Plan"]) for each in explained]))
    note(
        "sensor",
        f"{moment}: {median(times):.2f} ms a call (worst {max(times):.2f}), {buffers} buffers (first time "
        f"{_buffers(first['Plan'])}), execution {median([each['Execution Time'] for each in explained]):.2f} ms",
    )
    note("sensor", f"{moment}: {'; '.join(_scans(explained[-1]['Plan']))}")
    return median(times), buffers


def main() -> int:
    prepare_process()
    with cluster() as running:
        workspaces = prepare_base(running)
        large = create_clone(running, LARGE, BASE)
        build(large, workspaces, scale=SCALE)
        measure("at rest, before the drain", large)
        deliveries = Traffic().next()
        deliver(large.dsn("receiver"), workspaces, deliveries)
        with psycopg.connect(large.dsn("bootstrap")) as old:
            # A snapshot of its own keeps the dead versions; an idle transaction without one would not.
            old.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            old.execute("SELECT count(*) FROM app.workspace")
            told = drain(large)
            if told["claimed"] != len(deliveries):
                raise SystemExit(f"{told['claimed']} of {len(deliveries)} deliveries drained")
            note("sensor", f"drained {told['claimed']} deliveries in {told['seconds']:.1f} s beside an old transaction")
            milliseconds, buffers = measure("after the drain, beside the old transaction", large)
            measure("the thorough question of once a minute, there", large, thorough=True)
        measure("after the drain, the old transaction ended", large)
        report("sensor", ms=milliseconds, buffers=buffers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
