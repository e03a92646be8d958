"""Who is answering in the lead's place: read from the mails, never from the order in which they came."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

# Who is answering is read from the mails themselves: whoever wrote the newest one, unless it is the lead (CC-01, CC-04),
# since the first mail of that unbroken run (CC-03). An automatic answer of a colleague redirects nobody.
_REPLIER = text("""
    WITH mail AS (
        SELECT m.lead_id, m.from_email, m.from_name, m.sent_at,
               row_number() OVER newest_first AS nth, first_value(m.from_email) OVER newest_first AS newest_from
        FROM app.message m
        WHERE m.lead_id = ANY(CAST(:ids AS uuid[])) AND m.channel = 'email' AND m.direction = 'inbound'
          AND m.source <> 'bounce' AND NOT m.is_auto_reply AND m.from_email IS NOT NULL
        WINDOW newest_first AS (PARTITION BY m.lead_id ORDER BY m.sent_at DESC, m.message_key DESC)
    ), run AS (
        SELECT *, bool_or(from_email <> newest_from) OVER (PARTITION BY lead_id ORDER BY nth) AS is_over FROM mail
    ), writer AS (
        SELECT lead_id, newest_from AS email, max(from_name) FILTER (WHERE nth = 1) AS name, min(sent_at) AS since
        FROM run WHERE NOT is_over GROUP BY lead_id, newest_from
    )
    UPDATE app.lead l SET current_replier_email = r.email, current_replier_name = r.name, current_replier_since = r.since
    FROM (SELECT w.lead_id, CASE WHEN o.email IS DISTINCT FROM w.email THEN w.email END AS email,
                 CASE WHEN o.email IS DISTINCT FROM w.email THEN w.name END AS name,
                 CASE WHEN o.email IS DISTINCT FROM w.email THEN w.since END AS since
          FROM writer w JOIN app.lead o ON o.id = w.lead_id) r
    WHERE l.id = r.lead_id AND (l.current_replier_email, l.current_replier_name, l.current_replier_since)
        IS DISTINCT FROM (r.email, r.name, r.since)""")


async def set_repliers(conn: AsyncConnection, lead_ids: Collection[UUID]) -> None:
    """Set the current replier of these leads. The leads are locked, their mails and primary addresses stored."""
    if lead_ids:
        await conn.execute(_REPLIER, {"ids": sorted(lead_ids)})
