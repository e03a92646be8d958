"""What vendors say about our own accounts and notification mail: kept where an operator sees it, and in the digest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.providers.records import SignalKind, SignalRecord

# Which signals are notices, and which of their values say that somebody has to look.
TROUBLE: dict[SignalKind, frozenset[str]] = {
    "sender_health": frozenset({"removed", "disconnected", "degraded"}),
    "notification_mail": frozenset({"bounced", "complained", "suppressed", "failed", "domain_failed"}),
}


@dataclass(frozen=True, slots=True)
class NewNotice:
    workspace_id: UUID
    provider: str
    signal: SignalRecord
    event_id: UUID


# Told twice, the first delivery counts.
_STORE = text("""
    INSERT INTO app.vendor_notice AS x (workspace_id, notice_key, provider, kind, value, subject, detail, is_trouble,
                                        noticed_at, event_id, created_at)
    SELECT DISTINCT ON (n.workspace_id, n.notice_key) n.*, CAST(:now AS timestamptz)
    FROM unnest(CAST(:workspaces AS uuid[]), CAST(:keys AS text[]), CAST(:providers AS text[]), CAST(:kinds AS text[]),
                CAST(:values AS text[]), CAST(:subjects AS text[]), CAST(:details AS text[]),
                CAST(:troubles AS boolean[]), CAST(:at AS timestamptz[]), CAST(:events AS uuid[]))
        AS n (workspace_id, notice_key, provider, kind, value, subject, detail, is_trouble, noticed_at, event_id)
    ORDER BY n.workspace_id, n.notice_key, n.noticed_at, n.event_id
    ON CONFLICT (workspace_id, notice_key) DO UPDATE
        SET noticed_at = excluded.noticed_at, event_id = excluded.event_id
        WHERE (excluded.noticed_at, excluded.event_id) < (x.noticed_at, x.event_id)""")


async def store_notices(conn: AsyncConnection, notices: Sequence[NewNotice], now: datetime) -> None:
    """Keep the notices by their keys, in any order and any number of times."""
    if not notices:
        return
    signals = [each.signal for each in notices]
    parameters = {
        "workspaces": [each.workspace_id for each in notices],
        "keys": [signal.key for signal in signals],
        "providers": [each.provider for each in notices],
        "kinds": [signal.kind for signal in signals],
        "values": [signal.value for signal in signals],
        "subjects": [signal.account_email or signal.account_id or "" for signal in signals],
        "details": [signal.detail for signal in signals],
        "troubles": [signal.value in TROUBLE[signal.kind] for signal in signals],
        "at": [signal.at for signal in signals],
        "events": [each.event_id for each in notices],
        "now": now,
    }
    await conn.execute(_STORE, parameters)
