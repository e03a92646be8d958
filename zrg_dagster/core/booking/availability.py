"""Free slots of calendars, cached: which calendars are due, what an answer changes, and reading them back.

A refresh is three steps that never share a connection: lease due calendars, ask the vendor, store. The lease is the new
`refresh_due_at`; an answer is stored only while it still stands, so two runs never overwrite each other.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

LOOK_AHEAD = timedelta(days=30)  # AV-8
LEASE = timedelta(minutes=3)
# AV-24: a workspace with a conversation wants fresh slots, an idle one costs a call an hour.
LIVE_WINDOW = timedelta(hours=24)
LIVE_EVERY = timedelta(minutes=5)
IDLE_EVERY = timedelta(hours=1)
FIRST_RETRY = timedelta(minutes=1)
LONGEST_RETRY = timedelta(hours=1)
# AV-12: an empty answer is doubted this many times before it empties a good cache.
DOUBTED_EMPTY_ANSWERS = 3
ERROR_CHARS = 500


class RefreshCode(StrEnum):
    """How the refresh of one calendar ended."""

    STORED = "slots_stored"
    EMPTY = "no_slots_found"
    EMPTY_DOUBTED = "empty_answer_doubted"
    FAILED = "vendor_failed"
    NO_ACCESS = "no_credential"
    LEASE_LOST = "lease_lost"


@dataclass(frozen=True, slots=True)
class Calendar:
    """A leased calendar. `lease` is the refresh time that must still stand when the answer is stored."""

    id: UUID
    workspace_id: UUID
    provider: str
    external_id: str
    failures: int
    empty_answers: int
    has_slots: bool
    is_live: bool
    lease: datetime


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What is written for one calendar. `slots` None keeps the cached ones."""

    calendar: Calendar
    code: RefreshCode
    slots: Sequence[datetime] | None
    refresh_due_at: datetime
    failures: int
    empty_answers: int
    error: str | None


_OLDEST = """
    SELECT c.refresh_due_at AS oldest FROM app.calendar c JOIN app.workspace w ON w.id = c.workspace_id
    WHERE c.is_active AND w.is_active AND c.refresh_due_at <= %(now)s ORDER BY c.refresh_due_at LIMIT 1"""

_LEASE = text("""
    WITH due AS (
        SELECT c.id FROM app.calendar c JOIN app.workspace w ON w.id = c.workspace_id
        WHERE c.is_active AND w.is_active AND c.refresh_due_at <= :now
        ORDER BY c.refresh_due_at, c.id LIMIT :limit FOR UPDATE OF c SKIP LOCKED)
    UPDATE app.calendar c SET refresh_due_at = :lease FROM due WHERE c.id = due.id
    RETURNING c.id, c.workspace_id, c.provider, c.external_id, c.failures, c.empty_answers,
              EXISTS (SELECT FROM app.availability_slot s WHERE s.calendar_id = c.id AND s.starts_at > :now) AS has_slots,
              EXISTS (SELECT FROM app.lead l WHERE l.workspace_id = c.workspace_id
                        AND l.last_inbound_at > :live_since) AS is_live""")

_STORE_CALENDARS = text("""
    UPDATE app.calendar c
    SET refresh_due_at = r.due, failures = r.failures, empty_answers = r.empties, last_error = r.error,
        refreshed_at = CASE WHEN r.answered THEN CAST(:now AS timestamptz) ELSE c.refreshed_at END
    FROM unnest(CAST(:ids AS uuid[]), CAST(:leases AS timestamptz[]), CAST(:dues AS timestamptz[]),
                CAST(:failures AS int[]), CAST(:empties AS int[]), CAST(:errors AS text[]), CAST(:answered AS boolean[]))
         AS r (id, lease, due, failures, empties, error, answered)
    WHERE c.id = r.id AND c.refresh_due_at = r.lease
    RETURNING c.id""")

_CLEAR = text("DELETE FROM app.availability_slot WHERE calendar_id = ANY(CAST(:ids AS uuid[]))")

_STORE_SLOTS = text("""
    INSERT INTO app.availability_slot (workspace_id, calendar_id, starts_at)
    SELECT * FROM unnest(CAST(:workspaces AS uuid[]), CAST(:calendars AS uuid[]), CAST(:starts AS timestamptz[]))
    ON CONFLICT DO NOTHING""")

# AV-16: a slot is taken when it overlaps an active appointment of the workspace; equality alone offers half of them.
_OPEN = text("""
    SELECT s.workspace_id, s.starts_at FROM app.availability_slot s
    JOIN app.calendar c ON c.id = s.calendar_id AND c.is_active
    WHERE s.workspace_id = ANY(CAST(:ids AS uuid[])) AND s.starts_at > :now
      AND NOT EXISTS (
        SELECT FROM app.appointment a WHERE a.workspace_id = s.workspace_id AND a.status = 'confirmed'
          AND a.start_at < s.starts_at + CAST(:length AS interval)
          AND coalesce(a.end_at, a.start_at + CAST(:length AS interval)) > s.starts_at)
    ORDER BY s.workspace_id, s.starts_at""")
SLOT_LENGTH = timedelta(minutes=30)


def oldest_due(connection: psycopg.Connection[dict[str, Any]], now: datetime) -> datetime | None:
    """Since when the stalest calendar waits for a refresh; None when none is due. For the schedule."""
    row = connection.execute(_OLDEST.encode(), {"now": now}).fetchone()
    return row["oldest"] if row else None


async def lease_due(conn: AsyncConnection, now: datetime, *, limit: int) -> list[Calendar]:
    """Take up to `limit` due calendars, stalest first. A run that dies leaves them due again after the lease."""
    parameters = {"now": now, "lease": now + LEASE, "limit": limit, "live_since": now - LIVE_WINDOW}
    rows = (await conn.execute(_LEASE, parameters)).all()
    return [_calendar(row, now + LEASE) for row in rows]


def _calendar(row: Row[Any], lease: datetime) -> Calendar:
    return Calendar(**row._mapping, lease=lease)  # noqa: SLF001 - the documented mapping of a Row


def answered(calendar: Calendar, starts: Collection[datetime], now: datetime) -> Refreshed:
    """What the vendor's list changes: future starts within the look-ahead, without duplicates, in order (AV-17). Pure."""
    slots = sorted({start for start in starts if now < start <= now + LOOK_AHEAD})
    due = now + (LIVE_EVERY if calendar.is_live else IDLE_EVERY)
    if slots:
        return Refreshed(calendar, RefreshCode.STORED, slots, due, 0, 0, None)
    empties = calendar.empty_answers + 1
    if calendar.has_slots and empties <= DOUBTED_EMPTY_ANSWERS:
        retry = now + min(due - now, FIRST_RETRY * empties)
        return Refreshed(calendar, RefreshCode.EMPTY_DOUBTED, None, retry, 0, empties, RefreshCode.EMPTY_DOUBTED)
    return Refreshed(calendar, RefreshCode.EMPTY, [], due, 0, empties, RefreshCode.EMPTY)


def failed(calendar: Calendar, code: RefreshCode, error: str, now: datetime) -> Refreshed:
    """A vendor that cannot be asked: old slots stay, the next try comes after 1, 2, 4 … minutes, at most an hour. Pure."""
    failures = calendar.failures + 1
    wait = min(LONGEST_RETRY, FIRST_RETRY * 2 ** min(failures - 1, 10))
    return Refreshed(calendar, code, None, now + wait, failures, calendar.empty_answers, error[:ERROR_CHARS])


async def store(conn: AsyncConnection, refreshed: Sequence[Refreshed], now: datetime) -> Counter[str]:
    """Write the outcome of leased calendars and replace their slots. Returns how often each code applied."""
    codes: Counter[str] = Counter()
    if not refreshed:
        return codes
    kept = set(
        (
            await conn.execute(
                _STORE_CALENDARS,
                {
                    "ids": [each.calendar.id for each in refreshed],
                    "leases": [each.calendar.lease for each in refreshed],
                    "dues": [each.refresh_due_at for each in refreshed],
                    "failures": [each.failures for each in refreshed],
                    "empties": [each.empty_answers for each in refreshed],
                    "errors": [each.error for each in refreshed],
                    "answered": [each.slots is not None for each in refreshed],
                    "now": now,
                },
            )
        ).scalars()
    )
    ours = [each for each in refreshed if each.calendar.id in kept]
    codes.update(each.code for each in ours)
    codes[RefreshCode.LEASE_LOST] += len(refreshed) - len(ours)
    replaced = [each for each in ours if each.slots is not None]
    await conn.execute(_CLEAR, {"ids": [each.calendar.id for each in replaced]})
    pairs = [(each.calendar, start) for each in replaced for start in each.slots or ()]
    await conn.execute(
        _STORE_SLOTS,
        {
            "workspaces": [calendar.workspace_id for calendar, _ in pairs],
            "calendars": [calendar.id for calendar, _ in pairs],
            "starts": [start for _, start in pairs],
        },
    )
    return +codes


async def open_slots(
    conn: AsyncConnection, workspace_ids: Collection[UUID], now: datetime
) -> dict[UUID, list[datetime]]:
    """Future cached starts by workspace that no confirmed appointment overlaps, ascending (AV-16)."""
    found: dict[UUID, list[datetime]] = {workspace_id: [] for workspace_id in workspace_ids}
    parameters = {"ids": list(found), "now": now, "length": SLOT_LENGTH}
    for row in await conn.execute(_OPEN, parameters):
        starts = found[row.workspace_id]
        if not starts or starts[-1] != row.starts_at:
            starts.append(row.starts_at)
    return found
