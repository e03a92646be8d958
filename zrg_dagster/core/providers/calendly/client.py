"""Calendly API: free times of an event type (vendor reference §9.4)."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx

from zrg_dagster.core.providers.credential import Credential
from zrg_dagster.core.providers.http import Answer, Sleep, VendorApi
from zrg_dagster.core.providers.outcome import CallFailure, ReadFailed, Refused, vendor_words
from zrg_dagster.core.text.times import parse_timestamp

READ_TIMEOUT_S = 15.0
WINDOW = timedelta(days=7)  # the vendor refuses a longer range


def classify(answer: Answer) -> CallFailure | None:
    """Verdicts of this vendor beyond the HTTP status: a broken connected calendar heals without us."""
    if answer.status == 424:
        return Refused("external_calendar", permanent=False, detail=vendor_words(answer.document))
    return None


class CalendlyClient:
    """One Calendly account."""

    def __init__(self, http: httpx.AsyncClient, credential: Credential, *, sleep: Sleep = asyncio.sleep) -> None:
        headers = {"Authorization": f"Bearer {credential.token}", "Accept": "application/json"}
        self._api = VendorApi(
            http,
            base_url=credential.base_url,
            headers=headers,
            read_timeout_s=READ_TIMEOUT_S,
            classify=classify,
            sleep=sleep,
        )

    async def available_times(self, event_type_uri: str, start: datetime, end: datetime) -> list[datetime] | ReadFailed:
        """Bookable starts in [start, end), aware UTC, ascending. `start` lies in the future; windows are merged."""
        times: set[datetime] = set()
        while start < end:
            stop = min(start + WINDOW, end)
            params = {"event_type": event_type_uri, "start_time": _utc(start), "end_time": _utc(stop)}
            answer = await self._api.read("/event_type_available_times", params)
            if isinstance(answer, ReadFailed):
                return answer
            part = _times(answer.object.get("collection"))
            if part is None:
                return ReadFailed("unexpected_body", permanent=False)
            times.update(part)
            start = stop
        return sorted(times)


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _times(collection: object) -> list[datetime] | None:
    if not isinstance(collection, list):
        return None
    times: list[datetime] = []
    for item in collection:
        if not isinstance(item, dict):
            return None
        if item.get("status") != "available":
            continue
        instant = parse_timestamp(item.get("start_time"))
        if instant is None:
            return None
        times.append(instant)
    return times
