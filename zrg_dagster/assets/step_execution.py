"""facts/step_execution: which follow-up step ran when, and what came of it."""

import dagster as dg

from zrg_dagster.assets.building import (
    JOB_TAGS,
    OWNERS,
    POOL,
    build_fact,
    check_fact,
    fact_check_specs,
    table_metadata,
)
from zrg_dagster.assets.partitions import DAYS
from zrg_dagster.core.analytics.step_execution import STEP_EXECUTION
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database


@dg.asset(
    key_prefix=["facts"],
    group_name="facts",
    kinds={"postgres", "sql"},
    owners=OWNERS,
    partitions_def=DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    pool=POOL,
    code_version="1",
    metadata=table_metadata(STEP_EXECUTION.table, STEP_EXECUTION.columns),
    description=(
        "Every follow-up step that ran, on the UTC day it ran, with its outcome: `sent`, `task_created` (a person has "
        "to act), `skipped` or `failed`. One row per lead's run through a sequence, step and attempt; steps that are "
        "only planned have no row.\n\n"
        "Materializing a day reads the executions again and brings the day in line; it is safe at any time and sends "
        "nothing. Days that changed are built by `facts_dirty_sensor` within a minute."
    ),
)
def step_execution(context: dg.AssetExecutionContext, warehouse: Database, clock: Clock) -> dg.MaterializeResult:
    return build_fact(context, warehouse, clock, STEP_EXECUTION)


@dg.multi_asset_check(
    name="step_execution_checks",
    specs=fact_check_specs(step_execution, "app.follow_up_step_execution (without planned ones)"),
    pool=POOL,
)
def step_execution_checks(context: dg.AssetCheckExecutionContext, warehouse: Database):
    yield from check_fact(context, warehouse, STEP_EXECUTION)


refresh_step_execution_facts = dg.define_asset_job(
    "refresh_step_execution_facts",
    selection=dg.AssetSelection.assets(step_execution),
    description=(
        "Builds days of facts/step_execution and checks them. Started by facts_dirty_sensor for days that changed."
    ),
    tags=JOB_TAGS,
)
