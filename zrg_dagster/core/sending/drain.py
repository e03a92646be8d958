"""The sends lane: claim with gates, call the vendor, settle; read unknown sends back until they are settled."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from zrg_dagster.core.base.log import bind_correlation, get_logger
from zrg_dagster.core.db import queue
from zrg_dagster.core.db.engine import until_settled
from zrg_dagster.core.db.lane import LaneReport, LaneWork
from zrg_dagster.core.providers.clients import VendorClients
from zrg_dagster.core.providers.credential import Access
from zrg_dagster.core.providers.outcome import (
    Accepted,
    Ambiguous,
    Blocked,
    CallOutcome,
    Found,
    NotFound,
    ReadBack,
    ReadFailed,
    Refused,
    Unknown,
    Waiting,
)
from zrg_dagster.core.providers.readback import AFTER, BEFORE
from zrg_dagster.core.sending import ledger
from zrg_dagster.core.sending.deliver import Delivery, message_key, read_back, send
from zrg_dagster.core.sending.ledger import SendState, Settled

log = get_logger(__name__)

# What a room above does about a send's new state, in the transaction that writes it: `(conn, row, now)`.
Consequence = Callable[[AsyncConnection, Row[Any], datetime], Awaitable[None]]


def after_call(outcome: CallOutcome, row: Row[Any], now: datetime) -> Settled:
    """The ledger state that a vendor call leads to. Pure."""
    match outcome:
        case Accepted(vendor_message_id, detail):
            return Settled(SendState.SENT, vendor_message_id=vendor_message_id, vendor_detail=dict(detail))
        case Unknown(reason, detail):
            return Settled(SendState.UNKNOWN, reason, detail, due_at=now + ledger.read_back_every(row.vendor))
        case Blocked(reason, detail):
            return Settled(SendState.BLOCKED, reason, detail)
        case Waiting(reason, recheck_s):
            if now - row.planned_at >= ledger.WAIT_AT_MOST:
                return Settled(SendState.BLOCKED, reason)
            return Settled(SendState.PLANNED, reason, due_at=now + timedelta(seconds=recheck_s), waits=True)
        case Refused(reason, permanent, retry_after_s, detail):
            if permanent:
                return Settled(SendState.REFUSED, reason, detail)
            if row.attempts >= row.max_attempts:
                return Settled(SendState.REFUSED, "attempts_used_up", f"{reason} {detail}".strip())
            wait = timedelta(seconds=retry_after_s) if retry_after_s else None
            return Settled(
                SendState.PLANNED, reason, detail, due_at=now + wait if wait else queue.retry_at(now, row.attempts)
            )


def after_read_back(found: ReadBack, row: Row[Any], now: datetime) -> Settled:
    """The ledger state that a read-back leads to: found is sent, absent beyond the settle time needs a human. Pure."""
    match found:
        case Found(vendor_message_id):
            return Settled(SendState.SENT, vendor_message_id=vendor_message_id, vendor_detail={"found_by": "read_back"})
        case Ambiguous():
            return Settled(SendState.NEEDS_HUMAN, "read_back_ambiguous")
        case ReadFailed(reason, True, _, detail):
            return Settled(SendState.NEEDS_HUMAN, f"read_back_{reason}", detail)
        case NotFound() | ReadFailed():
            pass
    if isinstance(found, NotFound) and row.settle_until is not None and now >= row.settle_until:
        return Settled(SendState.NEEDS_HUMAN, "outcome_unknown")
    return Settled(SendState.UNKNOWN, row.reason, row.error, due_at=now + ledger.read_back_every(row.vendor))


_KNOWN = text("""
    SELECT coalesce(array_agg(vendor_message_id) FILTER (WHERE vendor_message_id IS NOT NULL), '{}') AS ids,
           count(*) FILTER (WHERE vendor_message_id IS NULL AND state = 'sent' AND vendor = CAST(:vendor AS text)
               AND content ->> 'text' = CAST(:text AS text)
               AND claimed_at BETWEEN CAST(:claimed_at AS timestamptz) - CAST(:around AS interval)
                              AND CAST(:claimed_at AS timestamptz) + CAST(:around AS interval)) AS twins
    FROM app.send WHERE lead_id = :lead_id AND id <> :id""")
# The window of a read-back on either side (providers/readback.py).
_AROUND = BEFORE + AFTER


class SendsLane:
    """Works the ledger against one engine. `consequences` maps a send's kind to what the room above does about it."""

    def __init__(
        self,
        engine: AsyncEngine,
        vendors: VendorClients,
        *,
        access: Access,
        consequences: Mapping[str, Consequence],
        auto_send_disabled: bool,
        lease_s: float,
        clock: Callable[[], datetime],
        report: LaneReport,
    ) -> None:
        self._engine = engine
        self._vendors = vendors
        self._access = access
        self._consequences = consequences
        self._auto_send_disabled = auto_send_disabled
        self._lease_s = lease_s
        self._clock = clock
        self._report = report

    def work(self) -> LaneWork[Row[Any]]:
        return LaneWork(claim=self._claim, work=self._work, release=self._release)

    async def _claim(self, worker_id: int, room: int, now: datetime) -> Sequence[Row[Any]]:
        """Due rows to work on. Of many that are only blocked or made to wait, the next are looked at at once."""
        while True:
            claimed = await self._claim_once(worker_id, room, now)
            if claimed.to_send or claimed.to_read_back or not claimed.decided:
                return (*claimed.to_send, *claimed.to_read_back)

    async def _claim_once(self, worker_id: int, room: int, now: datetime) -> ledger.Claimed:
        async with self._engine.begin() as conn:
            claimed = await ledger.claim(
                conn, worker_id=worker_id, limit=room, now=now, auto_send_disabled=self._auto_send_disabled
            )
            for row in claimed.blocked:
                await self._apply_consequence(conn, row, now)
        for row in claimed.blocked:
            self._report.count("blocked", row.reason)
        for wait in claimed.waiting:
            self._report.count("waiting", wait.reason)
        return claimed

    async def _release(self, now: datetime) -> int:
        async with self._engine.begin() as conn:
            rows = await ledger.release_stale(conn, now=now, lease_s=self._lease_s)
            for row in rows:
                await self._apply_consequence(conn, row, now)
        return len(rows)

    async def _work(self, worker_id: int, row: Row[Any]) -> None:
        bind_correlation(row.correlation_id)
        async with self._engine.connect() as conn:
            credential = await self._access(conn, row.workspace_id, row.vendor)
            ids, twins = await self._known(conn, row) if row.state == SendState.UNKNOWN else (frozenset[str](), 0)
        if credential is None:
            settled = self._without_account(row)
        else:
            settled = await self._call(Delivery(row, credential, ids, twins))
        # Again on a deadlock: what the vendor answered must not be lost to another transaction's bad timing.
        state = await until_settled(lambda: self._settle(worker_id, row, settled))
        self._report.count(state, settled.reason)
        log.info(
            "send_settled",
            send_id=str(row.id),
            state=state,
            reason=settled.reason,
            vendor=row.vendor,
        )

    async def _settle(self, worker_id: int, row: Row[Any], settled: Settled) -> str:
        now = self._clock()
        async with self._engine.begin() as conn:
            written = await ledger.settle(conn, row, settled, worker_id=worker_id, now=now)
            if written.state != row.state or written.state != SendState.UNKNOWN:
                await self._apply_consequence(conn, written, now)
        return written.state

    async def _call(self, delivery: Delivery) -> Settled:
        row = delivery.row
        if row.state == SendState.UNKNOWN:
            settled = after_read_back(await read_back(self._vendors, delivery), row, self._clock())
        else:
            settled = after_call(await send(self._vendors, delivery), row, self._clock())
        if settled.state is SendState.SENT and (key := message_key(delivery, settled.vendor_message_id)):
            settled = replace(settled, vendor_detail={**(settled.vendor_detail or {}), "message_key": key})
        return settled

    def _without_account(self, row: Row[Any]) -> Settled:
        if row.state == SendState.UNKNOWN:
            return Settled(SendState.NEEDS_HUMAN, "vendor_not_connected")
        return Settled(SendState.REFUSED, "vendor_not_connected")

    async def _known(self, conn: AsyncConnection, row: Row[Any]) -> tuple[frozenset[str], int]:
        parameters = {
            "lead_id": row.lead_id,
            "id": row.id,
            "vendor": row.vendor,
            "text": row.content.get("text"),
            "claimed_at": row.claimed_at,
            "around": _AROUND,
        }
        found = (await conn.execute(_KNOWN, parameters)).one()
        return frozenset(found.ids), found.twins

    async def _apply_consequence(self, conn: AsyncConnection, row: Row[Any], now: datetime) -> None:
        consequence = self._consequences.get(row.kind)
        if consequence is not None:
            await consequence(conn, row, now)
