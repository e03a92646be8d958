"""Calling a customer's address: connected to what was checked, under the right name, and nothing is followed or swallowed."""

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from zrg_dagster.core.base.public_address import Target, checked_url
from zrg_dagster.core.providers.outcome import Accepted, Refused
from zrg_dagster.core.providers.pinned import MAX_ANSWER_BYTES, PinnedPoster, make_pinned_client, verdict

NAME = "hooks.customer.example"
TARGET = checked_url(f"https://{NAME}/crm?x=1")
PUBLIC = "93.184.215.14"


def resolver(*answers: Sequence[str] | Exception) -> Any:
    given = iter(answers)

    async def resolve(host: str, port: int) -> Sequence[str]:
        assert (host, port) == (NAME, 443)
        answer = next(given)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return resolve


class Wire:
    """What would have gone out."""

    def __init__(self, answer: httpx.Response | Exception) -> None:
        self.requests: list[httpx.Request] = []

        def handle(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            if isinstance(answer, Exception):
                raise answer
            # As it comes from a socket: not read yet.
            return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(b"answer"))

        self.client = httpx.AsyncClient(transport=httpx.MockTransport(handle), follow_redirects=False)


async def post(wire: Wire, *answers: Sequence[str] | Exception) -> Any:
    poster = PinnedPoster(wire.client, resolver=resolver(*answers))
    return await poster.post(TARGET, b"{}", {"x-zrg-event": "lead_created"}, timeout_s=5)


async def test_it_connects_to_the_checked_number_under_the_customers_name() -> None:
    wire = Wire(httpx.Response(204))
    assert isinstance(await post(wire, [PUBLIC], AssertionError("asked twice")), Accepted)
    [request] = wire.requests
    assert str(request.url) == f"https://{PUBLIC}/crm?x=1"
    assert (request.headers["host"], request.extensions["sni_hostname"]) == (NAME, NAME)
    assert request.content == b"{}"


async def test_an_ipv6_machine_is_written_in_brackets() -> None:
    wire = Wire(httpx.Response(200))
    await post(wire, ["2606:4700::1111"])
    assert str(wire.requests[0].url) == "https://[2606:4700::1111]/crm?x=1"


@pytest.mark.parametrize(
    "found", [["127.0.0.1"], ["169.254.169.254"], ["::ffff:10.0.0.1"], [PUBLIC, "10.0.0.1"], ["fd00::1", PUBLIC]]
)
async def test_a_name_that_leads_inside_is_never_called(found: list[str]) -> None:
    wire = Wire(httpx.Response(200))
    assert await post(wire, found) == Refused("private_address", permanent=True)
    assert wire.requests == []


@pytest.mark.parametrize("answer", [OSError("no such name"), TimeoutError(), UnicodeError("label too long"), []])
async def test_a_name_that_is_not_known_now_is_tried_again(answer: Any) -> None:
    failed = await post(Wire(httpx.Response(200)), answer)
    assert (failed.reason, failed.permanent) == ("name_not_resolved", False)


async def test_a_redirect_is_an_answer() -> None:
    wire = Wire(httpx.Response(302, headers={"location": "https://169.254.169.254/"}))
    assert await post(wire, [PUBLIC]) == Refused("http_302", permanent=True)
    assert len(wire.requests) == 1


@pytest.mark.parametrize("error", [httpx.ConnectError("x"), httpx.ReadError("x"), httpx.RemoteProtocolError("x")])
async def test_trouble_on_the_way_is_tried_again(error: Exception) -> None:
    failed = await post(Wire(error), [PUBLIC])
    assert (failed.reason, failed.permanent) == ("connection_failed", False)


@pytest.mark.parametrize(
    "status, permanent",
    [(301, True), (400, True), (401, True), (404, True), (410, True), (422, True),
     (408, False), (425, False), (429, False), (500, False), (501, False), (503, False), (599, False)],
)  # fmt: skip
def test_the_classes_of_an_answer(status: int, permanent: bool) -> None:
    assert verdict(status, {}) == Refused(f"http_{status}", permanent=permanent)


def test_how_long_the_customer_asks_us_to_wait() -> None:
    assert verdict(429, {"retry-after": "30"}) == Refused("http_429", permanent=False, retry_after_s=30.0)


# ── a real server with a certificate of its name ─────────────────────────────


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """(server's context, context of a client that trusts it)."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject).issuer_name(subject).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file = folder / "server.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cadata=made.public_bytes(serialization.Encoding.PEM).decode())


@asynccontextmanager
async def serving(context: ssl.SSLContext, answer: bytes, names: list[str | None]) -> AsyncIterator[int]:
    """A TLS server on loopback that notes the name it was asked for and says `answer`; yields its port."""
    context.sni_callback = lambda _socket, name, _context: names.append(name)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        with_more = answer.startswith(b"HTTP/1.1 200 endless")
        try:
            while with_more:
                writer.write(b"x" * 65536)
                await writer.drain()
        except (ConnectionError, ssl.SSLError):
            pass
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def posted(trusted: ssl.SSLContext, port: int, name: str, timeout_s: float = 5) -> Any:
    async def here(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1"]

    async with make_pinned_client(trusted) as client:
        poster = PinnedPoster(client, resolver=here, allowed=lambda _address: True)
        return await poster.post(Target(name, port, "/crm"), b"{}", {}, timeout_s=timeout_s)


async def test_the_certificate_must_be_that_of_the_name(tmp_path: Path) -> None:
    context, trusted = certificate(tmp_path, NAME)
    names: list[str | None] = []
    async with serving(context, b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", names) as port:
        assert isinstance(await posted(trusted, port, NAME), Accepted)
        assert names == [NAME]
        foreign = await posted(trusted, port, "somebody.example")
        assert (foreign.reason, foreign.permanent) == ("connection_failed", False)
        unknown = await posted(ssl.create_default_context(), port, NAME)
        assert unknown.reason == "connection_failed"


async def test_an_answer_without_end_is_read_to_the_bound(tmp_path: Path) -> None:
    context, trusted = certificate(tmp_path, NAME)
    async with serving(context, b"HTTP/1.1 200 endless\r\n\r\n", []) as port:
        assert isinstance(await posted(trusted, port, NAME, timeout_s=20), Accepted)
    assert MAX_ANSWER_BYTES < 2**20


async def test_a_server_that_drips_or_says_nothing_costs_the_timeout(tmp_path: Path) -> None:
    context, trusted = certificate(tmp_path, NAME)
    async with serving(context, b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n", []) as port:
        failed = await posted(trusted, port, NAME, timeout_s=1)
        assert failed.permanent is False
