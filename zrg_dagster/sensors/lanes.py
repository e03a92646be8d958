"""One sensor a lane: is anything due, and is nobody working on it? Only then a drain is started."""

from datetime import datetime, timedelta

import dagster as dg

from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.core.db.lanes import Lane
from zrg_dagster.jobs.drain import LANE_TAG
from zrg_dagster.jobs.inbound import process_inbound
from zrg_dagster.jobs.replies import process_replies
from zrg_dagster.jobs.sends import process_sends
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database

STARTING_TIME = timedelta(seconds=30)
THOROUGH_EVERY = timedelta(seconds=60)
# A queued run will start, however long it waits. One that is about to start or has started without taking the lane's
# lock counts for a while only: when the database went away in between, nobody will ever tell its end.
QUEUED = [dg.DagsterRunStatus.QUEUED]
UNDER_WAY = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
STATUS = dg.DefaultSensorStatus.RUNNING if current_settings().automation else dg.DefaultSensorStatus.STOPPED


def decide(*, has_work: bool, workers: int, unfinished: int) -> str | None:
    """The reason to start no drain, or None to start one. Pure.

    A worker that holds its lock will find the work, and a run on its way will become one.
    """
    if not has_work:
        return "nothing is due"
    if workers:
        return "a drain is working"
    if unfinished:
        return "a drain is on its way"
    return None


def lane_sensor(lane: Lane, job: dg.JobDefinition, description: str) -> dg.SensorDefinition:
    """The sensor of one lane. It asks the database, not Dagster, whether a drain is alive."""

    @dg.sensor(
        name=f"{job.name}_when_due",
        # By name: with the object Dagster copies the sensor and warns of a beta parameter that nobody set.
        job_name=job.name,
        minimum_interval_seconds=5,
        default_status=STATUS,
        description=description,
        tags={LANE_TAG: lane.value},
    )
    def evaluate(
        context: dg.SensorEvaluationContext, database: Database, clock: Clock
    ) -> dg.RunRequest | dg.SkipReason:
        from zrg_dagster.core.db.pulse import lane_pulse

        now = clock.now()
        thorough = not context.cursor or now - datetime.fromisoformat(context.cursor) >= THOROUGH_EVERY
        if thorough:
            context.update_cursor(now.isoformat())
        with_parked = current_settings().openai_api_key is not None
        with database.connect() as conn:
            pulse = lane_pulse(conn, lane, now, with_parked=with_parked, thorough=thorough)
        unfinished = 0
        if pulse.has_work and not pulse.workers:
            recent = dg.RunsFilter(job_name=job.name, statuses=UNDER_WAY, updated_after=now - STARTING_TIME)
            queued = dg.RunsFilter(job_name=job.name, statuses=QUEUED)
            unfinished = sum(context.instance.get_runs_count(each) for each in (queued, recent))
        reason = decide(has_work=pulse.has_work, workers=pulse.workers, unfinished=unfinished)
        if reason is not None:
            return dg.SkipReason(reason)
        return dg.RunRequest(tags={LANE_TAG: lane.value, "zrg/trigger": "sensor"})

    return evaluate


process_inbound_when_due = lane_sensor(
    Lane.INBOUND, process_inbound, "Starts the inbound drain when deliveries wait and nobody works on them."
)
process_replies_when_due = lane_sensor(
    Lane.REPLIES, process_replies, "Starts the replies drain when jobs are due and nobody works on them."
)
process_sends_when_due = lane_sensor(
    Lane.SENDS,
    process_sends,
    "Starts the sends drain when planned or unconfirmed sends are due and nobody works on them.",
)
