"""How a fact is built: one UTC day range, one transaction, set-based, the same result however often it runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from zrg_dagster.core.analytics import flags
from zrg_dagster.core.analytics.connection import Connection, query

# The first daily partition. Flags of earlier days belong to no partition and are reported, not built.
FIRST_DAY = date(2025, 1, 1)
# The mart above the facts; also the name of its flags.
ATTRIBUTION = "workflow_attribution"
PREVIEW_ROWS = 10
# Builders of facts take turns. Two builders of overlapping ranges would insert the same row twice, and a step that is
# built beside its booking would not see that the booking's credits depend on it.
_TAKE_TURN = "SELECT pg_advisory_xact_lock(hashtextextended('zrg.facts', 0))"


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: str
    description: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact table and its statements. Each statement takes `from_utc` and `to_utc`, half-open, both may be null in
    those that only read.

    `merge_sql` brings the range in line with the business rows and answers one row per changed row: workspace_id,
    utc_day, change (`inserted`, `updated`, `deleted`) and feeds_attribution (whether credits depend on it).
    `source_count_sql` counts the business rows of the range as column n.
    """

    name: str
    table: str
    event_column: str
    key: tuple[str, ...]
    required: tuple[str, ...]
    preview: tuple[str, ...]
    columns: tuple[Column, ...]
    merge_sql: str = field(repr=False)
    source_count_sql: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Built:
    """What one build did. `restated` counts rows that were there before and changed or went, by day."""

    rows: Mapping[date, int]
    restated: Mapping[date, int]
    inserted: int
    workspaces: int
    source_max_ts: datetime | None
    flags_cleared: int


def day_range(first: date, last: date) -> tuple[datetime, datetime]:
    """The instants of the UTC days `first` to `last`, half-open."""
    return (
        datetime.combine(first, time.min, UTC),
        datetime.combine(last + timedelta(days=1), time.min, UTC),
    )


def build(conn: Connection, fact: Fact, first: date, last: date, today: date) -> Built:
    """Build the days `first` to `last` inside the open transaction of `conn`, and flag the marts that depend on it."""
    query(conn, _TAKE_TURN)
    seen = flags.read(conn, fact.name, first, last)
    from_utc, to_utc = day_range(first, last)
    span = {"from_utc": from_utc, "to_utc": to_utc}
    changed = query(conn, fact.merge_sql, span).fetchall()
    affected: set[UUID] = {row["workspace_id"] for row in changed if row["feeds_attribution"]}
    flags.mark(conn, ATTRIBUTION, today, affected)
    restated: dict[date, int] = {}
    for row in changed:
        if row["change"] != "inserted":
            restated[row["utc_day"]] = restated.get(row["utc_day"], 0) + 1
    per_day = query(conn, _per_day_sql(fact), span).fetchall()
    whole = query(conn, _whole_sql(fact), span).fetchone()
    assert whole is not None
    return Built(
        rows={row["utc_day"]: row["n"] for row in per_day},
        restated=restated,
        inserted=sum(row["change"] == "inserted" for row in changed),
        workspaces=whole["workspaces"],
        source_max_ts=whole["newest"],
        flags_cleared=flags.clear(conn, seen),
    )


def preview(conn: Connection, fact: Fact, first: date, last: date) -> list[dict[str, Any]]:
    """The newest rows of the range, with the workspace's key in place of ids and nothing that names a person."""
    from_utc, to_utc = day_range(first, last)
    columns = ", ".join(f"f.{name}" for name in fact.preview)
    return query(
        conn,
        f"""SELECT w.key AS workspace, {columns}
            FROM {fact.table} f LEFT JOIN app.workspace w ON w.id = f.workspace_id
            WHERE {_in_range(fact, "f.")}
            ORDER BY f.{fact.event_column} DESC, {", ".join(f"f.{name}" for name in fact.key)}
            LIMIT {PREVIEW_ROWS}""",
        {"from_utc": from_utc, "to_utc": to_utc},
    ).fetchall()


def _in_range(fact: Fact, prefix: str = "") -> str:
    return f"{prefix}{fact.event_column} >= %(from_utc)s AND {prefix}{fact.event_column} < %(to_utc)s"


def _per_day_sql(fact: Fact) -> str:
    return f"SELECT utc_day, count(*) AS n FROM {fact.table} WHERE {_in_range(fact)} GROUP BY utc_day"


def _whole_sql(fact: Fact) -> str:
    return (
        f"SELECT count(DISTINCT workspace_id) AS workspaces, max({fact.event_column}) AS newest "
        f"FROM {fact.table} WHERE {_in_range(fact)}"
    )
