"""The control plane: recordings, webhooks, clock, and the refusal to start in the wrong place."""

import asyncio
import hashlib
import hmac
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from provider_sandbox import state
from provider_sandbox.__main__ import refusal
from provider_sandbox.webhooks import TargetError, check_url
from tests.unit.sandbox_tools import DATA, SAMPLE_NOW, InProcess, payload, server

URL = "http://127.0.0.1:1/hook"
BOOKING = {
    "event_type": "https://api.calendly.com/event_types/8b2e4d10-55aa-4f3c-b7d9-1c0e9a8f7b6d",
    "start_time": "2026-03-12T17:00:00Z",
    "invitee": {"name": "Mara Okafor", "email": "mara.okafor@brightloom.example", "timezone": "America/Los_Angeles"},
}
REPLY = {"message": "ok", "reply_all": True}


class Receiver:
    """Answers the sandbox's webhooks with the given statuses, then 200."""

    def __init__(self, sandbox: InProcess, *statuses: int) -> None:
        self.requests: list[httpx.Request] = []
        self.statuses = list(statuses)
        sandbox.app.webhooks._client = httpx.AsyncClient(transport=httpx.MockTransport(self.answer))

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(self.statuses.pop(0) if self.statuses else 200)

    async def wait(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.requests) < count:
                await asyncio.sleep(0.01)


async def test_requests_are_recorded_with_secrets_masked() -> None:
    async with InProcess() as sandbox:
        body = {"url": "https://x.example", "events": ["invitee.created"], "organization": "o", "scope": "organization"}
        await sandbox.call("calendly", "POST", "/webhook_subscriptions", body | {"signing_key": "very-secret"})
        await sandbox.call("slack", "POST", "/api/auth.test")
        found = (await sandbox.control("GET", "requests?provider=calendly"))["requests"]
        assert [(item["method"], item["path"], item["status"]) for item in found] == [
            ("POST", "/webhook_subscriptions", 201)
        ]
        assert found[0]["headers"]["authorization"] == "Bearer ***"
        assert found[0]["body"]["signing_key"] == "***"
        assert found[0]["response"]["resource"]["state"] == "active"
        after = await sandbox.control("GET", f"requests?after_id={found[0]['id']}")
        assert [item["provider"] for item in after["requests"]] == ["slack"]


async def test_the_recorder_forgets_the_oldest_above_its_byte_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "MAX_RECORDED_BYTES", 20_000)
    async with InProcess() as sandbox:
        await sandbox.call("ghl", "GET", "/contacts/c1")
        for number in range(40):
            text = f"{number:03d}" + "x" * 1_000
            await sandbox.call("slack", "POST", "/api/chat.postMessage", {"channel": "#alerts", "text": text})
        seen = await sandbox.control("GET", "requests")
        first, *kept = seen["requests"]
        assert first["provider"] == "ghl", "nobody else's requests push it out"
        assert 1 <= len(kept) < 20
        assert kept[-1]["body"]["text"].startswith("039")
        assert seen["forgotten"] == {"slack": 40 - len(kept)}
        assert (await sandbox.control("GET", "health"))["requests"] == {"ghl": 1, "slack": 40}


def test_a_store_forgets_its_oldest_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "MAX_STORED_ITEMS", 3)
    kept = state.BoundedDict()
    for number in range(5):
        kept.setdefault(number, str(number))
    assert list(kept) == [2, 3, 4]


def test_ids_are_unique_and_survive_a_restart() -> None:
    first, second = state.Ids(), state.Ids()
    texts = [source.alnum() for source in (first, second) for _ in range(500)]
    uuids = [source.uuid() for source in (first, second) for _ in range(500)]
    assert len(set(texts)) == len(set(uuids)) == 1_000
    assert {len(text) for text in texts} == {20}


async def test_side_effects_have_webhooks_only_after_a_target_was_set() -> None:
    async with InProcess() as sandbox:
        receiver = Receiver(sandbox)
        learned = {"provider": "emailbison", "bodies": [payload("emailbison/LEAD_REPLIED__basic.json")]}
        await sandbox.control("POST", "learn", learned)
        await sandbox.control("POST", "options", {"provider": "emailbison", "echo_delay_s": 0})
        await sandbox.call("emailbison", "POST", "/api/replies/4401877/reply", REPLY)
        assert (await sandbox.control("GET", "health"))["pending_echoes"] == 0
        target = {"provider": "emailbison", "url": f"{URL}?clientId=c1", "secret": "k1", "header": "x-zrg-key"}
        await sandbox.control("POST", "webhooks/target", target)
        await sandbox.call("emailbison", "POST", "/api/replies/4401877/reply", REPLY)
        await receiver.wait(1)
        event = json.loads(receiver.requests[0].content)
        documented = payload("emailbison/MANUAL_EMAIL_SENT__reply.json")
        assert event["event"]["type"] == "MANUAL_EMAIL_SENT"
        assert set(documented["data"]) <= set(event["data"])
        assert set(documented["data"]["reply"]) <= set(event["data"]["reply"])
        assert receiver.requests[0].headers["x-zrg-key"] == "k1"
        assert str(receiver.requests[0].url) == f"{URL}?clientId=c1"


async def test_a_booking_fires_a_signed_webhook_and_duplicate_fires_it_twice() -> None:
    async with InProcess() as sandbox:
        receiver = Receiver(sandbox)
        await sandbox.control("POST", "clock", {"now": SAMPLE_NOW})
        await sandbox.control("POST", "webhooks/target", {"provider": "calendly", "url": URL, "secret": "cal-key"})
        await sandbox.control("POST", "faults", {"provider": "calendly", "mode": "duplicate", "times": 1})
        booked = (await sandbox.call("calendly", "POST", "/invitees", BOOKING)).json()["resource"]
        await receiver.wait(2)
        first, second = receiver.requests
        assert first.content == second.content
        body = json.loads(first.content)
        documented = payload("calendly/invitee.created__basic.json")
        assert (body["event"], body["payload"]["uri"]) == ("invitee.created", booked["uri"])
        assert set(documented["payload"]) <= set(body["payload"])
        parts = dict(item.split("=") for item in first.headers["calendly-webhook-signature"].split(","))
        signed = f"{parts['t']}.".encode() + first.content
        assert parts["v1"] == hmac.new(b"cal-key", signed, hashlib.sha256).hexdigest()
        assert abs(int(parts["t"]) - 1773162300) < 60


async def test_an_echo_is_redelivered_until_the_receiver_takes_it() -> None:
    async with InProcess() as sandbox:
        receiver = Receiver(sandbox, 503)
        await sandbox.control("POST", "clock", {"now": SAMPLE_NOW})
        await sandbox.control("POST", "webhooks/target", {"provider": "calendly", "url": URL, "secret": "k"})
        await sandbox.call("calendly", "POST", "/invitees", BOOKING)
        await receiver.wait(2)
        results = (await sandbox.control("GET", "webhooks?provider=calendly"))["deliveries"]
        assert results[0]["status"] == 503


@pytest.mark.parametrize("tamper", ["body", "signature", "timestamp"])
async def test_tampering_breaks_exactly_what_it_names(tamper: str) -> None:
    async with InProcess() as sandbox:
        receiver = Receiver(sandbox)
        order: dict[str, Any] = {"provider": "calendly", "body": {"event": "x"}, "target": URL, "secret": "k"}
        await sandbox.control("POST", "webhooks/fire", order | {"tamper": tamper})
        request = receiver.requests[0]
        parts = dict(item.split("=") for item in request.headers["calendly-webhook-signature"].split(","))
        signed = f"{parts['t']}.".encode() + request.content
        valid = parts["v1"] == hmac.new(b"k", signed, hashlib.sha256).hexdigest()
        fresh = abs(int(parts["t"]) - int(sandbox.app.sandbox.clock.now().timestamp())) < 60
        assert (valid, fresh) == (tamper == "timestamp", tamper != "timestamp")


async def test_firing_teaches_the_sandbox_the_ids_it_speaks_of() -> None:
    async with InProcess() as sandbox:
        Receiver(sandbox)
        order = {"provider": "emailbison", "body": payload("emailbison/LEAD_REPLIED__basic.json"), "target": URL}
        fired = await sandbox.control("POST", "webhooks/fire", order | {"repeat": 3})
        assert [item["status"] for item in fired["deliveries"]] == [200, 200, 200]
        answer = await sandbox.call("emailbison", "POST", "/api/replies/4401877/reply", REPLY)
        assert answer.status_code == 200


async def test_the_marketplace_signature_verifies_with_the_test_key() -> None:
    async with InProcess() as sandbox:
        receiver = Receiver(sandbox)
        seed = "d508fb47af08dc05f7c33bc4f51896ee290eee1d65282bc19279e0927779d6bd"
        body = '{"type":"InboundMessage","locationId":"L1"}'
        order = {"provider": "ghl", "body": body, "target": URL, "ed25519_seed": seed}
        await sandbox.control("POST", "webhooks/fire", order)
        expected = "giylVW1M0AX2+UFXdX53lgRy+6QR47c5eV6Yk2gmwUsycD7FPb3VY67OlhXjspZkDbTS9WM02qduP09MLEICCQ=="
        assert receiver.requests[0].headers["x-ghl-signature"] == expected


async def test_reset_returns_to_the_state_of_a_fresh_process() -> None:
    async with InProcess() as sandbox:
        fresh = {name: await sandbox.state(name) for name in ("emailbison", "ghl", "calendly", "slack")}
        await sandbox.control("POST", "faults", {"provider": "ghl", "mode": "status"})
        await sandbox.control("POST", "latency", {"provider": "ghl", "seconds": 9})
        await sandbox.control("POST", "clock", {"advance_s": 86_400})
        await sandbox.control("POST", "credentials", {"provider": "ghl", "remove": ["sandbox-ghl-token"]})
        await sandbox.control("POST", "state/ghl", {"contacts": [{"id": "c"}]})
        await sandbox.call("slack", "POST", "/api/chat.postMessage", {"channel": "#alerts", "text": "x"})
        await sandbox.control("POST", "reset")
        assert {name: await sandbox.state(name) for name in fresh} == fresh
        assert (await sandbox.control("GET", "requests"))["total"] == 0
        assert (await sandbox.call("ghl", "GET", "/users/?locationId=x")).status_code == 200


@pytest.mark.parametrize(
    "path, body, named",
    [
        ("latency", {"provider": "nobody", "seconds": 1}, "provider"),
        ("latency", {"provider": "ghl", "seconds": -1}, "seconds"),
        ("options", {"provider": "ghl", "speed": 1}, "speed"),
        ("clock", {"now": "yesterday"}, "now"),
        ("state/slack", {"users": [{"id": "U1"}]}, "email"),
        ("state/ghl", {"contacts": [{}]}, "id"),
        ("learn", {"provider": "ghl"}, "bodies"),
        ("webhooks/target", {"provider": "ghl", "url": "https://hooks.example/x"}, "loopback"),
        ("webhooks/fire", {"provider": "ghl", "target": URL}, "body"),
        ("webhooks/fire", {"provider": "ghl", "target": URL, "fixture": "a.json"}, "--fixtures"),
    ],
)
async def test_a_wrong_control_call_is_refused_by_name(path: str, body: Any, named: str) -> None:
    async with InProcess() as sandbox:
        refused = await sandbox.http.post(f"/_control/{path}", json=body)
        assert refused.status_code == 422
        assert named in refused.json()["error"]


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "http://127.0.0.1.evil.example/", "file:///etc/passwd", "", None])
def test_webhooks_go_to_loopback_only(url: Any) -> None:
    with pytest.raises(TargetError):
        check_url(url)


@pytest.mark.parametrize(
    "host, environment, starts",
    [
        ("127.0.0.1", "development", True),
        ("::1", "", True),
        ("localhost", "", True),
        ("127.0.0.1", "production", False),
        ("127.0.0.1", " Production ", False),
        ("0.0.0.0", "development", False),
        ("example.org", "", False),
    ],
)
def test_where_it_starts(host: str, environment: str, starts: bool) -> None:
    assert (refusal(host, environment) is None) is starts


def test_production_is_refused_in_one_line_with_exit_code_2() -> None:
    command = [sys.executable, "-m", "provider_sandbox", "--port", "0"]
    ended = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "ZRG_ENV": "production"}, timeout=30
    )
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert len(ended.stderr.strip().splitlines()) == 1
    assert "production" in ended.stderr


def test_a_port_in_use_is_named() -> None:
    with server() as base:
        port = base.rpartition(":")[2]
        command = [sys.executable, "-m", "provider_sandbox", "--port", port]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert ended.returncode == 2
    assert port in ended.stderr


async def test_fixtures_are_sent_byte_for_byte_and_stay_in_their_folder() -> None:
    from provider_sandbox.app import SandboxApp

    async with InProcess() as sandbox:
        sandbox.app = SandboxApp(fixtures=str(DATA / "payloads"))
        transport = httpx.ASGITransport(app=sandbox.app)
        sandbox.http = httpx.AsyncClient(transport=transport, base_url="http://sandbox.test")
        receiver = Receiver(sandbox)
        name = "ghl/sms_inbound__emoji_multiline.json"
        await sandbox.control("POST", "webhooks/fire", {"provider": "ghl", "fixture": name, "target": URL})
        assert receiver.requests[0].content == (DATA / "payloads" / name).read_bytes()
        form = "slack/block_actions__approve_send.form.json"
        order = {"provider": "slack", "fixture": form, "target": URL, "secret": "s"}
        await sandbox.control("POST", "webhooks/fire", order)
        assert receiver.requests[1].headers["content-type"] == "application/x-www-form-urlencoded"
        assert receiver.requests[1].content.decode() == payload(form)["raw"]
        outside = {"provider": "ghl", "fixture": "../../../pyproject.toml", "target": URL}
        refused = await sandbox.http.post("/_control/webhooks/fire", json=outside)
        assert refused.status_code == 422


def test_the_package_imports_nothing_of_the_product() -> None:
    package = Path(state.__file__).parent
    for path in package.glob("*.py"):
        text = path.read_text()
        assert "zrg_dagster" not in text, path.name
        assert "webhook_receiver" not in text, path.name
