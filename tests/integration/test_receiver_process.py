"""The receiver as it runs: granian, a socket, a signal."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from tests.integration.receiver_support import (
    EMAIL_PATH,
    EMAIL_SECRET,
    HOST,
    JSON_TYPE,
    WORKSPACE,
    Sql,
    add_workspace,
    sent_event,
)
from zrg_dagster.core.base.seal import Sealer, new_key

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def end_group(process: subprocess.Popen[bytes]) -> None:
    """End granian and its worker: killing the parent alone would leave the worker running for ever."""
    if process.poll() is None:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(15)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def granian(database: Any, folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The receiver process of one database and its address; ended with its workers when the block ends."""
    sql, key, port = Sql(database.dsn("bootstrap")), new_key(), free_port()
    add_workspace(sql, WORKSPACE, "clnt_harbourline")
    sql.run(
        "INSERT INTO raw.route (provider, routing_key, workspace_id, workspace_key, allowed_hosts, sealed_secret) "
        "VALUES ('emailbison', 'clnt_harbourline', %s, 'clnt_harbourline', %s, %s)",
        WORKSPACE, [HOST], Sealer(key).seal(EMAIL_SECRET, scope=f"{WORKSPACE}:verify:emailbison"),
    )  # fmt: skip
    environment = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "ZRG_DB_RECEIVER_URL": database.dsn("receiver"),
        "ZRG_VERIFY_KEYS": key, "ZRG_ENV": "production",
    }  # fmt: skip
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--no-ws", "--port", str(port)]
    with (folder / "receiver.log").open("wb") as output:
        process = subprocess.Popen(
            [*command, "webhook_receiver.main:app"],
            env=environment,
            cwd=folder,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            yield process, f"http://127.0.0.1:{port}"
        finally:
            end_group(process)


async def until_ready(address: str) -> None:
    async with asyncio.timeout(30), httpx.AsyncClient() as client:
        while True:
            try:
                if (await client.get(f"{address}/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.1)


async def test_sigterm_in_a_burst_ends_cleanly_and_keeps_every_promise(database: Any, tmp_path: Path) -> None:
    acknowledged: set[int] = set()
    with granian(database, tmp_path) as (process, address):
        await until_ready(address)
        async with httpx.AsyncClient(base_url=address, timeout=30) as client:

            async def sender(first: int) -> None:
                for number in range(first, first + 10_000):
                    try:
                        answer = await client.post(EMAIL_PATH, content=sent_event(number), headers=JSON_TYPE)
                    except httpx.TransportError:
                        return
                    if answer.status_code == 200:
                        acknowledged.add(number)

            senders = [asyncio.create_task(sender(first * 10_000)) for first in range(40)]
            while len(acknowledged) < 200:
                await asyncio.sleep(0.01)
            process.send_signal(signal.SIGTERM)
            code = await asyncio.to_thread(process.wait, 20)
            await asyncio.gather(*senders)
    log = (tmp_path / "receiver.log").read_text()
    assert code == 0, log
    assert '"receiver_stopped"' in log
    assert "Traceback" not in log
    rows = Sql(database.dsn("bootstrap")).run("SELECT convert_from(body, 'UTF8')::jsonb FROM raw.webhook_body")
    stored = {row[0]["data"]["scheduled_email"]["id"] for row in rows}
    assert len(acknowledged) >= 200
    assert acknowledged <= stored


async def test_an_endless_chunked_body_is_answered_413_over_a_real_socket(database: Any, tmp_path: Path) -> None:
    with granian(database, tmp_path) as (_process, address):
        await until_ready(address)
        reader, writer = await asyncio.open_connection("127.0.0.1", int(address.rsplit(":", 1)[1]))
        writer.write(
            f"POST {EMAIL_PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            "Transfer-Encoding: chunked\r\n\r\n".encode()
        )

        # One chunk above 5 MiB and no last chunk. Not more: what the server leaves unread resets the connection,
        # and a reset may overtake the answer.
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        async with asyncio.timeout(20):
            for _ in range(81):
                writer.write(chunk)
                await writer.drain()
            status = await reader.readline()
        writer.close()
        assert status.startswith(b"HTTP/1.1 413")
    assert Sql(database.dsn("bootstrap")).count() == 0
