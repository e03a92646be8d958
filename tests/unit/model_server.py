"""A scripted server on loopback that speaks enough HTTP/1.1 for the model SDK, which no httpx mock intercepts."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

HANG = object()  # never answers
CUT = object()  # sends half a body and closes
HANG_UP = object()  # reads the request and closes


@dataclass
class Scripted:
    """`answers` are used in turn, the last one again and again. Each is HANG, CUT, HANG_UP, or (status, headers, body)."""

    answers: list[Any]
    requests: list[dict[str, Any]] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    delay_s: float = 0.0
    url: str = ""


def completed(value: Mapping[str, Any] | str, **extra: Any) -> tuple[int, dict[str, str], dict[str, Any]]:
    """HTTP 200 with one final message that holds `value`."""
    text = value if isinstance(value, str) else json.dumps(value)
    message = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
    return (
        200,
        {"x-request-id": "req_1"},
        {
            "id": "resp_1",
            "object": "response",
            "status": "completed",
            "output": [message | {"content": [{"type": "output_text", "text": text, "annotations": []}]}],
            "usage": {"input_tokens": 100, "output_tokens": 20},
        }
        | extra,
    )


async def _read_request(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return {"path": lines[0].split()[1], "headers": headers, "json": json.loads(body) if body else None}


async def _answer(script: Scripted, request: dict[str, Any], number: int, writer: asyncio.StreamWriter) -> None:
    answer = script.answers[min(number, len(script.answers)) - 1]
    if answer is HANG:
        await asyncio.sleep(30)
    if answer is HANG_UP:
        return
    if answer is CUT:
        writer.write(b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{"id": "resp_1"')
        await writer.drain()
        return
    status, headers, body = answer(request) if isinstance(answer, Callable) else answer
    payload = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    kind = "text/html" if isinstance(body, str) else "application/json"
    lines = [f"HTTP/1.1 {status} X", f"content-type: {kind}", f"content-length: {len(payload)}", "connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode() + payload)
    await writer.drain()


@asynccontextmanager
async def serve(*answers: Any, delay_s: float = 0.0) -> AsyncIterator[Scripted]:
    """The server, on a free port, until the block ends."""
    script = Scripted(list(answers), delay_s=delay_s)
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            request = await _read_request(reader)
            if request is None:
                return
            script.requests.append(request)
            number = len(script.requests)
            script.in_flight += 1
            script.most_in_flight = max(script.most_in_flight, script.in_flight)
            try:
                await asyncio.sleep(script.delay_s)
                await _answer(script, request, number, writer)
            finally:
                script.in_flight -= 1
        except (ConnectionError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    script.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield script
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
