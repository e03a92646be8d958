"""One sensor a lane: is anything due, and is nobody working on it? Only then a drain is started."""

from datetime import timedelta

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
UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]
STATUS = dg.DefaultSensorStatus.RUNNING if current_settings().automation else dg.DefaultSensorStatus.STOPPED


def decide(*, has_work: bool, workers: int, unfinished: int) -> str | None:
    """The reason to start no drain, or None to start one. Pure.

    A worker that holds its lock will find the work, and a run on its way will become one. A run whose process was
    killed holds no lock, though Dagster may count it as started for a while: when it left claims behind, only runs
    younger than `STARTING_TIME` count as on their way.
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

        with database.connect() as conn:
            pulse = lane_pulse(conn, lane, clock.now(), with_parked=current_settings().openai_api_key is not None)
        unfinished = 0
        if pulse.has_work and not pulse.workers:
            since = clock.now() - STARTING_TIME if pulse.stranded else None
            on_its_way = dg.RunsFilter(job_name=job.name, statuses=UNFINISHED, created_after=since)
            unfinished = context.instance.get_runs_count(on_its_way)
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
