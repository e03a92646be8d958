"""GoHighLevel: SMS outcomes, read-back by export, free slots."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.unit.vendor_wire import CREDENTIAL, Wire, exchange, exchanges, response_of
from zrg_dagster.core.providers.ghl.client import GhlClient, classify
from zrg_dagster.core.providers.http import Answer
from zrg_dagster.core.providers.outcome import (
    Accepted,
    Ambiguous,
    Blocked,
    Found,
    NotFound,
    ReadFailed,
    Refused,
    Unknown,
)

CONTACT, LOCATION = "h3TzW8kLq0VbNc5XyRsE", "vQ7mZ2xKc9TfLp4RdWnA"
TEXT = "Thursday 10:00 it is. I'll send the invite."
SENT_AT = datetime(2026, 3, 10, 16, 52, tzinfo=UTC)
SENDS = [item for item in exchanges("ghl") if item["request"]["path"] == "/conversations/messages"]


def client(wire: Wire) -> GhlClient:
    return GhlClient(wire.client, CREDENTIAL, sleep=wire.sleep)


@pytest.mark.parametrize("recorded", SENDS, ids=[item["name"] for item in SENDS])
async def test_each_send_exchange_has_its_documented_class(recorded: dict[str, Any]) -> None:
    wire = Wire(response_of(recorded))
    result = await client(wire).send_sms(CONTACT, TEXT)
    assert result.call_class.value == recorded["client_class"]
    assert len(wire.requests) == 1


async def test_the_request_is_the_documented_one() -> None:
    recorded = exchange("ghl", "send_sms_ok")
    wire = Wire(response_of(recorded))
    result = await client(wire).send_sms(CONTACT, TEXT)
    assert result == Accepted("Rv2Mx7KqLz9TcWp4HbNd", {"conversation_id": "Yb6QwPz0tL3mXk9RcVsD"})
    assert wire.body() == recorded["request"]["body"]
    assert wire.requests[0].headers["version"] == "2021-04-15"


@pytest.mark.parametrize(
    "name, outcome, reason",
    [
        ("send_sms_dnd", Blocked, "sms_dnd"),
        ("send_sms_missing_phone", Refused, "missing_phone"),
        ("validation_422", Refused, "rejected"),
        ("unauthorized", Refused, "credentials_rejected"),
        ("gateway_502", Unknown, "http_502"),
        ("upsert_bad_country_code", Refused, "invalid_country_code"),
        ("contact_not_found", Refused, "contact_not_found"),
    ],
)
async def test_reasons(name: str, outcome: type, reason: str) -> None:
    result = await client(Wire(response_of(exchange("ghl", name)))).send_sms(CONTACT, TEXT)
    assert isinstance(result, outcome)
    assert result.reason == reason


async def test_rate_limit_waits() -> None:
    result = await client(Wire(response_of(exchange("ghl", "rate_limited")))).send_sms(CONTACT, TEXT)
    assert isinstance(result, Refused)
    assert result.retry_after_s == 10.0


def test_a_search_overload_waits_at_least_thirty_seconds() -> None:
    recorded = exchange("ghl", "search_contacts_429_pit")["response"]
    verdict = classify(Answer(429, {"retry-after": "1"}, recorded["body"]))
    assert isinstance(verdict, Refused)
    assert verdict.retry_after_s == 30.0


@pytest.mark.parametrize("document", [[{"messageId": "x"}], {"conversationId": "x"}, "sent"])
async def test_an_odd_body_with_status_201_is_ambiguous(document: Any) -> None:
    result = await client(Wire(httpx.Response(201, json=document))).send_sms(CONTACT, TEXT)
    assert result == Unknown("unexpected_body")


async def test_read_back_pages_through_the_export() -> None:
    wire = Wire(*(response_of(item) for item in exchanges("ghl", "export_messages_page1", "export_messages_last")))
    assert await client(wire).find_sent(LOCATION, CONTACT, TEXT, SENT_AT) == Found("Rv2Mx7KqLz9TcWp4HbNd")
    assert wire.requests[0].url.params["startDate"] == "2026-03-10T16:50:00.000Z"
    assert wire.requests[1].url.params["cursor"] == "eyJwIjoyfQ=="


def message(number: int, **fields: Any) -> dict[str, Any]:
    item = {
        "id": f"m{number}",
        "direction": "outbound",
        "source": "api",
        "body": TEXT,
        "dateAdded": "2026-03-10T16:52:03.000Z",
    }
    return item | fields


@pytest.mark.parametrize(
    "items, expected",
    [
        ([], NotFound()),
        ([message(1, direction="inbound")], NotFound()),
        ([message(1, source="app")], NotFound()),
        ([message(1, body="Another text")], NotFound()),
        ([message(1, body=f"{TEXT}\n")], Found("m1")),
        ([message(1, dateAdded="2026-03-10T16:40:00Z")], NotFound()),
        ([message(1), message(2)], Ambiguous(("m1", "m2"))),
        ([message(9), message(2)], Found("m2")),
        ([message(1), message(1)], Found("m1")),
    ],
)
async def test_read_back_verdicts(items: list[dict[str, Any]], expected: object) -> None:
    wire = Wire(httpx.Response(200, json={"messages": items, "nextCursor": None}))
    assert await client(wire).find_sent(LOCATION, CONTACT, TEXT, SENT_AT, known_ids={"m9"}) == expected


async def test_read_back_that_cannot_read_says_so() -> None:
    assert isinstance(
        await client(Wire(httpx.ReadTimeout("slow"))).find_sent(LOCATION, CONTACT, TEXT, SENT_AT), ReadFailed
    )


async def test_free_slots_skip_what_is_no_date() -> None:
    wire = Wire(response_of(exchange("ghl", "free_slots")))
    start = datetime(2026, 3, 12, 16, 15, tzinfo=UTC)
    slots = await client(wire).free_slots("Cal7Zx2QwLr9TkVn4MbPd", start, start + timedelta(days=2))
    assert slots == [datetime(2026, 3, 12, 16, 30, tzinfo=UTC), datetime(2026, 3, 12, 17, 0, tzinfo=UTC)]
    assert wire.requests[0].url.params["timezone"] == "UTC"


async def test_free_slots_accept_objects_and_split_long_ranges() -> None:
    wire = Wire(httpx.Response(200, json={"2026-03-12": {"slots": [{"startTime": "2026-03-12T09:00:00-07:00"}]}}))
    start = datetime(2026, 3, 1, tzinfo=UTC)
    slots = await client(wire).free_slots("cal", start, start + timedelta(days=45))
    assert slots == [datetime(2026, 3, 12, 16, 0, tzinfo=UTC)]
    spans = [int(item.url.params["endDate"]) - int(item.url.params["startDate"]) for item in wire.requests]
    assert spans == [30 * 86_400_000, 15 * 86_400_000]


@pytest.mark.parametrize("document", [[], {"2026-03-12": []}, {"2026-03-12": {"slots": ["2026-03-12 09:00"]}}])
async def test_free_slots_that_cannot_be_read_are_no_empty_calendar(document: Any) -> None:
    start = datetime(2026, 3, 12, tzinfo=UTC)
    result = await client(Wire(httpx.Response(200, json=document))).free_slots("cal", start, start + timedelta(days=1))
    assert result == ReadFailed("unexpected_body", permanent=False)
