"""Turns red when work waits and nobody works on it: the alarm for what never started, which no failure sensor sees."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg

from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.core.db.lanes import Lane
from zrg_dagster.core.db.pulse import lane_pulse
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database

if TYPE_CHECKING:
    import psycopg

INTERVALS = 3
# A drain is asked for every five seconds and needs up to fifteen to be queued and started on a busy machine.
LANE_INTERVAL = timedelta(seconds=20)
MINUTE = timedelta(minutes=1)

# Work of the minute schedules: job name → (interval, when the oldest of it fell due).
SCHEDULED: dict[str, tuple[timedelta, str]] = {
    "send_due_followups": (
        MINUTE,
        """SELECT min(i.next_step_due) AS oldest FROM app.follow_up_instance i JOIN app.lead l ON l.id = i.lead_id
           LEFT JOIN app.workspace_setting s ON s.workspace_id = i.workspace_id
           WHERE i.status = 'active' AND i.next_step_due <= %(now)s AND l.auto_follow_up_enabled
             AND coalesce(l.snoozed_until, '-infinity') <= %(now)s
             AND coalesce(s.follow_ups_paused_until, '-infinity') <= %(now)s
             AND NOT EXISTS (SELECT FROM app.follow_up_step_execution e
                             WHERE e.instance_id = i.id AND e.outcome = 'planned')""",
    ),
    "refresh_availability": (
        MINUTE,
        "SELECT min(refresh_due_at) AS oldest FROM app.calendar WHERE is_active AND refresh_due_at <= %(now)s",
    ),
}


def is_absent(*, waiting: timedelta | None, interval: timedelta, workers: int, succeeded: bool) -> bool:
    """Work has waited for three intervals, nobody is at it, and no run of its job succeeded meanwhile. Pure."""
    return waiting is not None and waiting > INTERVALS * interval and workers == 0 and not succeeded


def absent_lanes(
    connection: "psycopg.Connection[dict[str, Any]]", instance: dg.DagsterInstance, now: datetime
) -> list[str]:
    """One line for each job that should have run and did not."""
    found: list[str] = []
    for lane, job_name in (
        (Lane.INBOUND, "process_inbound"),
        (Lane.REPLIES, "process_replies"),
        (Lane.SENDS, "process_sends"),
    ):
        pulse = lane_pulse(connection, lane, now)
        waiting = timedelta(seconds=pulse.oldest_due_s) if pulse.oldest_due_s is not None else None
        succeeded = _succeeded(instance, job_name, now - INTERVALS * LANE_INTERVAL)
        if is_absent(waiting=waiting, interval=LANE_INTERVAL, workers=pulse.workers, succeeded=succeeded):
            found.append(f"{job_name}: work has waited {waiting} and no drain is alive")
    for job_name, (interval, question) in SCHEDULED.items():
        row = connection.execute(question.encode(), {"now": now}).fetchone()
        waiting = now - row["oldest"] if row and row["oldest"] else None
        succeeded = _succeeded(instance, job_name, now - INTERVALS * interval)
        if is_absent(waiting=waiting, interval=interval, workers=0, succeeded=succeeded):
            found.append(f"{job_name}: work has waited {waiting} and no run succeeded")
    return found


def _succeeded(instance: dg.DagsterInstance, job_name: str, since: datetime) -> bool:
    finished = dg.RunsFilter(job_name=job_name, statuses=[dg.DagsterRunStatus.SUCCESS], updated_after=since)
    return instance.get_runs_count(finished) > 0


@dg.sensor(
    name="absence_alarm",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING if current_settings().automation else dg.DefaultSensorStatus.STOPPED,
    description="Red when a lane had work for three of its intervals and no run took it. Look at the daemon, the queue "
    "and the lane's sensor; launch the named job by hand to catch up.",
)
def absence_alarm(context: dg.SensorEvaluationContext, database: Database, clock: Clock) -> dg.SkipReason:
    with database.connect() as connection:
        absent = absent_lanes(connection, context.instance, clock.now())
    if absent:
        raise dg.Failure(description="; ".join(absent), allow_retries=False)
    return dg.SkipReason("every lane with work is being worked on")
