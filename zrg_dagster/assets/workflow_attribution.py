"""marts/workflow_attribution: which follow-up sequence earned which booking."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg

from zrg_dagster.assets import frames
from zrg_dagster.assets.booking import booking
from zrg_dagster.assets.building import JOB_TAGS, POOL, connect, table_metadata
from zrg_dagster.assets.step_execution import step_execution
from zrg_dagster.assets.workspace_marts import hourly, mart_asset, workspace_of, workspace_to_build
from zrg_dagster.core.analytics import checks
from zrg_dagster.core.analytics import workflow_attribution as mart
from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database

if TYPE_CHECKING:
    import pandas as pd

# A workspace takes well under a second; above this the asset fails instead of publishing a part.
STATEMENT_TIMEOUT_MS = 10_000
PREVIEW_ROWS = 10
# The window and model of the headline numbers and of the picture.
HEADLINE = {"window_label": "30d", "model": "first_touch"}
_READABLE = (
    "window_label", "model", "sequence_name", "bookings", "kept", "total_bookings", "share_of_total",
    "share_of_workflow",
)  # fmt: skip


@mart_asset(
    deps=[
        dg.AssetDep(booking, partition_mapping=dg.AllPartitionMapping()),
        dg.AssetDep(step_execution, partition_mapping=dg.AllPartitionMapping()),
    ],
    metadata=table_metadata("marts.workflow_attribution", mart.COLUMNS),
    description=(
        "Which follow-up sequence earned the bookings of a workspace, over the last 7, 30 and 90 days. A booking "
        "belongs to a sequence when one of its steps reached the lead strictly before the lead booked; otherwise to "
        "`initial`, the outreach itself. Three models stand side by side: `first_touch`, `last_touch` and `linear`. "
        "Each lead counts once per window, and `kept` leaves out cancelled meetings.\n\n"
        "One partition is one workspace. Materializing it reads the facts, sends nothing, and hands you one "
        "DataFrame: as this asset's value, as a preview and picture below, and as a CSV file. The credits behind the "
        "totals, booking by booking and step by step, are in `marts.booking_credit`."
    ),
)
def workflow_attribution(context: dg.AssetExecutionContext, warehouse: Database, clock: Clock):
    import pandas as pd

    key = context.partition_key
    as_of = clock.now()
    with connect(warehouse, STATEMENT_TIMEOUT_MS) as conn:
        workspace_id = workspace_to_build(conn, key)
        began = time.monotonic()
        built = mart.build(conn, workspace_id, as_of)
        statement_ms = round((time.monotonic() - began) * 1000)
        rows = mart.rows(conn, workspace_id)
    frame = frames.plain_numbers(pd.DataFrame(rows, columns=pd.Index([column.name for column in mart.COLUMNS])))
    path = current_settings().home.resolve() / "exports" / "workflow_attribution" / f"{key}.csv"
    frames.write_csv(frame, path)
    context.log.info(f"marts.workflow_attribution: {len(frame)} rows for {key}, {built.credits} credits.")
    metadata: dict[str, Any] = {
        "dagster/row_count": len(frame),
        "credit_rows": built.credits,
        "rows_restated": built.restated,
        "workspace_count": 1,
        "flags_cleared": built.flags_cleared,
        "statement_ms": statement_ms,
        "as_of_utc": dg.MetadataValue.timestamp(as_of),
        "preview": dg.MetadataValue.md(frames.markdown_table(frame.loc[:, list(_READABLE)], PREVIEW_ROWS)),
        "plot": dg.MetadataValue.md(_picture(frame)),
        "csv": dg.MetadataValue.path(str(path)),
        "csv_first_rows": dg.MetadataValue.text(frame.head(PREVIEW_ROWS).to_csv(index=False)),
        **_headline(frame),
    }
    if built.newest is not None:
        metadata["source_max_ts"] = dg.MetadataValue.timestamp(built.newest)
    return dg.Output(frame, metadata=metadata)


def _picked(frame: "pd.DataFrame") -> "pd.DataFrame":
    chosen = (frame["window_label"] == HEADLINE["window_label"]) & (frame["model"] == HEADLINE["model"])
    return frame.loc[chosen].sort_values(["bookings", "sequence_name"], ascending=[False, True])


def _picture(frame: "pd.DataFrame") -> str:
    picked = _picked(frame)
    total = int(picked["total_bookings"].iloc[0]) if len(picked) else 0
    return frames.bar_picture(
        picked, label="sequence_name", whole="bookings", part="kept",
        title=f"{total} leads booked in 30 days, by the sequence that touched them first",
    )  # fmt: skip


def _headline(frame: "pd.DataFrame") -> dict[str, int | float]:
    """Numbers that Dagster plots over time. A rate without bookings is left out: it is unknown, not zero."""
    picked = _picked(frame)
    if not len(picked):
        return {}
    row = picked.iloc[0]
    total, workflow = int(row["total_bookings"]), int(row["workflow_bookings"])
    numbers: dict[str, int | float] = {"bookings_30d": total, "kept_30d": int(row["total_kept"])}
    if total:
        numbers["workflow_share_30d"] = workflow / total
    return numbers


@dg.multi_asset_check(
    name="workflow_attribution_checks",
    specs=[
        dg.AssetCheckSpec(
            "unique_key",
            asset=workflow_attribution,
            blocking=True,
            description="One row per workspace, window, model and sequence.",
        ),
        dg.AssetCheckSpec(
            "totals_agree",
            asset=workflow_attribution,
            blocking=True,
            description="Initial plus workflow is the total, the sequences make up the workflow part, shares make up 1.",
        ),
        dg.AssetCheckSpec(
            "weights_sum_to_one",
            asset=workflow_attribution,
            blocking=True,
            description="The credits of each booking add up to exactly 1 under each model.",
        ),
        dg.AssetCheckSpec(
            "credit_before_booking",
            asset=workflow_attribution,
            blocking=True,
            description="Every credited step ran, reached the lead, and did so strictly before the booking.",
        ),
    ],
    pool=POOL,
)
def workflow_attribution_checks(context: dg.AssetCheckExecutionContext, warehouse: Database):
    with connect(warehouse, STATEMENT_TIMEOUT_MS) as conn:
        workspace_id = workspace_of(context.run.tags, conn)
        found: Mapping[str, int] = {
            "unique_key": checks.duplicate_summaries(conn, workspace_id),
            "totals_agree": checks.wrong_totals(conn, workspace_id),
            "weights_sum_to_one": checks.wrong_weights(conn, workspace_id),
            "credit_before_booking": checks.credits_out_of_order(conn, workspace_id),
        }
    for name, bad in found.items():
        yield dg.AssetCheckResult(check_name=name, passed=bad == 0, metadata={"bad_rows": bad})


refresh_workflow_attribution = dg.define_asset_job(
    "refresh_workflow_attribution",
    selection=dg.AssetSelection.assets(workflow_attribution),
    description=(
        "Computes marts/workflow_attribution of one workspace and checks it. Started by facts_dirty_sensor when a "
        "fact changed, and by refresh_marts_hourly when a booking left a window because time went on."
    ),
    tags=JOB_TAGS,
)


refresh_marts_hourly = hourly(
    "refresh_marts_hourly",
    refresh_workflow_attribution,
    "5 * * * *",
    mart.stale_workspaces,
    description="Computes the marts of workspaces where a booking entered or left a window since the last time.",
    nothing="No booking entered or left a window since the marts were computed.",
)
