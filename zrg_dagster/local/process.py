"""A command that dies with us, together with everything it started."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

GUARD = Path(__file__).with_name("guard.py")


@dataclass(frozen=True, slots=True)
class User:
    """The operating system account a command runs as; only root can ask for another one."""

    name: str
    uid: int
    gid: int


class GuardedProcess:
    """One running command behind its guard (see guard.py). Thread-safe enough for one owner thread."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str],
        cwd: Path,
        output: IO[bytes] | int,
        stop_signal: signal.Signals = signal.SIGTERM,
        grace_s: float = 5.0,
        user: User | None = None,
    ) -> None:
        """Start `command`. `grace_s` is how long it may take to stop if *we* die; `stop` has its own limit.

        The guard leads a process group of its own, so a terminal's Ctrl-C reaches only us and we choose the order.
        """
        ours, theirs = socket.socketpair()
        uid, gid = (user.uid, user.gid) if user else (-1, -1)
        with theirs:
            self._guard = subprocess.Popen(  # noqa: S603 - an argument list of ours, no shell
                [
                    *(sys.executable, "-I", "-S", str(GUARD), str(theirs.fileno()), str(int(stop_signal))),
                    *(str(grace_s), str(uid), str(gid), "--", *map(str, command)),
                ],
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        self._channel = ours
        self._stop_signal = stop_signal
        self._swept = False
        ours.settimeout(10)
        line = ours.recv(32)
        self.pid = int(line) if line.strip().isdigit() else -1

    @property
    def stdout(self) -> IO[bytes] | None:
        return self._guard.stdout

    @property
    def returncode(self) -> int | None:
        return self._guard.returncode

    def poll(self) -> int | None:
        """The exit code once the command and all its descendants are gone, else None."""
        code = self._guard.poll()
        if code is not None:
            self._sweep()
        return code

    def wait(self, timeout_s: float) -> int:
        """Wait for the end; `subprocess.TimeoutExpired` when it takes longer."""
        code = self._guard.wait(timeout_s)
        self._sweep()
        return code

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the command itself, not to its guard."""
        if self._guard.poll() is None and self.pid > 0:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return  # it ended in between; poll() will tell

    def stop(self, timeout_s: float) -> int:
        """Ask the command to stop, kill it and its descendants after `timeout_s`. Returns the exit code."""
        self.signal(self._stop_signal)
        try:
            return self.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """SIGKILL the command; its guard then kills the descendants."""
        self.signal(signal.SIGKILL)
        try:
            return self.wait(6)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            return self.wait(2)

    def _sweep(self) -> None:
        """After the guard's end: were the guard itself killed, members of its group could be left.

        Once only, right after the guard was reaped: later its number may belong to a stranger's group.
        """
        if self._swept:
            return
        self._swept = True
        self._channel.close()
        try:
            os.killpg(self._guard.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return
