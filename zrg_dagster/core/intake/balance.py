"""Intake in numbers, for the control room: what came, how it ended, and whether every stored delivery still exists.

Read by a sensor with a short connection; the statements use the partial indexes and the last hours only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

WINDOW = timedelta(hours=24)
# Rows of the youngest minute are still being counted by open transactions.
SETTLING = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Imbalance:
    """A vendor and workspace whose count at the door differs from the rows that are stored."""

    provider: str
    workspace: str
    counted: int
    stored: int


_STATES = """
    SELECT state, coalesce(reason, '') AS reason, count(*) AS number
    FROM raw.webhook_event WHERE received_at >= %(since)s GROUP BY 1, 2 ORDER BY 1, 2"""
_OPEN = """
    SELECT (SELECT count(*) FROM raw.webhook_event WHERE state = 'pending') AS pending,
           (SELECT count(*) FROM raw.webhook_event WHERE state = 'running') AS running,
           (SELECT min(run_at) FROM raw.webhook_event WHERE state = 'pending') AS oldest,
           (SELECT count(*) FROM raw.webhook_event WHERE state = 'quarantined') AS quarantined,
           (SELECT count(*) FROM raw.webhook_event WHERE state = 'dead') AS dead"""
_TROUBLE = """
    SELECT e.provider, e.event_type, e.state, e.reason, left(e.error, 200) AS problem, count(*) AS number,
           min(e.received_at) AS first, max(e.received_at) AS last
    FROM raw.webhook_event e WHERE e.state IN ('quarantined', 'dead')
    GROUP BY 1, 2, 3, 4, 5 ORDER BY number DESC, 1, 2 LIMIT %(limit)s"""
# A Slack delivery names its workspace only when it is read, so its count stays without one.
_BALANCE = """
    WITH counted AS (
        SELECT c.provider, CASE WHEN c.provider <> 'slack' THEN c.fair_key END AS key, sum(c.stored) AS number
        FROM ops.intake_count c WHERE c.minute >= %(since)s AND c.minute < %(until)s GROUP BY 1, 2
    ), stored AS (
        SELECT e.provider, CASE WHEN e.provider <> 'slack' THEN e.fair_key END AS key, count(*) AS number
        FROM raw.webhook_event e WHERE e.received_at >= %(since)s AND e.received_at < %(until)s GROUP BY 1, 2
    )
    SELECT coalesce(c.provider, s.provider) AS provider, coalesce(w.key, '') AS workspace,
           coalesce(c.number, 0)::bigint AS counted, coalesce(s.number, 0)::bigint AS stored
    FROM counted c FULL JOIN stored s ON s.provider = c.provider AND s.key IS NOT DISTINCT FROM c.key
    LEFT JOIN app.workspace w ON w.id = coalesce(c.key, s.key)
    WHERE coalesce(c.number, 0) > 0 OR coalesce(s.number, 0) > 0
    ORDER BY 1, 2"""


def summary(conn: "psycopg.Connection[dict[str, Any]]", now: datetime) -> dict[str, Any]:
    """Received in the last 24 hours by state and reason, and what is open or in trouble at all.

    `oldest_due_s` is how long the oldest pending delivery has been due, 0 when none is.
    """
    states = conn.execute(_STATES, {"since": now - WINDOW}).fetchall()
    row: Mapping[str, Any] = conn.execute(_OPEN).fetchone() or {}
    received = sum(each["number"] for each in states)
    numbers = {
        state: sum(each["number"] for each in states if each["state"] == state) for state in ("processed", "ignored")
    }
    reasons = {each["reason"]: each["number"] for each in states if each["state"] == "ignored" and each["reason"]}
    oldest = row["oldest"]
    return {
        "received": received,
        **numbers,
        "ignored_by_reason": reasons,
        **{name: row[name] for name in ("pending", "running", "quarantined", "dead")},
        "oldest_due_s": max(0, round((now - oldest).total_seconds())) if oldest else 0,
    }


def trouble(conn: "psycopg.Connection[dict[str, Any]]", limit: int = 50) -> Sequence[Mapping[str, Any]]:
    """Quarantined and dead deliveries by vendor, type, reason and problem, the most frequent first."""
    return conn.execute(_TROUBLE, {"limit": limit}).fetchall()


def balance(conn: "psycopg.Connection[dict[str, Any]]", now: datetime) -> tuple[int, list[Imbalance]]:
    """How many (vendor, workspace) pairs of the last 24 full hours were compared, and those that do not agree."""
    until = (now - SETTLING).replace(second=0, microsecond=0)
    rows = conn.execute(_BALANCE, {"since": until - WINDOW, "until": until}).fetchall()
    wrong = [Imbalance(**row) for row in rows if row["counted"] != row["stored"]]
    return len(rows), wrong
