"""Slack's behaviours: ids, histories, limits, clicks."""

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from tests.unit.sandbox_tools import InProcess

SEND = {"type": "plain_text", "text": "Send"}
CARD: list[dict[str, Any]] = [
    {
        "type": "input",
        "block_id": "draft_d1",
        "element": {"type": "plain_text_input", "action_id": "draft_text", "multiline": True, "initial_value": "Hi Mara"},
    },
    {
        "type": "actions",
        "block_id": "review_actions_d1",
        "elements": [
            {"type": "button", "action_id": "approve_send", "text": SEND, "value": '{"draftId":"d1"}'},
            {
                "type": "static_select",
                "action_id": "reject",
                "options": [{"text": {"type": "plain_text", "text": "Wrong"}, "value": "wrong"}],
            },
        ],
    },
]  # fmt: skip
POST = {"channel": "U05REVIEWER", "text": "Review", "blocks": CARD}


class Receiver:
    """Stands at the other end of the sandbox's webhooks and keeps what arrives."""

    def __init__(self, sandbox: InProcess, *statuses: int) -> None:
        self.requests: list[httpx.Request] = []
        self.statuses = list(statuses)
        sandbox.app.webhooks._client = httpx.AsyncClient(transport=httpx.MockTransport(self.answer))

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(self.statuses.pop(0) if self.statuses else 200)


async def click(sandbox: InProcess, ts: str, action: str, **extra: Any) -> Any:
    target = {"target": "http://127.0.0.1:1/interactions", "signing_secret": "s3cret"}
    return await sandbox.control("POST", "slack/click", {"ts": ts, "action_id": action, **target, **extra})


def form_payload(request: httpx.Request) -> Any:
    return json.loads(parse_qs(request.content.decode())["payload"][0])


async def test_a_message_to_a_user_lands_in_a_dm_and_is_updated_there_only() -> None:
    async with InProcess() as sandbox:
        posted = (await sandbox.call("slack", "POST", "/api/chat.postMessage", POST)).json()
        assert posted["channel"] == "D05REVIEWER"
        change = {"ts": posted["ts"], "text": "Sent", "blocks": []}
        by_user = (await sandbox.call("slack", "POST", "/api/chat.update", change | {"channel": "U05REVIEWER"})).json()
        assert by_user["error"] == "message_not_found"
        assert (await sandbox.call("slack", "POST", "/api/chat.update", change | {"channel": "D05REVIEWER"})).json()[
            "ok"
        ]
        history = (await sandbox.call("slack", "GET", "/api/conversations.history?channel=D05REVIEWER")).json()
        assert [message["text"] for message in history["messages"]] == ["Sent"]


async def test_metadata_is_in_the_history_only_when_asked_for() -> None:
    async with InProcess() as sandbox:
        metadata = {"event_type": "draft_review", "event_payload": {"draftId": "d1"}}
        await sandbox.call("slack", "POST", "/api/chat.postMessage", POST | {"metadata": metadata})
        path = "/api/conversations.history?channel=D05REVIEWER"
        without = (await sandbox.call("slack", "GET", path)).json()["messages"][0]
        with_it = (await sandbox.call("slack", "GET", f"{path}&include_all_metadata=true")).json()["messages"][0]
        assert "metadata" not in without
        assert with_it["metadata"] == metadata


async def test_history_pages_by_oldest_and_cursor() -> None:
    async with InProcess() as sandbox:
        stamps = [
            (await sandbox.call("slack", "POST", "/api/chat.postMessage", {"channel": "#alerts", "text": f"n{n}"})).json()["ts"]
            for n in range(5)
        ]  # fmt: skip
        assert stamps == sorted(set(stamps))
        query = {"channel": "C05ALERTS", "oldest": stamps[1], "limit": "2"}
        first = (await sandbox.call("slack", "GET", "/api/conversations.history", params=query)).json()
        cursor = first["response_metadata"]["next_cursor"]
        second = (
            await sandbox.call("slack", "GET", "/api/conversations.history", params=query | {"cursor": cursor})
        ).json()
        texts = [message["text"] for message in first["messages"] + second["messages"]]
        assert (texts, second["has_more"]) == (["n4", "n3", "n2"], False)


@pytest.mark.parametrize(
    "body, error",
    [
        ({"channel": "#alerts"}, "no_text"),
        ({"channel": "#alerts", "text": "x", "blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
        ({"channel": "#alerts", "text": "x", "blocks": "not json"}, "invalid_blocks"),
        ({"channel": "nowhere", "text": "x"}, "channel_not_found"),
    ],
)
async def test_errors_are_200_with_ok_false(body: dict[str, Any], error: str) -> None:
    async with InProcess() as sandbox:
        answer = await sandbox.call("slack", "POST", "/api/chat.postMessage", body)
        assert (answer.status_code, answer.json()["ok"], answer.json()["error"]) == (200, False, error)


async def test_without_a_token_nothing_is_authed() -> None:
    async with InProcess() as sandbox:
        answer = await sandbox.http.post("/slack/api/auth.test")
        assert answer.json() == {"ok": False, "error": "not_authed"}


async def test_a_click_is_signed_and_carries_the_prefilled_text() -> None:
    async with InProcess() as sandbox:
        receiver = Receiver(sandbox)
        ts = (await sandbox.call("slack", "POST", "/api/chat.postMessage", POST)).json()["ts"]
        await click(sandbox, ts, "approve_send")
        request = receiver.requests[0]
        base = b"v0:" + request.headers["x-slack-request-timestamp"].encode() + b":" + request.content
        expected = "v0=" + hmac.new(b"s3cret", base, hashlib.sha256).hexdigest()
        assert request.headers["x-slack-signature"] == expected
        payload = form_payload(request)
        assert payload["actions"][0]["value"] == '{"draftId":"d1"}'
        assert payload["state"]["values"]["draft_d1"]["draft_text"]["value"] == "Hi Mara"
        assert (payload["message"]["ts"], payload["channel"]["id"]) == (ts, "D05REVIEWER")


async def test_edited_text_a_chosen_option_and_a_double_click() -> None:
    async with InProcess() as sandbox:
        receiver = Receiver(sandbox)
        ts = (await sandbox.call("slack", "POST", "/api/chat.postMessage", POST)).json()["ts"]
        await click(sandbox, ts, "approve_send", values={"draft_text": "Hello"}, repeat=2)
        first, second = (form_payload(request) for request in receiver.requests)
        assert first["state"]["values"]["draft_d1"]["draft_text"]["value"] == "Hello"
        assert first["actions"][0]["action_ts"] != second["actions"][0]["action_ts"]
        await click(sandbox, ts, "reject", values={"reject": "wrong"})
        assert form_payload(receiver.requests[2])["actions"][0]["selected_option"]["value"] == "wrong"


async def test_a_click_that_nobody_could_make_is_refused() -> None:
    async with InProcess() as sandbox:
        ts = (await sandbox.call("slack", "POST", "/api/chat.postMessage", POST)).json()["ts"]
        body = {"ts": ts, "action_id": "gone", "target": "http://127.0.0.1:1/"}
        refused = await sandbox.http.post("/_control/slack/click", json=body)
        assert refused.status_code == 422
        assert "gone" in refused.json()["error"]


async def test_a_response_url_ends_after_five_uses() -> None:
    async with InProcess() as sandbox:
        receiver = Receiver(sandbox)
        ts = (await sandbox.call("slack", "POST", "/api/chat.postMessage", POST)).json()["ts"]
        await click(sandbox, ts, "approve_send")
        url = form_payload(receiver.requests[0])["response_url"]
        body = {"replace_original": True, "text": "Sent"}
        answers = [(await sandbox.http.post(url, json=body)).text for _ in range(6)]
        assert answers == ["ok"] * 5 + ["expired_url"]
