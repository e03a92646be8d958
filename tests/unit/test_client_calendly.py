"""Calendly: windows of seven days, merged; refusals by class."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.unit.vendor_wire import CREDENTIAL, Wire, exchange, response_of
from zrg_dagster.core.providers.calendly.client import CalendlyClient
from zrg_dagster.core.providers.outcome import ReadFailed

EVENT_TYPE = "https://api.calendly.com/event_types/8b2e4d10-55aa-4f3c-b7d9-1c0e9a8f7b6d"
START = datetime(2026, 3, 12, tzinfo=UTC)


async def times(wire: Wire, days: float = 7) -> list[datetime] | ReadFailed:
    client = CalendlyClient(wire.client, CREDENTIAL, sleep=wire.sleep)
    return await client.available_times(EVENT_TYPE, START, START + timedelta(days=days))


async def test_recorded_times() -> None:
    wire = Wire(response_of(exchange("calendly", "available_times")))
    assert await times(wire) == [datetime(2026, 3, 12, 17, 0, tzinfo=UTC)]
    assert dict(wire.requests[0].url.params) == {
        "event_type": EVENT_TYPE,
        "start_time": "2026-03-12T00:00:00Z",
        "end_time": "2026-03-19T00:00:00Z",
    }


async def test_long_ranges_become_windows_that_the_vendor_accepts() -> None:
    wire = Wire(response_of(exchange("calendly", "available_times")))
    assert await times(wire, days=16) == [datetime(2026, 3, 12, 17, 0, tzinfo=UTC)]
    windows = [
        datetime.fromisoformat(item.url.params["end_time"]) - datetime.fromisoformat(item.url.params["start_time"])
        for item in wire.requests
    ]
    assert windows == [timedelta(days=7), timedelta(days=7), timedelta(days=2)]


async def test_only_available_times_count() -> None:
    items = [
        {"status": "unavailable", "start_time": "2026-03-12T18:00:00Z"},
        {"status": "available", "start_time": "2026-03-12T19:00:00Z"},
    ]
    assert await times(Wire(httpx.Response(200, json={"collection": items}))) == [datetime(2026, 3, 12, 19, tzinfo=UTC)]


@pytest.mark.parametrize("name", ["available_times_range_too_long", "unauthenticated", "create_invitee_rate_limited"])
async def test_refusals_have_their_documented_class(name: str) -> None:
    recorded = exchange("calendly", name)
    wire = Wire(response_of(recorded))
    failed = await times(wire)
    assert isinstance(failed, ReadFailed)
    assert failed.call_class.value == recorded["client_class"]
    assert len(wire.requests) == 1


async def test_a_rate_limit_says_how_long() -> None:
    failed = await times(Wire(response_of(exchange("calendly", "create_invitee_rate_limited"))))
    assert isinstance(failed, ReadFailed)
    assert failed.retry_after_s == 38.0


async def test_a_broken_connected_calendar_heals_without_us() -> None:
    failed = await times(Wire(httpx.Response(424, json={"title": "External Calendar Error"})))
    assert isinstance(failed, ReadFailed)
    assert (failed.reason, failed.permanent) == ("external_calendar", False)


@pytest.mark.parametrize("document", [{}, {"collection": ["x"]}, {"collection": [{"status": "available"}]}])
async def test_a_body_that_cannot_be_read_is_no_empty_calendar(document: Any) -> None:
    assert await times(Wire(httpx.Response(200, json=document))) == ReadFailed("unexpected_body", permanent=False)
