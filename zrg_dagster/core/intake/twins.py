"""Inbound SMS of the vendor with two feeds: stored messages are made to say what all reports of them say together.

`reports.py` decides which reports are one message. Here the stored ones are read with what they were made of, and those
that a new report changes are rewritten.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Row as ResultRow
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from zrg_dagster.core.intake.messages import NewMessage, normalised_prefix
from zrg_dagster.core.intake.reports import Report, Row, Told, arrange, from_json, report_of


@dataclass(slots=True)
class Twins:
    """By (lead, key of a new report): the key of the stored message it belongs to (`known`), or the message that it
    makes necessary (`made`), which other new reports may share. `woken` are the keys of stored messages that only the
    vendor's history had told of."""

    known: dict[tuple[UUID, str], str] = field(default_factory=dict)
    made: dict[tuple[UUID, str], Told] = field(default_factory=dict)
    woken: set[tuple[UUID, str]] = field(default_factory=set)

    def message_of(self, message: NewMessage) -> NewMessage:
        """What to store for a delivery: the whole message that it is a report of."""
        told = self.made.get((message.lead_id, message.record.key))
        if told is None:
            return message
        head = told.head
        flags = replace(message.record.flags, opt_out=head.opt_out_rule is not None, opt_out_rule=head.opt_out_rule)
        record = replace(
            message.record,
            key=head.key,
            provider_message_id=head.vendor_id,
            sent_at=head.at,
            sent_at_quality=head.quality,
            body=head.body,
            raw_text=head.raw_text,
            flags=flags,
        )
        return replace(message, record=record, reports=told.as_json())


_STORED = text("""
    SELECT m.id, m.lead_id, m.message_key, m.provider_message_id, m.body, m.raw_text, m.sent_at, m.sent_at_quality,
           m.opt_out_rule, m.reports, m.is_history
    FROM app.message m
    WHERE m.lead_id = ANY(CAST(:leads AS uuid[])) AND m.provider = 'ghl' AND m.channel = 'sms'
      AND m.direction = 'inbound'
    ORDER BY m.message_key""")

# Keys may change places between rows, and the index that keeps them apart looks after each row.
_PARK = text("UPDATE app.message SET message_key = 'parked:' || id WHERE id = ANY(CAST(:ids AS uuid[]))")
_WAKE = text("UPDATE app.message SET is_history = false WHERE id = ANY(CAST(:ids AS uuid[]))")
_REWRITE = text("""
    UPDATE app.message m SET message_key = t.key, provider_message_id = t.vendor_id, sent_at = t.sent_at,
        sent_at_quality = t.quality, body = t.body, raw_text = t.raw_text, opt_out_rule = t.opt_out_rule,
        reports = t.reports
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS t (id uuid, key text, vendor_id text, sent_at timestamptz,
        quality text, body text, raw_text text, opt_out_rule text, reports jsonb)
    WHERE m.id = t.id""")


async def settle_twins(conn: AsyncConnection, messages: Sequence[NewMessage]) -> Twins:
    """Arrange new reports with the stored ones of the same people and words, and rewrite the messages that this changes.

    The leads are locked, so nothing of them is stored meanwhile. A delivery makes a message of the history one that
    came; reports from the history itself do not.
    """
    new: dict[tuple[UUID, str], list[Report]] = defaultdict(list)
    for each in messages:
        if each.provider == "ghl" and each.record.channel == "sms" and each.record.direction == "inbound":
            new[each.lead_id, normalised_prefix(each.record.body)].append(report_of(each.record))
    found = Twins()
    if not new:
        return found
    delivered = {(each.lead_id, each.record.key) for each in messages if not each.is_history}
    stored: dict[tuple[UUID, str], list[Row]] = defaultdict(list)
    asleep: set[UUID] = set()
    for row in await conn.execute(_STORED, {"leads": sorted({lead_id for lead_id, _ in new})}):
        stored[row.lead_id, normalised_prefix(row.body)].append(Row(row.id, _told(row)))
        if row.is_history:
            asleep.add(row.id)
    awake: set[UUID] = set()
    changed: dict[UUID, Told] = {}
    for (lead_id, words), reports in new.items():
        before = stored[lead_id, words]
        plan = arrange(before, reports)
        changed |= {row.id: plan.rows[row.id] for row in before if plan.rows.get(row.id, row.told) != row.told}
        found.known |= {(lead_id, key): told.head.key for told in plan.rows.values() for key in told.keys}
        found.made |= {(lead_id, key): told for told in plan.made for key in told.keys}
        for row_id in asleep & plan.rows.keys():
            if any((lead_id, key) in delivered for key in plan.rows[row_id].keys):
                awake.add(row_id)
                found.woken.add((lead_id, plan.rows[row_id].head.key))
    if awake:
        await conn.execute(_WAKE, {"ids": sorted(awake)})
    if changed:
        await conn.execute(_PARK, {"ids": sorted(changed)})
        rows = [_row(row_id, told) for row_id, told in changed.items()]
        await conn.execute(_REWRITE, {"rows": json.dumps(rows)})
    return found


def _told(row: ResultRow[Any]) -> Told:
    """What a stored message was made of; one that an earlier release stored is its own only report."""
    if row.reports is not None:
        return Told(tuple(from_json(each) for each in row.reports))
    own = Report(
        key=row.message_key,
        vendor_id=row.provider_message_id,
        quality=row.sent_at_quality,
        at=row.sent_at,
        body=row.body,
        raw_text=row.raw_text,
        opt_out_rule=row.opt_out_rule,
    )
    return Told((own,))


def _row(row_id: UUID, told: Told) -> dict[str, Any]:
    head = told.head
    return {
        "id": str(row_id),
        "key": head.key,
        "vendor_id": head.vendor_id,
        "sent_at": head.at.isoformat(),
        "quality": head.quality,
        "body": head.body,
        "raw_text": head.raw_text,
        "opt_out_rule": head.opt_out_rule,
        "reports": told.as_json(),
    }
