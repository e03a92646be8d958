"""Reading a request body: never more than the limit of one, never more than the process can hold of all."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from zrg_dagster.core.providers.door import Refused

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

READ_TIMEOUT_S = 15.0
MAX_HELD_BYTES = 256 * 1024 * 1024


class ClientGone(Exception):
    """The client closed the connection before its body was complete: there is nobody to answer."""


class BodyReader:
    """Reads bodies with a cap for each (413) and one for all bodies in memory together (503)."""

    def __init__(self, max_bytes: int, max_held_bytes: int = MAX_HELD_BYTES) -> None:
        self._max_bytes = max_bytes
        self._max_held_bytes = max_held_bytes
        self.held_bytes = 0

    async def read(self, receive: Receive, declared: str) -> bytes:
        """The whole body. The caller gives its size back with `release` when the request is answered.

        `declared` is the Content-Length header or "". It can only refuse earlier: a chunked body has none and a
        header can lie, so the bytes themselves are counted while they arrive.
        """
        length = _declared_length(declared)
        if length is not None and length > self._max_bytes:
            raise Refused(413, "too_large")
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                body = await self._read_chunks(receive)
        except TimeoutError:
            raise Refused(400, "body_timeout") from None
        if length is not None and len(body) != length:
            self.release(len(body))
            raise Refused(400, "incomplete_body")
        return body

    async def _read_chunks(self, receive: Receive) -> bytes:
        chunks: list[bytes] = []
        size = 0
        complete = False
        try:
            while not complete:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGone
                chunk = message.get("body", b"")
                size += len(chunk)
                self.held_bytes += len(chunk)
                if size > self._max_bytes:
                    raise Refused(413, "too_large")
                if self.held_bytes > self._max_held_bytes:
                    raise Refused(503, "memory_full")
                chunks.append(chunk)
                complete = not message.get("more_body", False)
        finally:
            if not complete:
                self.release(size)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def release(self, size: int) -> None:
        self.held_bytes -= size


def _declared_length(header: str) -> int | None:
    if not header:
        return None
    if not (header.isascii() and header.isdigit() and len(header) <= 15):
        raise Refused(400, "bad_content_length")
    return int(header)
