"""Notices days whose rows changed and starts the builds that bring the facts and marts in line."""

from collections.abc import Mapping
from datetime import datetime

import dagster as dg

from zrg_dagster.assets.booking import refresh_booking_facts
from zrg_dagster.assets.partitions import WORKSPACES
from zrg_dagster.assets.step_execution import refresh_step_execution_facts
from zrg_dagster.assets.workflow_attribution import refresh_workflow_attribution
from zrg_dagster.core.analytics import flags, refresh
from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.jobs.ticks import unfinished_runs
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database

JOB_OF_FACT = {"booking": refresh_booking_facts.name, "step_execution": refresh_step_execution_facts.name}
_MAX_BUSY = 200


@dg.sensor(
    name="facts_dirty_sensor",
    jobs=[refresh_booking_facts, refresh_step_execution_facts, refresh_workflow_attribution],
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING if current_settings().automation else dg.DefaultSensorStatus.STOPPED,
    description=(
        "Builds the days of facts/booking and facts/step_execution that changed, one run per fact, and then the marts "
        "of the workspaces concerned. Skips when nothing changed."
    ),
)
def facts_dirty_sensor(context: dg.SensorEvaluationContext, warehouse: Database, clock: Clock):
    with warehouse.connect() as conn:
        seen = flags.read_all(conn)
        if not seen:
            return dg.SkipReason("No fact changed.")
        rows = conn.execute("SELECT id, key FROM app.workspace").fetchall()
    now = clock.now()
    keys = set(context.instance.get_dynamic_partitions(WORKSPACES.name or ""))
    plan = refresh.plan(
        seen,
        now,
        busy_facts={fact for fact, job in JOB_OF_FACT.items() if _unfinished(context.instance, job, now)},
        busy_workspaces=_unfinished(context.instance, refresh_workflow_attribution.name, now),
        partitions={row["id"]: row["key"] for row in rows if row["key"] in keys},
    )
    requests = [_fact_request(each) for each in plan.facts] + [_mart_request(each) for each in plan.marts]
    return requests or dg.SkipReason("; ".join(plan.reasons) or "No fact changed.")


def _unfinished(instance: dg.DagsterInstance, job_name: str, now: datetime) -> set[str]:
    """Partition keys of the runs of that job which are not over; a run of a range has the key `""`."""
    runs = unfinished_runs(instance, job_name, now, limit=_MAX_BUSY)
    return {run.tags.get("dagster/partition", "") for run in runs}


def _fact_request(request: refresh.FactRequest) -> dg.RunRequest:
    job_name = JOB_OF_FACT[request.fact]
    tags: Mapping[str, str] = {"zrg/trigger": "facts_dirty"}
    if request.first == request.last:
        return dg.RunRequest(
            run_key=request.run_key, job_name=job_name, partition_key=request.first.isoformat(), tags=tags
        )
    span = {
        "dagster/asset_partition_range_start": request.first.isoformat(),
        "dagster/asset_partition_range_end": request.last.isoformat(),
    }
    return dg.RunRequest(run_key=request.run_key, job_name=job_name, tags={**tags, **span})


def _mart_request(request: refresh.MartRequest) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=request.run_key,
        job_name=refresh_workflow_attribution.name,
        partition_key=request.workspace_key,
        tags={"zrg/workspace": request.workspace_key, "zrg/trigger": "facts_dirty"},
    )
