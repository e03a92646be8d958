"""The sandbox against the documented request/response pairs: same status, same keys, same types, same headers."""

import json
from collections.abc import Collection, Mapping
from typing import Any

import httpx
import pytest

from tests.unit.sandbox_tools import DATA, SAMPLE_NOW, InProcess, payload, shape_problems

CONTACT = "h3TzW8kLq0VbNc5XyRsE"
APPOINTMENT = "Ap3tQz8WkLx5RvMn0CdY"
EVENT = "6f1a9c20-7d43-4e0b-9a11-5b0c7e2d9f31"
EVENT_TYPE = "https://api.calendly.com/event_types/8b2e4d10-55aa-4f3c-b7d9-1c0e9a8f7b6d"
BOOKING = {
    "event_type": EVENT_TYPE,
    "start_time": "2026-03-12T17:00:00Z",
    "invitee": {"name": "Mara Okafor", "email": "mara.okafor@brightloom.example", "timezone": "America/Los_Angeles"},
}
SMS = {"type": "SMS", "contactId": CONTACT, "message": "Thursday 10:00 it is."}


def exchanges(provider: str, *, without: Collection[str] = ()) -> list[dict[str, Any]]:
    found = json.loads((DATA / "api" / f"{provider}.json").read_text())
    return [exchange for exchange in found if exchange["name"] not in without]


async def fault(sandbox: InProcess, provider: str, mode: str, **rule: Any) -> None:
    await sandbox.control("POST", "faults", {"provider": provider, "mode": mode, "times": 1, **rule})


async def replay(
    sandbox: InProcess, provider: str, exchange: Mapping[str, Any], *, path: str | None = None, body: Any = None
) -> httpx.Response:
    """Send the documented request (credentials and version swapped for ours) and compare the documented answer."""
    request, expected = exchange["request"], exchange["response"]
    headers = {"Version": request.get("headers", {}).get("Version", "2021-04-15")} if provider == "ghl" else {}
    response = await sandbox.call(
        provider,
        request["method"],
        path or request["path"],
        request.get("body") if body is None else body,
        params=request.get("query"),
        headers=headers,
    )
    assert response.status_code == expected["status"], response.text
    if isinstance(expected["body"], str):
        return response
    assert shape_problems(expected["body"], response.json()) == []
    missing = [name for name in expected.get("headers", {}) if name.lower() not in response.headers]
    assert missing == []
    return response


# ── EmailBison ───────────────────────────────────────────────────────────────

EMAILBISON_FAULTS = {"rate_limited": ("rate_limit", {}), "server_500": ("status", {"status": 500})}
# The documented answer is a text that only a fault rule can produce: there is no behaviour of ours to compare.
EMAILBISON_SCRIPTED = {"reply_smtp_auth_broken"}


@pytest.mark.parametrize(
    "exchange", exchanges("emailbison", without=EMAILBISON_SCRIPTED), ids=lambda exchange: exchange["name"]
)
async def test_emailbison(exchange: dict[str, Any]) -> None:
    name = exchange["name"]
    async with InProcess() as sandbox:
        await sandbox.control("POST", "clock", {"now": SAMPLE_NOW})
        bodies = [payload(f"emailbison/{fixture}.json") for fixture in ("LEAD_REPLIED__basic", "EMAIL_SENT__step1")]
        await sandbox.control("POST", "learn", {"provider": "emailbison", "bodies": bodies})
        if name == "reply_sender_invalid":
            sender = {"id": 512, "email": "noor@try-harbourline.example", "status": "Disconnected"}
            await sandbox.control("POST", "state/emailbison", {"senders": [sender]})
        if name == "unauthenticated":
            await sandbox.control(
                "POST", "credentials", {"provider": "emailbison", "remove": ["sandbox-emailbison-key"]}
            )
        if name in EMAILBISON_FAULTS:
            mode, rule = EMAILBISON_FAULTS[name]
            await fault(sandbox, "emailbison", mode, **rule)
        if name == "lead_replies":
            sent = next(item for item in exchanges("emailbison") if item["name"] == "reply_ok")["request"]
            await sandbox.call("emailbison", "POST", sent["path"], sent["body"])
        response = await replay(sandbox, "emailbison", exchange)
        if name.startswith(("create_lead_email", "reply_missing")):
            assert response.json() == exchange["response"]["body"]
        if name == "lead_replies":
            newest = response.json()["data"][0]
            assert (newest["type"], newest["parent_id"], newest["folder"]) == ("Outgoing Email", 4401877, "Sent")


# ── GoHighLevel ──────────────────────────────────────────────────────────────

GHL_FAULTS = {
    "rate_limited": ("rate_limit", {}),
    "gateway_502": ("html", {}),
    "search_contacts_503": ("status", {"status": 503, "body": ""}),
}
GHL_SCRIPTED = {"search_contacts_transient_400", "search_contacts_429_pit"}


async def prepare_ghl(sandbox: InProcess, name: str) -> str | None:
    """Bring the location into the state that the exchange speaks of; returns the path when it holds an id of ours."""
    seed: dict[str, list[dict[str, Any]]] = {}
    if name == "send_sms_dnd":
        seed["contacts"] = [{"id": CONTACT, "phone": "+14155550132", "dndSettings": {"SMS": {"status": "permanent"}}}]
    if name == "send_sms_missing_phone":
        seed["contacts"] = [{"id": CONTACT, "email": "mara.okafor@brightloom.example"}]
    if name == "get_contact":
        fields = {"customFields": [{"id": "cfA1", "value": "Owners Q1"}]}
        settings = {"SMS": {"status": "inactive", "message": "", "code": ""}}
        seed["contacts"] = [{"id": CONTACT, "tags": ["cold sms"], **fields, "dndSettings": settings}]
    if name == "update_contact_duplicate":
        seed["contacts"] = [{"id": CONTACT}, {"id": "otherContact0000001", "phone": "+14155550132"}]
    if name.startswith(("get_appointment", "delete_event", "contact_appointments")) and not name.endswith("missing"):
        body = next(item for item in exchanges("ghl") if item["name"] == "create_appointment")["response"]["body"]
        seed["appointments"] = [body]
    if seed:
        await sandbox.control("POST", "state/ghl", seed)
    if name == "get_appointment_orig_variant":
        await sandbox.control("POST", "options", {"provider": "ghl", "appointment_wrapper": "appointment"})
    if name == "create_appointment_slot_taken":
        created = next(item for item in exchanges("ghl") if item["name"] == "create_appointment")["request"]
        assert (await sandbox.call("ghl", "POST", created["path"], created["body"])).status_code == 200
    if name.startswith(("conversation_messages", "export_messages")):
        assert (await sandbox.call("ghl", "POST", "/conversations/messages", SMS)).status_code == 201
    if name == "conversation_messages_nested_variant":
        await fault(sandbox, "ghl", "wrong_shape")
    if name.startswith("conversation_messages"):
        return f"/conversations/{(await sandbox.state('ghl'))['conversations'][0]['id']}/messages"
    return None


@pytest.mark.parametrize("exchange", exchanges("ghl", without=GHL_SCRIPTED), ids=lambda exchange: exchange["name"])
async def test_ghl(exchange: dict[str, Any]) -> None:
    name = exchange["name"]
    async with InProcess() as sandbox:
        await sandbox.control("POST", "clock", {"now": SAMPLE_NOW})
        await sandbox.control("POST", "options", {"provider": "ghl", "export_lag_s": 0})
        if name != "upsert_contact_new":
            body = {"provider": "ghl", "bodies": [payload("ghl/sms_inbound__basic.json")]}
            await sandbox.control("POST", "learn", body)
        if name == "unauthorized":
            await sandbox.control("POST", "credentials", {"provider": "ghl", "remove": ["sandbox-ghl-token"]})
        if name in GHL_FAULTS:
            mode, rule = GHL_FAULTS[name]
            await fault(sandbox, "ghl", mode, **rule)
        path = await prepare_ghl(sandbox, name)
        if name == "export_messages_last":
            first = await sandbox.call(
                "ghl",
                "GET",
                exchange["request"]["path"],
                params={**exchange["request"]["query"], "cursor": "", "limit": "1"},
            )
            exchange["request"]["query"]["cursor"] = first.json()["nextCursor"]
            exchange["request"]["query"]["limit"] = "1"
        response = await replay(sandbox, "ghl", exchange, path=path)
        if exchange["response"]["status"] >= 400 and response.headers["content-type"].startswith("application/json"):
            documented = exchange["response"]["body"]["message"]
            assert response.json()["message"] == documented
        if name == "export_messages_last":
            assert response.json()["nextCursor"] is None


# ── Calendly ─────────────────────────────────────────────────────────────────

CALENDLY_BODIES = {"create_invitee_slot_taken": BOOKING, "create_invitee_rate_limited": BOOKING}


async def prepare_calendly(sandbox: InProcess, name: str) -> str | None:
    if name in ("create_subscription_exists",):
        created = next(item for item in exchanges("calendly") if item["name"] == "create_subscription")["request"]
        assert (await sandbox.call("calendly", "POST", created["path"], created["body"])).status_code == 201
    if name == "create_invitee_rate_limited":
        await fault(sandbox, "calendly", "rate_limit")
    if name == "plan_too_low":
        await fault(sandbox, "calendly", "status", status=403)
    if name in ("create_invitee_slot_taken", "list_events_by_invitee", "cancel_event", "cancel_event_twice"):
        booked = await sandbox.call("calendly", "POST", "/invitees", BOOKING)
        event = booked.json()["resource"]["event"].rpartition("/")[2]
        path = f"/scheduled_events/{event}/cancellation"
        if name == "cancel_event_twice":
            assert (await sandbox.call("calendly", "POST", path, {})).status_code == 201
        return path if name.startswith("cancel_event") else None
    return None


@pytest.mark.parametrize("exchange", exchanges("calendly"), ids=lambda exchange: exchange["name"])
async def test_calendly(exchange: dict[str, Any]) -> None:
    name = exchange["name"]
    async with InProcess() as sandbox:
        await sandbox.control("POST", "clock", {"now": SAMPLE_NOW})
        if name == "unauthenticated":
            await sandbox.control("POST", "credentials", {"provider": "calendly", "remove": ["sandbox-calendly-token"]})
        path = await prepare_calendly(sandbox, name)
        body = CALENDLY_BODIES.get(name)
        if name == "create_subscription_exists":
            body = next(item for item in exchanges("calendly") if item["name"] == "create_subscription")["request"][
                "body"
            ]
        response = await replay(sandbox, "calendly", exchange, path=path, body=body)
        assert "signing_key" not in response.text
        if name == "available_times":
            assert response.json()["collection"][0]["start_time"] == "2026-03-12T16:00:00Z"
        if exchange["response"]["status"] == 400:
            assert response.json() == exchange["response"]["body"]


# ── Slack ────────────────────────────────────────────────────────────────────

SLACK_NATURAL = {
    "post_ok", "post_error_channel_not_found", "post_error_not_in_channel", "post_error_is_archived",
    "post_error_msg_too_long", "post_error_invalid_blocks", "post_error_invalid_auth", "post_error_token_revoked",
    "post_ratelimited", "update_ok", "update_error_message_not_found", "update_error_cant_update_message",
    "open_dm_ok", "open_dm_user_not_found", "lookup_by_email_ok", "lookup_by_email_missing", "auth_test",
    "users_list_page", "conversations_list_page", "conversations_history", "response_url_replace", "response_url_expired",
}  # fmt: skip
CARD = [
    {"type": "section", "block_id": "s1", "text": {"type": "mrkdwn", "text": "AI reply needs review"}},
    {
        "type": "actions",
        "block_id": "review_actions_d1",
        "elements": [
            {
                "type": "button",
                "action_id": "approve_send",
                "text": {"type": "plain_text", "text": "Send"},
                "value": "{}",
            }
        ],
    },
]
DM = "D05TESTNOOR"


async def slack_body(sandbox: InProcess, name: str) -> tuple[str | None, Any]:
    """The path and body that bring about the documented answer on this workspace."""
    channels = [
        {"id": "C1", "name": "old", "is_archived": True},
        {"id": "C2", "name": "foreign", "is_member": False},
    ]
    users = [{"id": "U05TESTNOOR", "name": "noor", "email": "noor@harbourline.example"}]
    people = [{"channel": "C05ALERTS", "text": "by a person", "user": "U05TESTNOOR"}]
    await sandbox.control("POST", "state/slack", {"users": users, "channels": channels, "messages": people})
    post = {"channel": "U05TESTNOOR", "text": "AI reply needs review for Mara Okafor", "blocks": CARD}
    event = {"metadata": {"event_type": "draft_review", "event_payload": {"draftId": "draft_01"}}}
    ts = (await sandbox.call("slack", "POST", "/api/chat.postMessage", post | event)).json()["ts"]
    human = next(item for item in (await sandbox.state("slack"))["messages"] if item["text"] == "by a person")
    too_long = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}]
    bodies: dict[str, Any] = {
        "post_ok": post,
        "post_error_channel_not_found": {"channel": "D404", "text": "x"},
        "post_error_not_in_channel": {"channel": "C2", "text": "x"},
        "post_error_is_archived": {"channel": "C1", "text": "x"},
        "post_error_msg_too_long": {"channel": DM, "text": "x" * 40_001},
        "post_error_invalid_blocks": {"channel": DM, "text": "x", "blocks": too_long},
        "update_ok": {"channel": DM, "ts": ts, "text": "Sent", "blocks": []},
        "update_error_message_not_found": {"channel": DM, "ts": "1.000001", "text": "x"},
        "update_error_cant_update_message": {"channel": "C05ALERTS", "ts": human["ts"], "text": "x"},
    }
    return ts, bodies.get(name)


@pytest.mark.parametrize(
    "exchange",
    [item for item in exchanges("slack") if item["name"] in SLACK_NATURAL],
    ids=lambda exchange: exchange["name"],
)
async def test_slack(exchange: dict[str, Any]) -> None:
    name = exchange["name"]
    async with InProcess() as sandbox:
        ts, body = await slack_body(sandbox, name)
        path = None
        if name == "post_ratelimited":
            await fault(sandbox, "slack", "rate_limit")
        if name == "post_error_token_revoked":
            await fault(sandbox, "slack", "auth_revoked")
        if name == "post_error_invalid_auth":
            await sandbox.control("POST", "credentials", {"provider": "slack", "remove": ["xoxb-sandbox"]})
        if name == "conversations_history":
            exchange["request"]["query"] = {"channel": DM, "include_all_metadata": "true", "oldest": "1"}
        if name == "users_list_page":
            exchange["request"]["query"] = {"limit": "1"}
        if name == "response_url_replace":
            path, body = await clicked_url(sandbox, str(ts)), {"replace_original": True, "text": "Sent", "blocks": []}
        if name == "response_url_expired":
            path = "/actions/T1/1/gone"
        response = await replay(sandbox, "slack", exchange, path=path, body=body)
        if isinstance(exchange["response"]["body"], str):
            assert response.text == exchange["response"]["body"]
        else:
            assert response.json().get("error") == exchange["response"]["body"].get("error")


async def clicked_url(sandbox: InProcess, ts: str) -> str:
    """A response URL, as a click on the message registers it."""
    from provider_sandbox.slack_store import Store, block_actions

    store = sandbox.app.sandbox.store(Store)
    message = store.find_by_ts(ts)
    assert message is not None
    text = block_actions(
        sandbox.app.sandbox,
        message,
        action_id="approve_send",
        user_id="U05TESTNOOR",
        values={},
        response_base="http://sandbox.test/slack",
    )
    return json.loads(text)["response_url"].removeprefix("http://sandbox.test/slack")


# ── OpenAI ───────────────────────────────────────────────────────────────────

OPENAI_FAULTS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "ok_with_commentary_phase": ("commentary", {}),
    "refusal": ("refusal", {}),
    "incomplete_max_output_tokens": ("incomplete", {}),
    "incomplete_reasoning_only": ("incomplete_reasoning", {}),
    "incomplete_content_filter": ("content_filter", {}),
    "failed_server_error": ("failed", {}),
    "error_429_rate": ("rate_limit", {"retry_after": 1.53}),
    "error_500": ("status", {"status": 500}),
    "error_503": ("status", {"status": 503}),
    "error_502_html": ("html", {}),
}
OPENAI_SCRIPTED = {"error_400_context", "error_403", "error_429_slow_down", "error_429_quota"}


@pytest.mark.parametrize(
    "exchange", exchanges("openai", without=OPENAI_SCRIPTED), ids=lambda exchange: exchange["name"]
)
async def test_openai(exchange: dict[str, Any]) -> None:
    name, body = exchange["name"], json.loads(json.dumps(exchange["request"]["body"]))
    async with InProcess() as sandbox:
        if name in OPENAI_FAULTS:
            mode, rule = OPENAI_FAULTS[name]
            await fault(sandbox, "openai", mode, **rule)
        if name == "error_401":
            await sandbox.control("POST", "credentials", {"provider": "openai", "remove": ["sk-sandbox"]})
        if name == "error_400_schema":
            del body["text"]["format"]["schema"]["additionalProperties"]
        if name == "error_400_unsupported_param":
            body["temperature"] = 0.2
        if name == "error_404_model":
            body["model"] = "no-such-model"
        response = await replay(sandbox, "openai", exchange, body=body)
        if exchange["response"]["status"] == 400:
            assert response.json()["error"] == exchange["response"]["body"]["error"]
        if exchange["response"]["status"] == 200 and name != "input_tokens_count":
            documented = exchange["response"]["body"]
            seen = response.json()
            assert [item["type"] for item in seen["output"]] == [item["type"] for item in documented["output"]]
            assert (seen["status"], seen["incomplete_details"]) == (
                documented["status"],
                documented["incomplete_details"],
            )
