"""Faults over a real socket: what a client of the product would feel."""

import asyncio
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from provider_sandbox.faults import FaultError, FaultTable
from tests.unit.sandbox_tools import HEADERS, server

LOCATION = "vQ7mZ2xKc9TfLp4RdWnA"
SMS = {"type": "SMS", "contactId": "contact1", "message": "Hello"}
CONTACTS = {"contacts": [{"id": "contact1", "phone": "+14155550132"}]}


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with server() as url:
        yield url


@pytest.fixture
def client(base: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=base, timeout=5, trust_env=False) as http:
        http.post("/_control/reset").raise_for_status()
        http.post("/_control/options", json={"provider": "ghl", "export_lag_s": 0}).raise_for_status()
        http.post("/_control/state/ghl", json=CONTACTS).raise_for_status()
        yield http


def send(client: httpx.Client, timeout: float = 5) -> httpx.Response:
    return client.post("/ghl/conversations/messages", json=SMS, headers=HEADERS["ghl"], timeout=timeout)


def sent(client: httpx.Client) -> int:
    query = {"locationId": LOCATION, "channel": "SMS"}
    answer = client.get("/ghl/conversations/messages/export", params=query, headers=HEADERS["ghl"])
    return answer.json()["total"]


def fault(client: httpx.Client, mode: str, **rule: Any) -> None:
    body = {"provider": "ghl", "mode": mode, "times": 1, "match": {"method": "POST"}, **rule}
    client.post("/_control/faults", json=body).raise_for_status()


def last_record(client: httpx.Client) -> dict[str, Any]:
    found = client.get("/_control/requests", params={"provider": "ghl", "method": "POST"}).json()["requests"]
    return found[-1]


@pytest.mark.parametrize("mode, executed", [("reset_before", 0), ("accept_then_reset", 1)])
def test_a_reset_ends_the_connection_without_an_answer(client: httpx.Client, mode: str, executed: int) -> None:
    fault(client, mode)
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)) as seen:
        send(client)
    assert not isinstance(seen.value, httpx.TimeoutException)
    assert sent(client) == executed
    record = last_record(client)
    assert (record["outcome"], record["status"], record["fault"]) == ("reset", None, mode)
    assert send(client).status_code == 201


def test_the_reset_is_a_tcp_reset(client: httpx.Client, base: str) -> None:
    fault(client, "accept_then_reset")
    url = httpx.URL(base)
    with socket.create_connection((url.host, url.port or 80), timeout=5) as raw:
        body = b'{"type":"SMS","contactId":"contact1","message":"Hello"}'
        head = (
            "POST /ghl/conversations/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sandbox-ghl-token\r\n"
            f"Version: 1\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        raw.sendall(head.encode() + body)
        with pytest.raises(ConnectionResetError):
            raw.recv(1)


def test_a_truncated_answer_announces_more_than_it_sends(client: httpx.Client) -> None:
    fault(client, "truncate")
    with pytest.raises(httpx.RemoteProtocolError):
        send(client)
    assert sent(client) == 1


def test_a_hanging_call_times_out_and_was_not_executed(client: httpx.Client) -> None:
    fault(client, "hang")
    with pytest.raises(httpx.ReadTimeout):
        send(client, timeout=0.3)
    assert sent(client) == 0
    deadline = time.monotonic() + 5
    while last_record(client)["outcome"] != "abandoned" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert last_record(client)["outcome"] == "abandoned"


def test_a_slow_call_was_executed_when_the_client_gives_up(client: httpx.Client) -> None:
    fault(client, "slow", seconds=1)
    with pytest.raises(httpx.ReadTimeout):
        send(client, timeout=0.3)
    assert sent(client) == 1


def test_what_ends_after_a_reset_does_not_count_as_asked_since(client: httpx.Client) -> None:
    fault(client, "slow", seconds=0.5)
    with pytest.raises(httpx.ReadTimeout):
        send(client, timeout=0.2)
    client.post("/_control/reset").raise_for_status()
    assert client.get("/_control/health").json()["unfinished"]
    while client.get("/_control/health").json()["unfinished"]:
        time.sleep(0.02)
    assert client.get("/_control/health").json()["requests"] == {}


def test_latency_delays_every_answer_of_a_provider(client: httpx.Client) -> None:
    client.post("/_control/latency", json={"provider": "ghl", "seconds": 0.2}).raise_for_status()
    started = time.monotonic()
    assert send(client).status_code == 201
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize(
    "mode, rule, status, executed",
    [
        ("status", {"status": 503}, 503, 0),
        ("rate_limit", {"retry_after": 7}, 429, 0),
        ("auth_revoked", {}, 401, 0),
        ("html", {}, 502, 0),
        ("accept_then_500", {}, 500, 1),
        ("bad_json_200", {}, 200, 1),
        ("wrong_shape", {}, 201, 1),
    ],
)
def test_answers_and_side_effects(
    client: httpx.Client, mode: str, rule: dict[str, Any], status: int, executed: int
) -> None:
    fault(client, mode, **rule)
    answer = send(client)
    assert (answer.status_code, sent(client)) == (status, executed)
    if mode == "rate_limit":
        assert answer.headers["retry-after"] == "7"
        assert answer.headers["x-ratelimit-remaining"] == "0"
    if mode in ("html", "bad_json_200"):
        with pytest.raises(ValueError, match="Expecting value"):
            answer.json()
    if mode == "wrong_shape":
        assert isinstance(answer.json(), list)


def test_a_rule_matches_method_path_and_body_and_is_spent(client: httpx.Client) -> None:
    match = {"method": "POST", "path_regex": "^/conversations/messages$", "body_contains": "Second"}
    fault(client, "status", status=500, match=match, times=1)
    headers = HEADERS["ghl"]
    url = "/ghl/conversations/messages"
    assert client.post(url, json=SMS, headers=headers).status_code == 201
    assert client.post(url, json=SMS | {"message": "Second"}, headers=headers).status_code == 500
    assert client.post(url, json=SMS | {"message": "Second"}, headers=headers).status_code == 201
    rules = client.get("/_control/faults").json()["faults"]
    assert [rule["hits"] for rule in rules] == [1]
    assert client.request("DELETE", "/_control/faults").json() == {"removed": 1}


def test_a_probability_is_drawn_from_the_rules_own_seed() -> None:
    def drawn() -> list[bool]:
        table = FaultTable()
        table.add({"provider": "slack", "mode": "status", "probability": 0.3, "seed": 11})
        return [table.spend(table.candidates("slack", "POST", "/x"), b"") is not None for _ in range(200)]

    first = drawn()
    assert first == drawn()
    assert 30 < sum(first) < 90


@pytest.mark.parametrize(
    "rule, named",
    [
        ({"mode": "explode"}, "mode"),
        ({"mode": "status", "status": 99}, "status"),
        ({"mode": "status", "match": {"path": "x"}}, "match"),
        ({"mode": "status", "match": {"path_regex": "("}}, "path_regex"),
        ({"mode": "refusal", "provider": "slack"}, "refusal"),
        ({"mode": "slow", "seconds": True}, "seconds"),
    ],
)
def test_a_wrong_rule_is_refused_by_name(rule: dict[str, Any], named: str) -> None:
    with pytest.raises(FaultError, match=named):
        FaultTable().add(rule)


async def test_concurrent_calls_are_all_recorded_once(base: str, client: httpx.Client) -> None:
    client.post("/_control/options", json={"provider": "ghl", "bucket_max": 0}).raise_for_status()
    async with httpx.AsyncClient(base_url=base, trust_env=False) as http:
        calls = [http.post("/ghl/conversations/messages", json=SMS, headers=HEADERS["ghl"]) for _ in range(50)]
        answers = await asyncio.gather(*calls)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["messageId"] for answer in answers}) == 50
    assert client.get("/_control/health").json()["requests"]["ghl"] == 50
