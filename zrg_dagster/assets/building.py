"""What every fact asset does: build the days of its partitions, report them, and ask the standard questions."""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import dagster as dg

from zrg_dagster.core.analytics import checks, facts
from zrg_dagster.core.analytics.connection import Connection
from zrg_dagster.core.analytics.facts import Column, Fact
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database

# One statement builds a whole backfill range; above this the asset fails visibly instead of holding the others up.
FACT_STATEMENT_TIMEOUT_MS = 120_000
# Runs of assets wait in this pool, named after what they load.
POOL = "warehouse"
OWNERS = ["team:analytics"]
# Replies come before reports in the run queue; a build that hangs is ended by run monitoring.
JOB_TAGS = {"dagster/priority": "-1", "dagster/max_runtime": "900"}


def connect(warehouse: Database, statement_timeout_ms: int) -> Connection:
    """A connection whose `with` block is one transaction."""
    # Imported here: this pulls SQLAlchemy and the driver, which loading the definitions does not need.
    from zrg_dagster.core.db.engine import sync_connect

    return sync_connect(warehouse.dsn, statement_timeout_ms=statement_timeout_ms)


def table_metadata(table: str, columns: Sequence[Column]) -> dict[str, Any]:
    """Where the rows are and what each column means; shown in the catalogue before anything was built."""
    return {
        "dagster/relation_identifier": table,
        "dagster/column_schema": dg.TableSchema(
            columns=[dg.TableColumn(name=each.name, type=each.type, description=each.description) for each in columns]
        ),
    }


def build_fact(
    context: dg.AssetExecutionContext, warehouse: Database, clock: Clock, fact: Fact
) -> dg.MaterializeResult:
    """Build every partition of this run in one transaction."""
    keys = context.partition_keys
    first, last = date.fromisoformat(keys[0]), date.fromisoformat(keys[-1])
    as_of = clock.now()
    with connect(warehouse, FACT_STATEMENT_TIMEOUT_MS) as conn:
        began = time.monotonic()
        built = facts.build(conn, fact, first, last, as_of.date())
        statement_ms = round((time.monotonic() - began) * 1000)
        newest = facts.preview(conn, fact, first, last)
    for key in keys:
        day = date.fromisoformat(key)
        context.add_asset_metadata(
            {"dagster/row_count": built.rows.get(day, 0), "rows_restated": built.restated.get(day, 0)},
            partition_key=key,
        )
    total = sum(built.rows.values())
    context.log.info(
        f"{fact.table}: {total} rows in {len(keys)} day(s) from {first} to {last}; "
        f"{built.inserted} new, {sum(built.restated.values())} restated."
    )
    metadata: dict[str, Any] = {
        "rows_inserted": built.inserted,
        "rows_in_range": total,
        "workspace_count": built.workspaces,
        "flags_cleared": built.flags_cleared,
        "statement_ms": statement_ms,
        "as_of_utc": dg.MetadataValue.timestamp(as_of),
        "preview": preview_table(newest, fact),
    }
    if built.source_max_ts is not None:
        metadata["source_max_ts"] = dg.MetadataValue.timestamp(built.source_max_ts)
    return dg.MaterializeResult(metadata=metadata)


def preview_table(rows: Sequence[Mapping[str, Any]], fact: Fact) -> dg.TableMetadataValue:
    names = ("workspace", *fact.preview)
    return dg.MetadataValue.table(
        records=[dg.TableRecord({name: _cell(row[name]) for name in names}) for row in rows],
        schema=dg.TableSchema(columns=[dg.TableColumn(name=name) for name in names]),
    )


def _cell(value: Any) -> str | int | float | bool | None:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def fact_check_specs(asset: dg.AssetsDefinition, source: str) -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(
            "unique_key", asset=asset, blocking=True, description="No event stands in two rows, so none counts twice."
        ),
        dg.AssetCheckSpec(
            "not_null_keys",
            asset=asset,
            blocking=True,
            description="Every row has a workspace, a lead and an event time.",
        ),
        dg.AssetCheckSpec(
            "window_bounds",
            asset=asset,
            blocking=True,
            description="Every event time lies inside the UTC day of its partition.",
        ),
        dg.AssetCheckSpec(
            "row_balance",
            asset=asset,
            description=f"As many rows as {source} has, within 0.1 %. A warning, because work is always in flight.",
        ),
    ]


def check_fact(
    context: dg.AssetCheckExecutionContext, warehouse: Database, fact: Fact
) -> Iterator[dg.AssetCheckResult]:
    """Answer the standard questions for the partitions of this run, or for the whole table outside of one."""
    from_utc, to_utc = _range_of(context.run.tags)
    with connect(warehouse, FACT_STATEMENT_TIMEOUT_MS) as conn:
        found = {
            "unique_key": checks.duplicate_keys(conn, fact, from_utc, to_utc),
            "not_null_keys": checks.missing_values(conn, fact, from_utc, to_utc),
            "window_bounds": checks.out_of_bounds(conn, fact, from_utc, to_utc),
        }
        rows, source_rows = checks.balance(conn, fact, from_utc, to_utc)
    for name, bad in found.items():
        yield dg.AssetCheckResult(check_name=name, passed=bad == 0, metadata={"bad_rows": bad})
    yield dg.AssetCheckResult(
        check_name="row_balance",
        passed=checks.is_balanced(rows, source_rows),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"rows": rows, "source_rows": source_rows},
    )


def _range_of(tags: Mapping[str, str]) -> tuple[datetime | None, datetime | None]:
    """The event times that a run is about, from the tags that Dagster gives a run of daily partitions."""
    first = tags.get("dagster/partition") or tags.get("dagster/asset_partition_range_start")
    last = tags.get("dagster/partition") or tags.get("dagster/asset_partition_range_end")
    if first is None or last is None:
        return None, None
    return facts.day_range(date.fromisoformat(first), date.fromisoformat(last))
