"""GoHighLevel API: SMS, its read-back, and free slots of a calendar (vendor reference §4.4, §4.6)."""

import asyncio
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx

from zrg_dagster.core.providers.credential import Credential
from zrg_dagster.core.providers.http import Answer, Sleep, VendorApi, retry_after_s
from zrg_dagster.core.providers.outcome import (
    Accepted,
    Blocked,
    CallFailure,
    CallOutcome,
    ReadBack,
    ReadFailed,
    Refused,
    Unknown,
    settle_candidates,
    vendor_words,
)
from zrg_dagster.core.providers.readback import BEFORE, comparable, in_window
from zrg_dagster.core.text.times import parse_timestamp

READ_TIMEOUT_S = 15.0
MAX_EXPORT_PAGES = 5
SLOT_WINDOW = timedelta(days=30)  # the vendor refuses more than 31
OVERLOAD_PAUSE_S = 30.0  # "point in time" overloads of its search do not pass sooner
DEFAULT_PAUSE_S = 10.0

_DATE_KEY = re.compile(r"\d{4}-\d{2}-\d{2}")


def classify(answer: Answer) -> CallFailure | None:
    """Verdicts of this vendor beyond the HTTP status (vendor reference §4.4, errors)."""
    words = vendor_words(answer.document)
    lowered = words.lower()
    if answer.status == 429:
        pause = retry_after_s(answer.headers) or DEFAULT_PAUSE_S
        overloaded = "point in time" in lowered or "max_open_pit_context" in lowered
        return Refused(
            "rate_limited",
            permanent=False,
            retry_after_s=max(pause, OVERLOAD_PAUSE_S if overloaded else 0),
            detail=words,
        )
    if answer.status not in (400, 404, 422):
        return None
    if "dnd is active" in lowered or ("dnd" in lowered and "sms" in lowered and "cannot send" in lowered):
        return Blocked("sms_dnd", detail=words)
    if "invalid country calling code" in lowered:
        return Refused("invalid_country_code", permanent=True, detail=words)
    if "missing phone number" in lowered:
        return Refused("missing_phone", permanent=True, detail=words)
    if "contact" in lowered and "not found" in lowered:
        return Refused("contact_not_found", permanent=True, detail=words)
    return None


class GhlClient:
    """One location of one GoHighLevel account."""

    def __init__(self, http: httpx.AsyncClient, credential: Credential, *, sleep: Sleep = asyncio.sleep) -> None:
        self._api = VendorApi.bearer(
            http,
            credential,
            read_timeout_s=READ_TIMEOUT_S,
            classify=classify,
            sleep=sleep,
            headers={"Version": "2021-04-15"},
        )

    async def send_sms(self, contact_id: str, text: str) -> CallOutcome:
        """One SMS to a contact. One call, never repeated."""
        result = await self._api.write(
            "/conversations/messages", {"type": "SMS", "contactId": contact_id, "message": text}
        )
        return _sent(result) if isinstance(result, Answer) else result

    async def upsert_contact(self, location_id: str, fields: Mapping[str, str]) -> CallOutcome:
        """Find or make the contact of this person; `vendor_message_id` is its id. Safe to repeat.

        The vendor decides by address or number, as its location is set, who is the same.
        """
        result = await self._api.write("/contacts/upsert", {"locationId": location_id, **fields})
        if not isinstance(result, Answer):
            return result
        contact = result.object.get("contact")
        contact_id = contact.get("id") if isinstance(contact, dict) else None
        return Accepted(str(contact_id)) if contact_id else Unknown("unexpected_body")

    async def update_contact(self, contact_id: str, fields: Mapping[str, str]) -> CallOutcome:
        """Tell the contact what is known now; what is not named stays. Safe to repeat."""
        result = await self._api.write(f"/contacts/{quote(contact_id, safe='')}", dict(fields), method="PUT")
        return Accepted(contact_id) if isinstance(result, Answer) else result

    async def stop(self, contact_id: str) -> CallOutcome:
        """No workflow of the location writes to this contact any more, by SMS or mail. Safe to repeat."""
        settings = {channel: {"status": "active"} for channel in ("SMS", "Email")}
        body = {"dnd": True, "dndSettings": settings}
        result = await self._api.write(f"/contacts/{quote(contact_id, safe='')}", body, method="PUT")
        return Accepted(None) if isinstance(result, Answer) else result

    async def find_sent(
        self, location_id: str, contact_id: str, text: str, since: datetime, *, known_ids: Collection[str] = ()
    ) -> ReadBack:
        """Which outbound API message to this contact is the attempt that started at `since`.

        `known_ids` are vendor ids that belong to other sends (two equal parts are told apart by count).
        """
        params = {
            "locationId": location_id,
            "contactId": contact_id,
            "channel": "SMS",
            "limit": "100",
            "startDate": (since - BEFORE).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        }
        messages = await self._export(params)
        if isinstance(messages, ReadFailed):
            return messages
        found = [str(item["id"]) for item in messages if _is_ours(item, text, since)]
        return settle_candidates([item for item in dict.fromkeys(found) if item not in known_ids])

    async def history(self, location_id: str, contact_id: str) -> list[Any] | ReadFailed:
        """The newest 500 SMS with a contact, in both directions, as the vendor's message objects."""
        params = {"locationId": location_id, "contactId": contact_id, "channel": "SMS", "limit": "100"}
        return await self._export(params)

    async def _export(self, params: dict[str, str]) -> list[Any] | ReadFailed:
        """The messages of at most five pages, newest first."""
        found: list[Any] = []
        for _ in range(MAX_EXPORT_PAGES):
            answer = await self._api.read("/conversations/messages/export", params)
            if isinstance(answer, ReadFailed):
                return answer
            messages = answer.object.get("messages")
            if not isinstance(messages, list):
                return ReadFailed("unexpected_body", permanent=False)
            found += messages
            cursor = answer.object.get("nextCursor")
            if not cursor or not messages:
                break
            params = {**params, "cursor": str(cursor)}
        return found

    async def free_slots(self, calendar_id: str, start: datetime, end: datetime) -> list[datetime] | ReadFailed:
        """Free starts in [start, end), aware UTC, ascending. Longer ranges are asked for in windows of 30 days."""
        slots: set[datetime] = set()
        while start < end:
            stop = min(start + SLOT_WINDOW, end)
            params = {
                "startDate": str(round(start.timestamp() * 1000)),
                "endDate": str(round(stop.timestamp() * 1000)),
                "timezone": "UTC",
            }
            answer = await self._api.read(f"/calendars/{quote(calendar_id, safe='')}/free-slots", params)
            if isinstance(answer, ReadFailed):
                return answer
            part = _slots(answer.document)
            if part is None:
                return ReadFailed("unexpected_body", permanent=False)
            slots.update(slot for slot in part if start <= slot < stop)
            start = stop
        return sorted(slots)


def _sent(answer: Answer) -> CallOutcome:
    if answer.document is None:
        return Accepted(None)
    message_id = answer.object.get("messageId")
    if isinstance(message_id, str) and message_id:
        return Accepted(message_id, {"conversation_id": answer.object.get("conversationId")})
    return Unknown("unexpected_body")


def _is_ours(item: Any, text: str, since: datetime) -> bool:
    return (
        isinstance(item, dict)
        and "id" in item
        and item.get("direction") == "outbound"
        and item.get("source") == "api"
        and comparable(item.get("body")) == comparable(text)
        and in_window(item.get("dateAdded"), since)
    )


def _slots(document: Any) -> list[datetime] | None:
    """The starts in a date map that has other keys beside the dates; None when it is not such a map."""
    if not isinstance(document, dict):
        return None
    slots: list[datetime] = []
    for key, day in document.items():
        if not _DATE_KEY.fullmatch(key):
            continue
        starts = day.get("slots") if isinstance(day, dict) else None
        if not isinstance(starts, list):
            return None
        for start in starts:
            instant = parse_timestamp(start.get("startTime") if isinstance(start, dict) else start)
            if instant is None:
                return None
            slots.append(instant)
    return slots
