"""Gives every new workspace a partition, so that its marts can be built."""

import dagster as dg

from zrg_dagster.assets.partitions import WORKSPACES
from zrg_dagster.core.analytics.workflow_attribution import workspace_keys
from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.resources.database import Database


@dg.sensor(
    name="workspace_partitions_sensor",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING if current_settings().automation else dg.DefaultSensorStatus.STOPPED,
    description=(
        "Adds a partition for each new workspace. Never deletes one: a partition carries history, and a run that uses "
        "a deleted one fails at its end. Starts no run."
    ),
)
def workspace_partitions_sensor(context: dg.SensorEvaluationContext, warehouse: Database):
    with warehouse.connect() as conn:
        keys = workspace_keys(conn)
    known = set(context.instance.get_dynamic_partitions(WORKSPACES.name or ""))
    new = [key for key in keys if key not in known]
    if not new:
        return dg.SkipReason(f"All {len(keys)} workspaces have their partition.")
    return dg.SensorResult(dynamic_partitions_requests=[WORKSPACES.build_add_request(new)])
