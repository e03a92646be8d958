"""The SDK's clients of one account: one for each call that is under way.

The HTTP library's pool looks at every one of its connections twice for each request; at a hundred open ones that was a seventh
of all that a reply costs. A client with one connection has nothing to look through. Who comes takes the one that rested least.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import openai


class Connections:
    """`make` gives a new client; there are as many as calls were ever under way at the same time."""

    def __init__(self, make: Callable[[], openai.AsyncOpenAI]) -> None:
        self._make = make
        self._idle: list[openai.AsyncOpenAI] = []
        self._all: list[openai.AsyncOpenAI] = []

    @contextmanager
    def one(self) -> Iterator[openai.AsyncOpenAI]:
        """A client that nobody else uses until the block ends."""
        if self._idle:
            client = self._idle.pop()
        else:
            client = self._make()
            self._all.append(client)
        try:
            yield client
        finally:
            self._idle.append(client)

    async def aclose(self) -> None:
        for client in self._all:
            await client.close()
