"""`run_async`: a signal stops the work, loses nothing and is raised at the end."""

import asyncio
import os
import signal
import threading
from collections.abc import Iterator

import dagster as dg
import pytest
from dagster._core.errors import DagsterExecutionInterruptedError

from zrg_dagster.jobs.run_async import run_async

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    """Whatever a test leaves behind must not reach the next one."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def context() -> Iterator[dg.OpExecutionContext]:
    """A context for direct calls; afterwards the signal handlers must be the ones from before."""
    before = [signal.getsignal(number) for number in SIGNALS]
    with dg.build_op_context() as context:
        yield context
    assert [signal.getsignal(number) for number in SIGNALS] == before


def _signal_me(number: signal.Signals = signal.SIGTERM) -> None:
    os.kill(os.getpid(), number)


def test_returns_what_main_returns(context: dg.OpExecutionContext) -> None:
    async def main(stop: asyncio.Event) -> int:
        assert not stop.is_set()
        return 42

    assert run_async(context, main) == 42


def test_an_exception_without_a_signal_passes_unchanged(context: dg.OpExecutionContext) -> None:
    async def main(_stop: asyncio.Event) -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        run_async(context, main)


def test_a_cancellation_of_our_own_is_not_taken_for_a_signal(context: dg.OpExecutionContext) -> None:
    async def main(_stop: asyncio.Event) -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run_async(context, main)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_work_finish_and_is_raised_then(
    context: dg.OpExecutionContext, number: signal.Signals
) -> None:
    done: list[str] = []

    async def main(stop: asyncio.Event) -> int:
        asyncio.get_running_loop().call_later(0.01, _signal_me, number)
        await stop.wait()
        await asyncio.sleep(0.02)
        done.append("in flight")
        return 1

    with pytest.raises(DagsterExecutionInterruptedError, match="was finished"):
        run_async(context, main)
    assert done == ["in flight"]


def test_a_signal_wakes_a_loop_that_sleeps(context: dg.OpExecutionContext) -> None:
    """Sent from another thread while the loop waits for nothing: without a wake-up this hangs until the timeout."""
    timer = threading.Timer(0.1, _signal_me)

    async def main(stop: asyncio.Event) -> None:
        timer.start()
        await stop.wait()

    with pytest.raises(DagsterExecutionInterruptedError):
        run_async(context, main)
    timer.join()


def test_a_second_signal_cancels_the_work(context: dg.OpExecutionContext) -> None:
    seen: list[str] = []

    async def main(stop: asyncio.Event) -> None:
        _signal_me()
        await stop.wait()
        seen.append("stop")
        _signal_me()
        try:
            await asyncio.sleep(300)
        except asyncio.CancelledError:
            seen.append("cancelled")
            raise

    with pytest.raises(DagsterExecutionInterruptedError, match="was cancelled"):
        run_async(context, main)
    assert seen == ["stop", "cancelled"]


def test_the_grace_time_cancels_work_that_ignores_the_flag(context: dg.OpExecutionContext) -> None:
    async def main(_stop: asyncio.Event) -> None:
        _signal_me()
        await asyncio.sleep(300)

    with pytest.raises(DagsterExecutionInterruptedError, match="was cancelled"):
        run_async(context, main, grace_s=0.05)


def test_an_error_after_the_signal_is_kept_as_the_cause(context: dg.OpExecutionContext) -> None:
    async def main(stop: asyncio.Event) -> None:
        _signal_me()
        await stop.wait()
        raise ValueError("could not park")

    with pytest.raises(DagsterExecutionInterruptedError, match="ended with ValueError") as caught:
        run_async(context, main)
    assert isinstance(caught.value.__cause__, ValueError)


def test_outside_the_main_thread_it_touches_no_handler(context: dg.OpExecutionContext) -> None:
    results: list[object] = []

    async def main(stop: asyncio.Event) -> str:
        return f"stop={stop.is_set()}"

    def work() -> None:
        try:
            results.append(run_async(context, main))
        except BaseException as error:  # a thread would swallow it
            results.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert results == ["stop=False"]


def test_it_runs_inside_a_job_executed_in_process() -> None:
    @dg.op
    def double(context: dg.OpExecutionContext) -> int:
        async def main(_stop: asyncio.Event) -> int:
            return 2 * 21

        return run_async(context, main)

    @dg.job
    def doubling() -> None:
        double()

    assert doubling.execute_in_process().output_for_node("double") == 42
