"""Deliveries a second that one inbound drain turns into leads, messages and jobs.

    python -m benchmarks.drain      (SCALE: factor on all row counts, 1)

Three candidates on one durable Postgres, three interleaved rounds:
empty          50,000 deliveries into a fresh clone that holds 36 workspaces and nothing else
large          as many into a database that has grown for a year (`large.py`); 60 % are about leads that exist
procrastinate  20,000 jobs that do nothing, one worker, concurrency 100: what a queue costs that works row by row

The deliveries: `traffic.events`. Storing them is not measured. After each drain the states, messages, leads and repeats
are compared with what the generator made, or there is no result. The notes on the way say the rate by type of delivery.
"""

import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import count
from uuid import UUID

import procrastinate
import psycopg
from psycopg import sql

from benchmarks import noop_jobs
from benchmarks.common import interleave, median, note, report
from benchmarks.database import (
    ROOT,
    add_workspaces,
    checkpoint,
    child_env,
    clone,
    cluster,
    create_clone,
    prepare_process,
    python,
)
from benchmarks.large import LEADS, build
from benchmarks.traffic import WITH_LEAD, WITH_MESSAGE, WORKSPACES, Event, deliver, events
from tests.conftest import Cluster, Database

SCALE = float(os.environ.get("SCALE") or 1)
ROUNDS = 3
DELIVERIES = max(500, round(50_000 * SCALE))
JOBS = max(500, round(20_000 * SCALE))
KNOWN_SHARE = 0.6
PEOPLE_PER_DELIVERY = 0.3  # a person is written to three times in a campaign
BASE, LARGE = "bench_base", "bench_large"


class Traffic:
    """The deliveries of one round after the other; no two rounds share a delivery, many share a lead."""

    def __init__(self) -> None:
        self._round = 0
        self._range = max(1000, round(LEADS * SCALE)) / KNOWN_SHARE

    def next(self) -> list[Event]:
        self._round += 1
        people = random.Random(self._round).sample(range(int(self._range)), int(DELIVERIES * PEOPLE_PER_DELIVERY))
        return list(events(DELIVERIES, people, first=self._round * 1_000_000, seed=self._round))


def drain(database: Database) -> dict:
    """Drain in a process of its own; what it says of itself."""
    done = subprocess.run(
        python("benchmarks.drainer"),
        env=child_env(ZRG_DB_WORKER_URL=database.dsn("worker")),
        cwd=ROOT,
        capture_output=True,
    )
    if done.returncode:
        raise SystemExit(f"the drain ended with {done.returncode}: {done.stderr.decode()[-2000:]}")
    return json.loads(done.stdout)


class Book:
    """Counts of one database before and after a drain."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._before = self._count()

    def _count(self) -> dict[str, int]:
        with psycopg.connect(self._database.dsn("bootstrap")) as connection:
            row = connection.execute("""
                SELECT (SELECT count(*) FROM app.message), (SELECT count(*) FROM app.lead),
                       (SELECT count(*) FROM app.lead_merge_candidate), (SELECT count(*) FROM raw.webhook_event
                        WHERE state NOT IN ('processed', 'ignored'))""").fetchone()
        assert row is not None
        return dict(zip(("messages", "leads", "candidates", "unfinished"), row, strict=True))

    def _known_leads(self, deliveries: Sequence[Event]) -> int:
        """How many of the persons of `deliveries` are leads already."""
        people = {each.lead for each in deliveries if each.file in WITH_LEAD}
        addresses = [f"p{100_000_000 + lead}@mill.example" for lead in people]
        with psycopg.connect(self._database.dsn("bootstrap")) as connection:
            query = "SELECT count(*) FROM app.lead_identity WHERE kind = 'email' AND value = ANY(%s)"
            row = connection.execute(query, (addresses,)).fetchone()
        assert row is not None
        return row[0]

    def expect(self, deliveries: Sequence[Event]) -> dict[str, int]:
        """What the drain of `deliveries` must add. Call before it."""
        people = {each.lead for each in deliveries if each.file in WITH_LEAD}
        return {
            "messages": len({(each.file, each.number) for each in deliveries if each.file in WITH_MESSAGE}),
            "leads": len(people) - self._known_leads(deliveries),
            "candidates": 0,
            "unfinished": -len(deliveries),
        }

    def check(self, name: str, expected: dict[str, int], deliveries: Sequence[Event], told: dict) -> None:
        after = self._count()
        added = {key: after[key] - self._before[key] for key in expected}
        repeats = sum(each.repeats for each in deliveries)
        seen = told["reasons"].get("duplicate_message", 0)
        if added != expected or told["claimed"] != len(deliveries) or seen != repeats:
            raise SystemExit(
                f"{name}: expected {expected}, {len(deliveries)} claimed and {repeats} repeats; "
                f"found {added}, {told['claimed']} and {seen}: {told['outcomes']} {told['reasons']}"
            )


class Drains:
    """The two candidates that are ours, and what they say beside their rate."""

    def __init__(self, cluster: Cluster, workspaces: Sequence[UUID]) -> None:
        self._cluster = cluster
        self._workspaces = workspaces
        self._traffic = Traffic()
        self._clones = 0
        self.statements: list[float] = []

    def empty(self) -> float:
        self._clones += 1
        with clone(self._cluster, f"bench_empty_{self._clones}", BASE) as database:
            return self._measure("empty", database)

    def large(self) -> float:
        return self._measure("large", Database(self._cluster, LARGE))

    def _measure(self, name: str, database: Database) -> float:
        deliveries = self._traffic.next()
        deliver(database.dsn("receiver"), self._workspaces, deliveries)
        book = Book(database)
        expected = book.expect(deliveries)
        checkpoint(database.dsn("bootstrap"))
        told = drain(database)
        book.check(name, expected, deliveries, told)
        self.statements.append(told["statements"] / told["claimed"])
        rate = told["claimed"] / told["seconds"]
        kinds = Counter(each.file.partition("__")[0] for each in deliveries)
        by_type = ", ".join(f"{kind} {number / told['seconds']:.0f}" for kind, number in kinds.most_common())
        slow = [told["batch_ms"][at * (len(told["batch_ms"]) - 1) // 4] for at in range(5)]
        note(
            "drain",
            f"{name}: {rate:.0f} a second, {told['claimed']} in {told['seconds']:.1f} s of which {told['cpu_s']:.1f} s "
            f"Python, {told['statements']} statements, batches from first to last {slow} ms; by type {by_type}; added {expected}",
        )
        return rate


def procrastinate_rate(cluster: Cluster, template: str) -> Callable[[], float]:
    """Jobs a second of one procrastinate worker on jobs that do nothing, in a fresh clone."""
    clones = count(1)

    def round_() -> float:
        with clone(cluster, f"bench_jobs_{next(clones)}", template) as database:
            seconds = noop_jobs.work(database.dsn("bootstrap"), JOBS)
            with psycopg.connect(database.dsn("bootstrap")) as connection:
                row = connection.execute(
                    "SELECT count(*) FILTER (WHERE status = 'succeeded'), count(*) FROM procrastinate_jobs"
                ).fetchone()
        if row != (JOBS, JOBS):
            raise SystemExit(f"procrastinate finished {row} of {JOBS} jobs")
        note("drain", f"procrastinate: {JOBS / seconds:.0f} a second, {JOBS} in {seconds:.1f} s")
        return JOBS / seconds

    return round_


def prepare_base(cluster: Cluster) -> list[UUID]:
    """The database that empty and large ones start as: migrated, with 36 workspaces."""
    base = create_clone(cluster, BASE, cluster.template)
    with psycopg.connect(base.dsn("bootstrap"), autocommit=True) as connection:
        return add_workspaces(connection, WORKSPACES)


def prepare_procrastinate(cluster: Cluster) -> str:
    name = "bench_jobs"
    cluster.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    noop_jobs.apply_schema(cluster.admin_dsn(name))
    return name


def main() -> int:
    prepare_process()
    with cluster() as running:
        workspaces = prepare_base(running)
        jobs = prepare_procrastinate(running)
        note(
            "drain",
            f"{DELIVERIES} deliveries and {JOBS} jobs a round, {ROUNDS} rounds, {WORKSPACES} workspaces, "
            f"procrastinate {procrastinate.__version__}, fsync on, {os.cpu_count()} CPUs for all",
        )
        build(create_clone(running, LARGE, BASE), workspaces, scale=SCALE)
        drains = Drains(running, workspaces)
        samples = interleave(
            {"empty": drains.empty, "procrastinate": procrastinate_rate(running, jobs), "large": drains.large}, ROUNDS
        )
        rate, large, noop = (median(samples[name]) for name in ("empty", "large", "procrastinate"))
        report(
            "drain",
            events_s=rate,
            events_s_large=large,
            procrastinate_noop_s=noop,
            ratio=rate / noop,
            large_of_empty=large / rate,
            statements_per_event=median(drains.statements),
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
