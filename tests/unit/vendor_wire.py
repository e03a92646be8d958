"""Recorded vendor exchanges behind `httpx.MockTransport`: the wire is faked, nothing of ours is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from zrg_dagster.core.providers.credential import Credential

API = Path(__file__).parents[1] / "data/api"
CREDENTIAL = Credential("https://vendor.example", "token-under-test", "external-1")


def exchanges(vendor: str, *names: str) -> list[dict[str, Any]]:
    """The recorded exchanges of these names, in this order; all when no name is given."""
    items = json.loads((API / f"{vendor}.json").read_text())
    if not names:
        return items
    by_name = {item["name"]: item for item in items}
    return [by_name[name] for name in names]


def exchange(vendor: str, name: str) -> dict[str, Any]:
    return exchanges(vendor, name)[0]


def response_of(recorded: dict[str, Any]) -> httpx.Response:
    response = recorded["response"]
    body = response.get("body")
    content = body if isinstance(body, str) else json.dumps(body)
    return httpx.Response(response["status"], headers=response.get("headers"), content=content.encode())


class Wire:
    """A transport that answers in turn (the last answer again and again) and records what was asked."""

    def __init__(self, *answers: httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]) -> None:
        self._answers = answers
        self.requests: list[httpx.Request] = []
        self.pauses: list[float] = []
        self.client = httpx.AsyncClient(transport=httpx.MockTransport(self._handle))

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers[min(len(self.requests), len(self._answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            # A response object can be read once; each request gets its own.
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        return answer(request)

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def body(self, index: int = 0) -> Any:
        return json.loads(self.requests[index].content)
