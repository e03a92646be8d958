"""marts/ai_calls and marts/ai_funnel: what the model was asked and what it cost, and what became of replies, by UTC day.

A build replaces the last days, as far back as calls are kept, and leaves older days as they were counted then.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from zrg_dagster.core.ai.breaker import PROVIDER_FAILURES
from zrg_dagster.core.analytics.connection import Connection, query
from zrg_dagster.core.analytics.facts import Column

# Days that a build counts anew, today included; the night deletes calls that are older.
REBUILT_DAYS = 30
STALE_LIMIT = 50
# A day's share of calls without an answer above which somebody should look, from so many calls on.
ERROR_SHARE = 0.1
ERROR_MIN_CALLS = 20
# The tags of core/replies/classify.py that show interest; a test holds the two together.
POSITIVE = ("Meeting Requested", "Call Requested", "Information Requested", "Interested")

CALL_COLUMNS = (
    Column("workspace", "text", "The workspace's key."),
    Column("utc_day", "date", "Day of the calls."),
    Column("source", "text", "What asked: job/…, op/… or command/…."),
    Column("prompt_key", "text", "The prompt."),
    Column("prompt_version", "text", "Its version; ws.rN.hash for the workspace's own words."),
    Column("model", "text", "The model that was asked."),
    Column("calls", "bigint", "Calls, each with its retries."),
    Column("failed", "bigint", "Calls without a usable answer."),
    Column("provider_failed", "bigint", "Those of them that the provider failed: away, too slow, limits, key."),
    Column("input_tokens", "bigint", "Tokens sent."),
    Column("output_tokens", "bigint", "Tokens received, reasoning included."),
    Column("cost_usd", "numeric", "Cost of the calls with a known price."),
    Column("unpriced", "bigint", "Calls that nobody knows the price of; they are not in cost_usd."),
    Column("p50_ms", "bigint", "Median latency, retries included."),
    Column("p95_ms", "bigint", "95th percentile of the latency."),
    Column("as_of_utc", "timestamptz", "When this was computed."),
)
FUNNEL_COLUMNS = (
    Column("workspace", "text", "The workspace's key."),
    Column("utc_day", "date", "Day on which the replies were written."),
    Column("replies", "bigint", "Replies that the platform worked on."),
    Column("classified", "bigint", "Those with a tag."),
    Column("positive", "bigint", "Those whose tag shows interest."),
    Column("drafted", "bigint", "Positive ones with a draft."),
    Column("reasoned", "bigint", "Positive ones without a draft and with the reason on record."),
    Column("waiting", "bigint", "Positive ones that are still worked on, or wait for the model."),
    Column("unexplained", "bigint", "Positive ones without any of these. Always 0 when all is well."),
    Column("needs_review", "bigint", "Drafts of these replies, positive or not, that a person decided or decides."),
    Column("auto_planned", "bigint", "Drafts that the platform sends or sent by itself."),
    Column("sent", "bigint", "Drafts that left, whoever decided."),
    Column("cost_usd", "numeric", "What the model cost for these replies."),
    Column("as_of_utc", "timestamptz", "When this was computed."),
)

_TAKE_TURN = "SELECT pg_advisory_xact_lock(hashtextextended('zrg.ai_marts.' || %(workspace_id)s::uuid::text, 0))"
_DELETE = "DELETE FROM marts.{table} WHERE workspace_id = %(workspace_id)s AND utc_day >= %(first)s"

# Without a key nobody was asked: that is no call.
_CALLS = """
    INSERT INTO marts.ai_calls (workspace_id, utc_day, source, prompt_key, prompt_version, model, calls, failed,
        provider_failed, input_tokens, output_tokens, cost_usd, unpriced, p50_ms, p95_ms, as_of_utc)
    SELECT c.workspace_id, (c.called_at AT TIME ZONE 'UTC')::date, coalesce(c.source, 'unnamed'), c.prompt_key,
           c.prompt_version, c.model, count(*), count(*) FILTER (WHERE c.outcome <> 'ok'),
           count(*) FILTER (WHERE c.outcome = ANY(%(provider)s::text[])),
           coalesce(sum(c.input_tokens), 0), coalesce(sum(c.output_tokens), 0), coalesce(sum(c.cost_usd), 0),
           count(*) FILTER (WHERE c.cost_usd IS NULL AND c.input_tokens IS NOT NULL),
           percentile_disc(0.5) WITHIN GROUP (ORDER BY c.latency_ms),
           percentile_disc(0.95) WITHIN GROUP (ORDER BY c.latency_ms), %(as_of)s
    FROM app.ai_call c
    WHERE c.workspace_id = %(workspace_id)s AND c.called_at >= %(since)s AND c.called_at < %(as_of)s
      AND c.outcome <> 'no_key'
    GROUP BY 1, 2, 3, 4, 5, 6"""

# A reply is an inbound message that got a job of its own; what was only read from a vendor's history has none.
_FUNNEL = """
    WITH reply AS (
        SELECT m.id, (m.sent_at AT TIME ZONE 'UTC')::date AS utc_day, m.sentiment_tag,
               coalesce(m.sentiment_tag = ANY(%(positive)s::text[]), false) AS is_positive,
               bool_or(j.state IN ('pending', 'running', 'parked')) AS is_open,
               bool_or(j.state IN ('skipped', 'dead', 'discarded')) AS ended_without
        FROM app.message m
        JOIN app.job j ON j.workspace_id = m.workspace_id AND j.message_id = m.id AND j.kind = 'reply'
        WHERE m.workspace_id = %(workspace_id)s AND m.direction = 'inbound' AND m.source <> 'bounce'
          AND m.sent_at >= %(since)s AND m.sent_at < %(as_of)s
        GROUP BY m.id
    ), answer AS (
        SELECT r.*, d.action, d.id IS NOT NULL AS has_draft,
               EXISTS (SELECT FROM app.send s WHERE s.draft_id = d.id AND s.kind = 'draft' AND s.state = 'sent') AS is_sent,
               r.ended_without OR EXISTS (SELECT FROM app.decision x
                                          WHERE x.subject_id = r.id AND x.subject = 'reply') AS has_reason
        FROM reply r LEFT JOIN app.draft d ON d.workspace_id = %(workspace_id)s AND d.trigger_message_id = r.id
    ), cost AS (
        SELECT c.message_id, sum(c.cost_usd) AS usd FROM app.ai_call c
        WHERE c.workspace_id = %(workspace_id)s AND c.called_at >= %(since)s GROUP BY c.message_id
    )
    INSERT INTO marts.ai_funnel (workspace_id, utc_day, replies, classified, positive, drafted, reasoned, waiting,
        unexplained, needs_review, auto_planned, sent, cost_usd, as_of_utc)
    SELECT %(workspace_id)s, a.utc_day, count(*), count(*) FILTER (WHERE a.sentiment_tag IS NOT NULL),
           count(*) FILTER (WHERE a.is_positive),
           count(*) FILTER (WHERE a.is_positive AND a.has_draft),
           count(*) FILTER (WHERE a.is_positive AND NOT a.has_draft AND a.has_reason),
           count(*) FILTER (WHERE a.is_positive AND NOT a.has_draft AND NOT a.has_reason AND a.is_open),
           count(*) FILTER (WHERE a.is_positive AND NOT a.has_draft AND NOT a.has_reason AND NOT a.is_open),
           count(*) FILTER (WHERE a.action = 'needs_review'),
           count(*) FILTER (WHERE a.action IN ('send_immediate', 'send_delayed')),
           count(*) FILTER (WHERE a.is_sent), coalesce(sum(c.usd), 0), %(as_of)s
    FROM answer a LEFT JOIN cost c ON c.message_id = a.id
    GROUP BY a.utc_day"""

_ROWS = """
    SELECT w.key AS workspace, {columns} FROM marts.{table} t JOIN app.workspace w ON w.id = t.workspace_id
    WHERE t.workspace_id = %(workspace_id)s ORDER BY t.utc_day DESC{order}"""

_LATENCY = """
    SELECT count(*) AS calls, count(*) FILTER (WHERE c.outcome <> 'ok') AS failed, coalesce(sum(c.cost_usd), 0) AS cost_usd,
           percentile_disc(0.5) WITHIN GROUP (ORDER BY c.latency_ms) AS p50_ms,
           percentile_disc(0.95) WITHIN GROUP (ORDER BY c.latency_ms) AS p95_ms
    FROM app.ai_call c
    WHERE c.workspace_id = %(workspace_id)s AND c.called_at >= %(since)s AND c.called_at < %(as_of)s
      AND c.outcome <> 'no_key'"""

# Stale: the model was asked since, or a day has begun since and the sends of the last one are known by now.
_STALE = """
    SELECT w.key FROM app.workspace w
    LEFT JOIN LATERAL (SELECT max(c.as_of_utc) AS at FROM marts.ai_calls c WHERE c.workspace_id = w.id) b ON true
    WHERE w.is_active
      AND EXISTS (SELECT FROM app.ai_call c WHERE c.workspace_id = w.id AND c.called_at < %(now)s AND c.outcome <> 'no_key'
                  AND (c.called_at >= coalesce(b.at, '-infinity') OR b.at < date_trunc('day', %(now)s, 'UTC')))
    ORDER BY b.at NULLS FIRST, w.key LIMIT %(limit)s"""

_MINE = "(%(workspace_id)s::uuid IS NULL OR t.workspace_id = %(workspace_id)s::uuid)"
_CHECKS = {
    "uncovered": f"SELECT coalesce(sum(t.unexplained), 0)::int AS n FROM marts.ai_funnel t WHERE {_MINE}",
    "disagreeing": f"""
        SELECT count(*)::int AS n FROM marts.ai_funnel t WHERE {_MINE}
          AND (t.positive <> t.drafted + t.reasoned + t.waiting + t.unexplained
               OR t.classified > t.replies OR t.positive > t.classified)""",
    "error_days": f"""
        SELECT count(*)::int AS n FROM (
            SELECT FROM marts.ai_calls t WHERE {_MINE} AND t.utc_day >= %(first)s GROUP BY t.workspace_id, t.utc_day
            HAVING sum(t.calls) >= {ERROR_MIN_CALLS} AND sum(t.failed) > {ERROR_SHARE} * sum(t.calls)) bad""",
}


@dataclass(frozen=True, slots=True)
class Span:
    """The days that a build counts anew."""

    first: date
    as_of: datetime

    def values(self, workspace_id: UUID) -> dict[str, Any]:
        since = self.as_of.replace(hour=0, minute=0, second=0, microsecond=0) - (self.as_of.date() - self.first)
        return {"workspace_id": workspace_id, "first": self.first, "since": since, "as_of": self.as_of}


def span_of(as_of: datetime, retention_days: int) -> Span:
    """The days of which no call was deleted yet, at most `REBUILT_DAYS`. `as_of` is in UTC."""
    return Span(as_of.date() - timedelta(days=min(REBUILT_DAYS, retention_days) - 1), as_of)


def build_calls(conn: Connection, workspace_id: UUID, span: Span) -> int:
    """Count the calls of one workspace anew, inside the open transaction; returns the rows written."""
    values = span.values(workspace_id)
    query(conn, _TAKE_TURN, values)
    query(conn, _DELETE.format(table="ai_calls"), values)
    return query(conn, _CALLS, {**values, "provider": sorted(PROVIDER_FAILURES)}).rowcount


def build_funnel(conn: Connection, workspace_id: UUID, span: Span) -> int:
    """Count the replies of one workspace anew, inside the open transaction; returns the rows written."""
    values = span.values(workspace_id)
    query(conn, _TAKE_TURN, values)
    query(conn, _DELETE.format(table="ai_funnel"), values)
    return query(conn, _FUNNEL, {**values, "positive": list(POSITIVE)}).rowcount


def totals(conn: Connection, workspace_id: UUID, since: datetime, as_of: datetime) -> dict[str, Any]:
    """Calls, failures, cost and exact percentiles of a time; percentiles are None without a call."""
    values = {"workspace_id": workspace_id, "since": since, "as_of": as_of}
    row = query(conn, _LATENCY, values).fetchone()
    assert row is not None
    return row


def rows(conn: Connection, table: str, columns: Sequence[Column], workspace_id: UUID) -> list[dict[str, Any]]:
    """One workspace's rows as analysts read them, the newest day first."""
    order = ", t.calls DESC, t.prompt_key, t.prompt_version, t.model, t.source" if table == "ai_calls" else ""
    names = ", ".join(f"t.{column.name}" for column in columns if column.name != "workspace")
    statement = _ROWS.format(columns=names, table=table, order=order)
    return query(conn, statement, {"workspace_id": workspace_id}).fetchall()


def stale_workspaces(conn: Connection, now: datetime, limit: int = STALE_LIMIT) -> list[str]:
    """Keys of active workspaces whose numbers would change if counted at `now`, longest waiting first."""
    return [row["key"] for row in query(conn, _STALE, {"now": now, "limit": limit})]


def bad_rows(conn: Connection, what: str, workspace_id: UUID | None, first: date | None = None) -> int:
    """What must be 0: `uncovered` positive replies, `disagreeing` days of the funnel, `error_days` since `first`."""
    row = query(conn, _CHECKS[what], {"workspace_id": workspace_id, "first": first}).fetchone()
    assert row is not None
    return row["n"]
