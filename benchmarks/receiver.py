"""Deliveries a second that the receiver stores before it answers, against two ways without micro-batching.

    python -m benchmarks.receiver      (ROUND_S: seconds a round, 5; OPEN_S: seconds of the open loop, 20)

Three candidates on one durable Postgres, 64 clients in a closed loop, five interleaved rounds:
durable   the receiver as the supervisor starts it: one granian worker, default settings
batch1    the same application with batches of one on 16 connections; both notify the drain
pgbench   no HTTP at all: the same row as one INSERT per transaction, prepared, into a table with the same indexes

Then 1,000 deliveries a second fall due, whatever the receiver does, while a drain works in another process. Every
delivery that was answered 200 must be a row with its body afterwards, or there is no result.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

import httpx
import psycopg

from benchmarks.common import interleave, median, note, report
from benchmarks.database import ROOT, add_workspaces, checkpoint, child_env, prepare_process, python
from benchmarks.traffic import REPLY, Sample
from zrg_dagster.core.base.seal import Sealer
from zrg_dagster.core.base.settings import Settings
from zrg_dagster.local import binaries
from zrg_dagster.local.children import RECEIVER, Ports, product_children
from zrg_dagster.local.process import GuardedProcess
from zrg_dagster.local.stack import Stack

ROUNDS = 5
ROUND_S = float(os.environ.get("ROUND_S") or 5)
OPEN_S = float(os.environ.get("OPEN_S") or ROUND_S * 4)
OPEN_RATE = 1000
CLIENTS = 64
SECRET, CLIENT, HOST = "bench-hook-41f0", "bench-00", "send.harbourline.example"
PATH = f"/api/webhooks/email?clientId={CLIENT}&key={SECRET}"
DRAIN_START_S = 4.0  # imports, and its first look at an empty queue
STRIDE = 10_000_000  # numbers of one round; no two rounds send the same delivery

TABLE = """
    CREATE SCHEMA bench;
    CREATE TABLE bench.delivery (LIKE raw.webhook_event INCLUDING ALL);
    ALTER TABLE bench.delivery ADD COLUMN headers bytea NOT NULL, ADD COLUMN body bytea NOT NULL"""
# The parameters travel with every INSERT, as a client's would; the ids are made by the server, which costs no trip.
INSERT = """INSERT INTO bench.delivery (id, provider, scope, workspace_id, event_type, delivery_key, correlation_id,
    received_at, body_bytes, run_at, headers, body)
SELECT d.id, 'emailbison', :client, CAST(:workspace AS uuid), 'LEAD_REPLIED', sha256(CAST(CAST(d.id AS text) AS bytea)),
    CAST(d.id AS text), now(), length(:body), now(), CAST(:headers AS bytea), CAST(:body AS bytea)
FROM (SELECT gen_random_uuid() AS id) d;
"""


class Receivers:
    """Both applications, the load on them, and the ids that they answered for."""

    def __init__(self, stack: Stack, cleanup: ExitStack, folder: Path) -> None:
        assert stack.postgres is not None
        self._admin = stack.postgres.dsn("zrg")
        self._folder = folder
        self._numbers = count(STRIDE, STRIDE)
        self.acknowledged: list[bytes] = []
        self.errors = 0
        self.rounds: dict[str, list[dict[str, float]]] = {}
        self.ports = {"durable": Ports.free().receiver, "batch1": Ports.free().receiver}
        self.processes: dict[str, GuardedProcess] = {}
        for name, port in self.ports.items():
            ports = Ports(receiver=port, webserver=port, code_server=port)
            child = next(each for each in product_children(stack, ports) if each.name == RECEIVER)
            command = list(child.command)
            if name == "batch1":
                command = [part.replace("webhook_receiver.main:app", "benchmarks.one_by_one:app") for part in command]
            output = cleanup.enter_context((folder / f"{name}.log").open("wb"))
            process = GuardedProcess(
                command, env={**child.env, "PYTHONPATH": str(ROOT)}, cwd=stack.run_folder, output=output.fileno()
            )
            cleanup.callback(process.stop, 10)
            self.processes[name] = process
            self._wait_ready(name)

    def _wait_ready(self, name: str) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                if httpx.get(f"http://127.0.0.1:{self.ports[name]}/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise SystemExit(f"{name} is not ready: {(self._folder / f'{name}.log').read_text()[-2000:]}")

    def load(self, name: str, mode: str, seconds: float, *options: str) -> dict[str, float]:
        """One round of load on `name`. Its answers are kept for the check at the end."""
        checkpoint(self._admin)
        answers = self._folder / "answers"
        arguments = [
            *(mode, "--port", str(self.ports[name]), "--path", PATH, "--first", str(next(self._numbers))),
            *("--connections", str(CLIENTS), "--seconds", str(seconds), "--answers", str(answers), *options),
        ]
        done = subprocess.run(
            python("benchmarks.load", *arguments), env=child_env(), cwd=ROOT, check=True, stdout=subprocess.PIPE
        )
        figures: dict[str, float] = json.loads(done.stdout)
        self.acknowledged += answers.read_bytes().split()
        self.rounds.setdefault(f"{name} {mode}", []).append(figures)
        return figures

    def closed(self, name: str) -> Callable[[], float]:
        def round_() -> float:
            figures = self.load(name, "closed", ROUND_S)
            if figures["errors"]:
                raise SystemExit(f"{name}: {figures['errors']} errors in a closed loop, nothing to compare")
            return figures["rps"]

        return round_

    def rss_mb(self) -> float:
        """Most memory that the product's receiver and its worker ever had resident, added up."""
        return sum(_peak_kb(pid) for pid in _descendants(self.processes["durable"].pid)) / 1024

    def check(self) -> int:
        """`SystemExit` unless every acknowledged delivery is stored with its body. Returns how many are."""
        stored: set[bytes] = set()
        with psycopg.connect(self._admin) as connection:
            query = """SELECT e.id FROM raw.webhook_event e
                       JOIN raw.webhook_body b ON b.event_id = e.id AND b.received_at = e.received_at"""
            with connection.cursor("stored") as rows:
                rows.itersize = 20_000
                stored.update(row[0].hex.encode() for row in rows.execute(query))
        distinct = set(self.acknowledged)
        if len(distinct) != len(self.acknowledged):
            raise SystemExit("two answers carry one id: the load repeated itself, nothing is proven")
        if lost := distinct - stored:
            raise SystemExit(f"{len(lost)} of {len(distinct)} acknowledged deliveries are not stored")
        self.acknowledged = []
        return len(distinct)


def _descendants(pid: int) -> list[int]:
    found = [pid]
    for each in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(each.read_text().rsplit(")", 1)[1].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == pid:
            found += _descendants(int(each.parent.name))
    return found


def _peak_kb(pid: int) -> int:
    lines = (Path("/proc") / str(pid) / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def pgbench(dsn: str, folder: Path, body: bytes, workspace: str) -> Callable[[], float]:
    """Transactions a second of 64 pgbench clients, each inserting one delivery."""
    script = folder / "insert.sql"
    script.write_text(INSERT.replace("\n    ", " ").replace("\nSELECT", " SELECT").replace("\nFROM", " FROM"))
    headers = json.dumps({"content-type": "application/json"})
    values = {"client": CLIENT, "workspace": workspace, "headers": headers, "body": body.decode().replace("\\", "\\\\")}
    command = [
        *(str(binaries.wheel_root() / binaries.relative(18, "pgbench")), "-n", "-M", "prepared", "-f", str(script)),
        *("-c", str(CLIENTS), "-j", "2", "-T", str(max(1, round(ROUND_S)))),
        *(f"-D{name}={value}" for name, value in values.items()),
        dsn,
    ]

    def round_() -> float:
        checkpoint(dsn)
        done = subprocess.run(command, capture_output=True, text=True)
        found = re.search(r"^tps = ([0-9.]+)", done.stdout, re.MULTILINE)
        failed = re.search(r"number of failed transactions: (\d+)", done.stdout)
        if done.returncode or not found or (failed and int(failed[1])):
            raise SystemExit(f"pgbench failed: {done.stderr[-2000:]}")
        return float(found[1])

    return round_


@contextmanager
def drain_beside(worker_dsn: str, drained: dict[str, float]) -> Iterator[None]:
    """A drain in another process as long as the block runs; `drained` is what it says of itself."""
    process = subprocess.Popen(
        python("benchmarks.drainer", "--until-stopped"),
        env=child_env(ZRG_DB_WORKER_URL=worker_dsn),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(DRAIN_START_S)
        yield
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=60)
        if process.returncode:
            raise SystemExit(f"the drain beside the open loop ended with {process.returncode}")
        drained.update(json.loads(output))
    finally:
        process.kill()
        process.communicate()


def open_loop(receivers: Receivers, stack: Stack) -> dict[str, float]:
    """1,000 a second into an empty queue, with a drain that works it off meanwhile."""
    assert stack.postgres is not None
    with psycopg.connect(stack.postgres.dsn("zrg"), autocommit=True) as connection:
        connection.execute("TRUNCATE raw.webhook_event, raw.webhook_body, bench.delivery")
    drained: dict[str, float] = {}
    with drain_beside(stack.dsn("worker"), drained):
        figures = receivers.load("durable", "open", OPEN_S, "--rate", str(OPEN_RATE))
    figures["drained"] = drained["claimed"]
    return figures


def measure(stack: Stack, cleanup: ExitStack, folder: Path) -> None:
    assert stack.postgres is not None
    dsn = stack.postgres.dsn("zrg")
    sealer = Sealer(stack.keys("verify"))
    with psycopg.connect(dsn, autocommit=True) as connection:
        (workspace,) = add_workspaces(connection, 1)
        connection.execute(
            "INSERT INTO raw.route (provider, routing_key, workspace_id, workspace_key, allowed_hosts, sealed_secret) "
            "VALUES ('emailbison', %s, %s, %s, %s, %s)",
            (CLIENT, workspace, CLIENT, [HOST], sealer.seal(SECRET, scope=f"{workspace}:verify:emailbison")),
        )
        for statement in TABLE.split(";"):
            connection.execute(statement.encode())
    body = Sample(REPLY).render(1, 1)
    receivers = Receivers(stack, cleanup, folder)
    note(
        "receiver",
        f"{CLIENTS} clients, {ROUNDS} rounds of {ROUND_S:g} s, body {len(body)} bytes, 1 granian worker, "
        f"batch {Settings.model_fields['receiver_batch_size'].default}, fsync on, {os.cpu_count()} CPUs for all",
    )
    samples = interleave(
        {
            "durable": receivers.closed("durable"),
            "batch1": receivers.closed("batch1"),
            "pgbench": pgbench(dsn, folder, body, str(workspace)),
        },
        ROUNDS,
    )
    for name, values in samples.items():
        times = [each["p99_ms"] for each in receivers.rounds.get(f"{name} closed", [])]
        p99 = f", p99 ms {[round(each, 1) for each in times]}" if times else ""
        note("receiver", f"{name}: {[round(value) for value in values]} a second{p99}")
    note("receiver", f"closed loop: {receivers.check()} acknowledged deliveries, all stored")
    figures = open_loop(receivers, stack)
    note(
        "receiver",
        f"open loop: {OPEN_RATE}/s for {OPEN_S:g} s, answered {figures['rps']:.0f}/s, p50 {figures['p50_ms']:.1f} ms, "
        f"max {figures['max_ms']:.0f} ms, drained beside it {figures['drained']:.0f}",
    )
    note("receiver", f"open loop: {receivers.check()} acknowledged deliveries, all stored")
    durable, batch1, tps = (median(samples[name]) for name in ("durable", "batch1", "pgbench"))
    report(
        "receiver",
        durable_rps=durable,
        batch1_rps=batch1,
        pgbench_tps=tps,
        ratio=durable / batch1,
        of_pgbench=durable / tps,
        open_p99_ms=figures["p99_ms"],
        open_errors=int(figures["errors"]),
        rss_mb=receivers.rss_mb(),
    )


def main() -> int:
    prepare_process()
    with tempfile.TemporaryDirectory(prefix="zrg-receiver-") as folder:
        home = Path(folder)
        stack = Stack(Settings(ZRG_HOME=home / "home"))  # pyright: ignore[reportCallIssue]
        try:
            with stack.running():
                stack.upgrade()
                with ExitStack() as cleanup:
                    measure(stack, cleanup, home)
        finally:
            if stack.postgres is not None:
                stack.postgres.remove()
    return 0


if __name__ == "__main__":
    sys.exit(main())
