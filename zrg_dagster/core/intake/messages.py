"""Set-based writes of messages, campaigns and touches."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.base.record import record
from zrg_dagster.core.db import arrays
from zrg_dagster.core.providers.records import CampaignRef, MessageRecord

SOURCES = {
    "webhook": "webhook",
    "inboxxia_campaign": "campaign",
    "workflow": "campaign",
    "human": "human",
    "api": "zrg",
    "bounce": "bounce",
}
ECHO_WINDOW = timedelta(minutes=10)
ECHO_PREFIX_CHARS = 160


@record
class NewMessage:
    """A message to store, with the lead it belongs to and the delivery that brought it. `reports` is what it is made of
    where several feeds report it (reports.py), as JSON. `is_history`: no delivery brought it (history.py)."""

    workspace_id: UUID
    lead_id: UUID
    provider: str
    record: MessageRecord
    event_id: UUID | None
    correlation_id: str
    reports: list[dict[str, Any]] | None = None
    is_history: bool = False


@record
class StoredMessage:
    """The row behind a message key. `is_new` is True for exactly one of all deliveries that say the same: for the first,
    also when the vendor's history told of the message before."""

    id: UUID
    workspace_id: UUID
    key: str
    is_new: bool


_CAMPAIGNS = text("""
    WITH named AS (
        SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:workspaces AS uuid[]), CAST(:providers AS text[]),
                             CAST(:externals AS text[]), CAST(:names AS text[]))
            AS n (id, workspace_id, provider, external_id, name)
    ), made AS (
        INSERT INTO app.email_campaign (id, workspace_id, provider, external_id, name) SELECT * FROM named
        ON CONFLICT (workspace_id, provider, external_id) DO NOTHING
        RETURNING id, workspace_id, provider, external_id
    )
    SELECT id, workspace_id, provider, external_id FROM made
    UNION ALL
    SELECT c.id, c.workspace_id, c.provider, c.external_id
    FROM app.email_campaign c JOIN named n USING (workspace_id, provider, external_id)""")


async def ensure_campaigns(
    conn: AsyncConnection, wanted: Mapping[tuple[UUID, str, str], CampaignRef]
) -> dict[tuple[UUID, str, str], UUID]:
    """Ids of campaigns by (workspace, provider, vendor id); unknown ones are made, answered by setters until configured."""
    keys = sorted(wanted)
    parameters = {
        "ids": [new_id() for _ in keys],
        "workspaces": [key[0] for key in keys],
        "providers": [key[1] for key in keys],
        "externals": [key[2] for key in keys],
        "names": [wanted[key].name or "" for key in keys],
    }
    found: dict[tuple[UUID, str, str], UUID] = {}
    # A campaign that another worker inserts meanwhile is in neither half of the first answer, but is in the second's.
    for _ in range(2):
        if len(found) < len(keys):
            rows = await conn.execute(_CAMPAIGNS, parameters)
            found |= {(row.workspace_id, row.provider, row.external_id): row.id for row in rows}
    return found


_IDS = text("""
    SELECT m.workspace_id, m.message_key, m.id
    FROM unnest(CAST(:workspaces AS uuid[]), CAST(:keys AS text[])) AS k (workspace_id, message_key)
    JOIN app.message m USING (workspace_id, message_key)""")


async def ids_of(conn: AsyncConnection, keys: Sequence[tuple[UUID, str]]) -> dict[tuple[UUID, str], UUID]:
    """The ids of stored messages by (workspace, key)."""
    if not keys:
        return {}
    rows = await conn.execute(_IDS, {"workspaces": [key[0] for key in keys], "keys": [key[1] for key in keys]})
    return {(row.workspace_id, row.message_key): row.id for row in rows}


_COLUMNS = {
    name: kind
    for kind, names in {
        "uuid": "id workspace_id lead_id event_id",
        "text": "message_key channel direction source provider provider_message_id thread_handle subject body raw_text "
        "raw_html from_email from_name to_email sent_at_quality opt_out_rule",
        "timestamptz": "sent_at edited_at",
        "boolean": "is_auto_reply is_out_of_office is_bounce provider_interested is_history",
        "date": "returns_on",
    }.items()
    for name in names.split()
}
# An array cannot hold lists of different lengths, and JSON is written in one go: both travel as text.
_AS_TEXT = {"cc": "text[]", "reports": "jsonb"}
_NAMES = ", ".join([*_COLUMNS, *_AS_TEXT])
# One array for each column. As one JSON document the rows of a batch took three times as long to write.
_ROWS = f"""SELECT {", ".join(_COLUMNS)}, {", ".join(f"CAST({name} AS {kind})" for name, kind in _AS_TEXT.items())}
    FROM unnest({", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in _COLUMNS.items())},
                {", ".join(f"CAST(:{name} AS text[])" for name in _AS_TEXT)}) AS j ({_NAMES})"""

# What two deliveries say of one message differs in the flags, which are joined with OR, and in the time when the vendor
# names none and receipt stands in for it: then the earliest receipt is the closest to the truth. The wording is that of
# the last change, else of the earliest report (a feed without ids tidies white space and case), whichever is stored first.
_REWORDS = """CASE WHEN excluded.edited_at IS NULL AND m.edited_at IS NULL
            THEN (excluded.sent_at_quality, excluded.sent_at, excluded.body COLLATE "C")
                < (m.sent_at_quality, m.sent_at, m.body COLLATE "C")
        ELSE coalesce((excluded.edited_at, excluded.body COLLATE "C")
                > (coalesce(m.edited_at, '-infinity'), m.body COLLATE "C"), false) END"""
_INSERT = text(f"""
    INSERT INTO app.message AS m ({_NAMES})
    {_ROWS} ORDER BY workspace_id, message_key
    ON CONFLICT (workspace_id, message_key) DO UPDATE SET
        provider_interested = m.provider_interested OR excluded.provider_interested,
        is_auto_reply = m.is_auto_reply OR excluded.is_auto_reply,
        sent_at = CASE WHEN m.sent_at_quality = excluded.sent_at_quality THEN least(m.sent_at, excluded.sent_at)
                       WHEN m.sent_at_quality = 'provider' THEN m.sent_at ELSE excluded.sent_at END,
        sent_at_quality = least(m.sent_at_quality, excluded.sent_at_quality),
        body = CASE WHEN {_REWORDS} THEN excluded.body ELSE m.body END,
        raw_text = CASE WHEN {_REWORDS} THEN excluded.raw_text ELSE m.raw_text END,
        opt_out_rule = CASE WHEN {_REWORDS} THEN coalesce(excluded.opt_out_rule, m.opt_out_rule)
                            ELSE coalesce(m.opt_out_rule, excluded.opt_out_rule) END,
        edited_at = greatest(m.edited_at, excluded.edited_at),
        is_history = m.is_history AND excluded.is_history
    RETURNING m.id, m.workspace_id, m.message_key, m.xmax = 0 OR (NOT m.is_history AND coalesce((
        SELECT before.is_history FROM app.message before WHERE before.id = m.id), false)) AS is_new""")


async def store_messages(
    conn: AsyncConnection, messages: Sequence[NewMessage]
) -> dict[tuple[UUID, str], StoredMessage]:
    """Insert messages by their keys; several deliveries of one message in a batch are folded into one row first."""
    rows: dict[tuple[UUID, str], dict[str, Any]] = {}
    for message in messages:
        key = (message.workspace_id, message.record.key)
        if key in rows:
            flags = message.record.flags
            rows[key]["provider_interested"] |= flags.provider_interested
            rows[key]["is_auto_reply"] |= flags.auto_reply or flags.out_of_office
            _fold(rows[key], _row(message))
        else:
            rows[key] = _row(message)
    if not rows:
        return {}
    columns = {name: [row[name] for row in rows.values()] for name in (*_COLUMNS, *_AS_TEXT)}
    stored = await conn.execute(_INSERT, columns)
    return {
        (row.workspace_id, row.message_key): StoredMessage(row.id, row.workspace_id, row.message_key, row.is_new)
        for row in stored
    }


def _fold(row: dict[str, Any], other: dict[str, Any]) -> None:
    """Take over the time and the wording of `other` where the statement above would; a request to stop in either stays."""
    told, earlier = ((each["sent_at_quality"], each["sent_at"], each["body"]) for each in (other, row))
    at, changed = other["edited_at"], row["edited_at"]
    if at is None and changed is None:
        is_better = told < earlier
    else:
        is_better = at is not None and (changed is None or (at, other["body"]) > (changed, row["body"]))
    if told[:2] < earlier[:2]:
        row |= {"sent_at_quality": told[0], "sent_at": told[1]}
    stop = row["opt_out_rule"] or other["opt_out_rule"]
    if is_better:
        stop = other["opt_out_rule"] or stop
        row |= {name: other[name] for name in ("body", "raw_text", "edited_at")}
    row["opt_out_rule"] = stop


def _row(message: NewMessage) -> dict[str, Any]:
    record, flags = message.record, message.record.flags
    return {
        "id": new_id(),
        "workspace_id": message.workspace_id,
        "lead_id": message.lead_id,
        "message_key": record.key,
        "channel": record.channel,
        "direction": record.direction,
        "source": SOURCES[record.source],
        "provider": message.provider,
        "provider_message_id": record.provider_message_id,
        "thread_handle": record.thread_handle,
        "subject": record.subject,
        "body": record.body,
        "raw_text": record.raw_text,
        "raw_html": record.raw_html,
        "from_email": record.from_email,
        "from_name": record.from_name,
        "to_email": record.to_email,
        "cc": arrays.literal([person.email for person in record.cc]) if record.cc else "{}",
        "sent_at": record.sent_at,
        "sent_at_quality": record.sent_at_quality,
        "is_auto_reply": flags.auto_reply or flags.out_of_office,
        "is_out_of_office": flags.out_of_office,
        "returns_on": flags.returns_on,
        "is_bounce": flags.bounce,
        "opt_out_rule": flags.opt_out_rule,
        "provider_interested": flags.provider_interested,
        "event_id": message.event_id,
        "edited_at": record.edited_at,
        "reports": None if message.reports is None else json.dumps(message.reports, default=str),
        "is_history": message.is_history,
    }


_OWN_SENDS = text("""
    SELECT s.id, s.lead_id, s.channel, coalesce(s.sent_at, s.claimed_at, s.finished_at) AS at,
           s.content ->> 'text' AS body, s.vendor_message_id
    FROM app.send s
    WHERE s.lead_id = ANY(CAST(:leads AS uuid[])) AND s.state IN ('sending', 'sent', 'unknown', 'needs_human')
      AND s.channel <> 'slack'""")


async def own_echoes(conn: AsyncConnection, messages: Sequence[NewMessage]) -> set[str]:
    """Keys of outbound messages that a vendor reports back and that our ledger sent itself.

    Same vendor id, or same lead, channel, beginning of the text and a time within ten minutes.
    """
    reported = [m for m in messages if m.record.direction == "outbound" and m.record.source in ("human", "api")]
    if not reported:
        return set()
    sends = list(await conn.execute(_OWN_SENDS, {"leads": sorted({m.lead_id for m in reported})}))
    return {
        message.record.key
        for message in reported
        if any(send.lead_id == message.lead_id and _is_echo(message.record, send) for send in sends)
    }


def _is_echo(record: MessageRecord, send: Any) -> bool:
    if record.provider_message_id and record.provider_message_id == send.vendor_message_id:
        return True
    if record.channel != send.channel or send.at is None or abs(record.sent_at - send.at) > ECHO_WINDOW:
        return False
    return normalised_prefix(record.body) == normalised_prefix(send.body or "")


def normalised_prefix(body: str) -> str:
    """The first 160 characters without white space, tags and case: what read-back and echoes compare (providers §5.6)."""
    return re.sub(r"<[^>]*>|\s+", "", body).casefold()[:ECHO_PREFIX_CHARS]


_TOUCHES = text("""
    INSERT INTO app.touch (id, workspace_id, lead_id, channel, kind, is_human, sent_at, message_id)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:workspaces AS uuid[]), CAST(:leads AS uuid[]),
        CAST(:channels AS text[]), CAST(:kinds AS text[]), CAST(:humans AS boolean[]), CAST(:sent AS timestamptz[]),
        CAST(:messages AS uuid[]))
    ON CONFLICT DO NOTHING""")


async def store_touches(conn: AsyncConnection, touches: Sequence[tuple[NewMessage, UUID]]) -> None:
    """Sends that a vendor made without us: campaign steps, and humans in the vendor's own inbox."""
    if not touches:
        return
    parameters = {
        "ids": [new_id() for _ in touches],
        "workspaces": [m.workspace_id for m, _ in touches],
        "leads": [m.lead_id for m, _ in touches],
        "channels": [m.record.channel for m, _ in touches],
        "kinds": ["campaign" if SOURCES[m.record.source] == "campaign" else "human" for m, _ in touches],
        "humans": [m.record.source == "human" for m, _ in touches],
        "sent": [m.record.sent_at for m, _ in touches],
        "messages": [message_id for _, message_id in touches],
    }
    await conn.execute(_TOUCHES, parameters)


_COUNTERS = text("""
    UPDATE app.email_campaign c SET sent_count = c.sent_count + r.sent, reply_count = c.reply_count + r.replies
    FROM (SELECT id, sent, replies
          FROM unnest(CAST(:ids AS uuid[]), CAST(:sent AS bigint[]), CAST(:replies AS bigint[])) AS u (id, sent, replies)
          ORDER BY id) r
    WHERE c.id = r.id""")


async def count_campaigns(conn: AsyncConnection, counts: Mapping[UUID, tuple[int, int]]) -> None:
    """Add new sends and replies to the campaigns' counters."""
    if counts:
        ids = sorted(counts)
        parameters = {"ids": ids, "sent": [counts[i][0] for i in ids], "replies": [counts[i][1] for i in ids]}
        await conn.execute(_COUNTERS, parameters)
