"""Runs one command and makes sure that nothing of it outlives the process that asked for it.

    python -I -S guard.py FD STOP_SIGNAL GRACE_S UID GID -- COMMAND...

Started as a plain script, isolated and without site-packages, so that it costs milliseconds and few megabytes.

Why a process of its own: PR_SET_PDEATHSIG reaches direct children only, is bound to the *thread* that forked, and is
lost by a process that starts sub-processes of its own (granian's workers, the daemon's runs). The guard holds one end
of a socket instead. When the other end closes, for whatever reason, SIGKILL included, the guard asks the command to
stop, waits the grace period and kills all that is left. It is the reaper of its descendants (Linux), so a grandchild
that moved to another session or lost its parent is found too.

The socket carries one line to the parent (`PID\\n`, the command's process id). UID and GID are -1 to keep ours.
Exit code: the command's, or 128 + signal number.
"""

import ctypes
import os
import select
import signal
import sys
import time

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_TICK_S = 0.5


def _prctl(option, value):
    """Linux only; elsewhere the process group is what we have."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def _exec(command, uid, gid, die_with):
    """In the forked child: default signals, other user if asked for, then the command. Never returns."""
    try:
        # A non-interactive shell starts `cmd &` with SIGINT ignored, and an ignored signal survives exec:
        # Dagster and Postgres would then never stop.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if gid >= 0:
            os.setgroups([])
            os.setgid(gid)
        if uid >= 0:
            os.setuid(uid)
        # After the change of user, which clears it: the second line of defence if the guard itself is killed.
        _prctl(_PR_SET_PDEATHSIG, die_with)
        os.execvpe(command[0], command, os.environ)  # noqa: S606 - an argument list, no shell
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(127)


def _descendants():
    """Process ids below this one, or None where /proc does not tell."""
    parents = {}
    try:
        entries = os.listdir("/proc")  # noqa: PTH208 - pathlib would cost start-up time here
    except OSError:
        return None
    for entry in entries:
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", "rb") as file:  # noqa: PTH123
                # The name may contain spaces and brackets: fields start after the last bracket.
                parents[int(entry)] = int(file.read().rpartition(b")")[2].split()[1])
        except (OSError, IndexError, ValueError):
            continue  # it ended while we looked
    found = set()
    frontier = {os.getpid()}
    while frontier:
        frontier = {pid for pid, parent in parents.items() if parent in frontier and pid not in found}
        found |= frontier
    return found


def _send(pid, number):
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _sweep():
    """Kill every remaining descendant; repeat while there are any, because a dying tree can still fork."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        left = _descendants()
        if left is None:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            os.killpg(os.getpgid(0), signal.SIGTERM)
            return
        for pid in left:
            _send(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.02)


def _reap(child):
    """Collect ended children; the command's wait status once it is among them."""
    try:
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == child:
                return status
            if pid == 0:
                return None
    except ChildProcessError:
        return 0


def _watch(channel, child, stop_signal, grace):
    """Wait for the command to end; stop it when the parent is gone. Returns its wait status (None: it was swept)."""
    parent = os.getppid()
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        # Whoever signals the guard means the command, in the way this command wants to be stopped.
        signal.signal(number, lambda *_: _send(child, stop_signal))

    deadline = None
    watched = [channel, wake_read]
    while True:
        status = _reap(child)
        if status is not None:
            return status
        if deadline is not None and time.monotonic() >= deadline:
            return None
        ready, _, _ = select.select(watched, [], [], _TICK_S)
        if wake_read in ready:
            os.read(wake_read, 4096)
        gone = os.getppid() != parent
        if channel in ready and not os.read(channel, 64):
            gone = True
            watched = [wake_read]
        if gone and deadline is None:
            deadline = time.monotonic() + grace
            _send(child, stop_signal)


def main(arguments):
    channel, stop_signal = int(arguments[0]), int(arguments[1])
    grace, uid, gid = float(arguments[2]), int(arguments[3]), int(arguments[4])
    command = arguments[6:]
    os.set_inheritable(channel, False)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    child = os.fork()
    if child == 0:
        # If the guard itself is killed: Postgres (the one we stop with SIGINT) quits at once and recovers at the next
        # start; a SIGKILLed postmaster would leave its backends to notice by themselves.
        _exec(command, uid, gid, signal.SIGQUIT if stop_signal == signal.SIGINT else signal.SIGKILL)
    os.write(channel, f"{child}\n".encode())
    status = _watch(channel, child, stop_signal, grace)
    _sweep()
    if status is None:
        return 128 + signal.SIGKILL
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
