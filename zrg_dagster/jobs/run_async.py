"""The one way an op runs asyncio: a cancel from the UI must stop the work, lose nothing, and end the run CANCELED."""

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any, NoReturn, TypeVar

from dagster import OpExecutionContext
from dagster._core.errors import DagsterExecutionInterruptedError

from zrg_dagster.core.base.settings import current_settings

T = TypeVar("T")

# Work in flight may finish or park itself this long after the first signal; then it is cancelled.
GRACE_S = 10.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run_async(
    op_context: OpExecutionContext,
    main: Callable[[asyncio.Event], Coroutine[Any, Any, T]],
    *,
    grace_s: float = GRACE_S,
) -> T:
    """Run `main(stop)` on a new event loop and return its result.

    SIGINT or SIGTERM sets `stop`: loops claim nothing more, and finish or park what is in flight. A second signal, or
    `grace_s` seconds, cancels the task of `main`. Either way `DagsterExecutionInterruptedError` is raised at the end,
    whatever `main` returned: inside `asyncio.run` Dagster's own handler is swallowed and a cancelled run would end
    SUCCESS.

    Outside the main thread (a job executed in-process by a test) there are no signals to handle and none are touched.
    """
    _configure_logging()
    if threading.current_thread() is not threading.main_thread():
        with asyncio.Runner() as runner:
            return runner.run(main(asyncio.Event()))

    with asyncio.Runner() as runner:
        interrupt = _Interrupt(runner.get_loop(), grace_s)
        previous = {number: signal.getsignal(number) for number in _SIGNALS}
        for number in _SIGNALS:
            signal.signal(number, interrupt.on_signal)
        try:
            result = runner.run(interrupt.watch(main))
        except asyncio.CancelledError:
            if interrupt.asked_at is None:
                raise
            _raise_interrupted(op_context, interrupt, "work in flight was cancelled", None)
        except Exception as error:
            if interrupt.asked_at is None:
                raise
            _raise_interrupted(op_context, interrupt, f"the work ended with {type(error).__name__}", error)
        finally:
            # Before the runner closes the loop: a signal must never find handlers that belong to a closed loop, nor
            # the default ones, which would kill the process between two statements.
            for number, handler in previous.items():
                signal.signal(number, handler)
        if interrupt.asked_at is not None:
            _raise_interrupted(op_context, interrupt, "work in flight was finished", None)
        return result


def _configure_logging() -> None:
    """Run workers are forked or spawned by Dagster: here is the first line of ours, and no log line may come before it
    without the redaction."""
    from zrg_dagster.core.base.log import configure_logging

    settings = current_settings()
    configure_logging(json=settings.json_logs, level=settings.log_level)


class _Interrupt:
    """The signal handler and what it has seen."""

    def __init__(self, loop: asyncio.AbstractEventLoop, grace_s: float) -> None:
        self._loop = loop
        self._grace_s = grace_s
        self._stop = asyncio.Event()
        self._task: asyncio.Task[Any] | None = None
        self.asked_at: float | None = None

    async def watch(self, main: Callable[[asyncio.Event], Coroutine[Any, Any, T]]) -> T:
        self._task = asyncio.current_task()
        if self.asked_at is not None:
            self._begin_stop()
        return await main(self._stop)

    def on_signal(self, _number: int, _frame: FrameType | None) -> None:
        # Runs between any two bytecodes: only note it and wake the loop.
        if self.asked_at is None:
            self.asked_at = time.monotonic()
            self._loop.call_soon_threadsafe(self._begin_stop)
        else:
            self._loop.call_soon_threadsafe(self._cancel)

    def _begin_stop(self) -> None:
        if self._task is not None and not self._stop.is_set():
            self._stop.set()
            self._loop.call_later(self._grace_s, self._cancel)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()


def _raise_interrupted(
    op_context: OpExecutionContext, interrupt: _Interrupt, how: str, cause: BaseException | None
) -> NoReturn:
    waited = time.monotonic() - (interrupt.asked_at or 0.0)
    op_context.log.info(f"Stopped on request: {how}, {waited:.1f} s after the signal.")
    raise DagsterExecutionInterruptedError(f"stopped on request: {how}") from cause
