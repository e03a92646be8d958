"""The door on a real database: what it accepts and refuses, and that it never acknowledges what is not committed."""

import asyncio
import io
import json
import time
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import httpx
import psycopg
import pytest

from tests.integration.receiver_support import (
    CALENDLY_SECRET,
    EMAIL_PATH,
    EMAIL_SECRET,
    GHL_SECRET,
    HOST,
    JSON_TYPE,
    PAYLOADS,
    SLACK_SECRET,
    UNIPILE_ACCOUNT,
    UNIPILE_SECRET,
    WORKSPACE,
    Receiver,
    add_workspace,
    running_receiver,
    sent_event,
    set_clock,
    signed_by_ghl,
    wire_body,
)
from zrg_dagster.core.base.log import configure_logging

MANIFEST: list[dict[str, Any]] = json.loads((PAYLOADS / "manifest.json").read_text())
SIGNED = {entry["file"]: entry["headers"] for entry in json.loads((PAYLOADS / "signatures.json").read_text())}
SERVED = (
    *("/api/webhooks/email", "/api/webhooks/smartlead", "/api/webhooks/instantly", "/api/webhooks/ghl/sms"),
    *("/api/webhooks/calendly/", "/api/webhooks/slack/interactions"),
    *("/api/webhooks/linkedin", "/api/webhooks/clay", "/api/webhooks/ghl/app", "/api/webhooks/resend"),
)
CLOCK = {"calendly": 1773162073, "slack": 1773162411, "resend": 1773162604, "instantly": 1773168600}
APP_FEED = "ghl/marketplace_"
APP_CLOCK = 1773162311
SAMPLE_WEBHOOK_ID = b"b1f2d0de-7a11-4f38-8a34-0c2f7f3d9901"  # the same in all of them; a vendor gives each its own

# Where the platform's rule differs from the manifest's note: an authenticated delivery that can be decoded is always
# stored and answered 200, however odd its shape is. It is quarantined later, where a person can see and replay it.
STORED_ANYWAY = {
    "emailbison/EMAIL_SENT__missing_lead_email.json",
    "emailbison/EMAIL_SENT__missing_scheduled_email_id.json",
    "emailbison/LEAD_REPLIED__missing_from.json",
    "emailbison/LEAD_REPLIED__missing_reply_id.json",
    "emailbison/MISSING_DATA.json",
    "emailbison/UNTRACKED_REPLY_RECEIVED__missing_from.json",
    "ghl/sms_inbound__missing_contact_id.json",
    "slack/interactions__missing_payload.form.json",
    "unipile/message_received__form_encoded.form.json",
    *("clay/callback__bad_type.json", "clay/callback__missing_lead_id.json", "clay/callback__unknown_lead.json"),
}
# Without a location or an account nothing names the workspace, so it is unknown rather than malformed.
UNKNOWN = {"ghl/sms_inbound__missing_location.json", "unipile/message_received__renamed_keys.json"}
# These samples vary the value of one click: same stamp, action and card, so they are that click delivered again.
SAME_CLICK = {"slack/block_actions__bad_value_json.form.json", "slack/block_actions__foreign_client.form.json"}
BY_QUERY = ("clay", "resend")
ANSWERED_UNSTORED = {
    *("slack/interactions__ssl_check.form.json", "slack/url_verification.json"),
    # Accounts of the vendor's customer that no workspace has.
    *("unipile/message_received__unknown_account.json", "unipile/v2_event__message_new.json"),
}


def expected_status(entry: dict[str, Any]) -> int:
    if not entry["request"]["path"].startswith(SERVED):
        return 404  # a route that does not exist yet
    if entry["file"] in STORED_ANYWAY:
        return 200
    return 404 if entry["file"] in UNKNOWN else entry["expect"]["status"]


def sent_body(file: str) -> bytes:
    """What a vendor sends for a sample: its bytes, in the app's feed with a webhook id of its own."""
    if not file.startswith(APP_FEED):
        return wire_body(file)
    return wire_body(file).replace(SAMPLE_WEBHOOK_ID, str(uuid5(NAMESPACE_URL, file)).encode())


async def deliver(receiver: Receiver, monkeypatch: pytest.MonkeyPatch, entry: dict[str, Any]) -> httpx.Response:
    file, request = entry["file"], entry["request"]
    vector = file == "slack/slash_command__official_vector.form.json"
    clock = APP_CLOCK if file.startswith(APP_FEED) else CLOCK.get(entry["provider"], 1773162000)
    set_clock(monkeypatch, 1531420618 if vector else clock)
    said = {**(request.get("headers") or {}), "content-type": request["content_type"]}
    headers = {name.lower(): value for name, value in (*said.items(), *SIGNED.get(file, {}).items())}
    if file.startswith(APP_FEED):
        headers = signed_by_ghl(sent_body(file))
    if "x-harbourline-hook" in headers:  # the sample author's name for the header that carries our secret
        headers["x-zrg-key"] = headers.pop("x-harbourline-hook")
    # The sample's author keeps one secret for all workspaces; ours names the workspace in the address.
    query = {"clientId": "clnt_harbourline"} if entry["provider"] in BY_QUERY else request.get("query")
    return await receiver.client.post(request["path"], params=query, content=sent_body(file), headers=headers)


async def until_ready_answers(receiver: Receiver, status: int) -> None:
    """Readiness may be a second old, so that probes do not become database load."""
    async with asyncio.timeout(20):
        while (await receiver.client.get("/readyz")).status_code != status:
            await asyncio.sleep(0.1)


async def test_every_sample_meets_its_answer_twice(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_receiver(database) as receiver:
        expected = {entry["file"]: expected_status(entry) for entry in MANIFEST}
        first = {entry["file"]: await deliver(receiver, monkeypatch, entry) for entry in MANIFEST}
        assert {file: answer.status_code for file, answer in first.items()} == expected

        taken = {file for file, answer in first.items() if answer.status_code == 200} - ANSWERED_UNSTORED
        bodies = {sent_body(file) for file in taken - SAME_CLICK}
        assert len(bodies) > 80
        stored = [bytes(row[0]) for row in receiver.sql.run("SELECT body FROM raw.webhook_body")]
        assert set(stored) == bodies
        count = receiver.sql.count()
        assert count == len(stored)

        second = {entry["file"]: await deliver(receiver, monkeypatch, entry) for entry in MANIFEST}
        assert {file: answer.status_code for file, answer in second.items()} == expected
        assert receiver.sql.count() == count
        assert all(second[file].json()["duplicate"] for file in taken if not file.startswith("slack/"))


async def test_stored_row_says_where_it_came_from(database: Any) -> None:
    async with running_receiver(database) as receiver:
        answer = await receiver.post(sent_event(1), headers={**JSON_TYPE, "user-agent": "EB/1", "cookie": "a=b"})
        assert answer.json() == {"success": True, "duplicate": False}
        [row] = receiver.sql.run(
            "SELECT e.provider, e.scope, e.workspace_id, e.event_type, e.state, e.correlation_id, b.headers, "
            "length(e.delivery_key) FROM raw.webhook_event e JOIN raw.webhook_body b ON b.event_id = e.id"
        )
        assert row[:5] == ("emailbison", "clnt_harbourline", WORKSPACE, "EMAIL_SENT", "pending")
        assert row[5] == answer.headers["x-correlation-id"]
        assert json.loads(row[6]) == {"content-type": "application/json", "user-agent": "EB/1"}
        assert row[7] == 32


async def test_a_hook_left_behind_at_the_former_mail_vendor_is_answered_counted_and_not_stored(database: Any) -> None:
    """Seed 003, E9 and E13: 200, so that the vendor keeps quiet; but only where another mail vendor took its place."""
    mismatch = {"success": True, "ignored": True, "reason": "provider_mismatch"}
    former = (("smartlead", "clnt_harbourline"), ("smartlead", "clnt_kelp"), ("instantly", "clnt_pelican"))
    written = io.StringIO()
    configure_logging(json=True, level="INFO", stream=written)
    try:
        async with running_receiver(database) as receiver:
            for vendor, key in former:
                answer = await receiver.post(b"{}", f"/api/webhooks/{vendor}?clientId={key}")
                assert (answer.status_code, answer.json()) == (200, mismatch)
            assert (receiver.counted("provider_mismatch", "smartlead"), receiver.sql.count()) == (2, 0)
    finally:
        configure_logging(json=False)
    told = [json.loads(line) for line in written.getvalue().splitlines() if "delivery_ignored" in line]
    assert [(line["provider"], line["workspace"], line["connected"], line["reason"]) for line in told] == [
        ("smartlead", "clnt_harbourline", "emailbison", "provider_mismatch"),
        ("smartlead", "clnt_kelp", "instantly", "provider_mismatch"),
        ("instantly", "clnt_pelican", "smartlead", "provider_mismatch"),
    ]


async def test_a_mail_vendor_that_nothing_took_the_place_of_is_unknown(database: Any) -> None:
    """A secret removed by mistake must show at the vendor; an answer of 200 would lose each opt-out unseen."""
    async with running_receiver(database) as receiver:
        other = UUID("01900000-0000-7000-8000-000000000003")
        add_workspace(receiver.sql, other, "sms_only")
        receiver.add_route("ghl", "sms_only", "x", other, "sms_only")
        receiver.sql.run("DELETE FROM raw.route WHERE provider = 'instantly'")
        assert await receiver.routes.refresh()
        for path in (
            "smartlead?clientId=sms_only",
            "smartlead?clientId=nobody",
            "smartlead",
            "instantly?clientId=clnt_kelp",
            "email?clientId=clnt_pelican&key=x",
        ):
            assert (await receiver.post(b"{}", f"/api/webhooks/{path}")).status_code == 404
        wrong = await receiver.post(b"{}", "/api/webhooks/smartlead?clientId=clnt_pelican")
        assert (wrong.status_code, wrong.json()["error"]) == (401, "bad_secret")


async def test_an_account_that_nobody_has_is_answered_counted_and_not_stored(database: Any) -> None:
    async with running_receiver(database) as receiver:
        for body in (
            b'{"account_id": "Elsewhere", "event": "message_received"}',
            b'{"AccountStatus": {"account_id": "X"}}',
        ):
            answer = await receiver.post(body, "/api/webhooks/linkedin")
            assert (answer.status_code, answer.json()) == (200, {"success": True, "ignored": True})
        assert receiver.counted("unknown_workspace", "unipile") == 2
        assert (await receiver.post(b'{"acc": "Elsewhere"}', "/api/webhooks/linkedin")).status_code == 404
        theirs = b'{"account_id": "%s"}' % UNIPILE_ACCOUNT.encode()
        for headers in (JSON_TYPE, {**JSON_TYPE, "x-unipile-secret": "nope"}):
            assert (await receiver.post(theirs, "/api/webhooks/linkedin", headers)).status_code == 401
        assert receiver.sql.count() == 0


async def test_two_accounts_of_different_workspaces_in_one_body_are_refused(database: Any) -> None:
    async with running_receiver(database) as receiver:
        other = UUID("01900000-0000-7000-8000-000000000002")
        add_workspace(receiver.sql, other, "other")
        receiver.add_route("unipile", "Theirs", "x", other)
        assert await receiver.routes.refresh()
        body = b'{"account_id": "%s", "AccountStatus": {"account_id": "Theirs"}}' % UNIPILE_ACCOUNT.encode()
        headers = {**JSON_TYPE, "x-unipile-secret": UNIPILE_SECRET}
        answer = await receiver.post(body, "/api/webhooks/linkedin", headers)
        assert (answer.status_code, answer.json()["error"]) == (401, "foreign_workspace")


async def test_the_app_s_feed_finds_its_workspace_in_what_the_vendor_signed(
    database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, file = "/api/webhooks/ghl/app", "ghl/marketplace_InboundMessage__sms.json"
    set_clock(monkeypatch, APP_CLOCK)
    body = wire_body(file)
    async with running_receiver(database) as receiver:
        both = {**JSON_TYPE, **SIGNED[file]}
        older = {name: value for name, value in both.items() if name != "x-ghl-signature"}
        assert (await receiver.post(body, path, older)).json() == {"success": True, "duplicate": False}
        assert (await receiver.post(body, path, both)).json() == {"success": True, "duplicate": True}
        found = receiver.sql.run("SELECT provider, scope, workspace_id, event_type FROM raw.webhook_event")
        assert found == [("ghl", "clnt_harbourline", WORKSPACE, "InboundMessage")]
        elsewhere = body.replace(b"vQ7mZ2xKc9TfLp4RdWnA", b"AnotherLocation00001")
        assert (await receiver.post(elsewhere, path, signed_by_ghl(elsewhere))).status_code == 404
        secret = {**JSON_TYPE, "x-zrg-key": GHL_SECRET}
        assert (await receiver.post(body, path, secret)).json()["error"] == "no_signature"
        set_clock(monkeypatch, APP_CLOCK + 400)
        assert (await receiver.post(body, path, both)).json()["error"] == "bad_timestamp"
        assert receiver.sql.count() == 1


async def test_the_app_s_feed_is_closed_without_keys(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    set_clock(monkeypatch, APP_CLOCK)
    async with running_receiver(database, GHL_APP_PUBLIC_KEYS="", ZRG_ENV="development") as receiver:
        body = wire_body("ghl/marketplace_InboundMessage__sms.json")
        answer = await receiver.post(body, "/api/webhooks/ghl/app", signed_by_ghl(body))
        assert (answer.status_code, answer.json()["error"]) == (401, "not_configured")


async def test_slack_click_is_stored_without_workspace_and_answered_empty(
    database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_receiver(database) as receiver:
        entry = next(entry for entry in MANIFEST if entry["file"] == "slack/block_actions__approve_send.form.json")
        answer = await deliver(receiver, monkeypatch, entry)
        assert (answer.status_code, answer.content) == (200, b"")
        found = receiver.sql.run("SELECT provider, scope, workspace_id, event_type FROM raw.webhook_event")
        assert found == [("slack", "T05HARBOUR", None, "block_actions")]


async def test_refusals_name_their_reason_and_store_nothing(database: Any) -> None:
    async with running_receiver(database, ZRG_RECEIVER_MAX_BODY_BYTES=4096) as receiver:
        other = UUID("01900000-0000-7000-8000-000000000002")
        add_workspace(receiver.sql, other, "other")
        receiver.add_route("emailbison", f"{HOST}|99", "x", other)
        assert await receiver.routes.refresh()
        foreign = sent_event(1).replace(b'"workspace_id": 41', b'"workspace_id": 99')
        stranger = sent_event(1).replace(HOST.encode(), b"evil.example")
        keyless = "/api/webhooks/email?clientId=clnt_harbourline"
        nobody = "/api/webhooks/email?clientId=nobody&key=x"
        cases: list[tuple[int, str, bytes, str, dict[str, str]]] = [
            (401, "bad_secret", sent_event(1), keyless, JSON_TYPE),
            (401, "bad_secret", b"{", keyless, JSON_TYPE),
            (401, "foreign_workspace", foreign, EMAIL_PATH, JSON_TYPE),
            (401, "host_not_allowed", stranger, EMAIL_PATH, JSON_TYPE),
            (404, "unknown_workspace", b"{}", nobody, JSON_TYPE),
            (400, "invalid_json", b"{", EMAIL_PATH, JSON_TYPE),
            (413, "too_large", b" " * 5000, EMAIL_PATH, JSON_TYPE),
            (415, "unsupported_content_type", b"<a/>", EMAIL_PATH, {"content-type": "text/xml"}),
            (415, "unsupported_content_encoding", b"{}", EMAIL_PATH, {**JSON_TYPE, "content-encoding": "gzip"}),
        ]
        for status, code, body, path, headers in cases:
            answer = await receiver.post(body, path, headers)
            assert (answer.status_code, answer.json()["error"]) == (status, code)
        assert (await receiver.client.put(EMAIL_PATH, content=b"{}")).status_code == 405
        probe = await receiver.client.get("/api/webhooks/email")
        assert (probe.status_code, probe.json()) == (200, {"status": "ok"})
        assert receiver.sql.count() == 0
        assert {name: receiver.counted(name) for name in ("unauthorized", "unknown_workspace", "too_large")} == {
            "unauthorized": 4, "unknown_workspace": 1, "too_large": 1,
        }  # fmt: skip


async def test_chunked_body_over_the_limit_is_cut_off(database: Any) -> None:
    async with running_receiver(database, ZRG_RECEIVER_MAX_BODY_BYTES=4096) as receiver:

        async def chunks() -> Any:
            for _ in range(100):
                yield b" " * 1024

        answer = await receiver.client.post(EMAIL_PATH, content=chunks(), headers=JSON_TYPE)
        assert answer.status_code == 413
        assert receiver.sql.count() == 0


@pytest.mark.parametrize(("environment", "status"), [("production", 401), ("development", 200)])
async def test_unsigned_route_is_open_in_development_only(database: Any, environment: str, status: int) -> None:
    async with running_receiver(database, ZRG_ENV=environment) as receiver:
        receiver.add_route("ghl", "OpenLocation", None)
        assert await receiver.routes.refresh()
        answer = await receiver.post(b'{"location": {"id": "OpenLocation"}}', "/api/webhooks/ghl/sms")
        assert answer.status_code == status
        unsigned = receiver.metrics.registry.get_sample_value(
            "zrg_receiver_unsigned_accepted_total", {"provider": "ghl"}
        )
        assert unsigned == (1 if status == 200 else 0)
        signed = b'{"location": {"id": "vQ7mZ2xKc9TfLp4RdWnA"}}'
        assert (await receiver.post(signed, "/api/webhooks/ghl/sms")).status_code == 401


async def test_two_thousand_at_once_share_few_commits(database: Any) -> None:
    async with running_receiver(database) as receiver:
        answers = await asyncio.gather(*(receiver.post(sent_event(number)) for number in range(2000)))
        assert {answer.status_code for answer in answers} == {200}
        assert receiver.sql.count() == 2000
        assert receiver.sql.run("SELECT count(DISTINCT xmin::text) FROM raw.webhook_event")[0][0] <= 40


async def test_equal_deliveries_at_once_make_one_row(database: Any) -> None:
    async with running_receiver(database) as receiver:
        answers = await asyncio.gather(*(receiver.post(sent_event(number % 5)) for number in range(50)))
        assert {answer.status_code for answer in answers} == {200}
        assert [answer.json()["duplicate"] for answer in answers].count(False) == 5
        assert receiver.sql.count() == 5
        assert receiver.sql.run("SELECT sum(stored)::int, sum(duplicate)::int FROM ops.intake_count") == [(5, 45)]


async def test_one_row_the_database_refuses_does_not_fail_its_neighbours(database: Any) -> None:
    async with running_receiver(database) as receiver:
        receiver.sql.run("ALTER TABLE raw.webhook_event ADD CONSTRAINT no_poison CHECK (event_type <> 'POISON')")
        bodies = [sent_event(number) for number in range(64)]
        bodies[37] = bodies[37].replace(b"EMAIL_SENT", b"POISON")
        answers = await asyncio.gather(*(receiver.post(body) for body in bodies))
        assert [number for number, answer in enumerate(answers) if answer.status_code != 200] == [37]
        assert answers[37].status_code == 500
        assert receiver.sql.count() == 63
        assert receiver.counted("failed") == 1


async def test_nothing_is_acknowledged_while_the_database_is_away(database: Any, cluster: Any) -> None:
    async with running_receiver(database) as receiver:
        assert (await receiver.post(sent_event(1))).status_code == 200
        admin = cluster.admin_dsn()

        def allow(connections: str) -> None:
            with psycopg.connect(admin, autocommit=True) as connection:
                connection.execute(f"ALTER DATABASE {database.name} ALLOW_CONNECTIONS {connections}")  # pyright: ignore

        allow("false")
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database.name]
            )
        answers = await asyncio.gather(*(receiver.post(sent_event(number)) for number in range(100, 200)))
        assert {(answer.status_code, answer.headers["retry-after"]) for answer in answers} == {(503, "60")}
        await until_ready_answers(receiver, 503)
        assert (await receiver.client.get("/healthz")).status_code == 200
        unknown = await receiver.post(b"{}", "/api/webhooks/email?clientId=new&key=x")
        assert unknown.status_code == 503  # nobody can say now that the workspace does not exist

        allow("true")
        await until_ready_answers(receiver, 200)
        assert receiver.sql.count() == 1
        assert (await receiver.post(sent_event(2))).status_code == 200
        assert receiver.counted("unavailable") == 101


async def test_a_connection_lost_while_idle_costs_no_delivery(database: Any) -> None:
    async with running_receiver(database) as receiver:
        assert (await receiver.post(sent_event(1))).status_code == 200
        receiver.sql.drop_connections()
        assert (await receiver.post(sent_event(2))).status_code == 200


async def test_a_delivery_stuck_behind_a_lock_answers_at_its_deadline(database: Any) -> None:
    async with running_receiver(database, ZRG_RECEIVER_STORE_TIMEOUT_S=1, ZRG_RECEIVER_QUEUE_SIZE=100) as receiver:
        async with await psycopg.AsyncConnection.connect(database.dsn("bootstrap")) as holder:
            await holder.execute("LOCK TABLE raw.webhook_event IN ACCESS EXCLUSIVE MODE")
            started = time.monotonic()
            first = asyncio.create_task(receiver.post(sent_event(0)))
            await asyncio.sleep(0.2)
            rest = await asyncio.gather(*(receiver.post(sent_event(number)) for number in range(1, 301)))
            assert {answer.status_code for answer in (await first, *rest)} == {503}
            assert time.monotonic() - started < 2.8  # the role's lock timeout is 3 s; the deadline came first
            assert [answer.json()["error"] for answer in rest].count("queue_full") == 200
            await holder.rollback()
        async with asyncio.timeout(20):
            while (await receiver.post(sent_event(999))).status_code != 200:
                await asyncio.sleep(0.1)


async def test_routes_follow_the_table(database: Any) -> None:
    async with running_receiver(database) as receiver:
        path = "/api/webhooks/email?clientId=late&key="

        async def until(status: int, secret: str) -> None:
            async with asyncio.timeout(15):
                while (await receiver.post(b"{}", path + secret)).status_code != status:
                    await asyncio.sleep(0.05)

        assert (await receiver.post(b"{}", path + "one")).status_code == 404
        receiver.add_route("emailbison", "late", "one")  # a key remembered as unknown becomes known by notification
        await until(200, "one")
        receiver.add_route("emailbison", "late", "two,one")
        await until(200, "two")
        assert (await receiver.post(b"{}", path + "one")).status_code == 200
        receiver.sql.drop_connections()
        receiver.add_route("emailbison", "late", "three")  # nobody listens at this moment
        await until(200, "three")
        assert (await receiver.post(b"{}", path + "one")).status_code == 401
        receiver.sql.run("UPDATE raw.route SET is_active = false WHERE routing_key = 'late'")
        await until(404, "three")


async def test_unknown_keys_do_not_become_database_load(database: Any) -> None:
    async with running_receiver(database) as receiver:
        readings = set()
        for number in range(60):
            answer = await receiver.post(b"{}", f"/api/webhooks/email?clientId=guess{number}&key=x")
            assert answer.status_code == 404
            readings.add(receiver.routes._loaded_at)
        assert len(readings) <= 4


@pytest.mark.parametrize("spoil", ["sealed_secret = 'not sealed'", "schema_version = 99"])
async def test_a_route_that_cannot_be_used_asks_the_vendor_to_come_back(database: Any, spoil: str) -> None:
    async with running_receiver(database) as receiver:
        receiver.sql.run(f"UPDATE raw.route SET {spoil} WHERE routing_key = 'clnt_harbourline'")
        assert await receiver.routes.refresh()
        answer = await receiver.post(sent_event(1))
        assert (answer.status_code, answer.json()["error"]) == (503, "route_unusable")
        assert receiver.metrics.registry.get_sample_value("zrg_receiver_routes_unusable") == 1


async def test_pages_and_logs_hold_no_person_and_no_secret(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    configure_logging(json=True, level="DEBUG", stream=written)
    try:
        async with running_receiver(database) as receiver:
            for entry in MANIFEST:
                await deliver(receiver, monkeypatch, entry)
            page = (await receiver.client.get("/metrics")).text
    finally:
        configure_logging(json=False)
    logs = written.getvalue()
    assert '"event": "deliveries_stored"' in logs
    assert '"event": "delivery_refused"' in logs
    assert 'zrg_receiver_deliveries_total{outcome="stored",provider="calendly"}' in page
    for said in ("brightloom", "okafor", "4155550132", EMAIL_SECRET, GHL_SECRET, CALENDLY_SECRET, SLACK_SECRET):
        assert said not in logs.lower()
        assert said not in page.lower()
