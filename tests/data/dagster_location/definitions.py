"""Jobs that end in every way a run can end. `folder` is where an op leaves word for the test."""

import asyncio
import os
import signal
import subprocess
import time
from pathlib import Path

import dagster as dg

from dagster_location.version import VERSION
from zrg_dagster.jobs.run_async import run_async


class Note(dg.Config):
    folder: str = "/nonexistent"

    def write(self, name: str, text: str = "") -> None:
        """Write whole files only: the test reads as soon as the name exists."""
        scratch = Path(self.folder, f".{name}")
        scratch.write_text(text)
        scratch.rename(Path(self.folder, name))


@dg.op
def nothing() -> None:
    return


@dg.op
def report(config: Note) -> None:
    config.write("report", f"{VERSION} {os.getpid()} {os.getsid(0)}")


@dg.op
def fail() -> None:
    raise ValueError("this op fails")


@dg.op
def sleep(config: Note) -> None:
    config.write("started", str(os.getpid()))
    time.sleep(300)


@dg.op
def wedge(config: Note) -> None:
    """Deaf to SIGTERM, with a child process of its own."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    child = subprocess.Popen(["sleep", "300"])
    config.write("started", f"{os.getpid()} {child.pid}")
    time.sleep(300)


@dg.op
def work_async(context: dg.OpExecutionContext, config: Note) -> None:
    """Claims until it is asked to stop, then finishes what is in flight."""

    async def main(stop: asyncio.Event) -> int:
        config.write("started", str(os.getpid()))
        claimed = 0
        while not stop.is_set():
            claimed += 1
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)
        config.write("finished", str(claimed))
        return claimed

    run_async(context, main)


@dg.op
def stubborn_async(context: dg.OpExecutionContext, config: Note) -> None:
    """Does not look at the stop flag."""

    async def main(_stop: asyncio.Event) -> None:
        config.write("started", str(os.getpid()))
        try:
            await asyncio.sleep(300)
        finally:
            config.write("unwound")

    run_async(context, main)


def _job(op: dg.OpDefinition) -> dg.JobDefinition:
    @dg.job(name=f"{op.name}_job")
    def job() -> None:
        op()

    return job


defs = dg.Definitions(
    jobs=[_job(op) for op in (nothing, report, fail, sleep, wedge, work_async, stubborn_async)],
    executor=dg.in_process_executor,
)
