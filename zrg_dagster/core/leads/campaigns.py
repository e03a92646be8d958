"""The campaign behind a booking: what the lead's first touch was when it was made."""

from collections.abc import Iterable
from datetime import UTC, date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# What the lead's first touch was when the booking was made: an earlier mail that arrives later moves it.
_SYNC = text("""
    UPDATE app.appointment a SET email_campaign_id = w.campaign_id
    FROM (SELECT p.id, CASE WHEN (l.provenance #>> '{campaign,at}')::timestamptz > p.booked_at THEN NULL
                            ELSE l.email_campaign_id END AS campaign_id
          FROM app.appointment p JOIN app.lead l ON l.id = p.lead_id
          WHERE p.lead_id = ANY(CAST(:leads AS uuid[]))) w
    WHERE a.id = w.id AND a.email_campaign_id IS DISTINCT FROM w.campaign_id
    RETURNING a.booked_at, a.workspace_id""")


async def sync_campaigns(conn: AsyncConnection, lead_ids: Iterable[UUID]) -> set[tuple[date, UUID]]:
    """Write the campaign behind each booking of these leads; returns the days whose facts changed."""
    leads = list(lead_ids)
    if not leads:
        return set()
    rows = await conn.execute(_SYNC, {"leads": leads})
    return {(row.booked_at.astimezone(UTC).date(), row.workspace_id) for row in rows}
