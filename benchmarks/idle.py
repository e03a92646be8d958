"""What an idle platform costs: runs launched, CPU seconds and new database connections in two minutes.

    python -m benchmarks.idle [--seconds N]

First one delivery is seen processed and every run has ended, so that the platform is known to work and to be at rest.
The baseline is the same minutes' tick count: a platform that evaluates nothing would be idle for free.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

import httpx
import psycopg

from benchmarks.common import note, report
from zrg_dagster.core.base.clock import utc_now
from zrg_dagster.local.children import Ports
from zrg_dagster.local.demo import deliveries as world
from zrg_dagster.local.demo.set_up import DEMO_SECRETS, apply_workspace
from zrg_dagster.local.demo.story import demo_settings
from zrg_dagster.local.stack import Stack
from zrg_dagster.local.supervisor import Supervisor

MIN_TICKS = 20
CHILDREN = ("postgres", "receiver", "code-server", "daemon", "webserver")


def _one(dsn: str, query: str) -> int:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row and row[0] is not None else 0


def _until(what: str, done, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise SystemExit(f"not within {seconds:.0f} s: {what}; nothing to measure")
        time.sleep(0.5)


def _descendants(pid: int) -> list[int]:
    found = [pid]
    for each in Path("/proc").iterdir():
        if each.name.isdigit():
            try:
                parent = int((each / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
            if parent == pid:
                found += _descendants(int(each.name))
    return found


def _cpu_s(supervisor: Supervisor) -> float:
    """User and system seconds of the platform's processes and their children, the ended ones included."""
    ticks = 0
    for name in CHILDREN:
        pid = supervisor.pid(name)
        for each in _descendants(pid) if pid else []:
            try:
                fields = (Path("/proc") / str(each) / "stat").read_text().rsplit(")", 1)[1].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            ticks += sum(int(field) for field in fields[11:15])
    return ticks / 100


def _first_delivery(supervisor: Supervisor) -> None:
    body = json.dumps(world.sent_mail(1, utc_now()))
    url = f"http://127.0.0.1:{supervisor.ports.receiver}/api/webhooks/email"
    key = {"clientId": "harbourline", "key": DEMO_SECRETS["DEMO_EMAILBISON_HOOK"]}
    answer = httpx.post(url, params=key, content=body, headers={"content-type": "application/json"}, timeout=30)
    answer.raise_for_status()
    worker = supervisor.stack.dsn("worker")
    _until("the first delivery is processed", lambda: _one(worker, "SELECT count(*) FROM app.message") == 1, 90)


def main() -> int:
    parser = argparse.ArgumentParser(description="The cost of an idle platform.")
    parser.add_argument("--seconds", type=float, default=120)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory(prefix="zrg-idle-") as folder:
        ports = Ports.free()
        stack = Stack(demo_settings(Path(folder), ports))
        try:
            with Supervisor(stack, ports, sandbox=True, sink=lambda _child, _line: None) as supervisor:
                asyncio.run(apply_workspace(stack, f"http://127.0.0.1:{ports.sandbox}"))
                _first_delivery(supervisor)
                _measure(supervisor, seconds)
        finally:
            if stack.postgres is not None:
                stack.postgres.remove()
    return 0


def _measure(supervisor: Supervisor, seconds: float) -> None:
    dagster, worker = supervisor.stack.dsn("dagster"), supervisor.stack.dsn("worker")
    open_runs = "SELECT count(*) FROM runs WHERE status NOT IN ('SUCCESS', 'FAILURE', 'CANCELED')"
    due = """SELECT (SELECT count(*) FROM app.calendar WHERE refreshed_at IS NULL)
                  + (SELECT count(*) FROM ops.fact_dirty)
                  + (SELECT count(*) FROM app.send WHERE state IN ('planned', 'sending', 'unknown'))
                  + (SELECT count(*) FROM app.job WHERE state IN ('pending', 'running'))"""
    _until("the platform is at rest", lambda: _one(dagster, open_runs) == 0 and _one(worker, due) == 0, 240)
    sessions = "SELECT sum(sessions) FROM pg_stat_database WHERE datname IN ('zrg', 'zrg_dagster')"
    counts = {"runs": "SELECT count(*) FROM runs", "ticks": "SELECT count(*) FROM job_ticks", "connections": sessions}
    before = {name: _one(dagster, query) for name, query in counts.items()}
    cpu, started = _cpu_s(supervisor), time.monotonic()
    time.sleep(seconds)
    spent, elapsed = _cpu_s(supervisor) - cpu, time.monotonic() - started
    after = {name: _one(dagster, query) - before[name] for name, query in counts.items()}
    if after["ticks"] < MIN_TICKS:
        raise SystemExit(f"only {after['ticks']} ticks in {elapsed:.0f} s: the daemon does not evaluate")
    note("idle", f"{elapsed:.0f} s, {after['ticks']} ticks evaluated, default settings")
    report("idle", runs=after["runs"], cpu_s=spent, connections=after["connections"], ticks=after["ticks"])


if __name__ == "__main__":
    sys.exit(main())
