"""What a customer's CRM is told about its leads: which events, to whom, in which words, and signed how (CO-01 … CO-05).

A job holds what happened and no personal data; the row of the lead is read when it is delivered. So a delivery that was
tried again says how things are by then, and nothing of an erased person waits in a queue.
"""

import hashlib
import hmac
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.public_address import Target, UnsafeUrl, checked_url
from zrg_dagster.core.base.seal import Sealer, SealError
from zrg_dagster.core.db.jobs import NewJob, enqueue
from zrg_dagster.core.db.lanes import Lane
from zrg_dagster.core.workspaces.channels import credential_scope

KIND = "crm_webhook"
SECRET_NAME = "crm_webhook_secret"  # noqa: S105 - the name of the secret
MAX_ATTEMPTS = 8
ALGORITHM = "hmac-sha256"


class CrmEvent(StrEnum):
    """What a customer may hear of. The first once for a lead: at its first positive reply."""

    LEAD_CREATED = "lead_created"
    ROW_UPDATED = "crm_row_updated"


class CrmSkip(StrEnum):
    """Why nothing is delivered, in the order in which it is asked (CO-02, then what only delivering shows)."""

    DISABLED = "crm_disabled"
    MISSING_URL = "crm_missing_url"
    MISSING_SECRET = "crm_missing_secret"  # noqa: S105
    EVENT_NOT_ENABLED = "crm_event_not_enabled"
    UNREADABLE_SECRET = "crm_secret_unreadable"  # noqa: S105
    UNSAFE_URL = "crm_address_not_allowed"
    LEAD_GONE = "crm_lead_gone"


@dataclass(frozen=True, slots=True)
class CrmChange:
    """Something about a lead that its CRM should hear. `field` is a key of the row; `source` the code that changed it."""

    workspace_id: UUID
    lead_id: UUID
    event: CrmEvent
    message_id: UUID | None = None
    field: str | None = None
    source: str = ""
    correlation_id: str = ""


@dataclass(frozen=True, slots=True)
class CrmSettings:
    """What a workspace has set, as stored; the secret is sealed."""

    is_enabled: bool
    url: str | None
    sealed: str | None
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CrmAccess:
    """Where to deliver and with which secret."""

    target: Target
    secret: SecretStr


def skip_reason(settings: CrmSettings, event: str) -> CrmSkip | None:
    """Why this event is not delivered for these settings, or None (CO-02). Pure."""
    if not settings.is_enabled:
        return CrmSkip.DISABLED
    if not settings.url:
        return CrmSkip.MISSING_URL
    if not settings.sealed:
        return CrmSkip.MISSING_SECRET
    return None if event in settings.events else CrmSkip.EVENT_NOT_ENABLED


def open_access(settings: CrmSettings, workspace_id: UUID, sealer: Sealer | None) -> CrmAccess | CrmSkip:
    """The checked address and the opened secret. Pure."""
    try:
        assert settings.url
        assert settings.sealed
        target = checked_url(settings.url)
        if sealer is None:
            return CrmSkip.UNREADABLE_SECRET
        secret = sealer.open(settings.sealed, scope=credential_scope(workspace_id, SECRET_NAME))
    except UnsafeUrl:
        return CrmSkip.UNSAFE_URL
    except SealError:
        return CrmSkip.UNREADABLE_SECRET
    return CrmAccess(target, SecretStr(secret))


def dedupe_key(workspace_key: str, lead_id: str, event: str, seed: str) -> str:
    """What names an event at the customer's (providers §18): the same however often it is delivered."""
    said = f"{workspace_key}|{lead_id}|{event}|{seed}"
    return f"crm:{event}:{hashlib.sha256(said.encode()).hexdigest()[:32]}"


def seed_of(change: CrmChange, occurred_at: datetime) -> str:
    message = str(change.message_id or "")
    if change.event is CrmEvent.LEAD_CREATED:
        return message
    return f"{change.event}:{message}:{change.field or ''}:{iso(occurred_at)}"


def iso(at: datetime) -> str:
    """Milliseconds and Z, as the customer's parsers were promised."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def signed_headers(secret: SecretStr, body: bytes, *, event: str, delivery_id: str, now: datetime) -> dict[str, str]:
    """The headers of one attempt: the signature is over its own time, so that an old one can be refused (CO-04)."""
    stamp = iso(now)
    mac = hmac.new(secret.get_secret_value().encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {
        "content-type": "application/json",
        "x-zrg-signature": f"sha256={mac}",
        "x-zrg-timestamp": stamp,
        "x-zrg-delivery-id": delivery_id,
        "x-zrg-event": event,
        "x-zrg-signature-algorithm": ALGORITHM,
    }


# Interest as a customer's CRM counts it: wider than the positive tags that give a lead to a setter.
INTEREST = ("Meeting Requested", "Call Requested", "Information Requested", "Interested", "Follow Up", "Meeting Booked")

# ── the queue ────────────────────────────────────────────────────────────────

_WANTED = text("""
    SELECT w.id, w.key, s.crm_webhook_events AS events
    FROM app.workspace w
    JOIN app.integration i ON i.workspace_id = w.id AND i.provider = 'crm' AND i.is_active AND i.base_url IS NOT NULL
    JOIN app.workspace_setting s ON s.workspace_id = w.id
    WHERE w.id = ANY(CAST(:ids AS uuid[])) AND w.is_active
      AND EXISTS (SELECT FROM secret.credential c WHERE c.workspace_id = w.id AND c.name = 'crm_webhook_secret')""")


async def tell_crm(conn: AsyncConnection, changes: Sequence[CrmChange], now: datetime) -> int:
    """Queue what the workspaces want to hear, in the caller's transaction. Returns how many deliveries are new."""
    if not changes:
        return 0
    rows = await conn.execute(_WANTED, {"ids": sorted({each.workspace_id for each in changes})})
    wanted = {row.id: row for row in rows}
    jobs = []
    for change in changes:
        workspace = wanted.get(change.workspace_id)
        if workspace is None or change.event not in workspace.events:
            continue
        key = dedupe_key(workspace.key, str(change.lead_id), change.event, seed_of(change, now))
        jobs.append(
            NewJob(
                workspace_id=change.workspace_id,
                lane=Lane.REPLIES,
                kind=KIND,
                job_key=key,
                # Of one lead in order, and never in the way of the answer to it.
                serial_key=f"crm:{change.lead_id}",
                correlation_id=change.correlation_id or key,
                run_at=now,
                lead_id=change.lead_id,
                message_id=change.message_id,
                payload={
                    "event": change.event.value,
                    "field": change.field,
                    "occurred_at": iso(now),
                    "source": change.source,
                },
                max_attempts=MAX_ATTEMPTS,
            )
        )
    return await enqueue(conn, jobs)


# What a change of a lead that the CRM knows is seen by: key of the row → what it is now.
_STATES = text("""
    SELECT l.workspace_id, l.id, l.sentiment_tag AS "leadCategory", l.status AS "leadStatus",
           (SELECT p.start_at FROM app.appointment p WHERE p.lead_id = l.id AND p.status IN ('confirmed', 'showed', 'no_show')
            ORDER BY p.booked_at DESC, p.id DESC LIMIT 1) AS "dateOfMeeting"
    FROM app.lead l
    JOIN app.integration i ON i.workspace_id = l.workspace_id AND i.provider = 'crm' AND i.is_active
    JOIN app.workspace_setting s ON s.workspace_id = l.workspace_id AND 'crm_row_updated' = ANY(s.crm_webhook_events)
    WHERE l.id = ANY(CAST(:leads AS uuid[]))
      AND EXISTS (SELECT FROM app.sentiment_event e WHERE e.lead_id = l.id AND e.tag = ANY(CAST(:positive AS text[])))""")


async def crm_states(conn: AsyncConnection, leads: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    """How things stand, before they change, with those of `leads` that a CRM knows and wants to hear of."""
    if not leads:
        return {}
    rows = await conn.execute(_STATES, {"leads": sorted(leads), "positive": list(INTEREST)})
    return {row["id"]: dict(row) for row in rows.mappings()}


async def tell_crm_changes(
    conn: AsyncConnection,
    before: Mapping[UUID, dict[str, Any]],
    now: datetime,
    *,
    source: str,
    message_id: UUID | None = None,
    correlation_id: str = "",
) -> int:
    """Queue one `crm_row_updated` for each field that is not what it was in `before` (of `crm_states`)."""
    after = await crm_states(conn, before) if before else {}
    changes = [
        CrmChange(was["workspace_id"], lead, CrmEvent.ROW_UPDATED, message_id, field, source, correlation_id)
        for lead, was in before.items()
        for field in was
        if lead in after and after[lead][field] != was[field]
    ]
    return await tell_crm(conn, changes, now)


# ── a delivery ───────────────────────────────────────────────────────────────

_SETTINGS = text("""
    SELECT w.key, w.is_active AND coalesce(i.is_active, false) AS is_enabled, i.base_url AS url, c.sealed,
           coalesce(s.crm_webhook_events, '{}') AS events
    FROM app.workspace w
    LEFT JOIN app.integration i ON i.workspace_id = w.id AND i.provider = 'crm'
    LEFT JOIN app.workspace_setting s ON s.workspace_id = w.id
    LEFT JOIN secret.credential c ON c.workspace_id = w.id AND c.name = 'crm_webhook_secret'
    WHERE w.id = :id""")


async def load_settings_of(conn: AsyncConnection, workspace_id: UUID) -> tuple[str, CrmSettings]:
    """(key of the workspace, its settings) as they are now."""
    row = (await conn.execute(_SETTINGS, {"id": workspace_id})).one()
    return row.key, CrmSettings(row.is_enabled, row.url, row.sealed, tuple(row.events))


# Interest: the first positive reply. The row of the CRM is one of a lead that ever replied positively.
_ROW = text("""
    SELECT l.id, l.email, l.phone, l.first_name, l.last_name, l.company_name, l.job_title, l.linkedin_url, l.status,
           l.sentiment_tag, l.snoozed_until, c.name AS campaign, u.name AS assignee, u.email AS assignee_email,
           i.changed_at AS interested_at, m.channel, m.sent_at AS replied_at,
           (SELECT count(*) FROM app.touch t WHERE t.lead_id = l.id AND t.channel = m.channel AND t.sent_at < m.sent_at)
               AS steps,
           (SELECT t.is_human FROM app.touch t WHERE t.lead_id = l.id AND t.channel = m.channel AND t.sent_at > m.sent_at
              AND t.kind <> 'campaign' ORDER BY t.sent_at LIMIT 1) AS answered_by_human,
           a.booked_at, a.start_at
    FROM app.lead l
    LEFT JOIN app.email_campaign c ON c.id = l.email_campaign_id
    LEFT JOIN app.user u ON u.id = l.assigned_to_user_id
    LEFT JOIN LATERAL (SELECT e.changed_at, e.message_id FROM app.sentiment_event e
                       WHERE e.lead_id = l.id AND e.tag = ANY(CAST(:positive AS text[]))
                       ORDER BY e.changed_at, e.id LIMIT 1) i ON true
    LEFT JOIN app.message m ON m.id = i.message_id
    LEFT JOIN LATERAL (SELECT p.booked_at, p.start_at FROM app.appointment p
                       WHERE p.lead_id = l.id AND p.status IN ('confirmed', 'showed', 'no_show')
                       ORDER BY p.booked_at DESC, p.id DESC LIMIT 1) a ON true
    WHERE l.id = :lead AND l.erased_at IS NULL AND l.merged_into_lead_id IS NULL""")
_FOLLOW_UPS = text("""
    SELECT due_at FROM app.follow_up_task WHERE lead_id = :lead AND status = 'pending' ORDER BY due_at, id LIMIT 5""")


async def load_row(conn: AsyncConnection, lead_id: UUID) -> dict[str, Any] | None:
    """The CRM row of a lead as the customer reads it; None for a lead that is gone, erased or part of another one."""
    found = (await conn.execute(_ROW, {"lead": lead_id, "positive": list(INTEREST)})).one_or_none()
    if found is None:
        return None
    due = (await conn.execute(_FOLLOW_UPS, {"lead": lead_id})).scalars().all()
    return row_of(found, [iso(each) for each in due])


_RESPONSE_TYPES = {
    "Meeting Booked": "MEETING_REQUEST",
    "Meeting Requested": "MEETING_REQUEST",
    "Call Requested": "MEETING_REQUEST",
    "Information Requested": "INFORMATION_REQUEST",
    "Objection": "OBJECTION",
    "Follow Up": "FOLLOW_UP_FUTURE",
}
_QUALIFIED = {
    **dict.fromkeys(("qualified", "meeting-booked"), True),
    **dict.fromkeys(("unqualified", "not-interested", "blacklisted"), False),
}


def row_of(lead: Row[Any], follow_ups: Sequence[str]) -> dict[str, Any]:
    """The row in the customer's words. A key that this platform keeps nothing for is there and null. Pure."""
    human = lead.answered_by_human
    return {
        "id": str(lead.id),
        "leadId": str(lead.id),
        "date": _iso(lead.interested_at),
        "campaign": lead.campaign,
        "companyName": lead.company_name,
        "website": None,
        "firstName": lead.first_name,
        "lastName": lead.last_name,
        "jobTitle": lead.job_title,
        "leadEmail": lead.email,
        "leadLinkedIn": lead.linkedin_url,
        "phoneNumber": lead.phone,
        "stepResponded": lead.steps if lead.interested_at else None,
        "leadCategory": lead.sentiment_tag,
        "responseType": "MEETING_REQUEST" if lead.booked_at else _RESPONSE_TYPES.get(lead.sentiment_tag, "OTHER"),
        "leadStatus": lead.status,
        "channel": lead.channel,
        "leadType": None,
        "applicationStatus": None,
        "appointmentSetter": lead.assignee or lead.assignee_email,
        "setterAssignment": None,
        "notes": None,
        "initialResponseDate": _iso(lead.replied_at),
        **{f"followUp{number}": due for number, due in enumerate([*follow_ups, None, None, None, None, None][:5], 1)},
        "responseStepComplete": human is not None,
        "dateOfBooking": _iso(lead.booked_at),
        "dateOfMeeting": _iso(lead.start_at),
        "qualified": _QUALIFIED.get(lead.status),
        "followUpDateRequested": _iso(lead.snoozed_until),
        "setters": None,
        "responseMode": "UNKNOWN" if human is None else "HUMAN" if human else "AI",
        "leadScore": None,
    }


def _iso(at: datetime | None) -> str | None:
    return iso(at) if at else None


def body_of(job: Row[Any], workspace_key: str, row: Mapping[str, Any]) -> bytes:
    """The body of a delivery. `eventId` names the delivery and `dedupeKey` the event; both stay the same on retries."""
    said = job.payload
    document = {
        "eventId": str(job.id),
        "eventType": said["event"],
        "occurredAt": said["occurred_at"],
        "dedupeKey": job.job_key,
        "workspaceId": workspace_key,
        "leadId": str(job.lead_id),
        "messageId": str(job.message_id) if job.message_id else None,
        "changedField": said["field"],
        "source": said["source"],
        "row": row,
    }
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
