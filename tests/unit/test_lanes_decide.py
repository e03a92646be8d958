"""When a lane's sensor starts a drain, and when it leaves it: the rule alone."""

import itertools

import pytest

from zrg_dagster.sensors.lanes import decide


@pytest.mark.parametrize(
    "has_work, workers, unfinished, reason",
    [
        (False, 0, 0, "nothing is due"),
        (False, 1, 1, "nothing is due"),
        (True, 1, 0, "a drain is working"),
        (True, 2, 3, "a drain is working"),
        (True, 0, 1, "a drain is on its way"),
        (True, 0, 0, None),
    ],
)
def test_a_drain_is_started_only_for_work_that_nobody_will_do(has_work, workers, unfinished, reason):
    assert decide(has_work=has_work, workers=workers, unfinished=unfinished) == reason


def test_every_tick_without_a_run_says_why():
    for has_work, workers, unfinished in itertools.product((False, True), range(3), range(3)):
        reason = decide(has_work=has_work, workers=workers, unfinished=unfinished)
        assert (reason is None) == (has_work and not workers and not unfinished)
        assert reason is None or reason.strip()
