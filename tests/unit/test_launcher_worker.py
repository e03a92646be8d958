"""The identity of a run's process: a recycled pid, a zombie or another machine is never taken for it."""

import dataclasses
import os
import subprocess
import sys

from zrg_dagster.launcher.worker import WORKER_TAG, Worker, start_time, this_machine, worker_from_tags


def _myself() -> Worker:
    start = start_time(os.getpid())
    assert start is not None
    return Worker(pid=os.getpid(), start=start, machine=this_machine(), server=1)


def test_a_worker_survives_the_way_through_a_tag() -> None:
    worker = _myself()
    assert worker_from_tags({"dagster/priority": "1", WORKER_TAG: worker.to_tag()}) == worker


def test_a_tag_that_is_not_ours_names_no_worker() -> None:
    for text in ("", "12", "{}", '{"pid": 1}', '["pid"]', "not json"):
        assert worker_from_tags({WORKER_TAG: text}) is None
    assert worker_from_tags({}) is None


def test_this_process_is_alive() -> None:
    assert _myself().is_alive()


def test_another_process_under_the_same_pid_is_not_the_worker() -> None:
    worker = _myself()
    assert not dataclasses.replace(worker, start=worker.start + 1).is_alive()


def test_a_pid_of_another_machine_means_nothing_here() -> None:
    worker = dataclasses.replace(_myself(), machine="elsewhere/00000000/1")
    assert not worker.is_local()
    assert not worker.is_alive()


def test_an_ended_process_is_dead_before_and_after_it_is_reaped() -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert process.stdin is not None
    assert start_time(process.pid) is not None
    process.stdin.close()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # ended, and still a zombie of ours
    assert start_time(process.pid) is None
    process.wait()
    assert start_time(process.pid) is None


def test_the_start_time_is_read_behind_a_name_with_brackets(tmp_path) -> None:
    name = tmp_path / "a) S 1 (b"
    name.symlink_to("/bin/sleep")
    process = subprocess.Popen([name, "60"])
    try:
        ticks = start_time(process.pid)
        mine = start_time(os.getpid())
        assert ticks is not None
        assert mine is not None
        assert ticks >= mine
    finally:
        process.kill()
        process.wait()
