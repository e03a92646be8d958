"""The daily digest of a workspace: what came in, what went out, what waits, what failed. Counts only, never a person.

A digest covers the time since the one before, so nothing is reported twice and nothing falls into a gap when the
scheduler was late or down. One row of `app.digest` per workspace and local day is the watermark.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.sending.plan import PlannedSend, plan_send
from zrg_dagster.core.text.zones import first_zone, local_instant
from zrg_dagster.core.workspaces.recipients import recipients_sql

DEFAULT_ZONE = "UTC"
FIRST_COVERAGE = timedelta(hours=24)
# After a long pause of a workspace a digest reports a week, not its whole history.
LONGEST_COVERAGE = timedelta(days=7)
MAX_LINES = 15  # per section; Slack refuses a section above 3,000 characters


class DigestCode(StrEnum):
    """How the turn of one workspace ended."""

    PLANNED = "digest_planned"
    EMPTY = "nothing_to_report"
    NOT_YET = "not_due_yet"
    DONE = "already_done_today"


@dataclass(frozen=True, slots=True)
class DigestWorkspace:
    """A workspace that wants digests. `last_day` and `covered_until` are its newest digest's, or None."""

    id: UUID
    name: str
    timezone: str
    local_time: time
    recipients: tuple[str, ...]
    created_at: datetime
    last_day: date | None
    covered_until: datetime | None


@dataclass(frozen=True, slots=True)
class Coverage:
    """The local day that a digest belongs to, and the time (start, end] that it reports."""

    local_day: date
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Counts:
    """What happened in the covered time; `waiting` and `stuck` are as of now."""

    replies: Mapping[str, int] = field(default_factory=dict)
    sends: Mapping[str, int] = field(default_factory=dict)
    blocked: Mapping[str, int] = field(default_factory=dict)
    bookings: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)
    waiting: int = 0
    tasks: int = 0

    @property
    def is_empty(self) -> bool:
        return not (
            any((*self.replies.values(), *self.sends.values(), *self.blocked.values(), *self.failures.values()))
            or self.bookings
            or self.waiting
            or self.tasks
        )


_WORKSPACES = f"""
    SELECT w.id, w.name, w.timezone, s.digest_local_time AS local_time, {recipients_sql("w.id")} AS recipients, w.created_at,
           d.local_day AS last_day, d.covered_until
    FROM app.workspace w
    JOIN app.workspace_setting s ON s.workspace_id = w.id
    LEFT JOIN LATERAL (SELECT local_day, covered_until FROM app.digest d WHERE d.workspace_id = w.id
                       ORDER BY local_day DESC LIMIT 1) d ON true
    WHERE w.is_active AND cardinality({recipients_sql("w.id")}) > 0
    ORDER BY w.id"""


def due_coverage(workspace: DigestWorkspace, now: datetime) -> Coverage | DigestCode:
    """What a digest would cover if one is due now. Pure.

    Due is the most recent local digest time at or before `now`, on whatever day: a late scheduler sends late, once,
    also across midnight; never early, and not for a time before the workspace existed.
    """
    zone = first_zone(workspace.timezone, default=DEFAULT_ZONE)
    day = now.astimezone(zone).date()
    scheduled = local_instant(day, workspace.local_time, zone)
    if scheduled > now:
        day -= timedelta(days=1)
        scheduled = local_instant(day, workspace.local_time, zone)
    if scheduled <= workspace.created_at:
        return DigestCode.NOT_YET
    if workspace.last_day is not None and workspace.last_day >= day:
        return DigestCode.DONE
    return _coverage(workspace, day, now)


def forced_coverage(workspace: DigestWorkspace, now: datetime) -> Coverage | DigestCode:
    """What a digest asked for by hand covers: everything since the last one, as the digest of the local day. Pure."""
    day = now.astimezone(first_zone(workspace.timezone, default=DEFAULT_ZONE)).date()
    if workspace.last_day is not None and workspace.last_day >= day:
        return DigestCode.DONE
    return _coverage(workspace, day, now)


def _coverage(workspace: DigestWorkspace, day: date, now: datetime) -> Coverage:
    start = workspace.covered_until or now - FIRST_COVERAGE
    return Coverage(day, min(now, max(start, now - LONGEST_COVERAGE)), now)


def due_count(connection: psycopg.Connection[dict[str, Any]], now: datetime) -> int:
    """How many workspaces are due for a digest. For the schedule."""
    rows = connection.execute(_WORKSPACES.encode()).fetchall()
    return sum(isinstance(due_coverage(_workspace(row), now), Coverage) for row in rows)


async def load_workspaces(conn: AsyncConnection) -> list[DigestWorkspace]:
    """Every active workspace with Slack recipients."""
    rows = (await conn.execute(text(_WORKSPACES))).mappings()
    return [_workspace(dict(row)) for row in rows]


def _workspace(row: Mapping[Any, Any]) -> DigestWorkspace:
    return DigestWorkspace(**{**row, "recipients": tuple(dict.fromkeys(row["recipients"]))})


_COUNTS = text("""
    SELECT 'replies' AS section, coalesce(m.sentiment_tag, 'Unclassified') AS key, count(DISTINCT m.lead_id) AS number
    FROM app.message m JOIN app.lead l ON l.id = m.lead_id
    WHERE m.workspace_id = :id AND l.workspace_id = :id AND m.direction = 'inbound' AND NOT m.is_bounce
      AND m.created_at > :start AND m.created_at <= :end
    GROUP BY 2
    UNION ALL
    SELECT CASE s.state WHEN 'blocked' THEN 'blocked' ELSE 'sends' END,
           CASE s.state WHEN 'blocked' THEN coalesce(s.reason, 'unknown') ELSE s.state END, count(*)
    FROM app.send s
    WHERE s.workspace_id = :id AND s.lead_id IS NOT NULL AND s.channel <> 'slack'
      AND s.state IN ('sent', 'refused', 'blocked', 'needs_human')
      AND s.finished_at > :start AND s.finished_at <= :end
    GROUP BY 1, 2
    UNION ALL
    SELECT 'bookings', '', count(*) FROM app.appointment a
    WHERE a.workspace_id = :id AND a.status <> 'canceled' AND a.created_at > :start AND a.created_at <= :end
      AND a.status <> 'rescheduled'
    UNION ALL
    SELECT 'failures', 'deliveries ' || e.state, count(*) FROM raw.webhook_event e
    WHERE e.workspace_id = :id AND e.state IN ('dead', 'quarantined')
      AND e.finished_at > :start AND e.finished_at <= :end
    GROUP BY 2
    UNION ALL
    SELECT 'failures', 'jobs ' || j.state, count(*) FROM app.job j
    WHERE j.workspace_id = :id AND j.state IN ('dead', 'parked') AND coalesce(j.finished_at, j.created_at) > :start
      AND coalesce(j.finished_at, j.created_at) <= :end
    GROUP BY 2
    UNION ALL
    SELECT 'failures', n.provider || ' ' || n.value, count(*) FROM app.vendor_notice n
    WHERE n.workspace_id = :id AND n.is_trouble AND n.created_at > :start AND n.created_at <= :end
    GROUP BY 2
    UNION ALL
    SELECT 'waiting', '', count(*) FROM app.draft d
    WHERE d.workspace_id = :id AND d.status = 'pending' AND d.action = 'needs_review'
    UNION ALL
    SELECT 'tasks', '', count(*) FROM app.follow_up_task t WHERE t.workspace_id = :id AND t.status = 'pending'""")

_MARK = text("""
    INSERT INTO app.digest (workspace_id, local_day, covered_from, covered_until, outcome, planned_at)
    VALUES (:id, :day, :start, :end, :outcome, :end)
    ON CONFLICT (workspace_id, local_day) DO NOTHING
    RETURNING workspace_id""")


async def load_counts(conn: AsyncConnection, workspace_id: UUID, coverage: Coverage) -> Counts:
    """The numbers of one digest, in one statement."""
    sections: dict[str, dict[str, int]] = {}
    parameters = {"id": workspace_id, "start": coverage.start, "end": coverage.end}
    for row in await conn.execute(_COUNTS, parameters):
        sections.setdefault(row.section, {})[row.key] = row.number
    return Counts(
        replies=sections.get("replies", {}),
        sends=sections.get("sends", {}),
        blocked=sections.get("blocked", {}),
        bookings=sections["bookings"][""],
        failures=sections.get("failures", {}),
        waiting=sections["waiting"][""],
        tasks=sections["tasks"][""],
    )


async def plan_digest(conn: AsyncConnection, workspace: DigestWorkspace, coverage: Coverage) -> Counter[str]:
    """Plan one send per recipient, or note that there was nothing to say; advances the watermark either way.

    The caller's transaction holds both. A second call for the same local day changes nothing.
    """
    counts = await load_counts(conn, workspace.id, coverage)
    outcome = "empty" if counts.is_empty else "planned"
    parameters = {
        "id": workspace.id,
        "day": coverage.local_day,
        "start": coverage.start,
        "end": coverage.end,
        "outcome": outcome,
    }
    if (await conn.execute(_MARK, parameters)).scalar_one_or_none() is None:
        return Counter({DigestCode.DONE: 1})
    if counts.is_empty:
        return Counter({DigestCode.EMPTY: 1})
    zone = first_zone(workspace.timezone, default=DEFAULT_ZONE)
    title = f"{workspace.name}: daily digest for {coverage.local_day.isoformat()}"
    since = coverage.start.astimezone(zone).strftime("%Y-%m-%d %H:%M %Z")
    content = {"text": title, "blocks": digest_blocks(title, since, counts)}
    for recipient in workspace.recipients:
        await plan_send(
            conn,
            PlannedSend(
                id=new_id(),
                workspace_id=workspace.id,
                natural_key=f"digest:{coverage.local_day.isoformat()}:{recipient}",
                kind="digest",
                origin="system",
                channel="slack",
                vendor="slack",
                recipient=recipient,
                content=content,
                due_at=coverage.end,
                correlation_id=f"digest:{workspace.id}:{coverage.local_day.isoformat()}",
            ),
        )
    return Counter({DigestCode.PLANNED: 1})


def digest_blocks(title: str, since: str, counts: Counts) -> list[dict[str, Any]]:
    """The digest as Slack blocks: a header, one section per kind of fact that has any, the covered time. Pure."""
    sections = (
        ("Replies (people, by tag)", _lines(counts.replies)),
        ("Waiting for you", _lines({"drafts to review": counts.waiting, "open tasks": counts.tasks})),
        ("Messages to leads", _lines(counts.sends)),
        ("Not sent, by reason", _lines(counts.blocked)),
        ("Bookings", _lines({"meetings booked": counts.bookings})),
        ("Failures", _lines(counts.failures)),
    )
    blocks: list[dict[str, Any]] = [{"type": "header", "text": {"type": "plain_text", "text": title[:150]}}]
    blocks += [
        {"type": "section", "text": {"type": "mrkdwn", "text": f"*{heading}*\n" + "\n".join(lines)}}
        for heading, lines in sections
        if lines
    ]
    blocks.append({"type": "context", "elements": [{"type": "plain_text", "text": f"Since {since}"}]})
    return blocks


def _lines(numbers: Mapping[str, int]) -> Sequence[str]:
    """Largest first, then by name; what does not fit is added up in a last line."""
    ordered = sorted(((number, key) for key, number in numbers.items() if number), key=lambda each: (-each[0], each[1]))
    lines = [f"• {escape(key)}: {number}" for number, key in ordered[:MAX_LINES]]
    rest = sum(number for number, _ in ordered[MAX_LINES:])
    return [*lines, f"• others: {rest}"] if rest else lines


def escape(words: str) -> str:
    """Slack's three control characters, so that a code or tag can never become a mention or a link."""
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")[:120]
