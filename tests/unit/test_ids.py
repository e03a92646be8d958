"""Ids: valid version 7, ascending, distinct."""

import os
import time

from zrg_dagster.core.base.ids import new_id


def test_ids_are_version_7_and_carry_the_time():
    before = time.time_ns() // 1_000_000
    made = new_id()
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000


def test_ids_ascend_within_a_process_and_differ():
    made = [new_id() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_a_forked_child_uses_nothing_that_its_parent_drew(monkeypatch):
    """Two children of one process would else make the same ids in the same millisecond."""
    new_id()  # the parent has drawn for the next ones too
    monkeypatch.setattr(time, "time_ns", lambda: 1_772_000_000_000_000_000)
    told = []
    for _ in range(2):
        read_end, write_end = os.pipe()
        if (child := os.fork()) == 0:
            os.write(write_end, new_id().bytes)
            os._exit(0)
        os.waitpid(child, 0)
        told.append(os.read(read_end, 16))
        os.close(read_end)
        os.close(write_end)
    assert told[0] != told[1]
    assert new_id().bytes not in told
