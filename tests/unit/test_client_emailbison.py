"""EmailBison: recorded exchanges, recipients, read-back."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.unit.vendor_wire import CREDENTIAL, Wire, exchange, exchanges, response_of
from zrg_dagster.core.providers.emailbison.client import EmailBisonClient
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
from zrg_dagster.core.text.address import Address
from zrg_dagster.core.text.mail_html import text_to_html

MARA = Address("mara.okafor@brightloom.example", "Mara Okafor")
TEXT = "Hi Mara,\n\nThursday 10:00 PT works.\n\nNoor"
SENT_AT = datetime(2026, 3, 10, 17, 5, 30, tzinfo=UTC)
REPLIES = [
    item
    for item in exchanges("emailbison")
    if item["request"]["method"] == "POST" and "/reply" in item["request"]["path"]
]


def client(wire: Wire) -> EmailBisonClient:
    return EmailBisonClient(wire.client, CREDENTIAL, sleep=wire.sleep)


async def reply(wire: Wire, sender: str = "512") -> Any:
    return await client(wire).reply("4401877", sender, [MARA], [], TEXT)


@pytest.mark.parametrize("recorded", REPLIES, ids=[item["name"] for item in REPLIES])
async def test_each_reply_exchange_has_its_documented_class(recorded: dict[str, Any]) -> None:
    wire = Wire(response_of(recorded))
    assert (await reply(wire)).call_class.value == recorded["client_class"]
    assert len(wire.requests) == 1


async def test_the_request_is_the_documented_one() -> None:
    recorded = exchange("emailbison", "reply_ok")
    wire = Wire(response_of(recorded))
    assert await reply(wire) == Accepted("4402300", {"raw_message_id": "<out-4402300@try-harbourline.example>"})
    [request] = wire.requests
    assert request.url.path == recorded["request"]["path"]
    assert wire.body() == recorded["request"]["body"]
    assert request.headers["accept"] == "application/json"
    assert request.headers["authorization"] == "Bearer token-under-test"


@pytest.mark.parametrize(
    "name, outcome, reason",
    [
        ("reply_sender_invalid", Refused, "sender_invalid"),
        ("reply_missing_to", Refused, "rejected"),
        ("reply_smtp_auth_broken", Blocked, "sender_smtp_auth"),
        ("unauthenticated", Refused, "credentials_rejected"),
        ("reply_not_found", Refused, "not_found"),
        ("server_500", Unknown, "http_500"),
    ],
)
async def test_reasons(name: str, outcome: type, reason: str) -> None:
    result = await reply(Wire(response_of(exchange("emailbison", name))))
    assert isinstance(result, outcome)
    assert result.reason == reason


@pytest.mark.parametrize(
    "document, expected",
    [
        (
            {"data": {"success": False, "message": "Not sent"}},
            Refused("vendor_declined", permanent=True, detail="Not sent"),
        ),
        ({"data": {"message": "?"}}, Unknown("unexpected_body")),
        ([], Unknown("unexpected_body")),
    ],
)
async def test_odd_bodies_with_status_200(document: Any, expected: object) -> None:
    assert await reply(Wire(httpx.Response(200, json=document))) == expected


async def test_what_cannot_be_asked_is_refused_without_a_call() -> None:
    wire = Wire(httpx.Response(200))
    assert (await reply(wire, sender="abc")).reason == "sender_invalid"
    assert (await client(wire).reply("1", "512", [], [], TEXT)).reason == "recipient_missing"  # type: ignore[union-attr]
    assert wire.requests == []


async def test_ids_cannot_leave_their_path_segment() -> None:
    wire = Wire(httpx.Response(404, json={}))
    await client(wire).reply("1/../../leads", "512", [MARA], [], TEXT)
    assert wire.requests[0].url.raw_path == b"/api/replies/1%2F..%2F..%2Fleads/reply"


def test_text_becomes_escaped_paragraphs() -> None:
    assert text_to_html("Hi <b>,\r\n\r\n\r\na & b\nc\n") == "<p>Hi &lt;b&gt;,</p><p>a &amp; b<br>c</p>"


async def test_read_back_finds_the_sent_reply() -> None:
    wire = Wire(response_of(exchange("emailbison", "lead_replies")))
    found = await client(wire).find_sent("90213", "4401877", "Re: loom downtime at Brightloom", TEXT, SENT_AT)
    assert found == Found("4402300")
    assert wire.requests[0].url.path == "/api/leads/90213/replies"


def outgoing(number: int, **fields: Any) -> dict[str, Any]:
    item = {
        "id": number,
        "type": "Outgoing Email",
        "parent_id": 4401877,
        "subject": "Re: looms",
        "html_body": text_to_html(TEXT),
        "date_received": "2026-03-10T17:05:31.000000Z",
    }
    return item | fields


@pytest.mark.parametrize(
    "items, expected",
    [
        ([], NotFound()),
        ([outgoing(1)], Found("1")),
        ([outgoing(1), outgoing(2)], Ambiguous(("1", "2"))),
        ([outgoing(1, type="Tracked Reply")], NotFound()),
        ([outgoing(1, parent_id=9)], NotFound()),
        ([outgoing(1, parent_id=None)], Found("1")),
        ([outgoing(1, parent_id=None, subject="Other")], NotFound()),
        ([outgoing(1, html_body="<p>Hi Mara,</p><p>Friday works.</p>")], NotFound()),
        ([outgoing(1, date_received="2026-03-10T16:40:00.000000Z")], NotFound()),
        ([outgoing(1, date_received="2026-03-10T17:30:00.000000Z")], NotFound()),
        ([outgoing(1, date_received="2026-03-10 17:05:31")], NotFound()),
        ([outgoing(7), outgoing(1)], Found("1")),
    ],
)
async def test_read_back_verdicts(items: list[dict[str, Any]], expected: object) -> None:
    wire = Wire(httpx.Response(200, json={"data": items, "meta": {"last_page": 1}}))
    found = await client(wire).find_sent("90213", "4401877", "looms", TEXT, SENT_AT, known_ids={"7"})
    assert found == expected


async def test_read_back_without_lead_id_reads_the_sent_folder() -> None:
    wire = Wire(httpx.Response(200, json={"data": [outgoing(1)], "meta": {"last_page": 1}}))
    assert await client(wire).find_sent(None, "4401877", "looms", TEXT, SENT_AT) == Found("1")
    assert wire.requests[0].url.params["folder"] == "sent"


async def test_lists_are_paged_and_bounded() -> None:
    def page(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params["page"])
        return httpx.Response(200, json={"data": [{"id": number, "email": "a@b.example"}], "meta": {"last_page": 99}})

    wire = Wire(page)
    senders = await client(wire).sender_emails()
    assert not isinstance(senders, ReadFailed)
    assert [sender.id for sender in senders] == ["1", "2", "3", "4", "5"]


async def test_senders_say_whether_they_can_send() -> None:
    senders = await client(Wire(response_of(exchange("emailbison", "sender_emails")))).sender_emails()
    assert not isinstance(senders, ReadFailed)
    assert [(sender.id, sender.can_send) for sender in senders] == [("512", True), ("513", False)]


async def test_throttled_read_hands_the_wait_back() -> None:
    failed = await client(Wire(response_of(exchange("emailbison", "rate_limited")))).sender_emails()
    assert isinstance(failed, ReadFailed)
    assert (failed.reason, failed.retry_after_s) == ("rate_limited", 30.0)
