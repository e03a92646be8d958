"""SMS of GoHighLevel's history as records: read by the rules of its events, so that both give the same keys (§4.4)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from zrg_dagster.core.providers.ghl import marketplace
from zrg_dagster.core.providers.records import MessageRecord, ShapeError

_TYPES = {"inbound": "InboundMessage", "outbound": "OutboundMessage"}
_NOT_SENT = {"failed", "undelivered", "scheduled"}


def read(items: Sequence[Any], location_id: str, now: datetime, zone: str | None) -> tuple[list[MessageRecord], int]:
    """The messages among an export's objects, and how many objects could not be read."""
    found: list[MessageRecord] = []
    unreadable = 0
    for item in items:
        kind = _TYPES.get(str(item.get("direction"))) if isinstance(item, dict) else None
        if kind is None:
            unreadable += 1
            continue
        if kind == "OutboundMessage" and str(item.get("status") or "").lower() in _NOT_SENT:
            continue
        event = {**item, "type": kind, "locationId": location_id, "messageId": item.get("id")}
        try:
            parsed = marketplace.read(event, now, zone)
        except ShapeError:
            unreadable += 1
            continue
        if parsed.message is not None:
            found.append(parsed.message)
    return found, unreadable
