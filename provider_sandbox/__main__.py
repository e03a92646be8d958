"""Start the sandbox: `python -m provider_sandbox --host 127.0.0.1 --port 8090`.

Port 0 takes a free one. Once the socket listens, one line `sandbox: http://127.0.0.1:PORT` goes to standard output.
Exit code 2 when it refuses to start: not a loopback address, production, port in use.
"""

import argparse
import asyncio
import contextlib
import ipaddress
import os
import signal
import socket
import sys

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from provider_sandbox.app import TRANSPORT_KEY, SandboxApp


class SandboxProtocol(HttpToolsProtocol):
    """HTTP/1.1 that lets the application reach its connection.

    Resets and cut bodies are faults of the transport, and ASGI has no message for them.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, TRANSPORT_KEY: transport}


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="provider_sandbox", description="A local stand-in for the vendor APIs.")
    parser.add_argument("--host", default="127.0.0.1", help="loopback address to bind (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8090, help="port; 0 takes a free one (default 8090)")
    parser.add_argument("--fixtures", default=None, help="folder of sample webhooks for /_control/webhooks/fire")
    return parser.parse_args(argv)


def refusal(host: str, environment: str) -> str | None:
    """Why the sandbox must not start, or None."""
    if environment.strip().lower() == "production":
        return "refusing to start: ZRG_ENV is production, and this imitates vendors; unset it or use development"
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    return None if loopback else f"refusing to start: --host {host} is not a loopback address; use 127.0.0.1"


def listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def main(argv: list[str] | None = None) -> int:
    arguments = _arguments(argv)
    reason = refusal(arguments.host, os.environ.get("ZRG_ENV", ""))
    if reason is not None:
        print(f"sandbox: {reason}", file=sys.stderr)
        return 2
    try:
        listener = listen(arguments.host, arguments.port)
    except OSError as error:
        print(f"sandbox: cannot bind {arguments.host}:{arguments.port}: {error.strerror}", file=sys.stderr)
        return 2
    config = uvicorn.Config(
        SandboxApp(fixtures=arguments.fixtures),
        http=SandboxProtocol,
        ws="none",
        loop="asyncio",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=2,
    )
    listener.listen(config.backlog)
    host = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
    print(f"sandbox: http://{host}:{listener.getsockname()[1]}", flush=True)
    # uvicorn raises the signal again after a clean stop; a stop on request is a success, not a crash.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listener])
    return 0


if __name__ == "__main__":
    sys.exit(main())
