"""Ids: valid version 7, ascending, distinct."""

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
