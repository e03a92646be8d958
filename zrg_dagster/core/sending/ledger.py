"""The send ledger: planned → sending → sent | refused | unknown; planned → blocked; sending → planned only when the
request certainly was not executed; unknown → sent | needs_human.

The claim checks every gate in the statement that takes the row and commits before a socket opens. A row whose worker
died while sending becomes unknown, never planned: the vendor may have it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import CursorResult, Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.db import lanes, queue
from zrg_dagster.core.sending import budget
from zrg_dagster.core.sending.gates import WaitReason, gate_sql
from zrg_dagster.core.sending.hours import hold_outside_hours


class SendState(StrEnum):
    PLANNED = "planned"
    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    BLOCKED = "blocked"
    NEEDS_HUMAN = "needs_human"


# How long a vendor may take until a sent message shows up in its own lists (providers §4.6, 5.6, 6.6, 11.6). SmartLead
# queues, and Instantly and Unipile say nothing: a little more than the slowest that names a time.
SETTLE_TIME = {
    "ghl": timedelta(minutes=2),
    "emailbison": timedelta(minutes=3),
    "smartlead": timedelta(minutes=10),
    "instantly": timedelta(minutes=5),
    "unipile": timedelta(minutes=5),
    "slack": timedelta(minutes=1),
}
READ_BACK_EVERY = timedelta(seconds=10)
# SmartLead shows nothing in the first minute, and Instantly allows twenty list calls a minute (providers §6.6, §7.6).
_READ_BACK_EVERY = {"smartlead": timedelta(seconds=60), "instantly": timedelta(seconds=30)}
# What waits for somebody else to act is given up then (providers §1.6, class blocked).
WAIT_AT_MOST = timedelta(hours=72)


def read_back_every(vendor: str) -> timedelta:
    """How long to leave a vendor alone between two questions about one send."""
    return _READ_BACK_EVERY.get(vendor, READ_BACK_EVERY)


@dataclass(frozen=True, slots=True)
class Claimed:
    """What one claim took: rows to send now, rows to read back, rows that a gate closed for good, rows that wait."""

    to_send: tuple[Row[Any], ...]
    to_read_back: tuple[Row[Any], ...]
    blocked: tuple[Row[Any], ...]
    waiting: tuple[budget.Wait, ...] = ()
    postponed: int = 0

    @property
    def decided(self) -> int:
        """Rows that are due no more although nobody works on them: they made room for others."""
        return len(self.blocked) + len(self.waiting) + self.postponed


@dataclass(frozen=True, slots=True)
class Settled:
    """A ledger row's next state. `due_at` only when it goes back to planned or stays unknown. `waits`: planned again
    because somebody else has to act first, which is a decision worth a line."""

    state: SendState
    reason: str | None = None
    error: str | None = None
    due_at: datetime | None = None
    vendor_message_id: str | None = None
    vendor_detail: dict[str, Any] | None = None
    waits: bool = False


_PICK = f"""
    {queue.candidates(lanes.SENDS)}
    SELECT t.id, t.state, t.lead_id FROM app.send t JOIN picked USING (id)"""
_LOCK_LEADS = text("SELECT id FROM app.lead WHERE id = ANY(CAST(:leads AS uuid[])) ORDER BY id FOR SHARE")
_CLAIM = text(f"""
    UPDATE app.send t
    SET state = CASE WHEN g.reason IS NULL THEN 'sending' ELSE 'blocked' END,
        reason = g.reason,
        attempts = t.attempts + CASE WHEN g.reason IS NULL THEN 1 ELSE 0 END,
        claimed_by = CASE WHEN g.reason IS NULL THEN CAST(:worker_id AS int) END,
        claimed_at = CASE WHEN g.reason IS NULL THEN CAST(:now AS timestamptz) END,
        finished_at = CASE WHEN g.reason IS NULL THEN NULL ELSE CAST(:now AS timestamptz) END
    FROM (SELECT s.id, {gate_sql()} AS reason
          FROM app.send s
          JOIN app.workspace w ON w.id = s.workspace_id
          LEFT JOIN app.lead l ON l.id = s.lead_id
          LEFT JOIN app.draft d ON d.id = s.draft_id
          WHERE s.id = ANY(CAST(:ids AS uuid[])) AND s.state = 'planned'
          ORDER BY s.id FOR UPDATE OF s SKIP LOCKED) g
    WHERE t.id = g.id
    RETURNING t.*""")
_READ_BACK = text("""
    UPDATE app.send t SET due_at = :next FROM (
        SELECT id FROM app.send WHERE id = ANY(CAST(:ids AS uuid[])) AND state = 'unknown' AND due_at <= :now
        ORDER BY id FOR UPDATE SKIP LOCKED) u
    WHERE t.id = u.id RETURNING t.*""")


async def claim(
    conn: AsyncConnection, *, worker_id: int, limit: int, now: datetime, auto_send_disabled: bool
) -> Claimed:
    """Take due rows. One transaction: leads are share-locked first, so an opt-out under way is waited for and seen."""
    await queue.lock_claims(conn, lanes.SENDS)
    picked = list(await conn.execute(text(_PICK), {"now": now, "limit": limit}))
    if not picked:
        return Claimed((), (), ())
    await conn.execute(_LOCK_LEADS, {"leads": sorted({row.lead_id for row in picked if row.lead_id})})
    held = await hold_outside_hours(conn, [row.id for row in picked if row.state == SendState.PLANNED], now)
    await _record_decisions(conn, held.closed, now)
    out = held.later | {row.id for row in held.closed}
    # After the hours: what they keep back must spend no budget.
    waiting = await budget.hold_back(conn, [row.id for row in picked if row.id not in out], now)
    await _record_waits(conn, [wait for wait in waiting if wait.reason in _TOLD], now)
    out |= {wait.id for wait in waiting}
    planned = [row.id for row in picked if row.id not in out and row.state == SendState.PLANNED]
    unknown = [row.id for row in picked if row.id not in out and row.state == SendState.UNKNOWN]
    taken: Sequence[Row[Any]] = []
    if planned:
        parameters = {"ids": planned, "worker_id": worker_id, "now": now, "auto_send_disabled": auto_send_disabled}
        taken = (await conn.execute(_CLAIM, parameters)).all()
        await _record_decisions(conn, [row for row in taken if row.state == SendState.BLOCKED], now)
    looked_up: Sequence[Row[Any]] = []
    if unknown:
        parameters = {"ids": unknown, "now": now, "next": now + READ_BACK_EVERY}
        looked_up = (await conn.execute(_READ_BACK, parameters)).all()
    return Claimed(
        tuple(row for row in taken if row.state == SendState.SENDING),
        tuple(looked_up),
        (*held.closed, *(row for row in taken if row.state == SendState.BLOCKED)),
        tuple(waiting),
        len(held.later),
    )


# Waits that an operator asks about; a vendor's rate is over in seconds.
_TOLD = frozenset({WaitReason.QUIET_HOURS, WaitReason.DAILY_CAP})
_WAITS = text("""
    INSERT INTO app.decision (workspace_id, lead_id, subject, subject_id, code, detail, decided_at)
    SELECT s.workspace_id, s.lead_id, 'send', s.id, w.reason,
           jsonb_build_object('kind', s.kind, 'channel', s.channel, 'until', w.until), :now
    FROM unnest(CAST(:ids AS uuid[]), CAST(:reasons AS text[]), CAST(:untils AS timestamptz[])) AS w (id, reason, until)
    JOIN app.send s USING (id) ORDER BY s.id""")


async def _record_waits(conn: AsyncConnection, waits: Sequence[budget.Wait], now: datetime) -> None:
    if waits:
        parameters = {"ids": [each.id for each in waits], "reasons": [each.reason for each in waits]}
        await conn.execute(_WAITS, {**parameters, "untils": [each.until for each in waits], "now": now})


_DECISIONS = text("""
    INSERT INTO app.decision (workspace_id, lead_id, subject, subject_id, code, detail, decided_at)
    SELECT workspace_id, lead_id, 'send', id, reason, detail, :now
    FROM unnest(CAST(:workspaces AS uuid[]), CAST(:leads AS uuid[]), CAST(:ids AS uuid[]), CAST(:reasons AS text[]),
                CAST(:details AS jsonb[])) AS d (workspace_id, lead_id, id, reason, detail)""")


async def _record_decisions(conn: AsyncConnection, rows: Sequence[Row[Any]], now: datetime) -> None:
    """Every no has a reason, on the lead's own list of decisions (and on the draft, where a reviewer looks)."""
    if not rows:
        return
    await conn.execute(
        _DECISIONS,
        {
            "workspaces": [row.workspace_id for row in rows],
            "leads": [row.lead_id for row in rows],
            "ids": [row.id for row in rows],
            "reasons": [row.reason for row in rows],
            "details": [json.dumps({"kind": row.kind, "channel": row.channel}) for row in rows],
            "now": now,
        },
    )
    drafts = {row.draft_id: row.reason for row in rows if row.kind == "draft" and row.draft_id}
    if drafts:
        statement = text("""
            UPDATE app.draft d SET action = 'skip', reason = r.reason, updated_at = :now
            FROM unnest(CAST(:ids AS uuid[]), CAST(:reasons AS text[])) AS r (id, reason)
            WHERE d.id = r.id AND d.status = 'pending'""")
        await conn.execute(statement, {"ids": list(drafts), "reasons": list(drafts.values()), "now": now})


_SETTLE = text("""
    UPDATE app.send SET state = :state, reason = :reason, error = :error, claimed_by = NULL,
        due_at = coalesce(CAST(:due_at AS timestamptz), due_at),
        sent_at = CASE WHEN CAST(:state AS text) = 'sent' THEN coalesce(claimed_at, :now) END,
        finished_at = CASE WHEN CAST(:state AS text) IN ('planned', 'unknown') THEN NULL ELSE CAST(:now AS timestamptz) END,
        vendor_message_id = coalesce(:vendor_message_id, vendor_message_id),
        vendor_detail = vendor_detail || CAST(:vendor_detail AS jsonb),
        settle_until = CASE WHEN CAST(:state AS text) = 'unknown'
                            THEN coalesce(settle_until, CAST(:settle_until AS timestamptz)) END
    WHERE id = :id AND ((state = 'sending' AND claimed_by = :worker_id AND attempts = :attempts)
                        OR (state = 'unknown' AND CAST(:from_unknown AS boolean)))
    RETURNING *""")


_SPOKEN_FOR = text("""
    SELECT EXISTS (SELECT FROM app.send WHERE lead_id = :lead_id AND id <> :id AND vendor = :vendor
                   AND vendor_message_id = :vendor_message_id)""")
READ_BACK_LOCK_CLASS = 7114


async def _found_by_another(conn: AsyncConnection, row: Row[Any], settled: Settled) -> bool:
    """Whether the message that a read-back found was, meanwhile, found to be another send of the same lead.

    Two equal texts, both unknown, of which the vendor took one: both read-backs find it, and only one may have it.
    """
    if row.state != SendState.UNKNOWN or settled.vendor_message_id is None or row.lead_id is None:
        return False
    lock = text("SELECT pg_advisory_xact_lock(:class, hashtext(CAST(:lead AS text)))")
    await conn.execute(lock, {"class": READ_BACK_LOCK_CLASS, "lead": str(row.lead_id)})
    parameters = {"lead_id": row.lead_id, "id": row.id, "vendor": row.vendor}
    parameters["vendor_message_id"] = settled.vendor_message_id
    return (await conn.execute(_SPOKEN_FOR, parameters)).scalar_one()


async def settle(conn: AsyncConnection, row: Row[Any], settled: Settled, *, worker_id: int, now: datetime) -> Row[Any]:
    """Write a row's next state; an accepted send also becomes a message, a touch and the lead's roll-up. Raises
    `ClaimLost` when the row is no longer this worker's."""
    if await _found_by_another(conn, row, settled):
        settled = Settled(SendState.UNKNOWN, row.reason, row.error, due_at=now + read_back_every(row.vendor))
    result = await conn.execute(
        _SETTLE,
        {
            "id": row.id,
            "attempts": row.attempts,
            "worker_id": worker_id,
            "from_unknown": row.state == SendState.UNKNOWN,
            "state": settled.state,
            "reason": settled.reason,
            "error": settled.error and settled.error[: queue.ERROR_CHARS],
            "due_at": settled.due_at,
            "now": now,
            "vendor_message_id": settled.vendor_message_id,
            "vendor_detail": json.dumps(settled.vendor_detail or {}),
            "settle_until": now + SETTLE_TIME[row.vendor],
        },
    )
    written = result.one_or_none()
    if written is None:
        raise queue.ClaimLost(f"send {row.id} was taken over")
    await budget.pause_account(conn, row, settled.reason, settled.due_at, now)
    if written.state == SendState.SENT and written.lead_id is not None and written.channel != "slack":
        await _record_sent(conn, written)
    elif _says_no(row, written, settled):
        await _record_decisions(conn, [written], now)
    return written


def _says_no(before: Row[Any], after: Row[Any], settled: Settled) -> bool:
    """Whether the new state is a line on the lead's list. A row that stays unknown said so already."""
    if after.state == SendState.UNKNOWN:
        return before.state != SendState.UNKNOWN
    return settled.waits or after.state in (SendState.REFUSED, SendState.BLOCKED, SendState.NEEDS_HUMAN)


_MESSAGE = text("""
    INSERT INTO app.message (id, workspace_id, lead_id, message_key, channel, direction, source, provider,
        provider_message_id, subject, body, to_email, sent_at, sent_by, sent_by_user_id, send_id)
    VALUES (:message_id, :workspace_id, :lead_id, :message_key, :channel, 'outbound', 'zrg', :vendor,
        :vendor_message_id, :subject, :body, :to_email, :sent_at, :sent_by, :member_user_id, :id)
    ON CONFLICT (workspace_id, message_key) DO UPDATE SET send_id = excluded.send_id, source = 'zrg',
        sent_by = excluded.sent_by, sent_by_user_id = excluded.sent_by_user_id""")
_TOUCH = text("""
    INSERT INTO app.touch (id, workspace_id, lead_id, channel, kind, member_user_id, is_human, sent_at, send_id)
    VALUES (:touch_id, :workspace_id, :lead_id, :channel, :kind, :member_user_id, :is_human, :sent_at, :id)
    ON CONFLICT DO NOTHING""")
_LEAD = text("""
    UPDATE app.lead SET last_outbound_at = greatest(last_outbound_at, :sent_at), updated_at = :sent_at
    WHERE id = :lead_id""")
_DRAFT = text("""
    UPDATE app.draft SET status = 'approved', decided_by_user_id = :member_user_id, updated_at = :sent_at,
        disposition = CASE WHEN CAST(:origin AS text) = 'ai' THEN 'AUTO_SENT'
                           WHEN ai_body = CAST(:body AS text) THEN 'APPROVED' ELSE 'EDITED' END
    WHERE id = :draft_id AND status = 'pending'""")


async def _record_sent(conn: AsyncConnection, row: Row[Any]) -> None:
    content = row.content
    key = f"{row.vendor}:sent:{row.vendor_message_id}" if row.vendor_message_id else f"send:{row.id}"
    parameters = {
        "id": row.id,
        "message_id": new_id(),
        "touch_id": new_id(),
        "workspace_id": row.workspace_id,
        "lead_id": row.lead_id,
        "draft_id": row.draft_id,
        "origin": row.origin,
        "message_key": row.vendor_detail.get("message_key") or key,
        "channel": row.channel,
        "vendor": row.vendor,
        "vendor_message_id": row.vendor_message_id,
        "subject": content.get("subject"),
        "body": content.get("text", ""),
        "to_email": row.recipient if row.channel == "email" else None,
        "sent_at": row.sent_at,
        "sent_by": "setter" if row.origin == "setter" else "ai",
        "member_user_id": row.member_user_id,
        "kind": row.kind,
        "is_human": row.origin == "setter",
    }
    for statement in (_MESSAGE, _TOUCH, _LEAD, *((_DRAFT,) if row.kind == "draft" else ())):
        await conn.execute(statement, parameters)


async def record_end(conn: AsyncConnection, row: Row[Any], now: datetime) -> None:
    """What belongs to an end that was written elsewhere: message and touch of a sent row, a decision of any other."""
    if row.state == SendState.SENT and row.lead_id is not None and row.channel != "slack":
        await _record_sent(conn, row)
    elif row.state != SendState.SENT:
        await _record_decisions(conn, [row], now)


async def release_stale(conn: AsyncConnection, *, now: datetime, lease_s: float) -> list[Row[Any]]:
    """Rows that a dead worker was sending become unknown: they are read back, never simply sent again."""
    await queue.lock_claims(conn, lanes.SENDS)
    statement = f"""
        UPDATE app.send t SET state = 'unknown', reason = 'worker_lost', claimed_by = NULL, due_at = :now,
            settle_until = t.claimed_at + make_interval(secs => CASE t.vendor
                {" ".join(f"WHEN '{vendor}' THEN {int(time.total_seconds())}" for vendor, time in SETTLE_TIME.items())} END)
        WHERE {queue.held_by_dead(lanes.SENDS)} RETURNING t.*"""
    parameters = {"now": now, "lease_start": now - timedelta(seconds=lease_s)}
    result: CursorResult[Any] = await conn.execute(text(statement), parameters)
    return list(result.all())
