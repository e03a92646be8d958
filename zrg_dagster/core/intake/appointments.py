"""Appointments as vendors report them, in any order: which version stands, and what a booking does to its lead."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.intake.identity import EMAIL_KINDS, Identity
from zrg_dagster.core.intake.leads import known_identities, lock_names
from zrg_dagster.core.providers.records import AppointmentRecord

Key = tuple[UUID, str, str]  # workspace, provider, vendor's id


@dataclass(frozen=True, slots=True)
class NewAppointment:
    """One report of an appointment. `lead_id` is None while its person is unknown; `contact_id` is the vendor's."""

    workspace_id: UUID
    lead_id: UUID | None
    record: AppointmentRecord
    contact_id: str | None
    event_id: UUID

    @property
    def key(self) -> Key:
        return (self.workspace_id, self.record.provider.lower(), self.record.external_id)

    @property
    def names(self) -> list[Identity]:
        """By what `link_appointments` finds its person: the vendor's contact, or the address as own or as alternate one."""
        if self.record.provider == "GHL":
            return [(self.workspace_id, "ghl_contact", self.contact_id)] if self.contact_id else []
        address = self.record.attendee_email
        return [(self.workspace_id, kind, address) for kind in EMAIL_KINDS] if address else []


@dataclass(frozen=True, slots=True)
class Stored:
    """An appointment as it stands now, and as it stood before: `was` is None when it is new or newly linked, and
    `days` are the UTC days whose facts it changes (an earlier version that arrives later moves it to another day)."""

    workspace_id: UUID
    lead_id: UUID | None
    status: str
    was: str | None
    days: frozenset[date]


_BEFORE = text("""
    SELECT a.workspace_id, a.provider, a.external_id, a.lead_id, a.status, a.booked_at
    FROM unnest(CAST(:workspaces AS uuid[]), CAST(:providers AS text[]), CAST(:externals AS text[]))
         AS k (workspace_id, provider, external_id)
    JOIN app.appointment a USING (workspace_id, provider, external_id)
    ORDER BY a.workspace_id, a.provider, a.external_id FOR UPDATE OF a""")


def _latest(*names: str) -> str:
    """The value of the newest version that has one; of two versions at one instant the greater value."""
    return ",\n        ".join(
        f"""{name} = CASE WHEN (excluded.vendor_updated_at, excluded.{name}) > (a.vendor_updated_at, a.{name})
            OR a.{name} IS NULL THEN coalesce(excluded.{name}, a.{name}) ELSE a.{name} END"""
        for name in names
    )


# A cancelled invitee never returns to confirmed, whatever arrives later (providers §9.2), so an end beats everything
# before it, and of the two ends a reschedule beats a cancellation: it says the same and where the meeting went.
# Of the rest the vendor's own version time decides.
_END = "array_position(ARRAY['canceled', 'rescheduled'], {}.status)"
_UPSERT = text(f"""
    INSERT INTO app.appointment AS a (id, workspace_id, lead_id, provider, external_id, secondary_id, status, start_at,
        end_at, timezone, attendee_email, calendar_key, booked_at, booked_at_source, canceled_at, canceled_by,
        superseded_by, vendor_updated_at, assigned_to_user_id, event_id)
    SELECT j.id, j.workspace_id, j.lead_id, j.provider, j.external_id, j.secondary_id, j.status, j.start_at, j.end_at,
        j.timezone, j.attendee_email, j.calendar_key, j.version_at, 'provider', j.canceled_at, j.canceled_by,
        j.superseded_by, j.version_at, l.assigned_to_user_id, j.event_id
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS j (id uuid, workspace_id uuid, lead_id uuid, provider text,
        external_id text, secondary_id text, status text, start_at timestamptz, end_at timestamptz, timezone text,
        attendee_email text, calendar_key text, canceled_at timestamptz, canceled_by text, superseded_by text,
        version_at timestamptz, event_id uuid)
    LEFT JOIN app.lead l ON l.id = j.lead_id
    ORDER BY j.workspace_id, j.provider, j.external_id
    ON CONFLICT (workspace_id, provider, external_id) DO UPDATE SET
        lead_id = coalesce(a.lead_id, excluded.lead_id),
        assigned_to_user_id = CASE WHEN a.lead_id IS NULL THEN excluded.assigned_to_user_id ELSE a.assigned_to_user_id END,
        booked_at = least(a.booked_at, excluded.booked_at),
        status = CASE
            WHEN coalesce({_END.format("excluded")}, 0) <> coalesce({_END.format("a")}, 0)
                THEN CASE WHEN coalesce({_END.format("excluded")}, 0) > coalesce({_END.format("a")}, 0)
                          THEN excluded.status ELSE a.status END
            WHEN (excluded.vendor_updated_at, excluded.status) > (a.vendor_updated_at, a.status) THEN excluded.status
            ELSE a.status END,
        {_latest("start_at", "end_at", "timezone", "attendee_email", "calendar_key", "secondary_id")},
        canceled_at = least(a.canceled_at, excluded.canceled_at),
        canceled_by = least(a.canceled_by, excluded.canceled_by),
        superseded_by = least(a.superseded_by, excluded.superseded_by),
        vendor_updated_at = greatest(a.vendor_updated_at, excluded.vendor_updated_at)
    RETURNING a.workspace_id, a.provider, a.external_id, a.lead_id, a.status, a.booked_at""")


async def store_appointments(conn: AsyncConnection, found: Sequence[NewAppointment]) -> list[Stored]:
    """Upsert by vendor id. Several versions of one appointment in a batch are written one after the other, so that a
    batch ends like the same deliveries one by one."""
    if not found:
        return []
    versions: dict[Key, list[NewAppointment]] = defaultdict(list)
    for each in found:
        versions[each.key].append(each)
    keys = sorted(versions)
    parameters = {
        "workspaces": [key[0] for key in keys],
        "providers": [key[1] for key in keys],
        "externals": [key[2] for key in keys],
    }
    before = {_key(row): row for row in await conn.execute(_BEFORE, parameters)}
    after: dict[Key, Row[Any]] = {}
    for number in range(max(len(each) for each in versions.values())):
        rows = [_row(each[number]) for each in versions.values() if len(each) > number]
        after |= {_key(row): row for row in await conn.execute(_UPSERT, {"rows": json.dumps(rows, default=str)})}
    stored = []
    for key, row in sorted(after.items()):
        old = before.get(key)
        days = frozenset(_day(each) for each in (row, old) if each is not None)
        was = old.status if old is not None and old.lead_id == row.lead_id else None
        stored.append(Stored(row.workspace_id, row.lead_id, row.status, was, days))
    return stored


def _day(row: Row[Any]) -> date:
    return row.booked_at.astimezone(UTC).date()


def _key(row: Row[Any]) -> Key:
    return (row.workspace_id, row.provider, row.external_id)


def _row(each: NewAppointment) -> dict[str, Any]:
    record = each.record
    return {
        "id": new_id(),
        "workspace_id": each.workspace_id,
        "lead_id": each.lead_id,
        "provider": record.provider.lower(),
        "external_id": record.external_id,
        # The other id by which this booking is found: the event behind an invitee, the contact behind a GHL booking.
        "secondary_id": record.secondary_id or each.contact_id,
        "status": record.status.lower(),
        "start_at": record.start_at,
        "end_at": record.end_at,
        "timezone": record.timezone,
        "attendee_email": record.attendee_email,
        "calendar_key": record.event_type_id,
        "canceled_at": record.version_at if record.status == "CANCELED" else None,
        "canceled_by": record.canceled_by,
        "superseded_by": record.superseded_by,
        "version_at": record.version_at,
        "event_id": each.event_id,
    }


async def named_meanwhile(conn: AsyncConnection, found: Sequence[NewAppointment]) -> dict[Identity, UUID]:
    """The leads that another transaction gave the names of stored bookings whose person was unknown. Call it after storing:
    each of the two would else commit without having seen the other, and the booking would never find its lead."""
    names = {name for each in found if each.lead_id is None for name in each.names}
    if not names:
        return {}
    await lock_names(conn, names)
    return await known_identities(conn, sorted(names))


_LINK = text("""
    UPDATE app.appointment a SET lead_id = k.lead_id, assigned_to_user_id = l.assigned_to_user_id
    FROM (SELECT DISTINCT ON (workspace_id, kind, value) *
          FROM unnest(CAST(:workspaces AS uuid[]), CAST(:kinds AS text[]), CAST(:values AS text[]), CAST(:leads AS uuid[]))
              AS u (workspace_id, kind, value, lead_id)) k
    JOIN app.lead l ON l.id = k.lead_id
    WHERE a.workspace_id = k.workspace_id AND a.lead_id IS NULL
      AND ((a.provider = 'calendly' AND k.kind = 'email' AND a.attendee_email = k.value)
        OR (a.provider = 'ghl' AND k.kind = 'ghl_contact' AND a.secondary_id = k.value))
    RETURNING a.workspace_id, a.lead_id, a.status, a.booked_at""")


async def link_appointments(conn: AsyncConnection, new: Mapping[Identity, UUID]) -> list[Stored]:
    """Give bookings that came before their person was known to the lead that has just been made."""
    rows = [
        (workspace, "ghl_contact" if kind == "ghl_contact" else "email", value, lead_id)
        for (workspace, kind, value), lead_id in sorted(new.items())
        if kind in ("ghl_contact", "email", "alternate_email")
    ]
    if not rows:
        return []
    parameters = {
        "workspaces": [row[0] for row in rows],
        "kinds": [row[1] for row in rows],
        "values": [row[2] for row in rows],
        "leads": [row[3] for row in rows],
    }
    linked = await conn.execute(_LINK, parameters)
    return [Stored(row.workspace_id, row.lead_id, row.status, None, frozenset({_day(row)})) for row in linked]


LIVE = frozenset({"confirmed", "showed", "no_show", "rescheduled"})

# A rescheduled meeting goes on under its successor; until that one is known, it stands for it.
_STANDING = text("""
    SELECT DISTINCT a.lead_id FROM app.appointment a
    WHERE a.lead_id = ANY(CAST(:leads AS uuid[])) AND (a.status IN ('confirmed', 'showed', 'no_show')
        OR (a.status = 'rescheduled' AND NOT EXISTS (
            SELECT FROM app.appointment n WHERE n.workspace_id = a.workspace_id AND n.provider = a.provider
              AND n.external_id = a.superseded_by)))""")
_BOOKED = text("""
    UPDATE app.lead SET status = 'meeting-booked', sentiment_tag = 'Meeting Booked', sentiment_source = 'provider',
        updated_at = :now
    WHERE id = ANY(CAST(:leads AS uuid[])) AND status <> 'blacklisted'""")
# BK-72. A tag that claims a booking needs one (SE-07); what they wanted was a meeting.
_FREED = text("""
    UPDATE app.lead SET status = 'qualified', updated_at = :now,
        sentiment_tag = CASE WHEN sentiment_tag = 'Meeting Booked' OR id = ANY(CAST(:unseen AS uuid[]))
                             THEN 'Meeting Requested' ELSE sentiment_tag END,
        sentiment_source = CASE WHEN sentiment_tag = 'Meeting Booked' OR id = ANY(CAST(:unseen AS uuid[]))
                                THEN 'provider' ELSE sentiment_source END
    WHERE id = ANY(CAST(:leads AS uuid[])) AND (status = 'meeting-booked'
        OR (status <> 'blacklisted' AND id = ANY(CAST(:unseen AS uuid[]))))""")


async def apply_to_leads(conn: AsyncConnection, stored: Sequence[Stored], now: datetime) -> list[UUID]:
    """Move the leads of appointments that changed; returns those that are newly booked.

    A cancellation that arrives before its booking does what both would have done in order. A delivery that says what
    is known changes nothing: the lead may have moved on since.
    """
    changed = [(each.lead_id, each) for each in stored if each.lead_id is not None and each.status != each.was]
    if not changed:
        return []
    leads = {lead_id for lead_id, _ in changed}
    standing = set((await conn.execute(_STANDING, {"leads": sorted(leads)})).scalars())
    booked = sorted({lead_id for lead_id, each in changed if each.status in LIVE and each.was not in LIVE} & standing)
    if booked:
        await conn.execute(_BOOKED, {"leads": booked, "now": now})
    if freed := sorted(leads - standing):
        unseen = sorted({lead_id for lead_id, each in changed if each.was is None} - standing)
        await conn.execute(_FREED, {"leads": freed, "unseen": unseen, "now": now})
    return booked
