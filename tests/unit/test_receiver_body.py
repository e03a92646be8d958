"""Reading bodies: limits hold whatever the headers claim, and memory is given back on every way out."""

from collections.abc import MutableMapping
from typing import Any

import pytest

from webhook_receiver.body import BodyReader, ClientGone
from zrg_dagster.core.providers.door import Refused


class Wire:
    """An ASGI `receive` that hands out chunks and remembers how many were taken."""

    def __init__(self, *chunks: bytes, cut: bool = False) -> None:
        self._messages: list[MutableMapping[str, Any]] = [
            {"type": "http.request", "body": chunk, "more_body": cut or number < len(chunks)}
            for number, chunk in enumerate(chunks, 1)
        ]
        self._messages.append({"type": "http.disconnect"})
        self.taken = 0

    async def __call__(self) -> MutableMapping[str, Any]:
        self.taken += 1
        return self._messages[self.taken - 1]


async def test_chunks_are_joined_and_counted_until_released() -> None:
    reader = BodyReader(max_bytes=10)
    assert await reader.read(Wire(b"abc", b"de", b""), "") == b"abcde"
    assert reader.held_bytes == 5
    reader.release(5)
    assert await reader.read(Wire(b"abc"), "3") == b"abc"


async def test_declared_too_large_is_refused_before_a_byte_is_read() -> None:
    reader, wire = BodyReader(max_bytes=10), Wire(b"abc")
    with pytest.raises(Refused, match="413"):
        await reader.read(wire, "11")
    assert wire.taken == 0


@pytest.mark.parametrize("declared", ["", "4"])
async def test_reading_stops_at_the_limit_whatever_was_declared(declared: str) -> None:
    reader, wire = BodyReader(max_bytes=10), Wire(*[b"abcd"] * 1000)
    with pytest.raises(Refused, match="413"):
        await reader.read(wire, declared)
    assert wire.taken == 3
    assert reader.held_bytes == 0


async def test_limit_itself_is_allowed() -> None:
    assert await BodyReader(max_bytes=8).read(Wire(b"abcd", b"efgh"), "8") == b"abcdefgh"


@pytest.mark.parametrize("declared", ["9", "2"])
async def test_a_length_that_lies_is_malformed(declared: str) -> None:
    reader = BodyReader(max_bytes=10)
    with pytest.raises(Refused, match="400 incomplete_body"):
        await reader.read(Wire(b"abc"), declared)
    assert reader.held_bytes == 0


@pytest.mark.parametrize("declared", ["-1", "1e3", "0x10", "٣", "9" * 30])
async def test_a_length_that_is_no_number_is_malformed(declared: str) -> None:
    with pytest.raises(Refused, match="400"):
        await BodyReader(max_bytes=10).read(Wire(b"abc"), declared)


async def test_a_cut_connection_stores_nothing() -> None:
    reader = BodyReader(max_bytes=10)
    with pytest.raises(ClientGone):
        await reader.read(Wire(b"abc", cut=True), "")
    assert reader.held_bytes == 0


async def test_all_bodies_together_have_a_limit() -> None:
    reader = BodyReader(max_bytes=10, max_held_bytes=12)
    await reader.read(Wire(b"x" * 8), "")
    with pytest.raises(Refused, match="503 memory_full"):
        await reader.read(Wire(b"x" * 8), "")
    assert reader.held_bytes == 8
    reader.release(8)
    await reader.read(Wire(b"x" * 8), "")
