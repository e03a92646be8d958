"""The queue mechanics shared by deliveries, jobs and sends: claim, settle, retry, release of what a dead worker held.

A claim is its own transaction and costs an attempt (WQ-04); effects and settlement are another, fenced by
(claimed_by, attempts): a worker that lost its claim rolls its effects back. A worker proves that it lives by a session
advisory lock; what a worker without lock holds is released at once, and the lease is the backstop (JB-06: a release
counts, so work that kills its worker ends in the dead letter).
"""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.record import record
from zrg_dagster.core.db.lanes import Queue

MAX_BACKOFF_S = 900
ERROR_CHARS = 10_000


class ClaimLost(RuntimeError):
    """Another worker took over rows that this one was settling; its transaction must roll back."""


@record
class Settlement:
    """How one claimed row ends. `run_at` is set only when it goes back to pending."""

    id: UUID
    attempts: int
    state: str
    reason: str | None = None
    error: str | None = None
    run_at: datetime | None = None


def retry_at(now: datetime, attempts: int) -> datetime:
    """When attempt number `attempts` may be repeated: 2^n seconds and up to 999 ms of jitter, at most 15 minutes (WQ-06)."""
    seconds = min(MAX_BACKOFF_S, 2 ** min(attempts, 10)) + random.randrange(1000) / 1000  # noqa: S311 - not a secret
    return now + timedelta(seconds=min(MAX_BACKOFF_S, seconds))


def failed(row_id: UUID, attempts: int, max_attempts: int, now: datetime, *, reason: str, error: str) -> Settlement:
    """A failure that may pass: back to pending with a delay, or the dead letter when the attempts are used up (WQ-07)."""
    if attempts >= max_attempts:
        return Settlement(row_id, attempts, "dead", reason, error[:ERROR_CHARS])
    return Settlement(row_id, attempts, "pending", reason, error[:ERROR_CHARS], retry_at(now, attempts))


@lru_cache(maxsize=8)
def _candidates_sql(queue: Queue) -> str:
    """Due rows in fair order: first one of each workspace, then the second of each, oldest first within a turn (FQ-01)."""
    also = f"AND {queue.also}" if queue.also else ""
    return f"""
        WITH RECURSIVE fair AS (
            (SELECT {queue.fair} AS key FROM {queue.table} WHERE {queue.ready} {also} ORDER BY {queue.fair} LIMIT 1)
            UNION ALL
            SELECT (SELECT n.{queue.fair} FROM {queue.table} n
                    WHERE n.{queue.ready} {also} AND n.{queue.fair} > fair.key ORDER BY n.{queue.fair} LIMIT 1)
            FROM fair WHERE fair.key IS NOT NULL
        ), {_serial_candidates(queue, also) if queue.serial else _even_candidates(queue, also)}, picked AS (
            SELECT id FROM candidate ORDER BY turn, due, id LIMIT :limit
        )"""


def _even_candidates(queue: Queue, also: str) -> str:
    """Each workspace's even share of the limit, and only when those do not make it up what comes after: a workspace that
    is behind by thousands would else be read by the thousand at each claim."""

    def due(bounds: str) -> str:
        return f"""SELECT q.id, q.{queue.due} AS due FROM {queue.table} q
                WHERE q.{queue.ready} {also} AND q.{queue.fair} = fair.key AND q.{queue.due} <= :now
                ORDER BY q.{queue.due}, q.id {bounds}"""

    return f"""share AS (
            SELECT (:limit + count(key) - 1) / greatest(count(key), 1) AS size FROM fair
        ), even AS (
            SELECT c.id, c.due, row_number() OVER (PARTITION BY fair.key ORDER BY c.due, c.id) AS turn
            FROM fair CROSS JOIN LATERAL ({due("LIMIT (SELECT size FROM share)")}) c
            WHERE fair.key IS NOT NULL
        ), candidate AS (
            SELECT * FROM even
            UNION ALL
            SELECT c.id, c.due,
                   (SELECT size FROM share) + row_number() OVER (PARTITION BY fair.key ORDER BY c.due, c.id)
            FROM fair CROSS JOIN LATERAL ({due("LIMIT :limit OFFSET (SELECT size FROM share)")}) c
            WHERE fair.key IS NOT NULL AND (SELECT count(*) FROM even) < :limit
        )"""


def _serial_candidates(queue: Queue, also: str) -> str:
    """Rows whose serial key is being worked on wait, and of several with one key only the oldest is taken. The partial
    unique index is the guard; this keeps it from raising."""
    return f"""candidate AS (
            SELECT c.id, c.due, row_number() OVER (PARTITION BY fair.key ORDER BY c.due, c.id) AS turn
            FROM fair CROSS JOIN LATERAL (SELECT d.id, d.due FROM (
                SELECT q.id, q.{queue.due} AS due,
                       row_number() OVER (PARTITION BY q.{queue.serial} ORDER BY q.{queue.due}, q.id) AS nth
                FROM {queue.table} q
                WHERE q.{queue.ready} {also} AND q.{queue.fair} = fair.key AND q.{queue.due} <= :now
                  AND NOT EXISTS (SELECT FROM {queue.table} r
                                  WHERE r.{queue.running} AND r.{queue.serial} = q.{queue.serial})
                ORDER BY q.{queue.due}, q.id LIMIT :limit) d WHERE d.nth = 1) c
            WHERE fair.key IS NOT NULL
        )"""


_LOCK = text("SELECT pg_advisory_xact_lock(:class, 0)")
_LOCK_SHARED = text("SELECT pg_advisory_xact_lock_shared(:class, 0)")


async def lock_claims(conn: AsyncConnection, queue: Queue) -> None:
    """Serialise claims on a lane whose rows have serial keys: two claimers could otherwise pick two jobs of one lead."""
    await conn.execute(_LOCK, {"class": queue.lock_class})


_AWAKE = """, awake AS (
            UPDATE ops.lane_state SET at_rest = false WHERE lane = '{lane}' AND at_rest AND EXISTS (SELECT FROM locked)
        )"""


_BEGUN = """, begun AS (
            INSERT INTO {table} (job_id, attempt, workspace_id, worker_id, run_id, started_at)
            SELECT id, attempts, workspace_id, :worker_id, :run_id, :now FROM claimed
            ON CONFLICT (job_id, attempt) DO UPDATE SET worker_id = excluded.worker_id, run_id = excluded.run_id,
                started_at = excluded.started_at, finished_at = NULL, outcome = NULL, reason = NULL
        )"""


@lru_cache(maxsize=8)
def _claim(queue: Queue) -> TextClause:
    # As one array, and with a CASE that hides the state: so the planner takes the primary key whatever it expects, and
    # never a scan of what is ready.
    return text(f"""
        {_candidates_sql(queue)}, locked AS (
            SELECT t.id FROM {queue.table} t
            WHERE t.id = ANY(ARRAY(SELECT id FROM picked)) AND CASE WHEN t.{queue.ready} THEN true END
            FOR UPDATE OF t SKIP LOCKED
        ){_AWAKE.format(lane=queue.lane) if queue.rests else ""}, claimed AS (
            UPDATE {queue.table} t
            SET state = 'running', attempts = t.attempts + 1, claimed_by = :worker_id, claimed_at = :now, reason = NULL
            FROM locked WHERE t.id = locked.id
            RETURNING t.*
        ){_BEGUN.format(table=queue.attempts) if queue.attempts else ""}
        SELECT * FROM claimed""")


async def claim(
    conn: AsyncConnection, queue: Queue, *, worker_id: int, limit: int, now: datetime, run_id: str | None = None
) -> Sequence[Row[Any]]:
    """Take up to `limit` due rows of events or jobs, fairly over workspaces. Returns whole rows, attempts already raised.

    `run_id` is noted with each attempt, in a queue that has a row for each.
    """
    if queue.serial:
        await lock_claims(conn, queue)
    elif queue.rests:
        await conn.execute(_LOCK_SHARED, {"class": queue.lock_class})
    parameters = {"now": now, "limit": limit, "worker_id": worker_id}
    if queue.attempts:
        parameters["run_id"] = run_id
    return (await conn.execute(_claim(queue), parameters)).all()


def candidates(queue: Queue) -> str:
    """The `WITH … picked` prefix for a lane that claims in its own words (the send ledger checks gates while it claims)."""
    return _candidates_sql(queue)


_ENDED = """, ended AS (
            UPDATE {table} a SET finished_at = :now, outcome = settled.state, reason = settled.reason
            FROM settled WHERE a.job_id = settled.id AND a.attempt = settled.attempts
        )"""


@lru_cache(maxsize=16)
def _settle(queue: Queue, learned: tuple[tuple[str, str], ...]) -> TextClause:
    return text(f"""
        WITH settled AS (
            UPDATE {queue.table} t
            SET state = s.state, reason = s.reason, error = s.error, claimed_by = NULL, claimed_at = NULL,
                run_at = coalesce(s.run_at, t.run_at), finished_at = CASE WHEN s.state = 'pending' THEN NULL ELSE :now END
                {"".join(f", {name} = coalesce(s.{name}, t.{name})" for name, _ in learned)}
            FROM unnest(CAST(:ids AS uuid[]), CAST(:attempts AS int[]), CAST(:states AS text[]), CAST(:reasons AS text[]),
                        CAST(:errors AS text[]), CAST(:run_ats AS timestamptz[])
                        {"".join(f", CAST(:{name} AS {kind}[])" for name, kind in learned)})
                 AS s (id, attempts, state, reason, error, run_at{"".join(f", {name}" for name, _ in learned)})
            WHERE t.id = s.id AND t.state = 'running' AND t.claimed_by = :worker_id AND t.attempts = s.attempts
            RETURNING t.id, t.attempts, t.state, t.reason
        ){_ENDED.format(table=queue.attempts) if queue.attempts else ""}
        SELECT count(*) FROM settled""")


async def settle(
    conn: AsyncConnection,
    queue: Queue,
    rows: Sequence[Settlement],
    *,
    worker_id: int,
    now: datetime,
    learned: Mapping[str, tuple[str, Sequence[object]]] | None = None,
) -> None:
    """Write the outcome of claimed rows and of their attempts in one statement; `ClaimLost` when any row is no longer ours.

    `learned` are columns that become known with the work: name → (SQL type, a value for each row, None for no news).
    They are written here, because a second update of the row would write all its index entries again.
    """
    if not rows:
        return
    learned = learned or {}
    statement = _settle(queue, tuple((name, kind) for name, (kind, _) in learned.items()))
    result = await conn.execute(
        statement,
        {
            "ids": [row.id for row in rows],
            "attempts": [row.attempts for row in rows],
            "states": [row.state for row in rows],
            "reasons": [row.reason for row in rows],
            "errors": [row.error for row in rows],
            "run_ats": [row.run_at for row in rows],
            "worker_id": worker_id,
            "now": now,
            **{name: list(values) for name, (_, values) in learned.items()},
        },
    )
    if (settled := result.scalar_one()) != len(rows):
        raise ClaimLost(f"{len(rows) - settled} of {len(rows)} claimed rows were taken over")


def held_by_dead(queue: Queue) -> str:
    """SQL condition on rows `t`: claimed by a worker that no longer holds its lock, or for longer than the lease."""
    return f"""t.{queue.running} AND (t.claimed_at < :lease_start OR NOT EXISTS (
        SELECT FROM pg_locks l WHERE l.locktype = 'advisory' AND l.classid = {queue.lock_class}
          AND l.objid = t.claimed_by::bigint::oid AND l.objsubid = 2 AND l.granted
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())))"""


async def release_stale(conn: AsyncConnection, queue: Queue, *, now: datetime, lease_s: float) -> int:
    """Give back events or jobs that a dead worker held: due now, or dead when their attempts are used up. Returns how many."""
    if queue.serial:
        await lock_claims(conn, queue)
    statement = f"""
        UPDATE {queue.table} t
        SET state = CASE WHEN t.attempts >= t.max_attempts THEN 'dead' ELSE 'pending' END,
            reason = 'worker_lost', error = 'released: the worker that held this row is gone',
            run_at = :now, claimed_by = NULL, claimed_at = NULL,
            finished_at = CASE WHEN t.attempts >= t.max_attempts THEN CAST(:now AS timestamptz) END
        WHERE {held_by_dead(queue)} {f"AND t.{queue.also}" if queue.also else ""}"""
    parameters = {"now": now, "lease_start": now - timedelta(seconds=lease_s)}
    result: CursorResult[Any] = await conn.execute(text(statement), parameters)
    return result.rowcount


async def next_due(conn: AsyncConnection, queue: Queue) -> datetime | None:
    """The earliest time at which waiting work of this lane falls due; None when nothing waits."""
    also = f"AND {queue.also}" if queue.also else ""
    statement = f"SELECT min({queue.due}) FROM {queue.table} WHERE {queue.waiting} {also}"
    return (await conn.execute(text(statement))).scalar_one()


async def rest(conn: AsyncConnection, queue: Queue, now: datetime) -> None:
    """Record that at `now` nothing of a lane was due or claimed, so that its sensor need not look through what was done.

    Claims hold the same lock shared: none is under way unseen.
    """
    await lock_claims(conn, queue)
    statement = f"""
        INSERT INTO ops.lane_state AS s (lane, at_rest, rested_at)
        SELECT :lane, true, CAST(:now AS timestamptz)
        WHERE NOT EXISTS (SELECT FROM {queue.table} WHERE {queue.waiting} AND {queue.due} <= :now)
          AND NOT EXISTS (SELECT FROM {queue.table} WHERE {queue.running})
        ON CONFLICT (lane) DO UPDATE SET at_rest = true, rested_at = greatest(s.rested_at, excluded.rested_at)"""
    await conn.execute(text(statement), {"lane": queue.lane, "now": now})


async def wake(conn: AsyncConnection, queue: Queue) -> None:
    """Tell a waiting drain, at commit, that work was added."""
    await conn.execute(text("SELECT pg_notify(:channel, '')"), {"channel": queue.channel})
