"""Shared by the sandbox tests: an app called in process, a real server process, and shape comparison."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from provider_sandbox.app import SandboxApp

DATA = Path(__file__).parents[1] / "data"
HEADERS: Mapping[str, Mapping[str, str]] = {
    "emailbison": {"Authorization": "Bearer sandbox-emailbison-key", "Accept": "application/json"},
    "smartlead": {},
    "instantly": {"Authorization": "Bearer sandbox-instantly-key"},
    "unipile": {"X-API-KEY": "sandbox-unipile-key"},
    "ghl": {"Authorization": "Bearer sandbox-ghl-token", "Version": "2021-04-15"},
    "calendly": {"Authorization": "Bearer sandbox-calendly-token"},
    "slack": {"Authorization": "Bearer xoxb-sandbox"},
    "openai": {"Authorization": "Bearer sk-sandbox"},
    "clay": {},
    "resend": {"Authorization": "Bearer re_sandbox"},
}
# The instant of the sample exchanges: their slots lie in the following days.
SAMPLE_NOW = "2026-03-10T17:05:00Z"


def payload(name: str) -> Any:
    return json.loads((DATA / "payloads" / name).read_text())


class InProcess:
    """One sandbox, called without sockets."""

    def __init__(self) -> None:
        self.app = SandboxApp()
        transport = httpx.ASGITransport(app=self.app)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://sandbox.test")

    async def __aenter__(self) -> "InProcess":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()
        await self.app.webhooks.close()

    async def call(self, provider: str, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        headers = {**HEADERS[provider], **options.pop("headers", {})}
        return await self.http.request(method, f"/{provider}{path}", json=body, headers=headers, **options)

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        response = await self.http.request(method, f"/_control/{path}", json=body)
        assert response.status_code in (200, 201), response.text
        return response.json()

    async def state(self, provider: str) -> Any:
        return await self.control("GET", f"state/{provider}")


@contextmanager
def server(*arguments: str) -> Iterator[str]:
    """A sandbox in its own process with warnings as errors; yields its base URL and checks that it stopped cleanly."""
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    command = [sys.executable, "-m", "provider_sandbox", "--port", "0", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        assert line.startswith("sandbox: http://127.0.0.1:"), line
        yield line.removeprefix("sandbox: ")
    finally:
        process.terminate()
        _, errors = process.communicate(timeout=15)
    assert process.returncode == 0
    assert not errors, errors


def shape_problems(documented: Any, seen: Any, path: str = "$") -> list[str]:
    """Where `seen` lacks a documented key or has another JSON type; a null on either side matches anything."""
    if documented is None or seen is None:
        return []
    if isinstance(documented, bool) or isinstance(seen, bool):
        return [] if isinstance(documented, bool) and isinstance(seen, bool) else [f"{path}: {type(seen).__name__}"]
    if isinstance(documented, int | float) and isinstance(seen, int | float):
        return []
    if type(documented) is not type(seen):
        return [f"{path}: documented {type(documented).__name__}, seen {type(seen).__name__}"]
    if isinstance(documented, dict):
        missing = [f"{path}.{key}: missing" for key in documented if key not in seen]
        common = [key for key in documented if key in seen]
        return missing + [
            problem for key in common for problem in shape_problems(documented[key], seen[key], f"{path}.{key}")
        ]
    if isinstance(documented, list) and documented:
        return shape_problems(documented[0], seen[0], f"{path}[0]") if seen else [f"{path}: empty"]
    return []
