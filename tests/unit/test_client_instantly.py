"""Instantly: recorded exchanges, the fixed recipient, read-back."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.unit.vendor_wire import CREDENTIAL, Wire, exchange, exchanges, response_of
from zrg_dagster.core.providers.instantly.client import InstantlyClient
from zrg_dagster.core.providers.outcome import Accepted, Ambiguous, Found, NotFound, ReadFailed, Refused, Unknown
from zrg_dagster.core.text.address import Address

REPLY_TO = "01958f11-9f0a-7d41-bb0c-2a3b4c5d6e7f"
MAILBOX = "sol@meet-kelp.example"
LEAD = "p.achterberg@kelpmotor.example"
TEXT = "Per berth, yes.\nSol"
SENT_AT = datetime(2026, 3, 10, 19, 0, 0, tzinfo=UTC)
REPLIES = [item for item in exchanges("instantly") if item["request"]["path"].endswith("/emails/reply")]


def client(wire: Wire) -> InstantlyClient:
    return InstantlyClient(wire.client, CREDENTIAL, sleep=wire.sleep)


async def reply(wire: Wire, *cc: str) -> Any:
    return await client(wire).reply(REPLY_TO, MAILBOX, "Re: winter berths", [Address(each) for each in cc], TEXT)


@pytest.mark.parametrize("recorded", REPLIES, ids=[item["name"] for item in REPLIES])
async def test_each_reply_exchange_has_its_documented_class(recorded: dict[str, Any]) -> None:
    wire = Wire(response_of(recorded))
    assert (await reply(wire)).call_class.value == recorded["client_class"]
    assert len(wire.requests) == 1


async def test_the_request_is_the_documented_one() -> None:
    recorded = exchange("instantly", "reply_ok")
    wire = Wire(response_of(recorded))
    assert await reply(wire) == Accepted(recorded["response"]["body"]["id"], {"thread_id": "8c1f"})
    assert wire.requests[0].url.path == recorded["request"]["path"]
    assert wire.body() == recorded["request"]["body"]
    assert wire.requests[0].headers["authorization"] == "Bearer token-under-test"


async def test_copies_are_one_string() -> None:
    wire = Wire(httpx.Response(404, json={}))
    await reply(wire, "a@kelp.example", "b@kelp.example")
    assert wire.body()["cc_address_email_list"] == "a@kelp.example,b@kelp.example"


@pytest.mark.parametrize(
    "document, expected",
    [
        (
            {"error": "Bad", "message": "no mailbox"},
            Refused("vendor_declined", permanent=True, detail="no mailbox Bad"),
        ),
        ({"status": "queued"}, Unknown("unexpected_body")),
        ([], Unknown("unexpected_body")),
    ],
)
async def test_a_200_without_an_id_is_no_acceptance(document: Any, expected: object) -> None:
    assert await reply(Wire(httpx.Response(200, json=document))) == expected


async def test_a_server_error_is_unknown() -> None:
    assert await reply(Wire(httpx.Response(500, json={"statusCode": 500}))) == Unknown("http_500")


def mail(number: str, **fields: Any) -> dict[str, Any]:
    item = {
        "id": number,
        "timestamp_created": "2026-03-10T19:00:01.000Z",
        "subject": "Re: winter berths",
        "ue_type": 3,
        "body": {"text": TEXT, "html": ""},
    }
    return item | fields


async def find(items: list[dict[str, Any]], **options: Any) -> Any:
    wire = Wire(httpx.Response(200, json={"items": items, "next_starting_after": None}))
    found = await client(wire).find_sent(LEAD, MAILBOX, "winter berths", TEXT, SENT_AT, **options)
    params = wire.requests[0].url.params
    assert (params["lead"], params["eaccount"], params["email_type"]) == (LEAD, MAILBOX, "manual")
    assert params["min_timestamp_created"] == "2026-03-10T18:58:00.000Z"
    return found


@pytest.mark.parametrize(
    "items, expected",
    [
        ([], NotFound()),
        ([mail("a")], Found("a")),
        ([mail("a"), mail("b")], Ambiguous(("a", "b"))),
        ([mail("old"), mail("a")], Found("a")),
        ([mail("a", ue_type=1)], NotFound()),
        ([mail("a", subject="Other")], NotFound()),
        ([mail("a", body={"text": "", "html": "<div>Per berth, yes.<br/>Sol</div>"})], Found("a")),
        ([mail("a", body={"text": "Something else"})], NotFound()),
        ([mail("a", timestamp_created="2026-03-10T18:00:00.000Z")], NotFound()),
    ],
)
async def test_read_back_verdicts(items: list[dict[str, Any]], expected: object) -> None:
    assert await find(items, known_ids={"old"}) == expected


async def test_pages_end_also_when_the_cursor_repeats() -> None:
    wire = Wire(httpx.Response(200, json={"items": [mail("a", subject="x")], "next_starting_after": "a"}))
    assert await client(wire).find_sent(LEAD, MAILBOX, "winter berths", TEXT, SENT_AT) == NotFound()
    assert len(wire.requests) == 2


async def test_a_throttled_read_says_so() -> None:
    wire = Wire(response_of(exchange("instantly", "rate_limited")))
    failed = await client(wire).find_sent(LEAD, MAILBOX, "s", TEXT, SENT_AT)
    assert isinstance(failed, ReadFailed)
    assert failed.reason == "rate_limited"
