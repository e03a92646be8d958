"""Slack: errors that arrive with HTTP 200, posts that can be found again, updates."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.unit.vendor_wire import CREDENTIAL, Wire, exchange, exchanges, response_of
from zrg_dagster.core.providers.outcome import Accepted, Ambiguous, Found, NotFound, ReadFailed, Refused, Unknown
from zrg_dagster.core.providers.slack.client import SlackClient, message_metadata

CHANNEL, TS = "D05REVIEWDM", "1773162300.482019"
POSTED_AT = datetime(2026, 3, 10, 17, 5, tzinfo=UTC)
POSTS = [item for item in exchanges("slack") if item["request"]["path"] == "/api/chat.postMessage"]
UPDATES = [item for item in exchanges("slack") if item["request"]["path"] == "/api/chat.update"]


def client(wire: Wire) -> SlackClient:
    return SlackClient(wire.client, CREDENTIAL, sleep=wire.sleep)


@pytest.mark.parametrize("recorded", POSTS, ids=[item["name"] for item in POSTS])
async def test_each_post_exchange_has_its_documented_class(recorded: dict[str, Any]) -> None:
    wire = Wire(response_of(recorded))
    result = await client(wire).post_message(CHANNEL, "x")
    assert result.call_class.value == recorded["client_class"]
    assert len(wire.requests) == 1


@pytest.mark.parametrize("recorded", UPDATES, ids=[item["name"] for item in UPDATES])
async def test_each_update_exchange_has_its_documented_class(recorded: dict[str, Any]) -> None:
    result = await client(Wire(response_of(recorded))).update_message(CHANNEL, TS, "Sent")
    assert result.call_class.value == recorded["client_class"]


async def test_a_post_carries_its_key() -> None:
    wire = Wire(response_of(exchange("slack", "post_ok")))
    blocks = [{"type": "divider"}]
    result = await client(wire).post_message(CHANNEL, "Review", blocks, message_metadata("review_card:1"))
    assert result == Accepted(TS, {"channel": CHANNEL})
    body = wire.body()
    assert body["metadata"] == {"event_type": "zrg_send", "event_payload": {"key": "review_card:1"}}
    assert (body["text"], body["blocks"], body["unfurl_links"]) == ("Review", blocks, False)
    assert wire.requests[0].headers["content-type"] == "application/json; charset=utf-8"


async def test_credential_errors_share_one_reason() -> None:
    for word in ("invalid_auth", "token_revoked", "account_inactive", "missing_scope"):
        result = await client(Wire(response_of(exchange("slack", f"post_error_{word}")))).post_message(CHANNEL, "x")
        assert result == Refused("credentials_rejected", permanent=True, detail=word)


async def test_a_throttled_post_says_how_long() -> None:
    result = await client(Wire(response_of(exchange("slack", "post_ratelimited")))).post_message(CHANNEL, "x")
    assert isinstance(result, Refused)
    assert (result.permanent, result.retry_after_s) == (False, 30.0)


async def test_invalid_blocks_say_which() -> None:
    result = await client(Wire(response_of(exchange("slack", "post_error_invalid_blocks")))).post_message(CHANNEL, "x")
    assert isinstance(result, Refused)
    assert "json-pointer" in result.detail


@pytest.mark.parametrize("document", [{"ok": True}, {"ts": TS, "channel": CHANNEL}, []])
async def test_an_odd_body_is_ambiguous(document: Any) -> None:
    assert await client(Wire(httpx.Response(200, json=document))).post_message(CHANNEL, "x") == Unknown(
        "unexpected_body"
    )


async def test_opening_a_dm() -> None:
    assert await client(Wire(response_of(exchange("slack", "open_dm_ok")))).open_dm("U05TESTNOOR") == CHANNEL
    failed = await client(Wire(response_of(exchange("slack", "open_dm_user_not_found")))).open_dm("U0NOPE")
    assert failed == ReadFailed("slack_user_not_found", permanent=True)


async def test_idempotent_calls_are_repeated_and_posts_are_not() -> None:
    ok = response_of(exchange("slack", "update_ok"))
    wire = Wire(httpx.ReadTimeout("slow"), ok)
    assert isinstance(await client(wire).update_message(CHANNEL, TS, "Sent"), Accepted)
    wire = Wire(httpx.ReadTimeout("slow"), ok)
    assert await client(wire).post_message(CHANNEL, "x") == Unknown("timeout", detail="ReadTimeout")
    assert len(wire.requests) == 1


def posted(ts: str, key: str | None) -> dict[str, Any]:
    return {"ts": ts, "text": "x"} | ({"metadata": message_metadata(key)} if key else {})


@pytest.mark.parametrize(
    "messages, expected",
    [
        ([], NotFound()),
        ([posted("1.1", None), posted("1.2", "other")], NotFound()),
        ([posted("1.1", None), posted("1.2", "k")], Found("1.2")),
        ([posted("1.1", "k"), posted("1.2", "k")], Ambiguous(("1.1", "1.2"))),
    ],
)
async def test_read_back_verdicts(messages: list[dict[str, Any]], expected: object) -> None:
    wire = Wire(httpx.Response(200, json={"ok": True, "messages": messages, "has_more": False}))
    assert await client(wire).find_posted(CHANNEL, "k", POSTED_AT) == expected
    params = wire.requests[0].url.params
    assert params["include_all_metadata"] == "true"
    assert float(params["oldest"]) == POSTED_AT.timestamp() - 120


async def test_read_back_follows_the_cursor() -> None:
    first = {"ok": True, "messages": [posted("1.1", None)], "response_metadata": {"next_cursor": "c2"}}
    second = {"ok": True, "messages": [posted("1.2", "k")], "response_metadata": {"next_cursor": ""}}
    wire = Wire(httpx.Response(200, json=first), httpx.Response(200, json=second))
    assert await client(wire).find_posted(CHANNEL, "k", POSTED_AT) == Found("1.2")
    assert wire.requests[1].url.params["cursor"] == "c2"


async def test_a_recorded_history_without_our_key_holds_nothing_of_ours() -> None:
    wire = Wire(response_of(exchange("slack", "conversations_history")))
    assert await client(wire).find_posted(CHANNEL, "k", POSTED_AT) == NotFound()
