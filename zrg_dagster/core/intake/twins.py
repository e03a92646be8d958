"""One SMS reported by two feeds of one vendor: the workflow knows no message id, the marketplace app does.

Seconds apart and in either order. Together they are one message under the id: a report without id that finds one with
an id adds nothing, and a report with an id takes over the row that the other feed made (providers §4.2).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.intake.messages import NewMessage, normalised_prefix

WINDOW = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Told:
    """A report of an SMS, stored or new. `row_id` is None for a new one, `vendor_id` for the feed without ids."""

    lead_id: UUID
    key: str
    vendor_id: str | None
    text: str
    at: datetime
    row_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Twins:
    """New reports that add nothing (key → key of the message they report) and stored rows that a new report with an
    id takes over (row → key)."""

    known: dict[str, str]
    adopted: dict[UUID, str]


def pair(new: Sequence[Told], stored: Sequence[Told]) -> Twins:
    """Match reports of one text by one person within ten minutes. Pure.

    Each stored report without id is adopted once, so two equal texts with two ids stay two messages.
    """
    own = {each.key for each in stored}
    unseen = sorted({each for each in new if each.key not in own}, key=lambda each: (each.at, each.key))
    nameless, named = defaultdict(list), defaultdict(list)
    for each in (*new, *stored):
        if each.vendor_id is not None:
            named[each.lead_id, each.text].append(each)
        elif each.row_id is not None:
            nameless[each.lead_id, each.text].append(each)
    adopted: dict[UUID, str] = {}
    known: dict[str, str] = {}
    for each in unseen:
        others = named if each.vendor_id is None else nameless
        near = [other for other in others[each.lead_id, each.text] if abs(other.at - each.at) <= WINDOW]
        near.sort(key=lambda other: (abs(other.at - each.at), other.key))
        if each.vendor_id is None:
            if near:
                known[each.key] = near[0].key
        elif free := next((other.row_id for other in near if other.row_id and other.row_id not in adopted), None):
            adopted[free] = each.key
    return Twins(known, adopted)


_STORED = text("""
    SELECT m.id, m.lead_id, m.message_key, m.provider_message_id, m.body, m.sent_at
    FROM app.message m
    WHERE m.lead_id = ANY(CAST(:leads AS uuid[])) AND m.provider = 'ghl' AND m.channel = 'sms' AND m.direction = 'inbound'
      AND (m.message_key = ANY(CAST(:keys AS text[])) OR m.sent_at BETWEEN :earliest AND :latest)""")

# The feed with ids has the last word on the wording and the time too: the other one tidies white space and case, and
# mostly only our receipt of it is known.
_ADOPT = text("""
    UPDATE app.message m SET message_key = t.key, provider_message_id = t.vendor_id,
        sent_at = t.sent_at, sent_at_quality = t.quality, body = t.body, raw_text = t.raw_text
    FROM unnest(CAST(:ids AS uuid[]), CAST(:keys AS text[]), CAST(:vendor_ids AS text[]), CAST(:times AS timestamptz[]),
                CAST(:qualities AS text[]), CAST(:bodies AS text[]), CAST(:raw_texts AS text[]))
         AS t (id, key, vendor_id, sent_at, quality, body, raw_text)
    WHERE m.id = t.id""")


async def settle_twins(conn: AsyncConnection, messages: Sequence[NewMessage]) -> dict[str, str]:
    """Let new reports take over what the other feed stored; returns those that add nothing (key → the message's key).

    The leads are locked, so the other feed's report is not stored meanwhile.
    """
    sms = {
        m.record.key: m
        for m in messages
        if m.provider == "ghl" and m.record.channel == "sms" and m.record.direction == "inbound"
    }
    if not sms:
        return {}
    times = [m.record.sent_at for m in sms.values()]
    parameters: dict[str, Any] = {
        "leads": sorted({m.lead_id for m in sms.values()}),
        "keys": list(sms),
        "earliest": min(times) - WINDOW,
        "latest": max(times) + WINDOW,
    }
    stored = [
        Told(
            row.lead_id,
            row.message_key,
            row.provider_message_id,
            normalised_prefix(row.body),
            row.sent_at,
            row_id=row.id,
        )
        for row in await conn.execute(_STORED, parameters)
    ]
    new = [
        Told(m.lead_id, key, m.record.provider_message_id, normalised_prefix(m.record.body), m.record.sent_at)
        for key, m in sms.items()
    ]
    twins = pair(new, stored)
    if twins.adopted:
        takers = [sms[key].record for key in twins.adopted.values()]
        await conn.execute(
            _ADOPT,
            {
                "ids": list(twins.adopted),
                "keys": [record.key for record in takers],
                "vendor_ids": [record.provider_message_id for record in takers],
                "times": [record.sent_at for record in takers],
                "qualities": [record.sent_at_quality for record in takers],
                "bodies": [record.body for record in takers],
                "raw_texts": [record.raw_text for record in takers],
            },
        )
    return twins.known
