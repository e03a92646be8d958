"""What each kind of send does to the room it came from, once its outcome is known.

Sending knows no room above it; this table is where they meet. Each function runs in the transaction that settles the
ledger row.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.followups.outcome import apply_send_outcome
from zrg_dagster.core.followups.pause import Touch, resume_on_touch
from zrg_dagster.core.followups.start import SetterReply, start_on_setter_replies
from zrg_dagster.core.replies.outcome import card_posted, draft_send_ended
from zrg_dagster.core.sending.drain import Consequence
from zrg_dagster.core.sending.ledger import SendState


async def _draft(conn: AsyncConnection, row: Row[Any], now: datetime) -> None:
    """An answer went out: cards show it, paused sequences resume, and a setter's first e-mail starts the workflow."""
    if row.state == SendState.SENT and row.lead_id is not None:
        touch = Touch(lead_id=row.lead_id, sent_at=row.sent_at, is_human=row.origin == "setter")
        await resume_on_touch(conn, [touch], now)
        if row.channel == "email" and row.origin == "setter":
            reply = SetterReply(
                lead_id=row.lead_id, sent_at=row.sent_at, sent_by_user_id=row.member_user_id, send_id=row.id
            )
            await start_on_setter_replies(conn, [reply], now)
    await draft_send_ended(conn, row, now)


async def _follow_up(conn: AsyncConnection, row: Any, now: datetime) -> None:
    """A step's send ended: the instance advances, waits, or pauses with a reason."""
    await apply_send_outcome(conn, row, row.state, now)


CONSEQUENCES: Mapping[str, Consequence] = {
    "draft": _draft,
    "follow_up": _follow_up,
    "review_card": card_posted,
}
