"""marts/workflow_attribution: the rule of `attribution.py` over the tables of one workspace.

`marts.booking_credit` holds who earned each booking, `marts.workflow_attribution` the totals per window and sequence.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from zrg_dagster.core.analytics import flags
from zrg_dagster.core.analytics.connection import Connection, query
from zrg_dagster.core.analytics.facts import ATTRIBUTION, FIRST_DAY, Column
from zrg_dagster.core.analytics.windows import Window, preset_windows

INITIAL_NAME = "Initial outreach"
# One question for one workspace; above this the asset fails visibly instead of publishing a part.
STALE_LIMIT = 50

COLUMNS = (
    Column("workspace", "text", "The workspace's key."),
    Column("window_label", "text", "7d, 30d or 90d: elapsed days before to_utc."),
    Column("model", "text", "first_touch, last_touch or linear (every step the same part)."),
    Column("kind", "text", "initial (no step reached the lead before the booking) or workflow."),
    Column("sequence_id", "uuid", "The follow-up sequence; null for initial."),
    Column("sequence_name", "text", "Its name now; Unknown when it was deleted."),
    Column("bookings", "numeric", "Leads who booked in the window, credited here. Fractions only under linear."),
    Column("kept", "numeric", "The part of them whose meeting was not cancelled."),
    Column("total_bookings", "bigint", "All leads who booked in the window: the denominator of share_of_total."),
    Column("total_kept", "bigint", "The part of them whose meeting was not cancelled."),
    Column("workflow_bookings", "bigint", "Leads with a credited step: the denominator of share_of_workflow."),
    Column("share_of_total", "numeric", "bookings / total_bookings, 0 to 1; null without bookings."),
    Column("share_of_workflow", "numeric", "bookings / workflow_bookings, 0 to 1; null for initial."),
    Column("from_utc", "timestamptz", "Begin of the window, included."),
    Column("to_utc", "timestamptz", "End of the window, excluded."),
    Column("as_of_utc", "timestamptz", "When this was computed."),
)

_TAKE_TURN = "SELECT pg_advisory_xact_lock(hashtextextended('zrg.marts.' || %(workspace_id)s::uuid::text, 0))"

_DELETE_CREDITS = "DELETE FROM marts.booking_credit WHERE workspace_id = %(workspace_id)s"

# follower: the appointment that replaced this one. Only one booked later counts (or at the same instant, with the
# greater id), so a circle of links cannot make bookings vanish.
_CREDITS = """
    WITH RECURSIVE b AS MATERIALIZED (
        SELECT f.*, n.provider_appointment_id AS follower
        FROM facts.booking f
        LEFT JOIN facts.booking n
          ON n.workspace_id = f.workspace_id AND n.provider = f.provider
         AND n.provider_appointment_id = f.superseded_by
         AND (n.booked_at, n.provider_appointment_id COLLATE "C") > (f.booked_at, f.provider_appointment_id COLLATE "C")
        WHERE f.workspace_id = %(workspace_id)s
    ), chain AS (
        SELECT b.provider, b.provider_appointment_id AS root, b.follower, b.final_status, b.cancelled_at
        FROM b
        WHERE NOT EXISTS (SELECT FROM b p WHERE p.provider = b.provider AND p.follower = b.provider_appointment_id)
        UNION ALL
        SELECT c.provider, c.root, b.follower, b.final_status, b.cancelled_at
        FROM chain c JOIN b ON b.provider = c.provider AND b.provider_appointment_id = c.follower
    ), episode AS (
        SELECT b.workspace_id, b.provider, b.provider_appointment_id, b.lead_id, b.booked_at,
               c.final_status IS DISTINCT FROM 'canceled' AND c.cancelled_at IS NULL AS is_kept
        FROM chain c JOIN b ON b.provider = c.provider AND b.provider_appointment_id = c.root
        WHERE c.follower IS NULL
    ), touch AS (
        SELECT e.*, s.sequence_id, s.step_id, s.executed_at,
               row_number() OVER (by_booking ORDER BY s.executed_at, s.instance_started_at, s.sequence_id, s.step_id,
                                                      s.instance_id, s.attempt) AS first_no,
               row_number() OVER (by_booking ORDER BY s.executed_at DESC, s.instance_started_at, s.sequence_id,
                                                      s.step_id, s.instance_id, s.attempt) AS last_no,
               count(*) OVER by_booking AS n
        FROM episode e
        LEFT JOIN facts.step_execution s
          ON s.workspace_id = e.workspace_id AND s.lead_id = e.lead_id AND s.executed_at < e.booked_at
         AND s.outcome IN ('sent', 'task_created')
        WINDOW by_booking AS (PARTITION BY e.provider, e.provider_appointment_id)
    ), credit AS (
        SELECT t.*, 'first_touch' AS model, 1 AS credit_no, 1::numeric AS weight FROM touch t WHERE first_no = 1
        UNION ALL
        SELECT t.*, 'last_touch', 1, 1 FROM touch t WHERE last_no = 1
        UNION ALL
        SELECT t.*, 'linear', first_no,
               (100000000 / n + CASE WHEN first_no <= 100000000 %% n THEN 1 ELSE 0 END)::numeric / 100000000
        FROM touch t
    )
    INSERT INTO marts.booking_credit (workspace_id, provider, provider_appointment_id, model, credit_no, kind, lead_id,
        sequence_id, step_id, weight, booked_at, step_executed_at, minutes_from_step, is_kept)
    SELECT workspace_id, provider, provider_appointment_id, model, credit_no,
           CASE WHEN sequence_id IS NULL THEN 'initial' ELSE 'workflow' END, lead_id, sequence_id, step_id, weight,
           booked_at, executed_at, floor(extract(epoch FROM booked_at - executed_at) / 60)::bigint, is_kept
    FROM credit"""

_DELETE_TOTALS = "DELETE FROM marts.workflow_attribution WHERE workspace_id = %(workspace_id)s"

# counted: one booking per lead and window, its earliest. Every window and model gets its initial row, at zero too.
_TOTALS = """
    WITH span AS (
        SELECT * FROM unnest(%(labels)s::text[], %(froms)s::timestamptz[], %(tos)s::timestamptz[])
            AS s (window_label, from_utc, to_utc)
    ), counted AS (
        SELECT DISTINCT ON (s.window_label, c.lead_id)
               s.window_label, c.lead_id, c.provider, c.provider_appointment_id, c.is_kept, c.kind
        FROM span s
        JOIN marts.booking_credit c ON c.workspace_id = %(workspace_id)s AND c.model = 'first_touch'
                                   AND c.booked_at >= s.from_utc AND c.booked_at < s.to_utc
        ORDER BY s.window_label, c.lead_id, c.booked_at, c.provider COLLATE "C", c.provider_appointment_id COLLATE "C"
    ), total AS (
        SELECT s.*, count(n.lead_id) AS total_bookings, count(n.lead_id) FILTER (WHERE n.is_kept) AS total_kept,
               count(n.lead_id) FILTER (WHERE n.kind = 'workflow') AS workflow_bookings
        FROM span s LEFT JOIN counted n USING (window_label)
        GROUP BY s.window_label, s.from_utc, s.to_utc
    ), earned AS (
        SELECT n.window_label, c.model, c.kind, c.sequence_id, sum(c.weight) AS bookings,
               coalesce(sum(c.weight) FILTER (WHERE c.is_kept), 0) AS kept
        FROM counted n
        JOIN marts.booking_credit c ON c.workspace_id = %(workspace_id)s AND c.provider = n.provider
                                   AND c.provider_appointment_id = n.provider_appointment_id
        GROUP BY n.window_label, c.model, c.kind, c.sequence_id
        UNION ALL
        SELECT s.window_label, m.model, 'initial', NULL, 0, 0
        FROM span s CROSS JOIN (VALUES ('first_touch'), ('last_touch'), ('linear')) AS m (model)
    )
    INSERT INTO marts.workflow_attribution (workspace_id, window_label, model, kind, sequence_id, sequence_name,
        bookings, kept, total_bookings, total_kept, workflow_bookings, share_of_total, share_of_workflow, from_utc,
        to_utc, as_of_utc)
    SELECT %(workspace_id)s, t.window_label, e.model, e.kind, e.sequence_id,
           CASE WHEN e.kind = 'initial' THEN %(initial_name)s ELSE coalesce(q.name, 'Unknown') END,
           sum(e.bookings), sum(e.kept), t.total_bookings, t.total_kept, t.workflow_bookings,
           sum(e.bookings) / nullif(t.total_bookings, 0),
           CASE WHEN e.kind = 'workflow' THEN sum(e.bookings) / nullif(t.workflow_bookings, 0) END,
           t.from_utc, t.to_utc, %(as_of)s
    FROM earned e
    JOIN total t USING (window_label)
    LEFT JOIN app.follow_up_sequence q ON q.workspace_id = %(workspace_id)s AND q.id = e.sequence_id
    GROUP BY t.window_label, e.model, e.kind, e.sequence_id, q.name, t.total_bookings, t.total_kept,
             t.workflow_bookings, t.from_utc, t.to_utc"""

_ROWS = """
    SELECT w.key AS workspace, m.window_label, m.model, m.kind, m.sequence_id, m.sequence_name, m.bookings, m.kept,
           m.total_bookings, m.total_kept, m.workflow_bookings, m.share_of_total, m.share_of_workflow, m.from_utc,
           m.to_utc, m.as_of_utc
    FROM marts.workflow_attribution m JOIN app.workspace w ON w.id = m.workspace_id
    WHERE m.workspace_id = %(workspace_id)s
    ORDER BY m.from_utc DESC, m.model, m.kind, m.bookings DESC, m.sequence_name, m.sequence_id"""

# Stale: a booking entered a window since it was computed, or left it because time went on.
_STALE = """
    SELECT w.key
    FROM app.workspace w
    LEFT JOIN marts.workflow_attribution m
           ON m.workspace_id = w.id AND m.model = 'first_touch' AND m.kind = 'initial'
    WHERE w.is_active AND EXISTS (
        SELECT FROM facts.booking b
        WHERE b.workspace_id = w.id
          AND (m.workspace_id IS NULL
               OR b.booked_at >= m.to_utc AND b.booked_at < %(now)s
               OR b.booked_at >= m.from_utc AND b.booked_at < m.from_utc + (%(now)s - m.to_utc)))
    GROUP BY w.key
    ORDER BY min(m.as_of_utc) NULLS FIRST, w.key
    LIMIT %(limit)s"""


@dataclass(frozen=True, slots=True)
class Summary:
    """What one build of one workspace found. `newest` is the latest booking it knows."""

    credits: int
    restated: int
    newest: datetime | None
    flags_cleared: int
    windows: Sequence[Window]


def workspace_id_of(conn: Connection, key: str) -> UUID | None:
    row = query(conn, "SELECT id FROM app.workspace WHERE key = %s", [key]).fetchone()
    return None if row is None else row["id"]


def workspace_keys(conn: Connection) -> list[str]:
    """Keys of all workspaces, archived ones too."""
    return [row["key"] for row in query(conn, "SELECT key FROM app.workspace ORDER BY key")]


def build(conn: Connection, workspace_id: UUID, as_of: datetime) -> Summary:
    """Build credits and totals of one workspace inside the open transaction; every preset window ends at `as_of`."""
    query(conn, _TAKE_TURN, {"workspace_id": workspace_id})
    seen = flags.read(conn, ATTRIBUTION, FIRST_DAY, flags.utc_day(as_of), workspace_id)
    windows = preset_windows(as_of)
    before = _fingerprint(conn, workspace_id)
    query(conn, _DELETE_CREDITS, {"workspace_id": workspace_id})
    query(conn, _CREDITS, {"workspace_id": workspace_id})
    after = _fingerprint(conn, workspace_id)
    query(conn, _DELETE_TOTALS, {"workspace_id": workspace_id})
    query(
        conn,
        _TOTALS,
        {
            "workspace_id": workspace_id,
            "labels": [window.label for window in windows],
            "froms": [window.from_utc for window in windows],
            "tos": [window.to_utc for window in windows],
            "initial_name": INITIAL_NAME,
            "as_of": as_of,
        },
    )
    newest = query(
        conn, "SELECT max(booked_at) AS newest FROM facts.booking WHERE workspace_id = %s", [workspace_id]
    ).fetchone()
    assert newest is not None
    return Summary(
        credits=len(after),
        restated=sum(after.get(key) != value for key, value in before.items()),
        newest=newest["newest"],
        flags_cleared=flags.clear(conn, seen),
        windows=windows,
    )


def _fingerprint(conn: Connection, workspace_id: UUID) -> dict[tuple[str, str, str, int], int]:
    """Every credit by its key, with a hash of what it says: to count credits that an earlier build saw differently."""
    rows = query(
        conn,
        """SELECT provider, provider_appointment_id, model, credit_no, hashtextextended(c::text, 0) AS says
           FROM marts.booking_credit c WHERE workspace_id = %s""",
        [workspace_id],
    )
    return {
        (row["provider"], row["provider_appointment_id"], row["model"], row["credit_no"]): row["says"] for row in rows
    }


def rows(conn: Connection, workspace_id: UUID) -> list[dict[str, Any]]:
    """The totals of one workspace as analysts read them: `COLUMNS`, shortest window first, best sequence first."""
    return query(conn, _ROWS, {"workspace_id": workspace_id}).fetchall()


def stale_workspaces(conn: Connection, now: datetime, limit: int = STALE_LIMIT) -> list[str]:
    """Keys of active workspaces whose totals would change if computed at `now`, longest waiting first."""
    return [row["key"] for row in query(conn, _STALE, {"now": now, "limit": limit})]
