"""One sensor a lane: is anything due, and is nobody working on it? Only then a drain is started."""

import dagster as dg

from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.core.db.queue import Lane
from zrg_dagster.jobs.drain import LANE_TAG
from zrg_dagster.jobs.inbound import process_inbound
from zrg_dagster.jobs.replies import process_replies
from zrg_dagster.jobs.sends import process_sends
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]
STATUS = dg.DefaultSensorStatus.RUNNING if current_settings().automation else dg.DefaultSensorStatus.STOPPED


def decide(*, has_work: bool, workers: int, unfinished: int, stranded: bool) -> str | None:
    """The reason to start no drain, or None to start one. Pure.

    A worker that holds its lock will find the work. A run on its way will become one. A run whose process was killed
    holds no lock and is not waited for: what it claimed is released by the next drain.
    """
    if not has_work:
        return "nothing is due"
    if workers:
        return "a drain is working"
    if unfinished and not stranded:
        return "a drain is on its way"
    return None


def lane_sensor(lane: Lane, job: dg.JobDefinition, description: str) -> dg.SensorDefinition:
    """The sensor of one lane. It asks the database, not Dagster, whether a drain is alive."""

    @dg.sensor(
        name=f"{job.name}_when_due",
        job=job,
        minimum_interval_seconds=5,
        default_status=STATUS,
        description=description,
        tags={LANE_TAG: lane},
    )
    def evaluate(context: dg.SensorEvaluationContext, database: Database, clock: Clock) -> dg.RunRequest | dg.SkipReason:
        from zrg_dagster.core.db.pulse import lane_pulse

        with database.connect() as conn:
            pulse = lane_pulse(conn, lane, clock.now(), with_parked=current_settings().openai_api_key is not None)
        unfinished = 0
        if pulse.has_work and not pulse.workers:
            unfinished = context.instance.get_runs_count(dg.RunsFilter(job_name=job.name, statuses=UNFINISHED))
        reason = decide(
            has_work=pulse.has_work, workers=pulse.workers, unfinished=unfinished, stranded=pulse.stranded
        )
        if reason is not None:
            return dg.SkipReason(reason)
        return dg.RunRequest(tags={LANE_TAG: lane, "zrg/trigger": "sensor"})

    return evaluate


process_inbound_when_due = lane_sensor(
    Lane.INBOUND, process_inbound, "Starts the inbound drain when deliveries wait and nobody works on them."
)
process_replies_when_due = lane_sensor(
    Lane.REPLIES, process_replies, "Starts the replies drain when jobs are due and nobody works on them."
)
process_sends_when_due = lane_sensor(
    Lane.SENDS, process_sends, "Starts the sends drain when planned or unconfirmed sends are due and nobody works on them."
)
