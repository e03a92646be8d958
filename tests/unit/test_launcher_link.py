"""The fork server as a process: what it refuses to start with, what it does with its children, how it ends."""

import os
import queue
import signal
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from zrg_dagster.launcher.link import ForkServer, ForkServerError, fingerprint

Exits = queue.Queue  # of (run id, exit code)
Start = Callable[..., AbstractContextManager[tuple[ForkServer, Exits]]]


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder from which this process and the fork server import."""
    folder = tmp_path / "modules"
    folder.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(folder))
    monkeypatch.syspath_prepend(str(folder))
    return folder


@pytest.fixture
def start() -> Start:
    @contextmanager
    def running(*preload: str) -> Iterator[tuple[ForkServer, Exits]]:
        exits: Exits = queue.Queue()
        server = ForkServer(preload, start_timeout_s=60, on_exit=lambda run_id, code: exits.put((run_id, code)))
        try:
            yield server, exits
        finally:
            server.stop()

    return running


# A worker without Dagster: the run id says what the child does.
FAKE_WORKER = """
import os, pathlib, signal, sys, time
from zrg_dagster.launcher import worker

def execute(run_id, folder, server_pid):
    if folder:
        pathlib.Path(folder, run_id + ".tmp").write_text(f"{os.getpid()} {os.getsid(0)} {server_pid}")
        pathlib.Path(folder, run_id + ".tmp").rename(pathlib.Path(folder, run_id))
    if run_id == "raise":
        raise RuntimeError("no such database")
    if run_id.startswith("wait"):
        time.sleep(300)
    if run_id.startswith("deaf"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
        time.sleep(300)
    return 7 if run_id == "seven" else 0

worker.execute = execute
"""


@pytest.fixture
def fake_worker(modules: Path) -> str:
    (modules / "fake_worker.py").write_text(FAKE_WORKER)
    return "fake_worker"


def _exists(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def _eventually(condition: Callable[[], bool]) -> None:
    waited = threading.Event()
    for _ in range(600):
        if condition():
            return
        waited.wait(0.05)
    raise AssertionError("did not happen within 30 s")


def test_a_missing_module_fails_with_its_name(start: Start) -> None:
    with (
        pytest.raises(ForkServerError, match=r"cannot preload 'no_such_module'.*ModuleNotFoundError"),
        start("json", "no_such_module"),
    ):
        pytest.fail("started without one of its modules")


def test_a_broken_module_fails_with_its_name_and_reason(start: Start, modules: Path) -> None:
    (modules / "broken_module.py").write_text("raise ValueError('half a configuration')")
    with (
        pytest.raises(ForkServerError, match=r"'broken_module': ValueError: half a configuration"),
        start("broken_module"),
    ):
        pytest.fail("started with a module that does not import")


def test_a_module_that_starts_a_thread_is_refused(start: Start, modules: Path) -> None:
    (modules / "threaded_module.py").write_text(
        textwrap.dedent("""
        import threading
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        """)
    )
    with pytest.raises(ForkServerError, match=r"'threaded_module' left 2 threads"), start("threaded_module"):
        pytest.fail("started with two threads")


def test_a_worker_leads_its_own_session_and_its_exit_code_is_heard(
    start: Start, fake_worker: str, tmp_path: Path
) -> None:
    with start(fake_worker) as (server, exits):
        pid = server.launch("seven", str(tmp_path))
        assert exits.get(timeout=30) == ("seven", 7)
        assert (tmp_path / "seven").read_text() == f"{pid} {pid} {server.pid}"
        assert server.running == frozenset()


def test_a_run_that_ends_well_is_not_reported(start: Start, fake_worker: str) -> None:
    with start(fake_worker) as (server, exits):
        server.launch("well", "")
        _eventually(lambda: not server.running)
        assert exits.empty()


def test_an_exception_before_the_run_has_a_state_is_reported(start: Start, fake_worker: str) -> None:
    with start(fake_worker) as (server, exits):
        server.launch("raise", "")
        assert exits.get(timeout=30) == ("raise", 1)


def test_a_killed_worker_is_reported_with_its_signal(start: Start, fake_worker: str) -> None:
    with start(fake_worker) as (server, exits):
        os.kill(server.launch("wait", ""), signal.SIGKILL)
        assert exits.get(timeout=30) == ("wait", -signal.SIGKILL)


def test_launches_from_many_threads_are_answered_each_with_its_own_pid(
    start: Start, fake_worker: str, tmp_path: Path
) -> None:
    with start(fake_worker) as (server, _):
        pids: dict[str, int] = {}
        threads = [
            threading.Thread(target=lambda name=f"run{n}": pids.update({name: server.launch(name, str(tmp_path))}))
            for n in range(16)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        _eventually(lambda: not server.running)
        assert len(pids) == 16
        for name, pid in pids.items():
            assert (tmp_path / name).read_text().split()[0] == str(pid)


def test_two_hundred_runs_leave_the_server_as_it_was(start: Start, fake_worker: str) -> None:
    with start(fake_worker) as (server, exits):
        for number in range(20):
            server.launch(f"warm-up {number}", "")
        _eventually(lambda: not server.running)
        before = server.rss_kb
        for number in range(200):
            server.launch(f"run {number}", "")
        _eventually(lambda: not server.running)
        assert server.launched == 220
        assert exits.empty()
        assert server.rss_kb - before < 1024, "the fork server grew by more than 1 MiB over 200 runs"
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
        assert children == [], "a zombie is left"
        assert len(list(Path(f"/proc/{server.pid}/task").iterdir())) == 1


def test_stop_ends_workers_that_ignore_the_signal(start: Start, fake_worker: str, tmp_path: Path) -> None:
    with start(fake_worker) as (server, exits):
        polite = server.launch("wait", str(tmp_path))
        deaf = server.launch("deaf", str(tmp_path))
        _eventually(lambda: (tmp_path / "deaf").exists() and (tmp_path / "wait").exists())
        server.stop()
        assert not _exists(polite)
        assert not _exists(deaf)
        assert not _exists(server.pid)
        assert {exits.get(timeout=5), exits.get(timeout=5)} == {("wait", 1), ("deaf", -signal.SIGKILL)}


def test_a_server_whose_launcher_vanishes_stops_its_workers_and_leaves(
    fake_worker: str, tmp_path: Path, modules: Path
) -> None:
    """The launcher is SIGKILLed: nothing of it runs any more, not even exit hooks."""
    program = f"""
import os, signal
from zrg_dagster.launcher.link import ForkServer
server = ForkServer([{fake_worker!r}], start_timeout_s=60, on_exit=print)
print(server.pid, server.launch("wait", {str(tmp_path)!r}), flush=True)
while not os.path.exists({str(tmp_path / "wait")!r}): pass
os.kill(os.getpid(), signal.SIGKILL)
"""
    read, write = os.pipe()
    process = os.posix_spawn(
        sys.executable, [sys.executable, "-c", program], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, write, 1)]
    )
    os.close(write)
    with os.fdopen(read) as output:
        server, worker = map(int, output.readline().split())
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == -signal.SIGKILL
    _eventually(lambda: not _alive(worker) and not _alive(server))


def test_workers_of_a_killed_server_end(start: Start, fake_worker: str, tmp_path: Path) -> None:
    with start(fake_worker) as (server, _):
        worker = server.launch("wait", str(tmp_path))
        _eventually((tmp_path / "wait").exists)
        server.kill()
        _eventually(lambda: not _alive(worker))
        _eventually(lambda: not server.is_usable)
        with pytest.raises(ForkServerError, match="is gone"):
            server.launch("late", "")


def test_a_retired_server_finishes_its_runs_first(start: Start, fake_worker: str, tmp_path: Path) -> None:
    with start(fake_worker) as (server, _):
        worker = server.launch("wait", str(tmp_path))
        _eventually((tmp_path / "wait").exists)
        server.retire()
        assert server.is_usable
        os.kill(worker, signal.SIGTERM)
        _eventually(lambda: not _alive(server.pid))


def _alive(pid: int) -> bool:
    """Orphans may stay zombies of whatever adopted them: dead all the same."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except (FileNotFoundError, ProcessLookupError):
        return False


class TestFingerprint:
    @pytest.fixture
    def package(self, modules: Path) -> Path:
        folder = modules / "watched_package"
        (folder / "inner").mkdir(parents=True)
        (folder / "__init__.py").touch()
        (folder / "inner" / "code.py").write_text("A = 1")
        return folder

    def test_is_stable(self, package: Path) -> None:
        assert fingerprint([package.name]) == fingerprint([package.name])

    def test_sees_a_changed_a_new_and_a_removed_file(self, package: Path) -> None:
        seen = {fingerprint([package.name])}
        (package / "inner" / "code.py").write_text("A = 22")
        seen.add(fingerprint([package.name]))
        (package / "new.py").touch()
        seen.add(fingerprint([package.name]))
        (package / "inner" / "code.py").unlink()
        seen.add(fingerprint([package.name]))
        assert len(seen) == 4

    def test_sees_the_lock_file_beside_the_package(self, package: Path) -> None:
        before = fingerprint([package.name])
        (package.parent / "requirements.lock").write_text("dagster==1")
        assert fingerprint([package.name]) != before

    def test_ignores_compiled_files(self, package: Path) -> None:
        before = fingerprint([package.name])
        (package / "__pycache__").mkdir()
        (package / "__pycache__" / "stray.py").touch()
        (package / "notes.txt").touch()
        assert fingerprint([package.name]) == before

    def test_refuses_a_package_that_is_not_there(self) -> None:
        with pytest.raises(ForkServerError, match="cannot watch 'no_such_package'"):
            fingerprint(["no_such_package"])
