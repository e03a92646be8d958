"""The supervisor with a real Postgres and small stand-ins for the product's processes."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psycopg
import pytest

from zrg_dagster.core.base.settings import load_settings
from zrg_dagster.local.children import Child, Ports
from zrg_dagster.local.probes import free_port
from zrg_dagster.local.stack import Stack, StackError
from zrg_dagster.local.supervisor import POSTGRES, Supervisor, SupervisorError

# Says who it is, starts a grandchild in a session of its own (which a signal to the process group misses), waits.
FAMILY = """
import os, signal, subprocess, sys, time
folder = sys.argv[1]
inner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
open(f"{folder}/{sys.argv[2]}.pids", "w").write(f"{os.getpid()} {inner.pid}")
if len(sys.argv) > 3:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("here I am", flush=True)
time.sleep(600)
"""


def _alive(pid: int) -> bool:
    """Running, and not merely a zombie that nobody has collected yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _until(condition, timeout_s: float = 15.0):
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return value


def _family(tmp: Path, name: str, *extra: str, **options) -> Child:
    marker = tmp / f"{name}.pids"
    return Child(
        name,
        (sys.executable, "-c", FAMILY, str(tmp), name, *extra),
        {"PATH": os.environ["PATH"]},
        lambda: None if marker.exists() else "no marker yet",
        **options,
    )


def _pids(tmp: Path, name: str) -> list[int]:
    return _until(lambda: [int(word) for word in (tmp / f"{name}.pids").read_text().split()])


@pytest.fixture
def stack(tmp_path, postgres_major):
    stack = Stack(load_settings(ZRG_HOME=tmp_path / "a home"), postgres_major=postgres_major, durable=False)
    yield stack
    assert stack.postgres is not None
    stack.postgres.remove()


def test_starts_in_order_restarts_what_crashes_and_stops_everything(stack, tmp_path):
    lines: list[tuple[str, str]] = []
    supervisor = Supervisor(
        stack,
        Ports(),
        children=lambda *_: [_family(tmp_path, "first"), _family(tmp_path, "second")],
        sink=lambda *line: lines.append(line),
    )
    with supervisor:
        assert lines.index(("zrg", "first is ready")) < lines.index(("zrg", "second is ready"))
        _until(lambda: ("first", "here I am") in lines)
        old_pids = _pids(tmp_path, "first")
        (tmp_path / "first.pids").unlink()

        assert supervisor.kill("first") == old_pids[0]
        new_pids = _until(lambda: (tmp_path / "first.pids").exists() and _pids(tmp_path, "first"))
        assert not set(old_pids) & set(new_pids)
        assert not any(map(_alive, old_pids)), "the crashed child left its grandchild behind"
        assert supervisor.restarts("first") == 1
        assert supervisor.restarts("second") == 0

        postgres_pid = supervisor.pid(POSTGRES)
        supervisor.kill(POSTGRES)
        _until(lambda: supervisor.ready(POSTGRES) is None and supervisor.pid(POSTGRES) != postgres_pid)
        with psycopg.connect(stack.dsn("worker")) as connection:
            assert connection.execute("select current_user").fetchone() == ("zrg_worker",)
        everybody = [*new_pids, *_pids(tmp_path, "second"), supervisor.pid(POSTGRES)]
        assert all(map(_alive, everybody))
    assert not any(map(_alive, everybody))
    assert stack.postgres.pid is None
    assert not stack.is_supervised


def test_stop_kills_in_time_what_ignores_the_signal(stack, tmp_path):
    children = [_family(tmp_path, name, "stubborn", stop_group=n, stop_timeout_s=0.5) for n, name in enumerate("abc")]
    supervisor = Supervisor(stack, Ports(), children=lambda *_: children, sink=lambda *_: None)
    with supervisor:
        everybody = [pid for name in "abc" for pid in _pids(tmp_path, name)]
        started = time.monotonic()
        supervisor.stop()
        elapsed = time.monotonic() - started
    assert not any(map(_alive, everybody))
    assert elapsed < 15


def test_sigkill_of_the_supervisor_leaves_no_orphan(stack, tmp_path):
    program = textwrap.dedent("""
        import sys
        from pathlib import Path
        from zrg_dagster.core.base.settings import load_settings
        from zrg_dagster.local.children import Ports
        from zrg_dagster.local.stack import Stack
        from zrg_dagster.local.supervisor import Supervisor
        from tests.integration.test_local_supervisor import _family
        tmp = Path(sys.argv[1])
        stack = Stack(load_settings(ZRG_HOME=sys.argv[2]), postgres_major=int(sys.argv[3]), durable=False)
        children = [_family(tmp, "mild"), _family(tmp, "stubborn", "ignore")]
        supervisor = Supervisor(stack, Ports(), children=lambda *_: children)
        supervisor.start()
        supervisor.wait_ready()
        print("READY", supervisor.pid("postgres"), flush=True)
        import time; time.sleep(600)
    """)
    arguments = [str(tmp_path), str(stack.home), str(stack.postgres.major)]
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    )
    with process:
        assert process.stdout
        ready = next(line for line in process.stdout if line.startswith("READY"))
        everybody = [*_pids(tmp_path, "mild"), *_pids(tmp_path, "stubborn"), int(ready.split()[1])]
        assert all(map(_alive, everybody))
        assert stack.is_supervised
        process.send_signal(signal.SIGKILL)
        process.wait(5)
    _until(lambda: not any(map(_alive, everybody)), 15)
    assert stack.postgres.pid is None


def test_a_second_supervisor_of_the_same_home_is_refused(stack):
    with Supervisor(stack, Ports(), children=lambda *_: [], sink=lambda *_: None):
        other = Supervisor(Stack(stack.settings), Ports(), children=lambda *_: [], sink=lambda *_: None)
        with pytest.raises(StackError, match=rf"another `zrg up` \(pid {os.getpid()}\) uses"):
            other.start()
        with psycopg.connect(stack.dsn("worker")) as connection:
            assert connection.execute("select 1").fetchone() == (1,)


def test_a_port_in_use_is_named_before_anything_starts(stack, tmp_path):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        child = _family(tmp_path, "door", address=("127.0.0.1", port), port_setting="ZRG_RECEIVER_PORT")
        supervisor = Supervisor(stack, Ports(), children=lambda *_: [child], sink=lambda *_: None)
        with pytest.raises(SupervisorError, match=rf"port {port} .* in use: set ZRG_RECEIVER_PORT"):
            supervisor.start()
    assert not (tmp_path / "door.pids").exists()
    assert stack.postgres.pid is None


def test_a_child_that_cannot_start_is_reported_with_its_last_line(stack):
    command = (sys.executable, "-c", "raise SystemExit('setting ZRG_X: missing')")
    child = Child("broken", command, {}, lambda: "never", address=("127.0.0.1", free_port()))
    supervisor = Supervisor(stack, Ports(), children=lambda *_: [child], sink=lambda *_: None)
    with pytest.raises(SupervisorError, match="broken does not start: setting ZRG_X: missing"), supervisor:
        pass
    assert stack.postgres.pid is None
