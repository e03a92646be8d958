"""Stopping and starting automatic sends by scope. The claim asks for switches; what a person approves still leaves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.db import lanes, queue
from zrg_dagster.core.workspaces.audit import record

CHANNELS = ("email", "sms", "linkedin")


class SwitchError(ValueError):
    """What was named cannot be stopped or started. One line."""


@dataclass(frozen=True, slots=True)
class Switch:
    """What is stopped: everything, or what the given parts name together. `campaign` is the vendor's id of a campaign."""

    workspace: str | None = None
    campaign: str | None = None
    channel: str | None = None

    @property
    def scope(self) -> str:
        if self.campaign is not None:
            return "campaign"
        if self.channel is not None:
            return "channel"
        return "global" if self.workspace is None else "workspace"

    def __str__(self) -> str:
        parts = (("workspace", self.workspace), ("campaign", self.campaign), ("channel", self.channel))
        return ", ".join(f"{name} {value}" for name, value in parts if value) or "everything"


_WORKSPACE = text("SELECT id FROM app.workspace WHERE key = :key")
_CAMPAIGN = text(
    "SELECT id FROM app.email_campaign WHERE workspace_id = :workspace AND external_id = :external ORDER BY id"
)
_SAME = """lifted_at IS NULL AND scope = :scope AND workspace_id IS NOT DISTINCT FROM CAST(:workspace AS uuid)
    AND email_campaign_id IS NOT DISTINCT FROM CAST(:campaign AS uuid)
    AND channel IS NOT DISTINCT FROM CAST(:channel AS text)"""
_ACTIVE = text(f"SELECT id FROM app.kill_switch WHERE {_SAME} ORDER BY id LIMIT 1")
_STOP = text("""
    INSERT INTO app.kill_switch (id, scope, workspace_id, email_campaign_id, channel, reason, stopped_at)
    VALUES (:id, :scope, :workspace, :campaign, :channel, :reason, :now)""")
_START = text(f"UPDATE app.kill_switch SET lifted_at = :now WHERE {_SAME} RETURNING id")
_SHOW = text("""
    SELECT k.scope, w.key AS workspace, c.external_id AS campaign, c.name AS campaign_name, k.channel, k.reason,
           k.stopped_at, (SELECT count(*) FROM app.send s WHERE s.reason = 'kill_switch' AND s.state = 'blocked'
               AND s.finished_at >= k.stopped_at
               AND (k.workspace_id IS NULL OR s.workspace_id = k.workspace_id)
               AND (k.channel IS NULL OR s.channel = k.channel)
               AND (k.email_campaign_id IS NULL OR s.email_campaign_id = k.email_campaign_id)) AS blocked
    FROM app.kill_switch k LEFT JOIN app.workspace w ON w.id = k.workspace_id
    LEFT JOIN app.email_campaign c ON c.id = k.email_campaign_id
    WHERE k.lifted_at IS NULL ORDER BY k.stopped_at, k.id""")


async def stop(conn: AsyncConnection, switch: Switch, *, reason: str, actor: str, now: datetime) -> bool:
    """Stop automatic sends. False when exactly this was stopped before.

    Claims of sends take turns with this transaction: after its commit no claim finds the gate open.
    """
    place = await _place(conn, switch)
    await queue.lock_claims(conn, lanes.SENDS)
    if (await conn.execute(_ACTIVE, place)).scalar_one_or_none() is not None:
        return False
    await conn.execute(_STOP, {**place, "id": new_id(), "reason": reason, "now": now})
    await _audit(conn, "autosend.stop", switch, place, actor, now, reason)
    return True


async def start(conn: AsyncConnection, switch: Switch, *, actor: str, now: datetime) -> bool:
    """Lift a stop. False when exactly this was not stopped. What was blocked meanwhile stays with people."""
    place = await _place(conn, switch)
    lifted = (await conn.execute(_START, {**place, "now": now})).all()
    if lifted:
        await _audit(conn, "autosend.start", switch, place, actor, now, "")
    return bool(lifted)


async def active(conn: AsyncConnection) -> Sequence[Row[Any]]:
    """Every stop in force with how many sends it has blocked, the oldest first."""
    return (await conn.execute(_SHOW)).all()


async def _place(conn: AsyncConnection, switch: Switch) -> dict[str, Any]:
    if switch.channel is not None and switch.channel not in CHANNELS:
        raise SwitchError(f"{switch.channel!r} is no channel; one of {', '.join(CHANNELS)}")
    if switch.campaign is not None and switch.channel is not None:
        raise SwitchError("a campaign sends on one channel; name the campaign or the channel")
    workspace: UUID | None = None
    if switch.workspace is not None:
        workspace = (await conn.execute(_WORKSPACE, {"key": switch.workspace})).scalar_one_or_none()
        if workspace is None:
            raise SwitchError(f"no workspace has the key {switch.workspace!r}; `zrg workspace list` shows them")
    campaign: UUID | None = None
    if switch.campaign is not None:
        if workspace is None:
            raise SwitchError("a campaign is named with its workspace")
        found = (await conn.execute(_CAMPAIGN, {"workspace": workspace, "external": switch.campaign})).scalars().all()
        if not found:
            raise SwitchError(f"{switch.workspace} has no campaign {switch.campaign!r}")
        campaign = found[0]
    return {"scope": switch.scope, "workspace": workspace, "campaign": campaign, "channel": switch.channel}


async def _audit(
    conn: AsyncConnection, action: str, switch: Switch, place: dict[str, Any], actor: str, now: datetime, reason: str
) -> None:
    changes = [{"reason": reason}] if reason else []
    await record(
        conn, actor=actor, action=action, object=str(switch), now=now, workspace_id=place["workspace"], changes=changes
    )
