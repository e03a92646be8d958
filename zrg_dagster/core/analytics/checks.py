"""Questions that must have the answer zero. Each counts bad rows; what a bad row means stands beside it.

`from_utc` and `to_utc` limit the look to a range of event times; both None looks at the whole table.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from zrg_dagster.core.analytics.connection import Connection, query
from zrg_dagster.core.analytics.facts import FIRST_DAY, Fact

# Facts may differ from the business rows by this share before somebody is told: work is always in flight.
BALANCE_TOLERANCE = Decimal("0.001")


def _count(conn: Connection, sql: str, values: Mapping[str, object]) -> int:
    row = query(conn, sql, values).fetchone()
    assert row is not None
    return int(row["n"])


def _where(fact: Fact) -> str:
    column = fact.event_column
    # A row without event time belongs to no range and must be seen from every one.
    return (
        f"({column} IS NULL OR ((%(from_utc)s::timestamptz IS NULL OR {column} >= %(from_utc)s) "
        f"AND (%(to_utc)s::timestamptz IS NULL OR {column} < %(to_utc)s)))"
    )


def duplicate_keys(conn: Connection, fact: Fact, from_utc: datetime | None, to_utc: datetime | None) -> int:
    """Keys that stand in more than one row: the event is counted twice."""
    key = ", ".join(fact.key)
    sql = (
        f"SELECT count(*) AS n FROM (SELECT {key} FROM {fact.table} WHERE {_where(fact)} "
        f"GROUP BY {key} HAVING count(*) > 1) twice"
    )
    return _count(conn, sql, {"from_utc": from_utc, "to_utc": to_utc})


def missing_values(conn: Connection, fact: Fact, from_utc: datetime | None, to_utc: datetime | None) -> int:
    """Rows without workspace, lead or event time: no report can place them."""
    missing = " OR ".join(f"{name} IS NULL" for name in fact.required)
    sql = f"SELECT count(*) AS n FROM {fact.table} WHERE {_where(fact)} AND ({missing})"
    return _count(conn, sql, {"from_utc": from_utc, "to_utc": to_utc})


def out_of_bounds(conn: Connection, fact: Fact, from_utc: datetime | None, to_utc: datetime | None) -> int:
    """Rows whose event time is not inside their partition's UTC day, or before the first partition."""
    # Both directions: rows that lie in the range by time and rows that claim one of its days.
    sql = f"""
        SELECT count(*) AS n FROM {fact.table}
        WHERE ({_where(fact)}
               OR utc_day >= (%(from_utc)s::timestamptz AT TIME ZONE 'UTC')::date
                  AND utc_day < (%(to_utc)s::timestamptz AT TIME ZONE 'UTC')::date)
          AND (utc_day < %(first_day)s OR utc_day <> ({fact.event_column} AT TIME ZONE 'UTC')::date)"""
    return _count(conn, sql, {"from_utc": from_utc, "to_utc": to_utc, "first_day": FIRST_DAY})


def balance(conn: Connection, fact: Fact, from_utc: datetime | None, to_utc: datetime | None) -> tuple[int, int]:
    """Rows of the fact and business rows they are made of."""
    values = {"from_utc": from_utc, "to_utc": to_utc}
    mine = _count(conn, f"SELECT count(*) AS n FROM {fact.table} WHERE {_where(fact)}", values)
    return mine, _count(conn, fact.source_count_sql, values)


def is_balanced(rows: int, source_rows: int) -> bool:
    return abs(rows - source_rows) <= BALANCE_TOLERANCE * source_rows


# The checks of the mart look at one workspace, or at all of them when `workspace_id` is null.
_MINE = "(%(workspace_id)s::uuid IS NULL OR {alias}.workspace_id = %(workspace_id)s::uuid)"

# initial + workflow = total, the sequences' credits make up the workflow bookings, the shares make up 1.
_TOTALS = f"""
    SELECT count(*) AS n FROM (
        SELECT FROM marts.workflow_attribution m WHERE {_MINE.format(alias="m")}
        GROUP BY m.workspace_id, m.window_label, m.model
        HAVING sum(m.bookings) <> max(m.total_bookings)
            OR sum(m.kept) <> max(m.total_kept)
            OR coalesce(sum(m.bookings) FILTER (WHERE m.kind = 'workflow'), 0) <> max(m.workflow_bookings)
            OR count(DISTINCT (m.total_bookings, m.total_kept, m.workflow_bookings)) > 1
            OR count(*) FILTER (WHERE m.kind = 'initial') <> 1
            OR (max(m.total_bookings) > 0) <> (sum(m.share_of_total) IS NOT NULL)
            OR abs(sum(m.share_of_total) - 1) > 0.000001
            OR abs(sum(m.share_of_workflow) - 1) > 0.000001) wrong"""

_WEIGHTS = f"""
    SELECT count(*) AS n FROM (
        SELECT FROM marts.booking_credit c WHERE {_MINE.format(alias="c")}
        GROUP BY c.workspace_id, c.provider, c.provider_appointment_id, c.model
        HAVING sum(c.weight) <> 1) wrong"""

# Also a credit whose step is not in the fact with that time: then nothing proves that it came first.
_ORDER = f"""
    SELECT count(*) AS n FROM marts.booking_credit c
    WHERE {_MINE.format(alias="c")} AND c.kind = 'workflow'
      AND (c.step_executed_at >= c.booked_at
           OR NOT EXISTS (SELECT FROM facts.step_execution s
                          WHERE s.workspace_id = c.workspace_id AND s.step_id = c.step_id
                            AND s.sequence_id = c.sequence_id AND s.executed_at = c.step_executed_at
                            AND s.outcome IN ('sent', 'task_created')))"""

_TWICE = f"""
    SELECT count(*) AS n FROM (
        SELECT FROM marts.workflow_attribution m WHERE {_MINE.format(alias="m")}
        GROUP BY m.workspace_id, m.window_label, m.model, m.sequence_id HAVING count(*) > 1) twice"""


def wrong_totals(conn: Connection, workspace_id: UUID | None) -> int:
    """Windows and models whose rows do not add up."""
    return _count(conn, _TOTALS, {"workspace_id": workspace_id})


def wrong_weights(conn: Connection, workspace_id: UUID | None) -> int:
    """Bookings whose credits under one model are not exactly 1."""
    return _count(conn, _WEIGHTS, {"workspace_id": workspace_id})


def credits_out_of_order(conn: Connection, workspace_id: UUID | None) -> int:
    """Credits of a step that did not run before the booking."""
    return _count(conn, _ORDER, {"workspace_id": workspace_id})


def duplicate_summaries(conn: Connection, workspace_id: UUID | None) -> int:
    """Window, model and sequence that stand in more than one row."""
    return _count(conn, _TWICE, {"workspace_id": workspace_id})
