"""Slack clicks: a claim about a draft of some workspace becomes a job of that workspace, where it is checked."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.db.jobs import NewJob
from zrg_dagster.core.db.lanes import Lane
from zrg_dagster.core.intake.read import ClaimedEvent
from zrg_dagster.core.providers.records import ReviewAction

_KEYS = text("SELECT key, id FROM app.workspace WHERE key = ANY(CAST(:keys AS text[])) AND is_active")


async def workspaces_of(conn: AsyncConnection, clicks: Iterable[ReviewAction]) -> dict[str, UUID]:
    """The active workspaces that buttons name, by key."""
    keys = sorted({click.workspace_key for click in clicks if click.workspace_key})
    return {row.key: row.id for row in await conn.execute(_KEYS, {"keys": keys})} if keys else {}


def review_job(event: ClaimedEvent, click: ReviewAction, workspaces: dict[str, UUID], now: datetime) -> NewJob | str:
    """The job of one click, or the reason why it cannot be one. Pure."""
    draft_id = _uuid(click.draft_id)
    if draft_id is None:
        return "unreadable_click"
    workspace_id = workspaces.get(click.workspace_key or "")
    if workspace_id is None:
        return "unknown_workspace"
    return NewJob(
        workspace_id=workspace_id,
        lane=Lane.REPLIES,
        kind="review_action",
        job_key=f"review_action:{event.id}",
        serial_key=f"draft:{draft_id}",
        correlation_id=event.correlation_id,
        run_at=now,
        payload={
            "action": click.action,
            "draft_id": str(draft_id),
            "version": click.version,
            "slack_user": click.user_id,
            "slack_channel": click.channel_id,
            "slack_ts": click.message_ts,
            "edited_text": click.edited_text,
            "reason": click.reason,
        },
    )


def _uuid(value: str | None) -> UUID | None:
    try:
        return UUID(value or "")
    except ValueError:
        return None
