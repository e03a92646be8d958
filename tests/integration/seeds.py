"""Rows that integration tests start from, written as the worker."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.ids import new_id

NOW = datetime(2026, 3, 10, 17, 0, tzinfo=UTC)


async def add_workspace(conn: AsyncConnection, key: str = "harbourline", **settings: Any) -> UUID:
    """A workspace with its settings row."""
    workspace_id = new_id()
    await conn.execute(
        text("INSERT INTO app.workspace (id, key, name) VALUES (:id, :key, :key)"), {"id": workspace_id, "key": key}
    )
    columns = {"workspace_id": workspace_id, "company_name": "Harbourline", **settings}
    names, values = ", ".join(columns), ", ".join(f":{name}" for name in columns)
    await conn.execute(text(f"INSERT INTO app.workspace_setting ({names}) VALUES ({values})"), columns)
    return workspace_id


async def add_campaign(
    conn: AsyncConnection, workspace_id: UUID, *, mode: str = "AI_AUTO_SEND", **columns: Any
) -> UUID:
    campaign = {
        "id": new_id(),
        "workspace_id": workspace_id,
        "provider": "emailbison",
        "external_id": "318",
        "response_mode": mode,
        "delay_min_s": 0,
        "delay_max_s": 0,
        **columns,
    }
    await _insert(conn, "app.email_campaign", campaign)
    return campaign["id"]


async def add_lead(
    conn: AsyncConnection, workspace_id: UUID, *, email: str = "lead@mills.example", **columns: Any
) -> UUID:
    """A lead with an e-mail identity, an EmailBison id and a GHL contact."""
    lead = {"id": new_id(), "workspace_id": workspace_id, "email": email, "sender_account_id": "512", **columns}
    await _insert(conn, "app.lead", lead)
    for kind, value in (("email", email), ("emailbison_lead", f"eb-{email}"), ("ghl_contact", f"ghl-{email}")):
        identity = {"workspace_id": workspace_id, "kind": kind, "value": value, "lead_id": lead["id"], "source": "test"}
        await _insert(conn, "app.lead_identity", identity)
    return lead["id"]


async def add_message(conn: AsyncConnection, workspace_id: UUID, lead_id: UUID, **columns: Any) -> UUID:
    message_id = new_id()
    message = {
        "id": message_id,
        "workspace_id": workspace_id,
        "lead_id": lead_id,
        "message_key": f"emailbison:test:reply:{message_id}",
        "channel": "email",
        "direction": "inbound",
        "source": "webhook",
        "provider": "emailbison",
        "provider_message_id": "4401877",
        "from_email": "lead@mills.example",
        "body": "Sounds interesting, tell me more.",
        "sent_at": NOW,
        **columns,
    }
    await _insert(conn, "app.message", message)
    column = "last_inbound_at" if message["direction"] == "inbound" else "last_outbound_at"
    await conn.execute(
        text(f"UPDATE app.lead SET {column} = greatest({column}, :at) WHERE id = :id"),
        {"at": message["sent_at"], "id": lead_id},
    )
    return message_id


async def add_draft(conn: AsyncConnection, workspace_id: UUID, lead_id: UUID, message_id: UUID, **columns: Any) -> UUID:
    draft = {
        "id": new_id(),
        "workspace_id": workspace_id,
        "lead_id": lead_id,
        "trigger_message_id": message_id,
        "channel": "email",
        "body": "Happy to help.",
        "ai_body": "Happy to help.",
        **columns,
    }
    await _insert(conn, "app.draft", draft)
    return draft["id"]


async def _insert(conn: AsyncConnection, table: str, row: dict[str, Any]) -> None:
    names, values = ", ".join(row), ", ".join(f":{name}" for name in row)
    await conn.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)
