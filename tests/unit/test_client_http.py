"""The one way to call a vendor: classes of failure, repeated reads, writes that happen once."""

import asyncio

import httpx
import pytest

from tests.unit.vendor_wire import Wire
from zrg_dagster.core.providers.credential import BaseUrlError, Credential, checked_base_url
from zrg_dagster.core.providers.http import (
    MAX_BODY_BYTES,
    READ_ATTEMPTS,
    USER_AGENT,
    Answer,
    VendorApi,
    make_http_client,
    request,
    retry_after_s,
)
from zrg_dagster.core.providers.outcome import CallClass, ReadFailed, Refused, Unknown, vendor_words

REQUEST = httpx.Request("POST", "https://vendor.example/x")
OK = httpx.Response(200, json={"ok": True})


def api(wire: Wire) -> VendorApi:
    return VendorApi(
        wire.client,
        base_url="https://vendor.example/",
        headers={"Authorization": "Bearer secret-1"},
        read_timeout_s=1,
        sleep=wire.sleep,
    )


@pytest.mark.parametrize(
    "error, expected",
    [
        (httpx.ConnectError("refused"), CallClass.RETRYABLE),
        (httpx.ConnectTimeout("slow"), CallClass.RETRYABLE),
        (httpx.PoolTimeout("busy"), CallClass.RETRYABLE),
        (httpx.UnsupportedProtocol("gopher"), CallClass.PERMANENT),
        (httpx.ReadTimeout("slow"), CallClass.AMBIGUOUS),
        (httpx.WriteTimeout("slow"), CallClass.AMBIGUOUS),
        (httpx.ReadError("reset"), CallClass.AMBIGUOUS),
        (httpx.WriteError("reset"), CallClass.AMBIGUOUS),
        (httpx.RemoteProtocolError("closed without answer"), CallClass.AMBIGUOUS),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
async def test_a_write_is_sent_once_whatever_breaks(error: Exception, expected: CallClass) -> None:
    wire = Wire(error, OK)
    result = await api(wire).write("/send", {"a": 1})
    assert not isinstance(result, Answer)
    assert result.call_class is expected
    assert len(wire.requests) == 1
    assert wire.pauses == []


@pytest.mark.parametrize(
    "status, headers, expected",
    [
        (400, {}, CallClass.PERMANENT),
        (401, {}, CallClass.PERMANENT),
        (402, {}, CallClass.BLOCKED),
        (403, {}, CallClass.PERMANENT),
        (404, {}, CallClass.PERMANENT),
        (409, {}, CallClass.PERMANENT),
        (413, {}, CallClass.PERMANENT),
        (422, {}, CallClass.PERMANENT),
        (429, {}, CallClass.RETRYABLE),
        (503, {"Retry-After": "5"}, CallClass.RETRYABLE),
        (503, {}, CallClass.AMBIGUOUS),
        (500, {}, CallClass.AMBIGUOUS),
        (502, {}, CallClass.AMBIGUOUS),
        (504, {}, CallClass.AMBIGUOUS),
        (408, {}, CallClass.AMBIGUOUS),
        (302, {"Location": "https://elsewhere.example/login"}, CallClass.AMBIGUOUS),
    ],
)
async def test_statuses_of_a_write(status: int, headers: dict[str, str], expected: CallClass) -> None:
    wire = Wire(httpx.Response(status, headers=headers, json={"message": "m"}), OK)
    result = await api(wire).write("/send", {})
    assert not isinstance(result, Answer)
    assert result.call_class is expected
    assert len(wire.requests) == 1


@pytest.mark.parametrize("body", [b"<html>ok</html>", b'{"data": {"success": tr', b"\xff\xfe"])
async def test_an_unreadable_2xx_is_ambiguous(body: bytes) -> None:
    result = await api(Wire(httpx.Response(200, content=body))).write("/send", {})
    assert isinstance(result, Unknown)
    assert result.reason == "unreadable_body"


async def test_an_empty_2xx_is_an_answer_without_document() -> None:
    result = await api(Wire(httpx.Response(201))).write("/send", {})
    assert isinstance(result, Answer)
    assert result.document is None
    assert result.object == {}


async def test_an_oversized_body_is_not_read_to_the_end() -> None:
    read = 0

    async def endless():
        nonlocal read
        while True:
            read += 65_536
            yield b"x" * 65_536

    wire = Wire(lambda _: httpx.Response(200, content=endless()))
    result = await api(wire).write("/send", {})
    assert isinstance(result, Unknown)
    assert read <= MAX_BODY_BYTES + 2 * 65_536


async def test_a_dripping_body_ends_at_the_total_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zrg_dagster.core.providers.http.CONNECT_TIMEOUT_S", 0.05)
    monkeypatch.setattr("zrg_dagster.core.providers.http.POOL_TIMEOUT_S", 0.05)

    async def drip():
        while True:
            await asyncio.sleep(0.02)
            yield b" "

    wire = Wire(lambda _: httpx.Response(200, content=drip()))
    result = await request(wire.client, "POST", "https://vendor.example/x", headers={}, read_timeout_s=0.05, json={})
    assert isinstance(result, Unknown)
    assert result.reason == "timeout"


@pytest.mark.parametrize("error", [httpx.ReadTimeout("slow"), httpx.ConnectError("refused"), httpx.ReadError("reset")])
async def test_reads_are_repeated(error: Exception) -> None:
    wire = Wire(error, httpx.Response(500), OK)
    result = await api(wire).read("/list", {"page": "1"})
    assert isinstance(result, Answer)
    assert wire.pauses == [1.0, 2.0]
    assert [item.method for item in wire.requests] == ["GET"] * 3


async def test_reads_give_up_after_three() -> None:
    wire = Wire(httpx.Response(500))
    result = await api(wire).read("/list")
    assert result == ReadFailed("http_500", permanent=False)
    assert len(wire.requests) == READ_ATTEMPTS


async def test_reads_honour_a_short_retry_after_and_hand_back_a_long_one() -> None:
    wire = Wire(httpx.Response(429, headers={"Retry-After": "3"}), OK)
    assert isinstance(await api(wire).read("/list"), Answer)
    assert wire.pauses == [3.0]
    wire = Wire(httpx.Response(429, headers={"Retry-After": "60"}), OK)
    assert await api(wire).read("/list") == ReadFailed("rate_limited", permanent=False, retry_after_s=60.0)
    assert len(wire.requests) == 1


async def test_permanent_reads_are_not_repeated() -> None:
    wire = Wire(httpx.Response(401, json={"message": "no"}), OK)
    assert await api(wire).read("/list") == ReadFailed("credentials_rejected", permanent=True, detail="no")
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    "headers, seconds",
    [
        ({"retry-after": "30"}, 30.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "1e99"}, 86_400.0),
        ({"x-ratelimit-reset": "38"}, 38.0),
        ({"retry-after": "Tue, 10 Mar 2026 17:00:40 GMT", "date": "Tue, 10 Mar 2026 17:00:00 GMT"}, 40.0),
        ({"retry-after": "Tue, 10 Mar 2026 17:00:40 GMT"}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_s(headers) == seconds


async def test_the_shared_client_follows_no_redirect_and_names_itself() -> None:
    async with make_http_client() as client:
        assert client.follow_redirects is False
        assert client.headers["user-agent"] == USER_AGENT


@pytest.mark.parametrize(
    "address, url",
    [
        ("send.harbourline.example", "https://send.harbourline.example"),
        (" https://send.harbourline.example/ ", "https://send.harbourline.example"),
        ("http://127.0.0.1:8090/ghl", "http://127.0.0.1:8090/ghl"),
        ("http://localhost:1/x/", "http://localhost:1/x"),
    ],
)
def test_base_urls(address: str, url: str) -> None:
    assert checked_base_url(address) == url


@pytest.mark.parametrize(
    "address",
    ["", "http://send.harbourline.example", "ftp://x.example", "https://user:pw@x.example", "https://x.example?a=b"],
)
def test_base_urls_that_are_refused(address: str) -> None:
    with pytest.raises(BaseUrlError) as caught:
        checked_base_url(address)
    assert "pw" not in str(caught.value)


def test_secrets_stay_out_of_repr() -> None:
    assert "secret-1" not in repr(Credential("https://x.example", "secret-1"))
    assert "secret-1" not in repr(api(Wire(OK)))


def test_vendor_words_are_short_and_without_people() -> None:
    words = vendor_words({"message": ["jane@acme.example is invalid", "x" * 500]})
    assert "jane@acme.example" not in words
    assert len(words) <= 300
    assert isinstance(Refused("x", permanent=True, detail=words), Refused)
