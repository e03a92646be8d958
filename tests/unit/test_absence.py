"""When work that nobody does becomes an alarm: the rule alone."""

from datetime import timedelta

import pytest

from zrg_dagster.jobs.maintenance import PURGED_JOBS
from zrg_dagster.sensors.absence import INTERVALS, LANE_INTERVAL, SCHEDULED, is_absent

MINUTE = timedelta(minutes=1)
LONG = 4 * MINUTE


def absent(*, waiting=LONG, interval=MINUTE, workers=0, succeeded=False):
    return is_absent(waiting=waiting, interval=interval, workers=workers, succeeded=succeeded)


def test_work_that_waits_and_nobody_at_it_is_an_alarm():
    assert absent()


@pytest.mark.parametrize(
    "excuse",
    [{"waiting": None}, {"waiting": timedelta(0)}, {"workers": 1}, {"succeeded": True}],
    ids=["nothing waits", "just fell due", "a worker is alive", "a run succeeded meanwhile"],
)
def test_one_excuse_is_enough(excuse):
    assert not absent(**excuse)


@pytest.mark.parametrize("interval", [MINUTE, LANE_INTERVAL])
def test_three_intervals_are_still_patience(interval):
    limit = INTERVALS * interval
    assert not absent(waiting=limit, interval=interval)
    assert absent(waiting=limit + timedelta(microseconds=1), interval=interval)


def test_what_is_watched_is_also_kept_tidy():
    """The alarm looks at succeeded runs of jobs whose old runs the maintenance deletes; both must know one name."""
    assert set(SCHEDULED) <= set(PURGED_JOBS)
