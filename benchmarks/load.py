"""HTTP load from a process of its own: raw HTTP/1.1 over keep-alive connections, one JSON line about it at the end.

    python -m benchmarks.load closed --port N --first N --connections 64 --seconds 5 --answers FILE
    python -m benchmarks.load open   --port N --first N --connections 64 --seconds 20 --rate 1000 --answers FILE

Closed: each connection sends as soon as it was answered. Open: requests fall due at a fixed rate, and the time of each
counts from when it was due, so that a server that stalls is not asked less. A real client library would cost more per
request than the receiver does; here a request is three joined byte strings.

FILE receives the correlation id of every delivery that was answered 200: the id of its row.
"""

import argparse
import asyncio
import gc
import json
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from benchmarks.traffic import REPLY, Sample

HEAD = "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
CORRELATION = b"x-correlation-id: "
LENGTH = b"content-length: "
WARM_UP_S = 0.5
PATIENCE_S = 15.0


class Connection(asyncio.Protocol):
    """One keep-alive connection with at most one request under way."""

    def __init__(self, answered: Callable[["Connection", float, int, bytes], None]) -> None:
        self._answered = answered
        self._buffer = b""
        self._due: float | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def send(self, request: bytes, due: float) -> None:
        assert self._transport is not None
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        length = int(_after(head, LENGTH) or 0)
        if len(self._buffer) < end + 4 + length:
            return
        self._buffer = self._buffer[end + 4 + length :]
        self._finish(int(head[9:12]), _after(head, CORRELATION))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._due is not None:
            self._finish(0, b"")

    def _finish(self, status: int, correlation_id: bytes) -> None:
        due, self._due = self._due, None
        if due is not None:
            self._answered(self, due, status, correlation_id)

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def _after(head: bytes, name: bytes) -> bytes:
    start = head.find(name)
    return head[start + len(name) : (head + b"\r\n").find(b"\r\n", start)] if start >= 0 else b""


class Load:
    """What both modes share: numbered requests, and the book of answers."""

    def __init__(self, path: str, first: int) -> None:
        sample = Sample(REPLY)
        length = len(sample.render(first, first))
        self._head = HEAD.format(path=path, length=length).encode()
        self._sample = sample
        self._next = first
        self.under_way = 0
        self.acknowledged: list[bytes] = []
        self.answers: list[tuple[float, float]] = []  # when, milliseconds since it was due
        self.errors = 0
        self.idle = asyncio.Event()

    def request(self) -> bytes:
        number, self._next = self._next, self._next + 1
        self.under_way += 1
        return self._head + self._sample.render(number, number)

    def book(self, due: float, status: int, correlation_id: bytes) -> None:
        now = time.perf_counter()
        self.under_way -= 1
        if status == 200:
            self.acknowledged.append(correlation_id)
            self.answers.append((now, (now - due) * 1000))
        else:
            self.errors += 1
        if not self.under_way:
            self.idle.set()

    async def finish(self) -> None:
        """Wait for what is under way; what stays unanswered is an error."""
        self.idle.clear()
        if self.under_way:
            try:
                await asyncio.wait_for(self.idle.wait(), PATIENCE_S)
            except TimeoutError:
                self.errors += self.under_way


async def connect(port: int, number: int, answered: Callable[..., None]) -> list[Connection]:
    loop = asyncio.get_running_loop()
    made = [await loop.create_connection(lambda: Connection(answered), "127.0.0.1", port) for _ in range(number)]
    return [connection for _, connection in made]


async def closed(load: Load, port: int, connections: int, seconds: float) -> float:
    """Answers a second between the end of the warm-up and the end of the round."""
    started = time.perf_counter() + WARM_UP_S
    end = started + seconds

    def answered(connection: Connection, due: float, status: int, correlation_id: bytes) -> None:
        load.book(due, status, correlation_id)
        now = time.perf_counter()
        if now < end and connection.is_open:
            connection.send(load.request(), now)

    ready = await connect(port, connections, answered)
    for connection in ready:
        connection.send(load.request(), time.perf_counter())
    await asyncio.sleep(end - time.perf_counter())
    await load.finish()
    for connection in ready:
        connection.close()
    return sum(started <= when < end for when, _ in load.answers) / seconds


async def opened(load: Load, port: int, connections: int, seconds: float, rate: float) -> float:
    """Answers a second over the whole time. A request without a free connection waits, and its time runs."""
    free: deque[Connection] = deque()
    late: deque[float] = deque()

    def answered(connection: Connection, due: float, status: int, correlation_id: bytes) -> None:
        load.book(due, status, correlation_id)
        if late and connection.is_open:
            connection.send(load.request(), late.popleft())
        elif connection.is_open:
            free.append(connection)

    ready = await connect(port, connections, answered)
    free.extend(ready)
    started = time.perf_counter()
    total = int(rate * seconds)
    for number in range(total):
        due = started + number / rate
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        elif number % 64 == 0:
            await asyncio.sleep(0)  # behind the clock: let answers in
        if free:
            free.popleft().send(load.request(), due)
        else:
            late.append(due)
    deadline = time.perf_counter() + PATIENCE_S
    while late and time.perf_counter() < deadline:
        await asyncio.sleep(0.01)
    await load.finish()
    load.errors += len(late)
    for connection in ready:
        connection.close()
    return len(load.answers) / seconds


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


async def run(arguments: argparse.Namespace) -> dict[str, float]:
    load = Load(arguments.path, arguments.first)
    if arguments.mode == "closed":
        rate = await closed(load, arguments.port, arguments.connections, arguments.seconds)
    else:
        rate = await opened(load, arguments.port, arguments.connections, arguments.seconds, arguments.rate)
    Path(arguments.answers).write_bytes(b"\n".join(load.acknowledged))
    times = [each for _, each in load.answers]
    return {
        "rps": rate,
        "acknowledged": len(load.acknowledged),
        "errors": load.errors,
        "p50_ms": percentile(times, 0.50),
        "p99_ms": percentile(times, 0.99),
        "max_ms": max(times, default=float("nan")),
        "cpu_s": time.process_time(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Load on one receiver.")
    parser.add_argument("mode", choices=["closed", "open"])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--first", type=int, required=True)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--rate", type=float, default=1000)
    parser.add_argument("--answers", required=True)
    arguments = parser.parse_args()
    gc.disable()  # seconds of life, and a collection would count as the receiver's time
    print(json.dumps(asyncio.run(run(arguments))), flush=True)


if __name__ == "__main__":
    main()
