"""From claimed events to records: loading the bodies, and parsing each by its vendor's rules."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.record import record
from zrg_dagster.core.providers.calendly import parse as calendly
from zrg_dagster.core.providers.clay import parse as clay
from zrg_dagster.core.providers.emailbison import parse as emailbison
from zrg_dagster.core.providers.ghl import parse as ghl
from zrg_dagster.core.providers.instantly import parse as instantly
from zrg_dagster.core.providers.records import Parsed, ShapeError
from zrg_dagster.core.providers.resend import parse as resend
from zrg_dagster.core.providers.slack import parse as slack
from zrg_dagster.core.providers.smartlead import parse as smartlead
from zrg_dagster.core.providers.unipile import parse as unipile

PARSERS: dict[str, Callable[..., Parsed]] = {
    "emailbison": emailbison.parse,
    "smartlead": smartlead.parse,
    "instantly": instantly.parse,
    "ghl": ghl.parse,
    "calendly": calendly.parse,
    "slack": slack.parse,
    "unipile": unipile.parse,
    "clay": clay.parse,
    "resend": resend.parse,
}


@record
class ClaimedEvent:
    """One delivery that this worker holds. `workspace_id` is None for Slack until its payload names the workspace."""

    id: UUID
    provider: str
    scope: str
    workspace_id: UUID | None
    workspace_key: str | None
    timezone: str | None
    received_at: datetime
    attempts: int
    max_attempts: int
    correlation_id: str
    body: bytes
    is_replayed: bool = False


@record
class ReadEvent:
    """A delivery with what it says, with why it does not fit (`problem`), or with how our reading broke (`failure`)."""

    event: ClaimedEvent
    parsed: Parsed | None
    problem: ShapeError | None = None
    failure: Exception | None = None


_BODIES = b"""
    SELECT k.id, b.body, w.key, w.timezone
    FROM unnest(CAST(%(ids)s AS uuid[]), CAST(%(received)s AS timestamptz[]), CAST(%(workspaces)s AS uuid[]))
         AS k (id, received_at, workspace_id)
    LEFT JOIN raw.webhook_body b ON b.event_id = k.id AND b.received_at = k.received_at
    LEFT JOIN app.workspace w ON w.id = k.workspace_id"""


async def load_bodies(conn: AsyncConnection, rows: Sequence[Row[Any]]) -> list[ClaimedEvent]:
    """The claimed rows with their bodies. A body past its retention reads as empty and ends in quarantine."""
    parameters = {
        "ids": [row.id for row in rows],
        "received": [row.received_at for row in rows],
        "workspaces": [row.workspace_id for row in rows],
    }
    # In the driver's binary format: as text a body is twice as long, and is turned into it and back for nothing.
    driver = (await conn.get_raw_connection()).driver_connection
    assert isinstance(driver, psycopg.AsyncConnection)
    async with driver.cursor(binary=True) as cursor:
        found = await (await cursor.execute(_BODIES, parameters)).fetchall()
    stored = {event_id: (body, key, timezone) for event_id, body, key, timezone in found}
    # One object for each workspace: keys that hold it are then compared by identity, not by UUID's slow equality.
    workspaces = {row.workspace_id: row.workspace_id for row in rows}
    # UUIDs compare as their numbers do, and those in a quarter of the time.
    ordered = sorted(rows, key=lambda row: (row.received_at, row.id.int))
    return [_claimed(row, stored[row.id], workspaces[row.workspace_id]) for row in ordered]


def _claimed(
    row: Row[Any], stored: tuple[bytes | None, str | None, str | None], workspace_id: UUID | None
) -> ClaimedEvent:
    body, key, timezone = stored
    return ClaimedEvent(
        id=row.id,
        provider=row.provider,
        scope=row.scope,
        workspace_id=workspace_id,
        workspace_key=key,
        timezone=timezone,
        received_at=row.received_at,
        attempts=row.attempts,
        max_attempts=row.max_attempts,
        correlation_id=row.correlation_id,
        body=body or b"",
        is_replayed=row.replayed_at is not None,
    )


def read(event: ClaimedEvent) -> ReadEvent:
    """Parse one delivery; never raises.

    What does not fit its vendor's shapes is a problem. A defect of a parser is a failure of this one delivery: raised
    here it would take the whole batch with it, and again at each retry.
    """
    parser = PARSERS.get(event.provider)
    if parser is None:
        return ReadEvent(event, None, ShapeError("$", "a known provider", event.provider))
    if not event.body:
        return ReadEvent(event, None, ShapeError("$", "a body", "none (past its retention)"))
    try:
        parsed = parser(event.body, received_at=event.received_at, workspace_timezone=event.timezone, scope=event.scope)
        return ReadEvent(event, parsed)
    except ShapeError as problem:
        return ReadEvent(event, None, problem)
    except Exception as error:  # noqa: BLE001
        return ReadEvent(event, None, failure=error)
