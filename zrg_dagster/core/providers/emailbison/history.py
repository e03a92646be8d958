"""Mails of EmailBison's lists as records: read by the rules of its events, so that both give the same keys (§5.4)."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from zrg_dagster.core.providers.emailbison.parse import parse
from zrg_dagster.core.providers.records import MessageRecord, ShapeError

_OUTGOING = "outgoing email"
# A notice about a mail that did not arrive is keyed by its event, which the list does not name.
_NOTICES = {"bounced"}


def read(
    replies: Sequence[dict[str, Any]],
    sent: Sequence[dict[str, Any]],
    *,
    host: str,
    lead: dict[str, Any],
    now: datetime,
    zone: str | None,
) -> tuple[list[MessageRecord], int]:
    """The messages of a lead's replies and sent campaign steps, and how many items could not be read.

    `host` is the one that the lead's deliveries name: ids restart on every host.
    """
    found: list[MessageRecord] = []
    unreadable = 0
    for kind, data in _events(replies, sent):
        event = {"event": {"type": kind, "instance_url": f"https://{host}"}, "data": {"lead": lead, **data}}
        try:
            parsed = parse(json.dumps(event).encode(), received_at=now, workspace_timezone=zone, scope=host)
        except ShapeError:
            unreadable += 1
            continue
        if parsed.message is not None and parsed.message.source != "bounce":
            found.append(parsed.message)
    return found, unreadable


def _events(replies: Sequence[dict[str, Any]], sent: Sequence[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for item in replies:
        kind = str(item.get("type") or "").lower()
        if kind in _NOTICES:
            continue
        # Lists call the subject by another name than deliveries do.
        reply = {**item, "email_subject": item.get("email_subject") or item.get("subject")}
        yield ("MANUAL_EMAIL_SENT" if kind == _OUTGOING else "LEAD_REPLIED"), {"reply": reply}
    for item in sent:
        yield "EMAIL_SENT", {"scheduled_email": item}
