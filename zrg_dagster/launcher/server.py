"""The fork server: `python -m zrg_dagster.launcher.server --fd N`.

One thread, no database connection, no gRPC channel: a child must be a clean copy. It imports the modules it is told,
proves that it still has one thread, then forks one worker per request and reaps it. Newline-separated JSON on the
socket N, both ways:

    daemon -> server   {"preload": [...]}  {"launch": run_id, "instance": ref}  {"retire": true}  {"stop": true}
    server -> daemon   {"ready": rss_kb}  {"failed": text}  {"launched": run_id, "pid": n}
                       {"refused": run_id, "error": text}
                       {"exited": run_id, "code": n, "rss": kb}     code < 0: ended by that signal

The end of the socket is the end of the daemon, SIGKILL included: the server then stops its workers and goes.
It leads a session of its own, so a Ctrl-C in the daemon's terminal reaches the runs only through the daemon.
"""

import argparse
import ctypes
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from zrg_dagster.launcher import worker
from zrg_dagster.launcher.worker import KILL_S, SECOND_ASK_S

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_NONE_YET = float("inf")


class Preload(RuntimeError):
    """The preload list cannot be used. The message names the module and the reason."""


def preload(modules: Sequence[str]) -> None:
    """Import `modules`; `Preload` on a missing or broken one, or when the process has more than one thread after it."""
    for name in modules:
        try:
            _resolve_definitions(importlib.import_module(name))
        except Exception as error:
            raise Preload(f"cannot preload {name!r}: {type(error).__name__}: {error}") from error
        if (count := thread_count()) != 1:
            # A fork copies the calling thread only: a lock that another thread holds stays locked in every run.
            raise Preload(f"preloading {name!r} left {count} threads; a fork server must have exactly one")


def _resolve_definitions(module: ModuleType) -> None:
    """Build the repository of a code location's module: Dagster caches it on the object, and every child inherits it."""
    definitions = getattr(sys.modules.get("dagster"), "Definitions", ())
    for value in list(vars(module).values()):
        if isinstance(value, definitions):
            value.get_repository_def()


def thread_count() -> int:
    """Threads of this process as the kernel counts them: native pools do not show in `threading`."""
    return len(list(Path("/proc/self/task").iterdir()))


def rss_kb() -> int:
    """Resident memory of this process in KiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


class ForkServer:
    """The loop: requests from the daemon, deaths of children, the clock while stopping."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._inbox = b""
        self._children: dict[int, str] = {}
        self._retired = False
        self._linked = True
        self._next_ask = self._kill_at = _NONE_YET
        # Children watch this pipe; its write end exists here only, so they notice our death whatever its cause.
        self._lifeline_read, self._lifeline_write = os.pipe()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wake_read, selectors.EVENT_READ)

    def serve(self) -> None:
        """Preload, report, then run until the daemon is gone or asks for it and no child is left."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in _STOP_SIGNALS:
            signal.signal(number, lambda *_: None)
        try:
            preload(self._read_blocking()["preload"])
        except Preload as error:
            self._send({"failed": str(error)})
            raise
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        # Objects that exist now are shared with every child: keep the collector from touching their pages.
        gc.collect()
        gc.freeze()
        gc.disable()
        self._selector.register(self._link, selectors.EVENT_READ)
        self._send({"ready": rss_kb()})
        while not self._is_done():
            for key, _ in self._selector.select(self._timeout()):
                if key.fd == self._wake_read:
                    self._on_signals()
                else:
                    self._on_link()
            self._reap()
            self._press()

    def _is_done(self) -> bool:
        stopping = self._kill_at != _NONE_YET
        return not self._children and (stopping or self._retired)

    def _timeout(self) -> float | None:
        due = min(self._next_ask, self._kill_at)
        return None if due == _NONE_YET else max(0.0, due - time.monotonic())

    def _on_signals(self) -> None:
        numbers = os.read(self._wake_read, 4096)
        if any(number in numbers for number in _STOP_SIGNALS):
            self._stop()

    def _on_link(self) -> None:
        try:
            data = self._link.recv(1 << 20)
        except ConnectionError:
            data = b""
        if not data:
            self._selector.unregister(self._link)
            self._linked = False
            self._stop()
            return
        *lines, self._inbox = (self._inbox + data).split(b"\n")
        for line in lines:
            self._on_request(json.loads(line))

    def _on_request(self, request: dict) -> None:
        if "launch" in request:
            self._launch(request["launch"], request["instance"])
        elif "retire" in request:
            self._retired = True
        elif "stop" in request:
            self._stop()

    def _launch(self, run_id: str, instance_ref: str) -> None:
        if self._kill_at != _NONE_YET:
            self._send({"refused": run_id, "error": "the fork server is stopping"})
            return
        # A signal between fork and the child's own handlers would be written into the pipe it shares with us.
        held = signal.pthread_sigmask(signal.SIG_BLOCK, (*_STOP_SIGNALS, signal.SIGCHLD))
        try:
            pid = os.fork()
        except OSError as error:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
            self._send({"refused": run_id, "error": f"cannot fork: {error.strerror}"})
            return
        if pid == 0:
            self._become_worker(run_id, instance_ref, held)
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
        self._children[pid] = run_id
        self._send({"launched": run_id, "pid": pid})

    def _become_worker(self, run_id: str, instance_ref: str, mask: Iterable[int]) -> NoReturn:
        """In the child: shed everything that belongs to the server, execute the run, leave without its exit hooks."""
        code = 1
        try:
            server_pid = os.getppid()
            os.setsid()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
            # Dagster maps SIGTERM to whatever SIGINT does; a daemon started by `cmd &` has it ignored.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            self._selector.close()
            self._link.close()
            for descriptor in (self._wake_read, self._wake_write, self._lifeline_write):
                os.close(descriptor)
            _prctl(_PR_SET_NAME, ctypes.c_char_p(b"zrg-run"))
            _prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))
            threading.Thread(target=_die_with_server, args=(self._lifeline_read,), daemon=True).start()
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            gc.enable()
            code = worker.execute(run_id, instance_ref, server_pid)
        except BaseException:  # noqa: BLE001 - the last frame of the process: report, then end with a code
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _reap(self) -> None:
        for pid, run_id in list(self._children.items()):
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                continue
            # While the dead leader is unreaped its group id cannot be reused: what it left behind goes now.
            _signal_group(pid)
            _, status = os.waitpid(pid, 0)
            del self._children[pid]
            self._send({"exited": run_id, "code": os.waitstatus_to_exitcode(status), "rss": rss_kb()})

    def _stop(self) -> None:
        if self._kill_at == _NONE_YET:
            now = time.monotonic()
            self._next_ask, self._kill_at = now, now + KILL_S

    def _press(self) -> None:
        """While stopping: SIGTERM now, once more after `SECOND_ASK_S`, SIGKILL after `KILL_S`."""
        now = time.monotonic()
        if now >= self._kill_at:
            for pid in self._children:
                _signal_group(pid)
                os.kill(pid, signal.SIGKILL)  # unreaped, so certainly ours; it may not lead its group yet
            self._next_ask, self._kill_at = _NONE_YET, now + 1.0
        elif now >= self._next_ask:
            for pid in self._children:
                os.kill(pid, signal.SIGTERM)
            first = self._kill_at - now > KILL_S - SECOND_ASK_S
            self._next_ask = now + SECOND_ASK_S if first else _NONE_YET

    def _read_blocking(self) -> dict:
        while b"\n" not in self._inbox:
            data = self._link.recv(1 << 16)
            if not data:
                raise Preload("the daemon closed the link before it sent the preload list")
            self._inbox += data
        line, _, self._inbox = self._inbox.partition(b"\n")
        return json.loads(line)

    def _send(self, message: dict) -> None:
        if not self._linked:
            return
        try:
            self._link.sendall(json.dumps(message).encode() + b"\n")
        except ConnectionError:
            # The daemon died between two messages; the read side reports the end of the link and stops us.
            self._linked = False


def _signal_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # the child has not called setsid yet, or nothing is left of the group


def _prctl(option: int, value: object) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def _die_with_server(lifeline: int) -> None:
    """In the worker, as a thread: when the server is gone, nobody is left to press a worker that ignores SIGTERM."""
    os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(SECOND_ASK_S)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(KILL_S - SECOND_ASK_S)
    os.killpg(0, signal.SIGKILL)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Fork server of the warm run launcher; started by the daemon.")
    parser.add_argument("--fd", type=int, required=True, help="socket to the daemon")
    options = parser.parse_args(arguments)
    link = socket.socket(fileno=options.fd)
    link.set_inheritable(False)
    try:
        ForkServer(link).serve()
    except Preload as error:
        print(f"launcher: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
