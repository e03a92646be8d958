"""Appointments as vendors report them, in any order: which version stands, and what a booking does to its lead."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.providers.records import AppointmentRecord

# A cancelled invitee never returns to confirmed, whatever arrives later (providers §9.2).
FINAL = ("CANCELED", "RESCHEDULED")


@dataclass(frozen=True, slots=True)
class NewAppointment:
    workspace_id: UUID
    lead_id: UUID | None
    record: AppointmentRecord
    event_id: UUID


def standing(record: AppointmentRecord) -> tuple[int, datetime, str]:
    """Orders versions of one appointment: an end beats everything before it, then the vendor's own version time."""
    return (1 if record.status in FINAL else 0, record.version_at, record.status)


_UPSERT = text("""
    INSERT INTO app.appointment AS a (id, workspace_id, lead_id, provider, external_id, secondary_id, status, start_at,
        end_at, timezone, attendee_email, calendar_key, booked_at, booked_at_source, canceled_at, canceled_by,
        superseded_by, vendor_updated_at, email_campaign_id, assigned_to_user_id, event_id)
    SELECT j.id, j.workspace_id, j.lead_id, j.provider, j.external_id, j.secondary_id, j.status, j.start_at, j.end_at,
        j.timezone, j.attendee_email, j.calendar_key, j.version_at, 'provider', j.canceled_at, j.canceled_by,
        j.superseded_by, j.version_at, l.email_campaign_id, l.assigned_to_user_id, j.event_id
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS j (id uuid, workspace_id uuid, lead_id uuid, provider text,
        external_id text, secondary_id text, status text, start_at timestamptz, end_at timestamptz, timezone text,
        attendee_email text, calendar_key text, canceled_at timestamptz, canceled_by text, superseded_by text,
        version_at timestamptz, event_id uuid)
    LEFT JOIN app.lead l ON l.id = j.lead_id
    ORDER BY j.workspace_id, j.provider, j.external_id
    ON CONFLICT (workspace_id, provider, external_id) DO UPDATE SET
        lead_id = coalesce(a.lead_id, excluded.lead_id),
        booked_at = least(a.booked_at, excluded.booked_at),
        status = CASE WHEN (excluded.status IN ('canceled', 'rescheduled'), excluded.vendor_updated_at, excluded.status)
                         > (a.status IN ('canceled', 'rescheduled'), a.vendor_updated_at, a.status)
                      THEN excluded.status ELSE a.status END,
        start_at = CASE WHEN excluded.vendor_updated_at >= a.vendor_updated_at
                        THEN coalesce(excluded.start_at, a.start_at) ELSE coalesce(a.start_at, excluded.start_at) END,
        end_at = CASE WHEN excluded.vendor_updated_at >= a.vendor_updated_at
                      THEN coalesce(excluded.end_at, a.end_at) ELSE coalesce(a.end_at, excluded.end_at) END,
        canceled_at = least(a.canceled_at, excluded.canceled_at),
        canceled_by = coalesce(a.canceled_by, excluded.canceled_by),
        superseded_by = coalesce(a.superseded_by, excluded.superseded_by),
        vendor_updated_at = greatest(a.vendor_updated_at, excluded.vendor_updated_at)
    RETURNING a.workspace_id, a.lead_id, a.status, a.booked_at""")

_BOOKED = text("""
    UPDATE app.lead SET status = 'meeting-booked', sentiment_tag = 'Meeting Booked', sentiment_source = 'provider',
        updated_at = :now
    WHERE id = ANY(CAST(:leads AS uuid[])) AND status NOT IN ('meeting-booked', 'blacklisted')""")


@dataclass(frozen=True, slots=True)
class Booked:
    """What storing appointments changed: leads with a standing booking, and the days whose facts are out of date."""

    lead_ids: tuple[UUID, ...]
    dirty_days: tuple[tuple[date, UUID], ...]


async def store_appointments(conn: AsyncConnection, found: Sequence[NewAppointment], now: datetime) -> Booked:
    """Upsert by vendor id; of several versions in one batch only the standing one is written."""
    rows: dict[tuple[UUID, str, str], NewAppointment] = {}
    for each in found:
        key = (each.workspace_id, each.record.provider, each.record.external_id)
        if key not in rows or standing(each.record) > standing(rows[key].record):
            rows[key] = each
    if not rows:
        return Booked((), ())
    payload = json.dumps([_row(each) for each in rows.values()], default=str)
    stored = list(await conn.execute(_UPSERT, {"rows": payload}))
    leads = sorted({row.lead_id for row in stored if row.lead_id and row.status == "confirmed"})
    if leads:
        await conn.execute(_BOOKED, {"leads": leads, "now": now})
    days = sorted({(row.booked_at.astimezone(UTC).date(), row.workspace_id) for row in stored})
    return Booked(tuple(leads), tuple(days))


def _row(each: NewAppointment) -> dict[str, Any]:
    record = each.record
    return {
        "id": new_id(),
        "workspace_id": each.workspace_id,
        "lead_id": each.lead_id,
        "provider": record.provider.lower(),
        "external_id": record.external_id,
        "secondary_id": record.secondary_id,
        "status": record.status.lower(),
        "start_at": record.start_at and record.start_at.isoformat(),
        "end_at": record.end_at and record.end_at.isoformat(),
        "timezone": record.timezone,
        "attendee_email": record.attendee_email,
        "calendar_key": record.event_type_id,
        "canceled_at": record.version_at.isoformat() if record.status == "CANCELED" else None,
        "canceled_by": record.canceled_by,
        "superseded_by": record.superseded_by,
        "version_at": record.version_at.isoformat(),
        "event_id": each.event_id,
    }
