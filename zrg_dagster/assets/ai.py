"""marts/ai_calls and marts/ai_funnel: what the model was asked, and what became of the replies it was asked about."""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import dagster as dg

from zrg_dagster.assets import frames
from zrg_dagster.assets.building import JOB_TAGS, POOL, connect, table_metadata
from zrg_dagster.assets.workspace_marts import hourly, mart_asset, workspace_of, workspace_to_build
from zrg_dagster.core.analytics import ai_marts as marts
from zrg_dagster.core.analytics.connection import Connection
from zrg_dagster.core.analytics.facts import Column
from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database

# A workspace takes well under a second; above this the asset fails instead of publishing a part.
STATEMENT_TIMEOUT_MS = 30_000
PREVIEW_ROWS = 14
# The days of the headline numbers.
HEADLINE_DAYS = 7


def _built(
    context: dg.AssetExecutionContext,
    warehouse: Database,
    clock: Clock,
    table: str,
    columns: Sequence[Column],
    build: Callable[[Connection, UUID, marts.Span], int],
) -> dg.Output[Any]:
    """Build one mart of the run's workspace and hand over its frame, with the headline of the last seven days."""
    import pandas as pd

    key, as_of = context.partition_key, clock.now()
    span = marts.span_of(as_of, current_settings().ai_call_retention_days)
    with connect(warehouse, STATEMENT_TIMEOUT_MS) as conn:
        workspace_id = workspace_to_build(conn, key)
        began = time.monotonic()
        written = build(conn, workspace_id, span)
        statement_ms = round((time.monotonic() - began) * 1000)
        rows = marts.rows(conn, table, columns, workspace_id)
        asked = marts.totals(conn, workspace_id, as_of - timedelta(days=HEADLINE_DAYS), as_of)
    frame = frames.plain_numbers(pd.DataFrame(rows, columns=pd.Index([column.name for column in columns])))
    path = current_settings().home.resolve() / "exports" / table / f"{key}.csv"
    frames.write_csv(frame, path)
    context.log.info(f"marts.{table}: {written} rows of {key} since {span.first}, {len(frame)} in all.")
    metadata: dict[str, Any] = {
        "dagster/row_count": len(frame),
        "rows_rebuilt": written,
        "first_day": span.first.isoformat(),
        "statement_ms": statement_ms,
        "as_of_utc": dg.MetadataValue.timestamp(as_of),
        "preview": dg.MetadataValue.md(frames.markdown_table(frame, PREVIEW_ROWS)),
        "csv": dg.MetadataValue.path(str(path)),
        "calls_7d": asked["calls"],
        "failed_7d": asked["failed"],
        "cost_usd_7d": float(asked["cost_usd"]),
    }
    if asked["calls"]:
        metadata |= {
            "failed_share_7d": asked["failed"] / asked["calls"],
            "p50_ms_7d": asked["p50_ms"],
            "p95_ms_7d": asked["p95_ms"],
        }
    return dg.Output(frame, metadata=metadata)


@mart_asset(
    metadata=table_metadata("marts.ai_calls", marts.CALL_COLUMNS),
    description=(
        "What a workspace asked the model, by UTC day, source, prompt, version and model: calls, failures, tokens, cost in "
        "USD, median and 95th percentile of the latency. A version `ws.rN.hash` is the workspace's own words.\n\n"
        "One partition is one workspace. Materializing it counts the days anew of which the calls are still kept (30 by "
        "default) and leaves older ones as they were counted then."
    ),
)
def ai_calls(context: dg.AssetExecutionContext, warehouse: Database, clock: Clock):
    return _built(context, warehouse, clock, "ai_calls", marts.CALL_COLUMNS, marts.build_calls)


@mart_asset(
    metadata=table_metadata("marts.ai_funnel", marts.FUNNEL_COLUMNS),
    description=(
        "What became of the replies of a workspace, by the UTC day on which they were written: classified, positive, "
        "drafted, reviewed, sent, and what the model cost for them. Each positive reply has a draft, a reason on record, or "
        "is still worked on; `unexplained` counts those with none of these.\n\n"
        "One partition is one workspace, counted anew as far back as model calls are kept."
    ),
)
def ai_funnel(context: dg.AssetExecutionContext, warehouse: Database, clock: Clock):
    return _built(context, warehouse, clock, "ai_funnel", marts.FUNNEL_COLUMNS, marts.build_funnel)


@dg.multi_asset_check(
    name="ai_checks",
    specs=[
        dg.AssetCheckSpec(
            "positive_replies_covered",
            asset=ai_funnel,
            description="Every positive reply has a draft, a reason on record, or is still worked on. `zrg explain` tells "
            "the story of a lead.",
        ),
        dg.AssetCheckSpec(
            "steps_agree",
            asset=ai_funnel,
            blocking=True,
            description="The parts of the positive replies add up, and no step has more replies than the one before.",
        ),
        dg.AssetCheckSpec(
            "error_share",
            asset=ai_calls,
            description="On each of the last two days at most 10 % of the calls had no usable answer (from 20 calls on).",
        ),
    ],
    pool=POOL,
)
def ai_checks(context: dg.AssetCheckExecutionContext, warehouse: Database, clock: Clock):
    yesterday = clock.now().date() - timedelta(days=1)
    with connect(warehouse, STATEMENT_TIMEOUT_MS) as conn:
        workspace_id = workspace_of(context.run.tags, conn)
        uncovered = marts.bad_rows(conn, "uncovered", workspace_id)
        disagreeing = marts.bad_rows(conn, "disagreeing", workspace_id)
        error_days = marts.bad_rows(conn, "error_days", workspace_id, yesterday)
    yield dg.AssetCheckResult(
        asset_key=ai_funnel.key,
        check_name="positive_replies_covered",
        passed=uncovered == 0,
        metadata={"replies": uncovered},
    )
    yield dg.AssetCheckResult(
        asset_key=ai_funnel.key, check_name="steps_agree", passed=disagreeing == 0, metadata={"bad_rows": disagreeing}
    )
    yield dg.AssetCheckResult(
        asset_key=ai_calls.key,
        check_name="error_share",
        passed=error_days == 0,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"days": error_days},
    )


refresh_ai_marts = dg.define_asset_job(
    "refresh_ai_marts",
    selection=dg.AssetSelection.assets(ai_calls, ai_funnel),
    description="Counts marts/ai_calls and marts/ai_funnel of one workspace and checks them. Started each hour for "
    "workspaces that asked the model since.",
    tags=JOB_TAGS,
)


refresh_ai_marts_hourly = hourly(
    "refresh_ai_marts_hourly",
    refresh_ai_marts,
    "20 * * * *",
    marts.stale_workspaces,
    description="Counts the marts of the model for workspaces that asked it since the last time.",
    nothing="No workspace asked the model since its marts were counted.",
)
