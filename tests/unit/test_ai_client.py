"""The model client against a scripted server on loopback."""

import asyncio
import socket
from typing import Any

import pytest
from pydantic import BaseModel

from tests.unit.model_server import CUT, HANG, HANG_UP, Scripted, completed, serve
from zrg_dagster.core.ai import client as clients
from zrg_dagster.core.ai.client import MAX_ATTEMPTS, ModelClient
from zrg_dagster.core.ai.prompts import RenderedPrompt
from zrg_dagster.core.ai.result import ModelOutcome, ModelResult

PROMPT = RenderedPrompt("reply_classification", "7", "0" * 16, "Sort.", "Text")
RATE = (429, {"retry-after-ms": "1530"}, {"error": {"code": "rate_limit_exceeded", "message": "m"}})


class Reply(BaseModel):
    tag: str


class Pauses:
    """Records what the client wants to sleep, and does not sleep."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


async def ask(
    script: Scripted, *, pauses: Pauses | None = None, tokens: int = 500, timeout_s: float = 5, **options: Any
) -> ModelResult[Reply]:
    client = ModelClient(
        api_key="sk-test",
        base_url=script.url,
        model=options.pop("model", "gpt-5.4-mini"),
        gate=options.pop("gate", asyncio.Semaphore(4)),
        sleep=pauses or Pauses(),
        **options,
    )
    try:
        return await client.structured(PROMPT, Reply, max_output_tokens=tokens, timeout_s=timeout_s)
    finally:
        await client.aclose()


async def test_a_structured_answer_with_its_facts() -> None:
    async with serve(completed({"tag": "Interested"})) as script:
        result = await ask(script)
    assert result.outcome is ModelOutcome.OK
    assert result.value == Reply(tag="Interested")
    assert (result.input_tokens, result.output_tokens, result.request_id) == (100, 20, "req_1")
    assert (result.prompt_key, result.prompt_version, result.attempts) == ("reply_classification", "7", 1)
    [request] = script.requests
    assert request["path"] == "/v1/responses"
    body = request["json"]
    assert body["text"]["format"]["name"] == "reply_classification"
    assert body["text"]["format"]["strict"] is True
    assert body["instructions"] == "Sort."
    assert body["input"] == [{"role": "user", "content": "Text"}]
    assert body["store"] is False
    assert body["reasoning"] == {"effort": "low"}


async def test_other_model_families_get_no_reasoning_parameters() -> None:
    async with serve(completed({"tag": "x"})) as script:
        await ask(script, model="gpt-4.1")
    assert "reasoning" not in script.requests[0]["json"]
    assert "verbosity" not in script.requests[0]["json"]["text"]


async def test_without_key_nothing_is_asked() -> None:
    client = ModelClient(api_key=None, base_url="http://127.0.0.1:1", model="m", gate=asyncio.Semaphore(1))
    result = await client.structured(PROMPT, Reply, max_output_tokens=10, timeout_s=1)
    assert result.outcome is ModelOutcome.NO_KEY
    assert result.reason == "model_no_key"
    assert result.needs_operator
    assert result.attempts == 0


async def test_rate_limits_are_waited_out_as_asked() -> None:
    pauses = Pauses()
    async with serve(RATE, completed({"tag": "x"})) as script:
        result = await ask(script, pauses=pauses)
    assert result.is_ok
    assert result.attempts == 2
    assert pauses.seconds == [1.53]


async def test_a_long_retry_after_goes_back_to_the_caller() -> None:
    pauses = Pauses()
    async with serve((429, {"retry-after": "300"}, RATE[2])) as script:
        result = await ask(script, pauses=pauses)
    assert result.outcome is ModelOutcome.RATE_LIMITED
    assert result.retry_after_s == 300
    assert result.is_transient
    assert pauses.seconds == []


@pytest.mark.parametrize("status", [408, 409, 500, 502, 503])
async def test_server_trouble_is_tried_a_bounded_number_of_times(status: int) -> None:
    async with serve((status, {}, "<html>bad gateway</html>")) as script:
        result = await ask(script)
    assert result.outcome is ModelOutcome.UNAVAILABLE
    assert result.attempts == len(script.requests) == MAX_ATTEMPTS


@pytest.mark.parametrize(
    "status, code, outcome",
    [
        (400, "context_length_exceeded", ModelOutcome.BAD_REQUEST),
        (401, "invalid_api_key", ModelOutcome.AUTH),
        (403, "model_not_found", ModelOutcome.AUTH),
        (404, "model_not_found", ModelOutcome.BAD_REQUEST),
        (429, "insufficient_quota", ModelOutcome.QUOTA),
    ],
)
async def test_permanent_errors_cost_one_call(status: int, code: str, outcome: ModelOutcome) -> None:
    async with serve((status, {}, {"error": {"code": code, "message": "m"}})) as script:
        result = await ask(script)
    assert result.outcome is outcome
    assert result.needs_operator
    assert len(script.requests) == 1
    assert code in result.detail


async def test_the_server_may_forbid_a_retry() -> None:
    async with serve((500, {"x-should-retry": "false"}, {"error": {"code": None, "message": "m"}})) as script:
        result = await ask(script)
    assert result.outcome is ModelOutcome.UNAVAILABLE
    assert len(script.requests) == 1


async def test_incomplete_gets_one_larger_budget() -> None:
    incomplete = completed("{", status="incomplete", incomplete_details={"reason": "max_output_tokens"})
    async with serve(incomplete) as script:
        result = await ask(script, tokens=1000)
    assert result.outcome is ModelOutcome.INCOMPLETE
    assert [request["json"]["max_output_tokens"] for request in script.requests] == [1000, 2100]
    assert result.output_tokens == 40


async def test_a_filtered_answer_is_a_refusal_and_final() -> None:
    filtered = completed("", status="incomplete", incomplete_details={"reason": "content_filter"})
    async with serve(filtered) as script:
        result = await ask(script)
    assert result.outcome is ModelOutcome.REFUSED
    assert len(script.requests) == 1


async def test_an_invalid_answer_is_asked_again_once() -> None:
    async with serve(completed("not json"), completed({"tag": "x"})) as script:
        assert (await ask(script)).is_ok
    async with serve(completed({"wrong": 1})) as script:
        result = await ask(script)
    assert result.outcome is ModelOutcome.INVALID
    assert len(script.requests) == 2


async def test_a_hanging_server_ends_at_the_deadline() -> None:
    async with serve(HANG) as script:
        result = await ask(script, timeout_s=0.3, deadline_s=0.5)
    assert result.outcome is ModelOutcome.TIMEOUT
    assert result.attempts == 1
    assert result.latency_ms < 3000


async def test_a_connection_that_is_not_made_in_time_is_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "CONNECT_TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        address = server.getsockname()
        with socket.create_connection(address):  # the one that may wait; who comes now is not let in
            script = Scripted([], url=f"http://127.0.0.1:{address[1]}/v1")
            result = await ask(script, timeout_s=10, deadline_s=1)
    assert result.outcome is ModelOutcome.TIMEOUT
    assert result.latency_ms < 3000


@pytest.mark.parametrize("answer", [CUT, HANG_UP])
async def test_broken_answers_and_refused_connections_are_unavailable(answer: object) -> None:
    async with serve(answer) as script:
        assert (await ask(script)).outcome is ModelOutcome.UNAVAILABLE
        assert len(script.requests) == MAX_ATTEMPTS
    result = await ask(script)  # the server is gone
    assert result.outcome is ModelOutcome.UNAVAILABLE
    assert result.detail == "ConnectionRefusedError"


async def test_html_with_status_200_is_unavailable() -> None:
    async with serve((200, {}, "<html>login</html>")) as script:
        assert (await ask(script)).outcome is ModelOutcome.UNAVAILABLE


async def test_waiting_for_a_place_does_not_use_up_a_calls_own_deadline() -> None:
    async with serve(completed({"tag": "x"})) as script:
        client = ModelClient(api_key="sk-test", base_url=script.url, model="gpt-5.4-mini", gate=asyncio.Semaphore(1))
        try:
            async with client._gate:
                waiting = asyncio.create_task(
                    client.structured(PROMPT, Reply, max_output_tokens=9, timeout_s=0.4, deadline_s=0.4)
                )
                await asyncio.sleep(0.8)
                assert not script.requests
            assert (await waiting).outcome is ModelOutcome.OK
        finally:
            await client.aclose()


async def test_a_calls_own_deadline_bounds_its_attempts() -> None:
    """The client's would allow another one."""
    async with serve((503, {}, {}), delay_s=0) as script:
        client = ModelClient(
            api_key="sk-test", base_url=script.url, model="m", gate=asyncio.Semaphore(1), sleep=Pauses(), deadline_s=60
        )
        try:
            result = await client.structured(PROMPT, Reply, max_output_tokens=9, timeout_s=1, deadline_s=1)
        finally:
            await client.aclose()
    assert (result.outcome, result.attempts) == (ModelOutcome.UNAVAILABLE, 1)


async def test_the_gate_limits_requests_in_flight() -> None:
    gate = asyncio.Semaphore(2)
    async with serve(completed({"tag": "x"}), delay_s=0.05) as script:
        results = await asyncio.gather(*(ask(script, gate=gate) for _ in range(6)))
    assert all(result.is_ok for result in results)
    assert script.most_in_flight == 2


def test_the_key_stays_out_of_repr() -> None:
    client = ModelClient(api_key="sk-secret", base_url="http://127.0.0.1:1", model="m", gate=asyncio.Semaphore(1))
    assert "sk-secret" not in repr(client)
