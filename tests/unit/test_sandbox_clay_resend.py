"""Clay and Resend in the sandbox: the documented answers, and events that the product's own doors and parsers take."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import httpx
import pytest

from tests.unit.sandbox_tools import SAMPLE_NOW, InProcess
from tests.unit.test_sandbox_control import Receiver
from tests.unit.test_sandbox_exchanges import exchanges, replay
from zrg_dagster.core.providers.clay import parse as clay_parse
from zrg_dagster.core.providers.clay.client import ClayClient
from zrg_dagster.core.providers.clay.door import DOOR as CLAY
from zrg_dagster.core.providers.door import Delivery, Door, Route
from zrg_dagster.core.providers.outcome import Accepted, Blocked
from zrg_dagster.core.providers.resend import parse as resend_parse
from zrg_dagster.core.providers.resend.door import DOOR as RESEND

URL = "http://127.0.0.1:1/hook?clientId=harbourline"
NOW = datetime.fromisoformat(SAMPLE_NOW)
LEAD = UUID(int=3)
TABLE = "http://sandbox.test/clay/v3/sources/webhook"
CLAY_SECRET, RESEND_SECRET = "clay-static-9be2", "whsec_aGFyYm91cmxpbmUtcmVzZW5kLXRlc3Qh"
MAIL = {"from": "Alerts <alerts@mail.harbourline.example>", "to": ["noor@harbourline.example"], "subject": "Waiting"}


def taken_in(door: Door, secret: str, request: httpx.Request) -> Delivery:
    """The webhook as the receiver sees it, verified by the product's door."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    query = dict(parse_qsl(request.url.query.decode()))
    delivery = Delivery("POST", {}, query, headers, request.content, NOW, "application/json")
    door.verify(delivery, [secret], NOW)
    route = Route(door.provider, "harbourline", LEAD, "harbourline", secrets=(secret,))
    assert len(door.identify(delivery, route).delivery_key) == 32
    return delivery


async def aimed(sandbox: InProcess, provider: str, **target: Any) -> Receiver:
    """Webhooks of the provider are caught, without delay, at the samples' time."""
    await sandbox.control("POST", "clock", {"now": SAMPLE_NOW})
    receiver = Receiver(sandbox)
    await sandbox.control("POST", "webhooks/target", {"provider": provider, "url": URL, **target})
    option = "answer_delay_s" if provider == "clay" else "event_delay_s"
    await sandbox.control("POST", "options", {"provider": provider, option: 0})
    return receiver


# ── Clay ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("exchange", exchanges("clay"), ids=lambda exchange: exchange["name"])
async def test_clays_answers_are_the_documented_ones(exchange: dict[str, Any]) -> None:
    async with InProcess() as sandbox:
        table = exchange["request"]["path"].rpartition("/")[2]
        changes = {"table_deleted": {"deleted": True}, "limit_50000_reached": {"rows": 50_000}}
        if change := changes.get(exchange["name"]):
            await sandbox.control("POST", "state/clay", {"tables": [{"id": table, **change}]})
        await replay(sandbox, "clay", exchange)


@pytest.mark.parametrize(
    "kind, found",
    [("phone", {"phone": "+14155550132"}), ("linkedin", {"linkedinUrl": "https://linkedin.com/in/mara-okafor"})],
)
async def test_a_row_of_ours_comes_back_as_an_answer_that_we_read(kind: str, found: dict[str, str]) -> None:
    async with InProcess() as sandbox:
        receiver = await aimed(sandbox, "clay", secret=CLAY_SECRET, header="x-clay-signature")
        result = {"email": "Mara@brightloom.example", "kind": kind, **found}
        await sandbox.control("POST", "state/clay", {"results": [result]})
        row = {"leadId": str(LEAD), "emailAddress": "mara@brightloom.example"}
        assert isinstance(await ClayClient(sandbox.http).submit(f"{TABLE}/{kind}-1", row, None), Accepted)
        await receiver.wait(1)
        delivery = taken_in(CLAY, CLAY_SECRET, receiver.requests[0])
        parsed = clay_parse.parse(delivery.body, received_at=NOW, scope="harbourline")
        assert parsed.enrichment is not None
        assert (parsed.enrichment.kind, parsed.enrichment.status) == (kind, "success")
        assert parsed.enrichment.lead_id == str(LEAD)
        state = await sandbox.state("clay")
        assert (state["tables"][0]["rows"], state["rows"][0]["leadId"]) == (1, str(LEAD))


async def test_somebody_unknown_is_not_found_and_a_scripted_failure_fails() -> None:
    async with InProcess() as sandbox:
        receiver = await aimed(sandbox, "clay", secret=CLAY_SECRET, header="x-clay-signature")
        scripted = {"email": "a@b.example", "kind": "phone", "status": "error", "error": "no credits"}
        await sandbox.control("POST", "state/clay", {"results": [scripted]})
        for number, (address, status) in enumerate([("x@y.example", "not_found"), ("a@b.example", "failed")], 1):
            row = {"leadId": str(LEAD), "emailAddress": address}
            await ClayClient(sandbox.http).submit(f"{TABLE}/t", row, None)
            await receiver.wait(number)
            parsed = clay_parse.parse(receiver.requests[-1].content, received_at=NOW, scope="s")
            assert parsed.enrichment is not None
            assert parsed.enrichment.status == status


async def test_a_source_with_auth_asks_for_its_token_and_a_full_one_says_so() -> None:
    async with InProcess() as sandbox:
        await sandbox.control("POST", "options", {"provider": "clay", "require_token": True, "rows_per_table": 1})
        client = ClayClient(sandbox.http)
        refused = await client.submit(f"{TABLE}/t", {"leadId": "1"}, None)
        assert (refused.call_class.value, (await sandbox.state("clay"))["rows"]) == ("permanent", [])
        assert isinstance(await client.submit(f"{TABLE}/t", {"leadId": "1"}, "sandbox-clay-token"), Accepted)
        full = await client.submit(f"{TABLE}/t", {"leadId": "2"}, "sandbox-clay-token")
        assert isinstance(full, Blocked)
        recorded = (await sandbox.control("GET", "requests?provider=clay"))["requests"]
        assert "sandbox-clay-token" not in json.dumps(recorded)


# ── Resend ───────────────────────────────────────────────────────────────────

# Answers of the account's plan and of the vendor's guards: only a fault rule can produce them.
SCRIPTED = {
    *(
        "error_400_validation_error",
        "error_401_restricted_api_key",
        "error_403_validation_error",
        "error_404_not_found",
    ),
    *("error_405_method_not_allowed", "error_409_concurrent_idempotent_requests", "error_422_invalid_attachment"),
    *("error_429_daily_quota_exceeded", "error_429_monthly_quota_exceeded", "error_451_security_error"),
    *("error_500_application_error", "error_500_internal_server_error", "error_429_rate_limit_exceeded"),
}
Change = Callable[[dict[str, Any]], dict[str, Any]]
CHANGES: dict[str, Change] = {
    "error_422_missing_required_field": lambda body: {name: value for name, value in body.items() if name != "subject"},
    "error_422_invalid_from_address": lambda body: {**body, "from": "nobody"},
}


@pytest.mark.parametrize(
    "exchange",
    [each for each in exchanges("resend", without=SCRIPTED) if each["name"] not in ("get_email",)],
    ids=lambda exchange: exchange["name"],
)
async def test_resends_answers_are_the_documented_ones(exchange: dict[str, Any]) -> None:
    name, expected = exchange["name"], exchange["response"]
    headers = {"Idempotency-Key": "k" * (300 if name == "error_400_invalid_idempotency_key" else 20)}
    headers["Authorization"] = {"error_401_missing_api_key": "", "error_403_invalid_api_key": "Bearer re_other"}.get(
        name, "Bearer re_sandbox"
    )
    body = CHANGES.get(name, dict)(exchange["request"]["body"])
    async with InProcess() as sandbox:
        if name == "error_409_invalid_idempotent_request":
            await sandbox.call("resend", "POST", "/emails", {**body, "subject": "Another"}, headers=headers)
        answer = await sandbox.call("resend", "POST", "/emails", body, headers=headers)
        assert answer.status_code == expected["status"]
        said = answer.json()
        if "name" in expected["body"]:
            assert said["name"] == expected["body"]["name"]
        else:
            shown = (await sandbox.call("resend", "GET", f"/emails/{said['id']}")).json()
            documented = next(each for each in exchanges("resend") if each["name"] == "get_email")["response"]["body"]
            assert set(shown) == set(documented)
        assert [header for header in expected.get("headers", {}) if header not in answer.headers] == []


async def test_a_key_answers_the_first_id_for_a_day() -> None:
    async with InProcess() as sandbox:
        await sandbox.control("POST", "clock", {"now": SAMPLE_NOW})
        headers = {"Idempotency-Key": "digest/1"}

        async def sent(**change: Any) -> httpx.Response:
            return await sandbox.call("resend", "POST", "/emails", {**MAIL, **change}, headers=headers)

        first = (await sent()).json()["id"]
        assert (await sent()).json()["id"] == first
        assert (await sent(subject="Other")).status_code == 409
        assert len((await sandbox.state("resend"))["mails"]) == 1
        await sandbox.control("POST", "clock", {"advance_s": 24 * 3600})
        assert (await sent(subject="Other")).json()["id"] != first


@pytest.mark.parametrize("bounces", [False, True])
async def test_what_became_of_a_mail_is_told_with_a_signature_that_our_door_takes(bounces: bool) -> None:
    async with InProcess() as sandbox:
        receiver = await aimed(sandbox, "resend", secret=RESEND_SECRET)
        if bounces:
            await sandbox.control("POST", "state/resend", {"bouncing": MAIL["to"]})
        tags = [{"name": "kind", "value": "digest"}]
        batch = await sandbox.call("resend", "POST", "/emails/batch", [{**MAIL, "tags": tags}])
        await receiver.wait(2)
        deliveries = [taken_in(RESEND, RESEND_SECRET, request) for request in receiver.requests]
        bodies = [json.loads(delivery.body) for delivery in deliveries]
        assert {body["type"] for body in bodies} == {"email.sent", "email.bounced" if bounces else "email.delivered"}
        assert {body["data"]["email_id"] for body in bodies} == {batch.json()["data"][0]["id"]}
        assert bodies[0]["data"]["tags"] == {"kind": "digest"}
        parsed = [resend_parse.parse(each.body, received_at=datetime.now(UTC), scope="s") for each in deliveries]
        assert [signal.value for each in parsed for signal in each.signals] == (["bounced"] if bounces else [])
