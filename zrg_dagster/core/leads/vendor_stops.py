"""Who asked us to stop must not be written to by the vendor's campaigns either (OO-05): which vendors are to be told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.db.jobs import NewJob, enqueue
from zrg_dagster.core.db.lanes import Lane

if TYPE_CHECKING:
    from zrg_dagster.core.leads.suppression import Stop

KIND = "stop_at_vendor"
# Under which of a lead's identities each vendor knows it. LinkedIn has no campaigns of its own.
HANDLES = {"emailbison": "emailbison_lead", "ghl": "ghl_contact", "instantly": "email", "smartlead": "email"}

_CONCERNED = text("""
    SELECT s.number, i.provider
    FROM unnest(CAST(:workspaces AS uuid[]), CAST(:leads AS uuid[])) WITH ORDINALITY s (workspace_id, lead_id, number)
    JOIN app.integration i ON i.workspace_id = s.workspace_id AND i.is_active
    JOIN unnest(CAST(:vendors AS text[]), CAST(:kinds AS text[])) AS v (vendor, kind) ON v.vendor = i.provider
    WHERE EXISTS (SELECT FROM app.lead_identity y WHERE y.lead_id = s.lead_id AND y.kind = v.kind)
    ORDER BY s.number, i.provider""")
_WANTED = text("""
    SELECT coalesce(array_agg(y.value ORDER BY y.created_at, y.value) FILTER (WHERE y.value IS NOT NULL), '{}') AS handles,
           EXISTS (SELECT FROM app.suppression x WHERE x.workspace_id = :workspace_id AND x.kind = 'lead'
                   AND x.value = CAST(CAST(:lead_id AS uuid) AS text)) AS is_stopped
    FROM (SELECT 1) one
    LEFT JOIN app.lead_identity y ON y.lead_id = :lead_id AND y.kind = CAST(:kind AS text)""")
_DECISION = text("""
    INSERT INTO app.decision (workspace_id, lead_id, subject, subject_id, code, detail, decided_at)
    VALUES (:workspace_id, :lead_id, 'suppression', :message_id, :code,
            jsonb_build_object('vendor', CAST(:vendor AS text), 'reason', CAST(:reason AS text)), :now)""")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to tell a vendor: the lead's handles there, and whether the lead is still stopped."""

    handles: tuple[str, ...]
    is_stopped: bool


async def queue_stops(conn: AsyncConnection, stops: Sequence["Stop"], now: datetime) -> int:
    """Queue one job for each stop and vendor that knows the lead, in the caller's transaction; how many were new.

    A bounce is no wish of the person, and the vendor saw it first; neither is a vendor told what it told us itself.
    """
    asked = [stop for stop in stops if stop.is_wish]
    if not asked:
        return 0
    vendors = sorted(HANDLES)
    parameters = {
        "workspaces": [stop.workspace_id for stop in asked],
        "leads": [stop.lead_id for stop in asked],
        "vendors": vendors,
        "kinds": [HANDLES[vendor] for vendor in vendors],
    }
    jobs = []
    for number, vendor in (await conn.execute(_CONCERNED, parameters)).all():
        stop = asked[number - 1]
        if stop.message_id is None and stop.source == vendor:
            continue
        jobs.append(
            NewJob(
                workspace_id=stop.workspace_id,
                lane=Lane.REPLIES,
                kind=KIND,
                job_key=f"stop_at:{vendor}:{stop.lead_id}:{stop.message_id or 'signal'}",
                # Never in the way of anything else that concerns the lead.
                serial_key=f"stop_at:{vendor}:{stop.lead_id}",
                correlation_id=f"stop:{stop.message_id or stop.lead_id}",
                run_at=now,
                lead_id=stop.lead_id,
                message_id=stop.message_id,
                payload={"vendor": vendor},
            )
        )
    return await enqueue(conn, jobs)


async def load_wanted(conn: AsyncConnection, workspace_id: UUID, lead_id: UUID, vendor: str) -> Wanted:
    """What `vendor` has to be told about the lead now."""
    parameters = {"workspace_id": workspace_id, "lead_id": lead_id, "kind": HANDLES[vendor]}
    row = (await conn.execute(_WANTED, parameters)).one()
    return Wanted(tuple(row.handles), row.is_stopped)


async def note(
    conn: AsyncConnection,
    workspace_id: UUID,
    lead_id: UUID,
    message_id: UUID | None,
    vendor: str,
    code: str,
    reason: str | None,
    now: datetime,
) -> None:
    """A line on the lead's list: the vendor knows, or why it does not."""
    parameters = {"workspace_id": workspace_id, "lead_id": lead_id, "message_id": message_id, "vendor": vendor}
    await conn.execute(_DECISION, {**parameters, "code": code, "reason": reason, "now": now})
