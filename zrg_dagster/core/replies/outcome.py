"""What the end of a send means for the draft or card behind it. Called in the transaction that settles the ledger row."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.db.jobs import enqueue
from zrg_dagster.core.replies.review import card_update
from zrg_dagster.core.sending.ledger import SendState

_CARD = text("""
    INSERT INTO app.review_card (workspace_id, draft_id, draft_version, recipient, slack_channel, slack_ts, posted_at)
    VALUES (:workspace_id, :draft_id, :draft_version, :recipient, :slack_channel, :slack_ts, :posted_at)
    ON CONFLICT DO NOTHING""")


async def card_posted(conn: AsyncConnection, row: Row[Any], now: datetime) -> None:
    """Remember where a card stands. One that was read back has no channel to update it in and keeps its buttons;
    a click on it still finds its draft."""
    channel = row.vendor_detail.get("channel")
    if row.state == SendState.SENT and row.draft_id is not None and channel:
        parameters = {
            "workspace_id": row.workspace_id,
            "draft_id": row.draft_id,
            "draft_version": row.draft_version,
            "recipient": row.recipient,
            "slack_channel": channel,
            "slack_ts": row.vendor_message_id,
            "posted_at": now,
        }
        await conn.execute(_CARD, parameters)
        await enqueue(conn, [card_update(row.workspace_id, row.draft_id, row.correlation_id, now)])


async def draft_send_ended(conn: AsyncConnection, row: Row[Any], now: datetime) -> None:
    """The cards of a draft show what happened to its send."""
    if row.draft_id is not None and row.state != SendState.PLANNED:
        await enqueue(conn, [card_update(row.workspace_id, row.draft_id, row.correlation_id, now)])
