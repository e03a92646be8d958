"""Deliveries by hand: find them, look into one, process them again, or give them up.

Processing again is safe, because handlers are idempotent: what a delivery said before is recognised, what could not be
read then is read by today's rules. A replayed delivery never answers by itself: its reply goes to a person, and it
starts no sequence (`replayed_at`).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.seal import Sealer
from zrg_dagster.core.db import lanes, queue
from zrg_dagster.core.db.problems import describe
from zrg_dagster.core.intake.apply import Ending, apply
from zrg_dagster.core.intake.read import PARSERS, ReadEvent, load_bodies, read
from zrg_dagster.core.workspaces.audit import record

STATES = ("pending", "running", "processed", "ignored", "quarantined", "dead", "discarded")
FINISHED = ("processed", "ignored", "quarantined", "dead", "discarded")
TROUBLE = ("quarantined", "dead")
MAX_EVENTS = 10_000
MAX_PREVIEW = 500


class ReplayRefusal(StrEnum):
    """Why a chosen delivery is left alone."""

    IN_WORK = "in_work"
    BODY_GONE = "body_gone"
    # What a person decided on a card belongs to the moment in which they saw it.
    REVIEW_CLICK = "review_click"


class ReplayError(ValueError):
    """The deliveries cannot be chosen like this. One line: what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which deliveries: all conditions that are given hold. `limit` takes the oldest; ids follow the time of receipt."""

    ids: tuple[UUID, ...] = ()
    workspace: str | None = None
    provider: str | None = None
    states: tuple[str, ...] = TROUBLE
    reason: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    first_id: UUID | None = None
    last_id: UUID | None = None
    limit: int = MAX_PREVIEW

    def __post_init__(self) -> None:
        if unknown := set(self.states) - set(STATES):
            raise ReplayError(f"unknown state {', '.join(sorted(unknown))}; the states are {', '.join(STATES)}")
        if self.provider is not None and self.provider not in PARSERS:
            raise ReplayError(f"unknown provider {self.provider!r}; the providers are {', '.join(sorted(PARSERS))}")
        if not 1 <= self.limit <= MAX_EVENTS:
            raise ReplayError(f"limit: between 1 and {MAX_EVENTS}, not {self.limit}")
        for name in ("since", "until"):
            at = getattr(self, name)
            if at is not None and at.tzinfo is None:
                raise ReplayError(f"{name}: give the instant with its offset, as 2026-03-10T16:00Z")

    def as_json(self) -> dict[str, Any]:
        """What was chosen, for the audit log: only what was given."""
        return {key: str(value) for key, value in asdict(self).items() if value}


_SELECT = """
    SELECT e.id, e.provider, e.scope, e.event_type, e.workspace_id, w.key AS workspace, e.received_at, e.state,
           e.reason, e.error, e.attempts, e.max_attempts, e.correlation_id, e.lead_id, e.message_id, e.body_bytes,
           e.replayed_at, coalesce(octet_length(b.body), 0) > 0 AS has_body
    FROM raw.webhook_event e
    LEFT JOIN raw.webhook_body b ON b.event_id = e.id AND b.received_at = e.received_at
    LEFT JOIN app.workspace w ON w.id = e.workspace_id
    WHERE {conditions}
    ORDER BY e.received_at {order}, e.id {order} LIMIT :limit"""


async def find(conn: AsyncConnection, chosen: Selection, *, newest: bool = False) -> Sequence[Row[Any]]:
    """The chosen deliveries with their columns, oldest first unless `newest`."""
    conditions = ["e.state = ANY(CAST(:states AS text[]))"]
    parameters: dict[str, Any] = {"states": list(chosen.states)}
    given: tuple[tuple[str, Any, str], ...] = (
        ("ids", list(chosen.ids), "e.id = ANY(CAST(:ids AS uuid[]))"),
        ("workspace", chosen.workspace, "w.key = :workspace"),
        ("provider", chosen.provider, "e.provider = :provider"),
        ("reason", chosen.reason, "e.reason = :reason"),
        ("since", chosen.since, "e.received_at >= :since"),
        ("until", chosen.until, "e.received_at < :until"),
        ("first_id", chosen.first_id, "e.id >= :first_id"),
        ("last_id", chosen.last_id, "e.id <= :last_id"),
    )
    for name, value, condition in given:
        if value:
            conditions.append(condition)
            parameters[name] = value
    statement = _SELECT.format(conditions=" AND ".join(conditions), order="DESC" if newest else "")
    return (await conn.execute(text(statement), {**parameters, "limit": chosen.limit})).all()


_BODY = text("""
    SELECT b.body FROM raw.webhook_event e
    JOIN raw.webhook_body b ON b.event_id = e.id AND b.received_at = e.received_at WHERE e.id = :id""")


async def body_of(conn: AsyncConnection, event_id: UUID) -> bytes | None:
    """The body as received; None or empty past its retention and after an erasure."""
    return (await conn.execute(_BODY, {"id": event_id})).scalar_one_or_none()


def refusal(event: Row[Any]) -> ReplayRefusal | None:
    """Why this delivery cannot be processed again; None when it can. Pure."""
    if event.state not in FINISHED:
        return ReplayRefusal.IN_WORK
    if event.provider == "slack":
        return ReplayRefusal.REVIEW_CLICK
    if not event.has_body:
        return ReplayRefusal.BODY_GONE
    return None


@dataclass(frozen=True, slots=True)
class Change:
    """What a replay would make of one delivery."""

    event: Row[Any]
    state: str
    reason: str | None
    error: str | None

    @property
    def differs(self) -> bool:
        return (self.state, self.reason) != (self.event.state, self.event.reason)


async def preview(
    conn: AsyncConnection, events: Sequence[Row[Any]], now: datetime, *, sealer: Sealer | None
) -> list[Change]:
    """How each delivery would end today. Does the work, and rolls all of it back; `conn` may not be in a transaction.

    The effects hold locks meanwhile, so at most MAX_PREVIEW of `events` are tried.
    """
    changes: list[Change] = []
    open_events = [event for event in events if refusal(event) is None][:MAX_PREVIEW]
    transaction = await conn.begin()
    try:
        by_id = {event.id: event for event in open_events}
        told = [read(claimed) for claimed in await load_bodies(conn, open_events)]
        for each in told:
            changes.append(await _try(conn, by_id[each.event.id], each, now, sealer))
    finally:
        await transaction.rollback()
    return changes


async def _try(conn: AsyncConnection, event: Row[Any], told: ReadEvent, now: datetime, sealer: Sealer | None) -> Change:
    if told.failure is not None:
        return Change(event, "dead", "handler_error", describe(told.failure))
    savepoint = await conn.begin_nested()
    try:
        [ending] = await apply(conn, [told], now, sealer=sealer)
    except Exception as error:  # noqa: BLE001 - whatever the handler raises is what the preview is asked for
        await savepoint.rollback()
        return Change(event, "dead", "handler_error", describe(error))
    await savepoint.commit()
    return _change(event, ending)


def _change(event: Row[Any], ending: Ending) -> Change:
    return Change(event, ending.state, ending.reason, ending.error)


_REPLAY = text("""
    UPDATE raw.webhook_event e
    SET state = 'pending', attempts = 0, run_at = :now, finished_at = NULL, reason = NULL, error = NULL, replayed_at = :now
    WHERE e.id = ANY(CAST(:ids AS uuid[])) AND e.state = ANY(CAST(:finished AS text[]))
    RETURNING e.id""")
_DISCARD = text("""
    UPDATE raw.webhook_event e
    SET state = 'discarded', reason = 'discarded_by_hand', finished_at = :now
    WHERE e.id = ANY(CAST(:ids AS uuid[])) AND e.state = ANY(CAST(:trouble AS text[]))
    RETURNING e.id""")


async def replay(
    conn: AsyncConnection, events: Sequence[Row[Any]], chosen: Selection, *, actor: str, now: datetime
) -> list[UUID]:
    """Hand deliveries to the inbound lane once more, in the caller's transaction; returns those that were taken."""
    ids = [event.id for event in events if refusal(event) is None]
    taken = list((await conn.execute(_REPLAY, {"ids": ids, "finished": list(FINISHED), "now": now})).scalars())
    if taken:
        await queue.wake(conn, lanes.INBOUND)
        await _record(conn, "event.replay", len(taken), chosen, actor, now)
    return taken


async def discard(
    conn: AsyncConnection, events: Sequence[Row[Any]], chosen: Selection, *, actor: str, now: datetime
) -> list[UUID]:
    """Give up quarantined and dead deliveries: they stay stored and counted, and alarm nobody any more."""
    ids = [event.id for event in events]
    given_up = list((await conn.execute(_DISCARD, {"ids": ids, "trouble": list(TROUBLE), "now": now})).scalars())
    if given_up:
        await _record(conn, "event.discard", len(given_up), chosen, actor, now)
    return given_up


async def _record(
    conn: AsyncConnection, action: str, number: int, chosen: Selection, actor: str, now: datetime
) -> None:
    changes = [{"object": f"{number} deliveries", "verb": "update", "selection": chosen.as_json()}]
    await record(conn, actor=actor, action=action, object=f"{number} deliveries", changes=changes, now=now)
