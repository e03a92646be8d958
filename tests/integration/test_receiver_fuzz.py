"""Whatever is sent to the door, on a real database: only documented answers, and every "stored" is a row."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import schemathesis
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import checks

from tests.integration.receiver_support import (
    CALENDLY_SECRET,
    CLAY_SECRET,
    EMAIL_PATH,
    EMAIL_SECRET,
    GHL_APP_KEY,
    GHL_SECRET,
    INSTANTLY_SECRET,
    JSON_TYPE,
    PAYLOADS,
    RESEND_SECRET,
    SLACK_SECRET,
    SMARTLEAD_SECRET,
    UNIPILE_ACCOUNT,
    UNIPILE_SECRET,
    Receiver,
    running_receiver,
    sent_event,
    wire_body,
)
from tests.openapi import DOCUMENT, Answered, document, resolved, undocumented

EXAMPLES = 300
# Not whether a request without a secret is refused: an account of Unipile that nobody knows is answered 200 and ignored.
CONFORM = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
JUDGED = 20  # requests to each operation
LOCATION = "vQ7mZ2xKc9TfLp4RdWnA"
KEYS = ("clnt_harbourline", "clnt_pelican", "clnt_kelp", LOCATION, UNIPILE_ACCOUNT)
SECRETS = (EMAIL_SECRET, SMARTLEAD_SECRET, INSTANTLY_SECRET, GHL_SECRET, UNIPILE_SECRET, CLAY_SECRET)
FOLDERS = {
    "email": "emailbison", "smartlead": "smartlead", "instantly": "instantly", "ghl/sms": "ghl", "ghl/app": "ghl",
    "calendly/{workspace}": "calendly", "slack/interactions": "slack", "linkedin": "unipile", "clay": "clay",
    "resend": "resend",
}  # fmt: skip
PATHS = sorted(document()["paths"])
VENDORS = [path for path in PATHS if path.startswith("/api/")]
OTHER_METHODS = ("GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS")

words = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=30)
header_values = st.binary(max_size=30).map(lambda raw: raw.translate(None, b"\r\n\0"))
plain = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from(KEYS)
)
named = st.sampled_from((
    "event", "type", "event_type", "data", "payload", "account_id", "AccountStatus", "location", "id", "locationId",
    "webhookId", "timestamp", "instance_url", "workspace_id", "secret_key", "actions", "action_ts", "team", "challenge",
))  # fmt: skip
documents = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(named | st.text(max_size=8), inner, max_size=5),
    max_leaves=12,
)


def samples(path: str) -> list[bytes]:
    folder = FOLDERS.get(path.removeprefix("/api/webhooks/"), "emailbison")
    return [wire_body(str(file.relative_to(PAYLOADS))) for file in sorted((PAYLOADS / folder).iterdir())]


def hexed(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def authentic(path: str, body: bytes, now: int) -> tuple[dict[str, str], dict[str, str]]:
    """(query, headers) of a delivery that the vendor, or an author who knows the secret, would send."""
    stamp = str(now)
    match path.removeprefix("/api/webhooks/"):
        case "email":
            return {"clientId": "clnt_harbourline", "key": EMAIL_SECRET}, {}
        case "smartlead":
            return {"clientId": "clnt_pelican"}, {"x-smartlead-signature": f"sha256={hexed(SMARTLEAD_SECRET, body)}"}
        case "instantly":
            return {"clientId": "clnt_kelp"}, {"authorization": f"Bearer {INSTANTLY_SECRET}"}
        case "ghl/sms":
            return {"locationId": LOCATION}, {"x-zrg-key": GHL_SECRET}
        case "ghl/app":
            return {}, {"x-ghl-signature": base64.b64encode(signed(GHL_APP_KEY, body)).decode()}
        case "calendly/{workspace}":
            mac = hexed(CALENDLY_SECRET, stamp.encode() + b"." + body)
            return {}, {"calendly-webhook-signature": f"t={stamp},v1={mac}"}
        case "slack/interactions":
            mac = hexed(SLACK_SECRET, b"v0:" + stamp.encode() + b":" + body)
            return {}, {"x-slack-request-timestamp": stamp, "x-slack-signature": f"v0={mac}"}
        case "linkedin":
            return {}, {"x-unipile-secret": UNIPILE_SECRET}
        case "clay":
            return {"clientId": "clnt_harbourline"}, {"x-clay-signature": CLAY_SECRET}
        case "resend":
            key, msg = base64.b64decode(RESEND_SECRET.removeprefix("whsec_")), hashlib.sha256(body).hexdigest()[:12]
            mac = hmac.new(key, b".".join((msg.encode(), stamp.encode(), body)), hashlib.sha256).digest()
            signature = f"v1,{base64.b64encode(mac).decode()}"
            return {"clientId": "clnt_harbourline"}, {
                "svix-id": msg, "svix-timestamp": stamp, "svix-signature": signature,
            }  # fmt: skip
    return {}, {}


def signed(key: Ed25519PrivateKey, body: bytes) -> bytes:
    return key.sign(body)


def rarely(draw: st.DrawFn, one_in: int) -> bool:
    """Integers lean to their limits; a choice among equals does not."""
    return draw(st.sampled_from([False] * (one_in - 1) + [True]))


@st.composite
def requests(draw: st.DrawFn) -> tuple[str, httpx.Request]:
    """A path of the document and a request to it: wholly authentic, wholly foreign, and everything between."""
    path = draw(st.sampled_from(PATHS if rarely(draw, 20) else VENDORS))
    method = "GET" if path not in VENDORS else draw(st.sampled_from(OTHER_METHODS)) if rarely(draw, 15) else "POST"
    item = document()["paths"][path]
    operation = item.get(method.lower(), {})
    body = b"" if method != "POST" else draw(
        documents.map(lambda value: json.dumps(value).encode()) | st.sampled_from(samples(path)) | st.binary(max_size=60)
        | st.builds(lambda value: b"payload=" + quote(json.dumps(value)).encode(), documents)
        | st.just(b"ssl_check=1&token=x") | now_dated()
    )  # fmt: skip
    query, headers = ({}, {}) if rarely(draw, 6) else authentic(path, body, int(time.time()))
    raw: dict[bytes, bytes] = {name.encode(): value.encode() for name, value in headers.items()}
    for parameter in map(resolved, operation.get("parameters", ())):
        if not rarely(draw, 15):
            continue
        if parameter["in"] == "query":
            query[parameter["name"]] = draw(words | st.sampled_from((*KEYS, *SECRETS)))
        elif parameter["in"] == "header":
            raw[parameter["name"].encode()] = draw(header_values | st.sampled_from(SECRETS).map(str.encode))
    media = [*operation.get("requestBody", {}).get("content", ()), "application/vnd.x+json", "", "text/html"]
    is_form = body.startswith((b"payload=", b"ssl_check=")) and "application/x-www-form-urlencoded" in media
    fitting = b"application/x-www-form-urlencoded" if is_form else b"application/json"
    raw[b"content-type"] = (
        (draw(st.sampled_from(media)).encode() or draw(header_values)) if rarely(draw, 5) else fitting
    )
    if rarely(draw, 20):
        raw[draw(st.sampled_from((b"content-encoding", b"content-length")))] = draw(header_values)
    strangers = st.sampled_from(KEYS) | words.map(lambda text: text.strip("/") or "x")
    key = draw(strangers) if "{" in path and rarely(draw, 5) else "clnt_harbourline"
    url = httpx.URL("http://receiver" + path.replace("{workspace}", quote(key, safe="")))
    if query:
        url = url.copy_merge_params(query)
    if rarely(draw, 30):
        url = url.copy_with(query=draw(st.binary(max_size=20).map(lambda each: quote(each).encode())) + b"&a" * 40)
    if b"content-length" not in raw:
        raw[b"content-length"] = str(len(body)).encode()
    request = httpx.Request(method, url, headers=[(b"host", b"receiver"), *raw.items()], content=body)
    return path, request


def now_dated() -> st.SearchStrategy[bytes]:
    """A body of the app's feed, which says itself when it was sent."""
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return documents.map(
        lambda value: json.dumps({"locationId": LOCATION, "timestamp": moment, "type": "X", "more": value}).encode()
    )


def is_said_to_be_stored(answer: Answered, request: httpx.Request) -> bool:
    if answer.status != 200 or request.method != "POST" or not request.url.path.startswith("/api/"):
        return False
    if "slack" in request.url.path:  # a handshake answers the challenge, or is the certificate check
        return answer.body == b"" and b"ssl_check=1" not in request.content
    return "ignored" not in json.loads(answer.body)


async def sent(receiver: Receiver, request: httpx.Request) -> Answered:
    response = await receiver.client.send(request)
    return Answered(
        response.status_code, {name.lower(): value for name, value in response.headers.items()}, response.content
    )


async def check(receiver: Receiver, path: str, request: httpx.Request, seen: dict[str, int]) -> None:
    before = receiver.sql.count()
    answer = await sent(receiver, request)
    wrong = undocumented(path, request.method, answer)
    assert wrong is None, f"{request.method} {request.url}: {wrong}"
    assert answer.status < 500
    grown = receiver.sql.count() - before
    name = "refused"
    if is_said_to_be_stored(answer, request):
        [[event_id]] = receiver.sql.run(
            "SELECT count(*) FROM raw.webhook_event e JOIN raw.webhook_body b ON b.event_id = e.id "
            "WHERE e.correlation_id = %s AND b.body = %s",
            answer.headers["x-correlation-id"],
            request.content,
        )
        assert event_id == grown
        is_duplicate = grown == 0 if "slack" in path else json.loads(answer.body)["duplicate"]
        assert grown == (0 if is_duplicate else 1)
        name = "duplicate" if is_duplicate else "stored"
    else:
        assert grown == 0
    seen[name] = seen.get(name, 0) + 1


async def test_the_door_gives_documented_answers_only_and_stores_what_it_says(database: Any) -> None:
    seen: dict[str, int] = {}
    async with running_receiver(database) as receiver:
        loop = asyncio.get_running_loop()

        @settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
        @given(requests())
        def example(drawn: tuple[str, httpx.Request]) -> None:
            asyncio.run_coroutine_threadsafe(check(receiver, *drawn, seen), loop).result(60)

        await asyncio.to_thread(example)
    print(f"answers: {seen}")
    # A fuzz that never gets past the guard would prove little.
    assert seen["stored"] > EXAMPLES // 20
    assert seen["refused"] > EXAMPLES // 10


async def test_the_answers_to_trouble_of_ours_are_documented_too(database: Any, cluster: Any) -> None:
    async with running_receiver(database) as receiver:
        receiver.sql.run("ALTER TABLE raw.webhook_event ADD CONSTRAINT no_poison CHECK (event_type <> 'POISON')")

        async def answer(body: bytes) -> Answered:
            url = httpx.URL("http://receiver" + EMAIL_PATH)
            answered = await sent(receiver, httpx.Request("POST", url, headers=JSON_TYPE, content=body))
            assert undocumented("/api/webhooks/email", "POST", answered) is None
            return answered

        refused = await answer(sent_event(1).replace(b"EMAIL_SENT", b"POISON"))
        assert (refused.status, json.loads(refused.body)["error"]) == (500, "not_storable")
        with psycopg.connect(cluster.admin_dsn(), autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {database.name} ALLOW_CONNECTIONS false")  # pyright: ignore
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database.name]
            )
            assert (await answer(sent_event(2))).status == 503
            ready = await sent(receiver, httpx.Request("GET", "http://receiver/readyz"))
            assert undocumented("/readyz", "GET", ready) is None
            connection.execute(f"ALTER DATABASE {database.name} ALLOW_CONNECTIONS true")  # pyright: ignore


async def test_a_judge_that_is_not_ours_finds_the_same(database: Any) -> None:
    """Schemathesis makes its own requests of the document, and has its own opinion of the answers."""
    operations = schemathesis.openapi.from_path(DOCUMENT)
    async with running_receiver(database) as receiver:
        loop = asyncio.get_running_loop()

        async def answered(case: schemathesis.Case) -> httpx.Response:
            wire = case.as_transport_kwargs(base_url="http://receiver")
            body = {name: wire[name] for name in ("content", "data", "json", "files") if wire.get(name) is not None}
            if isinstance(body.get("data"), str | bytes):
                body["content"] = body.pop("data")
            request = receiver.client.build_request(
                wire["method"], wire["url"], params=wire.get("params"), headers=dict(wire["headers"]), **body
            )
            response = await receiver.client.send(request)
            await response.aread()
            return response

        @settings(
            max_examples=JUDGED,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
            deadline=None,
        )
        @given(st.data())
        def example(data: st.DataObject) -> None:
            for operation in everything:
                case = data.draw(operation.as_strategy())
                response = asyncio.run_coroutine_threadsafe(answered(case), loop).result(60)
                assert response.status_code < 500
                answer = schemathesis.Response.from_httpx(response, verify=False)
                case.validate_response(answer, checks=CONFORM)

        everything = [each.ok() for each in operations.get_all_operations()]  # pyright: ignore[reportAttributeAccessIssue]
        await asyncio.to_thread(example)
