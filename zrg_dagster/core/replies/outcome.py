"""What the end of a send means for the draft or card behind it. Called in the transaction that settles the ledger row."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.db.jobs import enqueue
from zrg_dagster.core.replies import outbound
from zrg_dagster.core.replies.review import card_update
from zrg_dagster.core.sending.gates import BlockReason
from zrg_dagster.core.sending.ledger import SendState

# Gates that stop only what nobody looked at. Behind the others stand an opt-out, or a conversation that went on.
FOR_A_PERSON = frozenset(
    {
        BlockReason.AUTO_SEND_DISABLED,
        BlockReason.KILL_SWITCH,
        BlockReason.CAMPAIGN_NOT_AI,
        BlockReason.RECIPIENT_CHANGED,
        BlockReason.NO_SEND_WINDOW,
        BlockReason.SENDER_UNHEALTHY,
    }
)

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
    """The cards of a draft show what happened to its send; what a gate kept from leaving on its own is shown to a person
    (RC-06), or the prospect would simply never hear from us."""
    if row.draft_id is None or row.state == SendState.PLANNED:
        return
    if row.state == SendState.BLOCKED and row.origin == "ai" and row.reason in FOR_A_PERSON:
        draft = await outbound.load_draft(conn, row.draft_id)
        if draft is not None and draft.status == "pending":
            await outbound.plan_cards(conn, draft, now, row.correlation_id)
    await enqueue(conn, [card_update(row.workspace_id, row.draft_id, row.correlation_id, now)])
