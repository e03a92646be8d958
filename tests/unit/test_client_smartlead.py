"""SmartLead: recorded exchanges, what counts as accepted, read-back over both history shapes."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.unit.vendor_wire import CREDENTIAL, Wire, exchange, exchanges, response_of
from zrg_dagster.core.providers.outcome import Accepted, Ambiguous, Found, NotFound, ReadFailed, Refused, Unknown
from zrg_dagster.core.providers.smartlead.client import AnsweredMail, SmartLeadClient
from zrg_dagster.core.text.address import Address

JOREN = Address("joren@pelicanfreight.example", "Joren Vasquez")
TEXT = "Hi Joren,\n\nFrom 900 a month."
SENT_AT = datetime(2026, 3, 10, 17, 5, 30, tzinfo=UTC)
ANSWERED = AnsweredMail(
    "1c7e55aa-88a0-4c59-9f0e-f0a2c1d3b6e7",
    "<r-9931@mail.pelicanfreight.example>",
    "2026-03-10T15:20:31.000Z",
    "<div>What does it cost?</div>",
)
REPLIES = [item for item in exchanges("smartlead") if item["request"]["path"].endswith("reply-email-thread")]


def client(wire: Wire) -> SmartLeadClient:
    return SmartLeadClient(wire.client, CREDENTIAL, sleep=wire.sleep)


async def reply(wire: Wire) -> Any:
    return await client(wire).reply("88412", ANSWERED, JOREN, [], TEXT)


@pytest.mark.parametrize("recorded", REPLIES, ids=[item["name"] for item in REPLIES])
async def test_each_reply_exchange_has_its_documented_class(recorded: dict[str, Any]) -> None:
    wire = Wire(response_of(recorded))
    assert (await reply(wire)).call_class.value == recorded["client_class"]
    assert len(wire.requests) == 1


async def test_the_request_is_the_documented_one_without_a_second_signature() -> None:
    recorded = exchange("smartlead", "reply_ok_json")
    wire = Wire(response_of(recorded))
    assert await reply(wire) == Accepted(None)
    [request] = wire.requests
    assert request.url.path == recorded["request"]["path"]
    names = {"to_first_name": "Joren", "to_last_name": "Vasquez"}
    assert wire.body() == recorded["request"]["body"] | {"add_signature": False} | names
    assert request.url.params["api_key"] == "token-under-test"
    assert "authorization" not in request.headers


async def test_the_key_is_in_no_log_line(capsys: pytest.CaptureFixture[str]) -> None:
    def breaks(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow", request=request)

    assert (await reply(Wire(breaks))).reason == "timeout"
    await reply(Wire(response_of(exchange("smartlead", "bad_key"))))
    said = capsys.readouterr()
    assert "token-under-test" not in said.out + said.err
    assert "token-under-test" not in repr(client(Wire(httpx.Response(200))).__dict__)


@pytest.mark.parametrize(
    "answer, expected",
    [
        (httpx.Response(200, json={"success": True}), Accepted(None)),
        (httpx.Response(200, content=b""), Accepted(None)),
        (httpx.Response(200, text="success"), Accepted(None)),
        (httpx.Response(200, json="success"), Accepted(None)),
        (httpx.Response(200, json={"ok": False, "message": "no"}), Refused("vendor_declined", True, detail="no")),
        (httpx.Response(200, text="OK <queued>"), Unknown("unexpected_body", "OK <queued>")),
        (httpx.Response(200, html="<p>success</p>"), Unknown("unreadable_body")),
        (httpx.Response(200, text='{"ok": tr', headers={"content-type": "application/json"}), Unknown("unreadable_body")),
        (httpx.Response(200, json={"data": 1}), Unknown("unexpected_body")),
        (httpx.Response(502, text="bad gateway"), Unknown("http_502", "bad gateway")),
    ],
)  # fmt: skip
async def test_only_a_clear_yes_is_accepted(answer: httpx.Response, expected: object) -> None:
    assert await reply(Wire(answer)) == expected


def sent(message_id: str, **fields: Any) -> dict[str, Any]:
    item = {
        "type": "SENT",
        "message_id": message_id,
        "time": "2026-03-10T17:06:30.000Z",
        "email_body": "<p>Hi Joren,</p><p>From 900 a month.</p>",
    }
    return item | fields


async def find(*items: dict[str, Any], **options: Any) -> Any:
    wire = Wire(httpx.Response(200, json={"id": "5512007"}), httpx.Response(200, json={"history": list(items)}))
    found = await client(wire).find_sent("88412", JOREN.email, TEXT, SENT_AT, **options)
    assert [each.url.path for each in wire.requests] == [
        "/api/v1/leads/",
        "/api/v1/campaigns/88412/leads/5512007/message-history",
    ]
    assert wire.requests[0].url.params["email"] == JOREN.email
    return found


@pytest.mark.parametrize(
    "items, expected",
    [
        ([], NotFound()),
        ([sent("<a>")], Found("<a>")),
        ([sent("<a>"), sent("<b>")], Ambiguous(("<a>", "<b>"))),
        ([sent("<a>", type="REPLY")], NotFound()),
        ([sent("<a>", email_body="<p>Another text</p>")], NotFound()),
        ([sent("<a>", time="2026-03-10T16:00:00.000Z")], NotFound()),
        ([sent("<old>"), sent("<a>")], Found("<a>")),
    ],
)
async def test_read_back_verdicts(items: list[dict[str, Any]], expected: object) -> None:
    assert await find(*items, known_ids={"<old>"}) == expected


async def test_an_equal_mail_that_was_accepted_without_a_name_is_told_apart_by_number() -> None:
    assert await find(sent("<a>"), spoken_for=1) == NotFound()
    assert await find(sent("<a>"), sent("<b>"), spoken_for=1) == Found("<b>")


async def test_a_history_without_texts_leaves_it_to_a_person() -> None:
    document = {"messages": [{"id": "m1", "direction": "outbound", "sent_at": "2026-03-10T17:06:00Z"}]}
    wire = Wire(httpx.Response(200, json={"id": 5512007}), httpx.Response(200, json=document))
    assert await client(wire).find_sent("88412", JOREN.email, TEXT, SENT_AT) == Ambiguous(("m1",))


async def test_an_unknown_lead_was_not_written_to() -> None:
    assert await client(Wire(httpx.Response(200, json={}))).find_sent("1", "a@b.example", TEXT, SENT_AT) == NotFound()
    failed = await client(Wire(response_of(exchange("smartlead", "bad_key")))).find_sent(
        "1", "a@b.example", TEXT, SENT_AT
    )
    assert isinstance(failed, ReadFailed)
    assert failed.permanent


async def test_a_lead_is_found_by_its_address_before_it_is_stopped() -> None:
    def answers(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            known = request.url.params["email"] == "joren@pelicanfreight.example"
            return httpx.Response(200, json={"id": 771} if known else {})
        return httpx.Response(200, json={"ok": True})

    wire = Wire(answers)
    assert await client(wire).stop("joren@pelicanfreight.example") == Accepted(None)
    assert [request.url.path for request in wire.requests] == ["/api/v1/leads/", "/api/v1/leads/771/unsubscribe"]
    assert await client(wire).stop("nobody@pelicanfreight.example") == Refused("not_found", permanent=True)


async def test_a_failed_look_up_stops_nobody_and_says_whether_to_try_again() -> None:
    refused = await client(Wire(httpx.Response(401, json={}))).stop("joren@pelicanfreight.example")
    assert refused == Refused("credentials_rejected", permanent=True)
