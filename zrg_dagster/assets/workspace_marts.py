"""What every mart of a workspace is: how it is declared, which workspace a run is about, and the hourly look at which of
them are stale."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import dagster as dg

from zrg_dagster.assets.building import OWNERS, POOL
from zrg_dagster.assets.partitions import WORKSPACES
from zrg_dagster.core.analytics.connection import Connection
from zrg_dagster.core.analytics.workflow_attribution import workspace_id_of
from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition


def mart_asset(
    *, metadata: Mapping[str, Any], description: str, deps: Sequence[dg.AssetDep] = ()
) -> Callable[[Callable[..., Any]], dg.AssetsDefinition]:
    """`dg.asset` for a mart of which one partition is one workspace."""
    return dg.asset(
        key_prefix=["marts"],
        group_name="marts",
        kinds={"postgres", "sql", "pandas"},
        owners=OWNERS,
        partitions_def=WORKSPACES,
        deps=deps,
        pool=POOL,
        code_version="1",
        metadata=metadata,
        description=description,
    )


def workspace_to_build(conn: Connection, key: str) -> UUID:
    """The workspace of a partition; a run of one that is gone fails at once and says so."""
    workspace_id = workspace_id_of(conn, key)
    if workspace_id is None:
        raise dg.Failure(
            f"There is no workspace {key!r}. Its partition is kept for history and cannot be built.",
            allow_retries=False,
        )
    return workspace_id


def workspace_of(tags: Mapping[str, str], conn: Connection) -> UUID | None:
    """The workspace of a run of one partition; None outside of one, and for a workspace that is gone."""
    key = tags.get("dagster/partition")
    return None if key is None else workspace_id_of(conn, key)


def hourly(
    name: str,
    job: "UnresolvedAssetJobDefinition",
    cron_schedule: str,
    stale: Callable[[Any, datetime], Collection[str]],
    *,
    description: str,
    nothing: str,
) -> dg.ScheduleDefinition:
    """A schedule that starts `job` for the workspaces that `stale(connection, now)` names, each once an hour; `nothing` is
    what it says when there is none."""

    def evaluate(context: dg.ScheduleEvaluationContext, warehouse: Database, clock: Clock):
        with warehouse.connect() as conn:
            wanted = stale(conn, clock.now())
        keys = set(context.instance.get_dynamic_partitions(WORKSPACES.name or ""))
        hour = context.scheduled_execution_time.strftime("%Y-%m-%dT%H")
        due = [key for key in wanted if key in keys]
        if not due:
            return dg.SkipReason(nothing)
        return [
            dg.RunRequest(
                run_key=f"{key}:{hour}", partition_key=key, tags={"zrg/workspace": key, "zrg/trigger": "hourly"}
            )
            for key in due
        ]

    started = dg.DefaultScheduleStatus.RUNNING if current_settings().automation else dg.DefaultScheduleStatus.STOPPED
    return dg.schedule(
        name=name,
        job=job,
        cron_schedule=cron_schedule,
        execution_timezone="UTC",
        default_status=started,
        description=description,
    )(evaluate)
