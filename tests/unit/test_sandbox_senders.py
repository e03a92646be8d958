"""SmartLead, Instantly and Unipile in the sandbox: the documented exchanges, and what sending and read-back rely on."""

import json
from typing import Any

import pytest

from tests.unit.sandbox_tools import DATA, SAMPLE_NOW, InProcess, payload, shape_problems
from zrg_dagster.core.text.mail_html import text_to_html

KEY = {"api_key": "sandbox-smartlead-key"}
ACCOUNT = "Kd82nVtQRcW0pZ5mXyLs4A"
LEARNED = {
    "smartlead": "smartlead/EMAIL_REPLY__docs_flat.json",
    "instantly": "instantly/reply_received__v2.json",
    "unipile": "unipile/message_received__inbound.json",
}
# What only a fault or a removed credential brings about.
FAULTS: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {
    ("smartlead", "rate_limited"): ("rate_limit", {"retry_after": 2}),
    ("instantly", "rate_limited"): ("rate_limit", {}),
    ("instantly", "unauthorized"): ("auth_revoked", {}),
    ("unipile", "rate_limited"): ("rate_limit", {}),
    ("unipile", "timeout_504"): ("status", {"status": 504}),
    ("unipile", "our_key_missing"): ("auth_revoked", {}),
}
# Answers that are a script's alone: a plan, a limit of the account.
SCRIPTED = {("instantly", "no_paid_plan"), ("unipile", "throttled_24h")}
PEOPLE = [
    {"provider_id": "ACoAADx91RwBkT6mZqLs3vYcHn8GpWf5UoEjDbA", "network_distance": "FIRST_DEGREE",
     "public_identifier": "mara-okafor-brightloom"},
    {"provider_id": "ACoAABJoren01", "network_distance": "THIRD_DEGREE", "public_identifier": "joren-vasquez"},
    {"provider_id": "ACoAABPim02", "public_identifier": "pim-achterberg",
     "invitation": {"type": "SENT", "status": "PENDING"}},
]  # fmt: skip
CHAT = {"id": "cH4tZ81RkLmQwVx", "account_id": ACCOUNT, "attendee_provider_id": PEOPLE[0]["provider_id"]}


def recorded() -> list[tuple[str, dict[str, Any]]]:
    return [
        (vendor, exchange)
        for vendor in LEARNED
        for exchange in json.loads((DATA / "api" / f"{vendor}.json").read_text())
        if (vendor, exchange["name"]) not in SCRIPTED
    ]


async def prepare(sandbox: InProcess, vendor: str, name: str) -> None:
    await sandbox.control("POST", "clock", {"now": SAMPLE_NOW})
    await sandbox.control("POST", "learn", {"provider": vendor, "bodies": [payload(LEARNED[vendor])]})
    if vendor == "unipile":
        people = [{**each, "is_open_profile": name in ("profile_not_connected_open", "start_chat_inmail_ok",
                                                       "start_chat_no_credits")} for each in PEOPLE]  # fmt: skip
        gone = [ACCOUNT] if name == "account_disconnected" else []
        spent = {"credits": 0} if name == "start_chat_no_credits" else {}
        await sandbox.control(
            "POST", "state/unipile", {"profiles": people, "chats": [CHAT], "disconnected": gone, **spent}
        )
    if vendor == "smartlead" and name == "reply_ok_plain_text":
        await sandbox.control("POST", "options", {"provider": vendor, "plain_success": True})
    if name == "message_history_new_docs":
        await sandbox.control("POST", "options", {"provider": vendor, "history_shape": "messages"})
    if (vendor, name) in FAULTS:
        mode, rule = FAULTS[(vendor, name)]
        await sandbox.control("POST", "faults", {"provider": vendor, "mode": mode, "times": 1, **rule})
    if name == "list_emails_thread":
        sent = {"reply_to_uuid": "x", "eaccount": "a@b.example", "subject": "Re", "body": {"text": "x"}}
        await sandbox.control("POST", "options", {"provider": vendor, "adopt_unknown": True})
        await sandbox.call(vendor, "POST", "/api/v2/emails/reply", sent)
    if name == "list_campaigns":
        rows = [{"id": "c1"}, {"id": "c2"}]
        await sandbox.control("POST", "state/instantly", {"campaigns": rows})
    if name == "chat_messages":
        await sandbox.call(vendor, "POST", f"/api/v1/chats/{CHAT['id']}/messages", {"text": "x", "account_id": ACCOUNT})


@pytest.mark.parametrize(
    "vendor, exchange", recorded(), ids=lambda each: each if isinstance(each, str) else each["name"]
)
async def test_the_documented_exchange(vendor: str, exchange: dict[str, Any]) -> None:
    request, expected, name = exchange["request"], exchange["response"], exchange["name"]
    async with InProcess() as sandbox:
        await prepare(sandbox, vendor, name)
        query = dict(request.get("query") or {})
        if query.get("api_key") == "…":
            query |= KEY
        if name == "list_emails_thread":
            query["search"] = f"thread:{(await sandbox.state(vendor))['emails'][-1]['thread_id']}"
        body = request.get("body")
        if vendor == "unipile" and name in ("rate_limited", "timeout_504"):
            body = {"account_id": ACCOUNT, "attendees_ids": [PEOPLE[0]["provider_id"]], "text": "Hi"}
        response = await sandbox.call(vendor, request["method"], request["path"], body, params=query)
        assert response.status_code == expected["status"], response.text
        if isinstance(expected["body"], str):
            assert response.text == expected["body"]
        elif expected["status"] >= 400:
            words = ("type",) if vendor == "unipile" else ("message",)
            assert [response.json()[word] for word in words] == [expected["body"][word] for word in words]
        else:
            assert shape_problems(expected["body"], response.json()) == []


async def test_the_vendors_recipient_rules() -> None:
    """Instantly knows the recipient from the mail; SmartLead takes what it is given."""
    async with InProcess() as sandbox:
        for vendor in ("smartlead", "instantly"):
            await prepare(sandbox, vendor, "")
        mail = payload(LEARNED["instantly"])
        body = {"reply_to_uuid": mail["email_id"], "eaccount": "a@b.example", "subject": "Re", "body": {"text": "x"}}
        sent = (await sandbox.call("instantly", "POST", "/api/v2/emails/reply", body)).json()
        assert sent["to_address_email_list"] == mail["lead_email"]
        stats = payload(LEARNED["smartlead"])["stats_id"]
        body = {"email_stats_id": stats, "email_body": text_to_html("x"), "to_email": "boss@pelicanfreight.example"}
        path = "/api/v1/campaigns/88412/reply-email-thread"
        assert (await sandbox.call("smartlead", "POST", path, body, params=KEY)).status_code == 200
        assert (await sandbox.state("smartlead"))["sent"][0]["to"] == "boss@pelicanfreight.example"


async def test_who_is_stopped_is_remembered() -> None:
    async with InProcess() as sandbox:
        await prepare(sandbox, "smartlead", "")
        [lead] = (await sandbox.state("smartlead"))["leads"]
        path = f"/api/v1/leads/{lead['id']}/unsubscribe"
        assert (await sandbox.call("smartlead", "POST", path, {}, params=KEY)).status_code == 200
        unknown = "/api/v1/leads/nobody/unsubscribe"
        assert (await sandbox.call("smartlead", "POST", unknown, {}, params=KEY)).status_code == 404
        assert (await sandbox.state("smartlead"))["leads"][0]["is_unsubscribed"] is True
        for _ in range(2):
            blocked = await sandbox.call(
                "instantly", "POST", "/api/v2/block-lists-entries", {"bl_value": "A@B.example"}
            )
            assert blocked.json()["bl_value"] == "a@b.example"
        assert (await sandbox.call("instantly", "POST", "/api/v2/block-lists-entries", {})).status_code == 400
        assert [entry["bl_value"] for entry in (await sandbox.state("instantly"))["blocked"]] == ["a@b.example"]


async def listed(sandbox: InProcess, vendor: str) -> int:
    """How many sent messages the vendor's own lists show."""
    if vendor == "smartlead":
        path = "/api/v1/campaigns/88412/leads/5512007/message-history"
        history = (await sandbox.call(vendor, "GET", path, params=KEY)).json()["history"]
        return sum(item["time"] >= "2026-03-10T17" for item in history)
    if vendor == "instantly":
        return len((await sandbox.call(vendor, "GET", "/api/v2/emails?email_type=manual")).json()["items"])
    if vendor == "ghl":
        path = "/conversations/messages/export?locationId=vQ7mZ2xKc9TfLp4RdWnA"
        return len((await sandbox.call(vendor, "GET", path)).json()["messages"])
    if vendor == "emailbison":
        return len((await sandbox.call(vendor, "GET", "/api/replies?folder=sent")).json()["data"])
    return len((await sandbox.call(vendor, "GET", f"/api/v1/chats/{CHAT['id']}/messages")).json()["items"])


async def write(sandbox: InProcess, vendor: str) -> int:
    calls: dict[str, tuple[str, Any, dict[str, str]]] = {
        "smartlead": (
            "/api/v1/campaigns/88412/reply-email-thread",
            {"email_stats_id": "1c7e55aa-88a0-4c59-9f0e-f0a2c1d3b6e7", "email_body": "<p>x</p>"},
            KEY,
        ),
        "instantly": (
            "/api/v2/emails/reply",
            {"reply_to_uuid": "u", "eaccount": "a@b.example", "subject": "Re", "body": {"text": "x"}},
            {},
        ),
        "unipile": (f"/api/v1/chats/{CHAT['id']}/messages", {"text": "x", "account_id": ACCOUNT}, {}),
        "ghl": ("/conversations/messages", {"type": "SMS", "contactId": "c", "message": "x"}, {}),
        "emailbison": ("/api/replies/77/reply", {"message": "x", "reply_all": True}, {}),
    }
    path, body, params = calls[vendor]
    return (await sandbox.call(vendor, "POST", path, body, params=params)).status_code


@pytest.mark.parametrize("vendor", ["emailbison", "ghl", "smartlead", "instantly", "unipile"])
async def test_a_message_shows_late_or_never_but_was_accepted(vendor: str) -> None:
    async with InProcess() as sandbox:
        await sandbox.control("POST", "clock", {"now": SAMPLE_NOW})
        if vendor in LEARNED:
            await prepare(sandbox, vendor, "")
        late = {"visible_after_min_s": 30, "visible_after_max_s": 60}
        await sandbox.control("POST", "options", {"provider": vendor, "adopt_unknown": True, **late})
        assert await write(sandbox, vendor) < 300
        assert await listed(sandbox, vendor) == 0
        await sandbox.control("POST", "clock", {"advance_s": 61})
        assert await listed(sandbox, vendor) == 1
        await sandbox.control("POST", "options", {"provider": vendor, "never_visible": 1})
        assert await write(sandbox, vendor) < 300
        await sandbox.control("POST", "clock", {"advance_s": 3600})
        assert await listed(sandbox, vendor) == 1


async def test_a_second_invitation_is_refused_and_read_back_by_person() -> None:
    async with InProcess() as sandbox:
        await prepare(sandbox, "unipile", "")
        body = {"account_id": ACCOUNT, "provider_id": "ACoAABJoren01", "message": "Hi"}
        assert (await sandbox.call("unipile", "POST", "/api/v1/users/invite", body)).status_code == 201
        again = await sandbox.call("unipile", "POST", "/api/v1/users/invite", body)
        assert again.json()["type"] == "errors/already_invited_recently"
        profile = await sandbox.call("unipile", "GET", f"/api/v1/users/joren-vasquez?account_id={ACCOUNT}")
        assert profile.json()["invitation"] == {"type": "SENT", "status": "PENDING"}
        sent = (await sandbox.call("unipile", "GET", f"/api/v1/users/invite/sent?account_id={ACCOUNT}")).json()["items"]
        assert [item["invited_user_id"] for item in sent] == ["ACoAABJoren01"]


async def test_instantly_allows_twenty_lists_a_minute() -> None:
    async with InProcess() as sandbox:
        answers = [(await sandbox.call("instantly", "GET", "/api/v2/emails")).status_code for _ in range(21)]
        assert answers == [200] * 20 + [429]
