"""The fork server seen from the process that launches: start it, ask it to fork, hear who died.

Thread-safe: the daemon launches from several threads. One reader thread per server resolves the answers.
"""

import contextlib
import importlib.util
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path

from zrg_dagster.launcher.worker import KILL_S

# A fork takes milliseconds; a server that does not answer within this time is stuck and is replaced.
_ANSWER_TIMEOUT_S = 10.0
# RSS of the server itself grows only by a leak: it forks and reaps, nothing else.
_RSS_GROWTH_LIMIT = 1.5

OnExit = Callable[[str, int], None]


class ForkServerError(RuntimeError):
    """The fork server did not start, is gone, or refused. The message says which and why."""


class ForkServer:
    """A running fork server. `on_exit(run_id, code)` is called for every worker that ends with a code other than 0."""

    def __init__(self, preload: Sequence[str], *, start_timeout_s: float, on_exit: OnExit) -> None:
        """Start the process and wait until it has imported `preload` (about 4 s); `ForkServerError` if it cannot."""
        self._on_exit = on_exit
        self._lock = threading.Lock()
        self._ready: Future[int] = Future()
        self._pending: dict[str, Future[int]] = {}
        self._running: set[str] = set()
        self._reports: list[threading.Thread] = []
        self._gone = False
        self.launched = 0
        self._rss_kb = 0
        ours, theirs = socket.socketpair()
        with theirs:
            # A session of its own: the terminal's Ctrl-C and a signal to the daemon's group must not race with us.
            self._process = subprocess.Popen(  # noqa: S603 - our own module under our own interpreter
                [sys.executable, "-m", "zrg_dagster.launcher.server", "--fd", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        self._link = ours
        self._reader = threading.Thread(target=self._read, name="zrg-forkserver-link", daemon=True)
        self._reader.start()
        try:
            self._send({"preload": list(preload)})
            self._ready_rss_kb = self._ready.result(start_timeout_s)
        except FutureTimeoutError:
            self.kill()
            raise ForkServerError(f"was not ready after {start_timeout_s:g} s of importing") from None
        except ForkServerError:
            self.kill()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_usable(self) -> bool:
        return not self._gone

    @property
    def has_grown(self) -> bool:
        return self._rss_kb > self._ready_rss_kb * _RSS_GROWTH_LIMIT

    @property
    def rss_kb(self) -> int:
        """Resident memory in KiB when the last worker ended."""
        return self._rss_kb or self._ready_rss_kb

    @property
    def running(self) -> frozenset[str]:
        """Ids of the runs whose worker lives."""
        with self._lock:
            return frozenset(self._running)

    def launch(self, run_id: str, instance_ref: str) -> int:
        """Fork a worker for the run; its pid. `ForkServerError` when the server is gone or cannot fork."""
        answer: Future[int] = Future()
        with self._lock:
            self._pending[run_id] = answer
        self._send({"launch": run_id, "instance": instance_ref})
        try:
            return answer.result(_ANSWER_TIMEOUT_S)
        except FutureTimeoutError:
            raise ForkServerError(f"pid {self.pid} did not answer within {_ANSWER_TIMEOUT_S:g} s") from None
        finally:
            with self._lock:
                self._pending.pop(run_id, None)

    def retire(self) -> None:
        """No more launches; the server leaves when its last worker has ended."""
        self._send({"retire": True})

    def stop(self) -> None:
        """Stop the workers (they get `server.KILL_S` seconds) and the server; wait for the end."""
        try:
            self._send({"stop": True})
            self._process.wait(KILL_S + 2)
        except (ForkServerError, subprocess.TimeoutExpired):
            self.kill()
        # What the workers' ends still have to write: this process may end right after us.
        self._reader.join(2)
        for report in self._reports:
            report.join(2)

    def kill(self) -> None:
        """SIGKILL the server; its workers notice and end by themselves."""
        self._process.kill()
        self._process.wait(5)

    def _send(self, message: dict) -> None:
        try:
            with self._lock:
                self._link.sendall(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise ForkServerError(f"pid {self.pid} is gone ({error.strerror})") from None

    def _read(self) -> None:
        # A reset is the end of the link in its other form.
        with contextlib.suppress(ConnectionError), self._link.makefile("rb") as lines:
            for line in lines:
                self._on_message(json.loads(line))
        self._on_end()

    def _on_message(self, message: dict) -> None:
        if "launched" in message:
            with self._lock:
                self._running.add(message["launched"])
                self.launched += 1
            self._answer(message["launched"], message["pid"])
        elif "exited" in message:
            with self._lock:
                self._running.discard(message["exited"])
            self._rss_kb = message["rss"]
            if message["code"] != 0:
                # Writing to the event log may take as long as the database likes: not on the thread that answers.
                thread = threading.Thread(target=self._on_exit, args=(message["exited"], message["code"]), daemon=True)
                self._reports = [each for each in self._reports if each.is_alive()] + [thread]
                thread.start()
        elif "refused" in message:
            self._answer(message["refused"], ForkServerError(message["error"]))
        elif "ready" in message:
            self._ready.set_result(message["ready"])
        elif "failed" in message:
            self._ready.set_exception(ForkServerError(message["failed"]))

    def _answer(self, run_id: str, result: int | ForkServerError) -> None:
        with self._lock:
            answer = self._pending.pop(run_id, None)
        if answer is None:
            return
        if isinstance(result, ForkServerError):
            answer.set_exception(result)
        else:
            answer.set_result(result)

    def _on_end(self) -> None:
        code = self._process.wait()
        with self._lock:
            self._gone = True
            pending, self._pending = self._pending, {}
            self._link.close()
        error = ForkServerError(f"pid {self.pid} ended with code {code}; its reason is in the daemon's log")
        for answer in pending.values():
            answer.set_exception(error)
        if not self._ready.done():
            self._ready.set_exception(error)


def fingerprint(packages: Sequence[str]) -> tuple[tuple[str, int, int], ...]:
    """(path, mtime ns, size) of every Python file of `packages` and of the lock file beside them, sorted.

    Two equal fingerprints mean the same code: cheap enough (about 2 ms for 200 files) to take before every launch.
    """
    found: list[tuple[str, int, int]] = []
    for package in packages:
        spec = importlib.util.find_spec(package)
        if spec is None:
            raise ForkServerError(f"cannot watch {package!r}: no such package")
        for folder in spec.submodule_search_locations or ():
            found.extend(_stamp(path) for path in _python_files(Path(folder)))
            lock = Path(folder).parent / "requirements.lock"
            if lock.exists():
                found.append(_stamp(lock))
    return tuple(sorted(found))


def _python_files(folder: Path) -> list[Path]:
    found = []
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        found.extend(Path(root, name) for name in names if name.endswith(".py"))
    return found


def _stamp(path: Path) -> tuple[str, int, int]:
    stat = path.stat()
    return (str(path), stat.st_mtime_ns, stat.st_size)
