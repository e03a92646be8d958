"""One way to call a vendor: bounded in time and size, logged without secrets, failures classified.

A read is repeated a few times. A write is never repeated here, whatever happened: the send ledger decides, and it can
only decide well when "certainly not executed" and "may have been executed" are told apart (vendor reference §1.6).
"""

import asyncio
import json as jsonlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Self

import httpx

from zrg_dagster.core.base.log import get_logger
from zrg_dagster.core.base.tls import client_context
from zrg_dagster.core.providers.credential import Credential
from zrg_dagster.core.providers.outcome import Blocked, CallFailure, ReadFailed, Refused, Unknown, vendor_words

log = get_logger(__name__)

CONNECT_TIMEOUT_S = 5.0
POOL_TIMEOUT_S = 5.0
MAX_BODY_BYTES = 5 * 1024 * 1024
READ_ATTEMPTS = 3
READ_PAUSES_S = (1.0, 2.0)
# A vendor that asks for more patience than this gets it from the caller's schedule, not from a sleeping coroutine.
MAX_READ_PAUSE_S = 10.0
MAX_RETRY_AFTER_S = 24 * 3600.0
MAX_WORDS = 200
USER_AGENT = "zrg/1.0"

_STARTED = "zrg_started"
_REJECTED = frozenset({400, 405, 406, 409, 410, 411, 413, 414, 415, 422, 424, 428, 431})


@dataclass(frozen=True, slots=True)
class Answer:
    """A response with a readable body. `document` is the decoded JSON, or None for an empty body."""

    status: int
    headers: Mapping[str, str]
    document: Any

    @property
    def object(self) -> dict[str, Any]:
        """The document when it is an object, else an empty one."""
        return self.document if isinstance(self.document, dict) else {}


Classify = Callable[[Answer], CallFailure | None]
Sleep = Callable[[float], Awaitable[None]]


async def _mark_start(request: httpx.Request) -> None:
    request.extensions[_STARTED] = time.monotonic()


async def _log_response(response: httpx.Response) -> None:
    started = response.request.extensions.get(_STARTED, time.monotonic())
    log.info(
        "vendor_answered",
        method=response.request.method,
        host=response.request.url.host,
        path=response.request.url.path,
        status=response.status_code,
        duration_ms=round((time.monotonic() - started) * 1000),
        request_id=response.headers.get("x-request-id"),
    )


def make_http_client(*, max_connections: int = 64) -> httpx.AsyncClient:
    """The HTTP client a process shares over all vendors. The caller closes it. Redirects are never followed."""
    # The library's own request line shows the query, and queries carry addresses of people.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    return httpx.AsyncClient(
        verify=client_context(),
        follow_redirects=False,
        headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
        limits=httpx.Limits(max_connections=max_connections, max_keepalive_connections=16, keepalive_expiry=5.0),
        event_hooks={"request": [_mark_start], "response": [_log_response]},
    )


async def _ask(
    client: httpx.AsyncClient, request: httpx.Request, total_s: float
) -> tuple[httpx.Response, bytes | None]:
    """The response and its body; None when the body is larger than we read. The deadline covers a dripping body too."""
    async with asyncio.timeout(total_s):
        response = await client.send(request, stream=True)
        try:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    return response, None
            return response, bytes(body)
        finally:
            await response.aclose()


def _transport_failure(error: Exception) -> CallFailure:
    """Only failures before the first byte left us prove that nothing was executed."""
    if isinstance(error, httpx.ConnectTimeout | httpx.ConnectError | httpx.PoolTimeout):
        return Refused("connect_failed", permanent=False, detail=type(error).__name__)
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return Refused("base_url_invalid", permanent=True, detail=type(error).__name__)
    timed_out = isinstance(error, httpx.TimeoutException | TimeoutError)
    return Unknown("timeout" if timed_out else "connection_lost", detail=type(error).__name__)


def _decode(body: bytes | None) -> Any:
    """The JSON document, None for an empty body; ValueError for HTML, truncated or oversized bodies."""
    if body is None:
        raise ValueError("oversized body")
    return jsonlib.loads(body) if body.strip() else None


def _plain_words(response: httpx.Response, body: bytes | None) -> str | None:
    """What a vendor says in plain text instead of JSON; None for HTML, for long text and for JSON that was cut off."""
    if body is None or len(body) > MAX_WORDS or not response.headers.get("content-type", "").startswith("text/plain"):
        return None
    return body.decode("utf-8", "replace").strip()


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """How long the vendor asks us to wait: Retry-After in seconds or as a date, else X-RateLimit-Reset in seconds.

    A date is measured against the answer's own Date header, so our clock does not matter.
    """
    value = headers.get("retry-after") or headers.get("x-ratelimit-reset")
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("date", ""))).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S) if seconds == seconds else None


def classify_status(answer: Answer) -> CallFailure | None:
    """The class of an HTTP status as if the request were a write; None for 2xx."""
    status = answer.status
    if 200 <= status < 300:
        return None
    words = vendor_words(answer.document)
    if status == 429 or (status == 503 and "retry-after" in answer.headers):
        reason = "rate_limited" if status == 429 else "unavailable"
        return Refused(reason, permanent=False, retry_after_s=retry_after_s(answer.headers), detail=words)
    if status in (401, 403):
        return Refused("credentials_rejected", permanent=True, detail=words)
    if status == 402:
        return Blocked("quota", detail=words)
    if status == 404:
        return Refused("not_found", permanent=True, detail=words)
    if status in _REJECTED:
        return Refused("rejected", permanent=True, detail=words)
    # 5xx, 408, redirects and whatever nobody documented: the vendor may have acted before it answered.
    return Unknown(f"http_{status}", detail=words)


async def request(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    read_timeout_s: float,
    params: Mapping[str, str] | None = None,
    json: Any = None,
    form: Sequence[tuple[str, str]] | None = None,
    classify: Classify | None = None,
    takes_words: bool = False,
) -> Answer | CallFailure:
    """One request, one verdict. An unreadable 2xx is `Unknown`; an unreadable error body leaves the status to decide.

    `classify` sees every readable answer first and may give the vendor's own verdict; None leaves it to the status.
    `form` is sent as multipart instead of JSON. With `takes_words` a short plain text is an answer, its document a str.
    """
    timeout = httpx.Timeout(read_timeout_s, connect=CONNECT_TIMEOUT_S, pool=POOL_TIMEOUT_S)
    total_s = CONNECT_TIMEOUT_S + POOL_TIMEOUT_S + 2 * read_timeout_s
    try:
        files = [(name, (None, value)) for name, value in form] if form else None
        prepared = client.build_request(
            method, url, params=params, json=json, files=files, headers=dict(headers), timeout=timeout
        )
        response, body = await _ask(client, prepared, total_s)
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, TimeoutError) as error:
        failure = _transport_failure(error)
        log.warning("vendor_call_failed", method=method, host=httpx.URL(url).host, reason=failure.reason)
        return failure
    try:
        answer = Answer(response.status_code, response.headers, _decode(body))
    except ValueError:
        words = _plain_words(response, body) if takes_words else None
        answer = Answer(response.status_code, response.headers, words)
        return classify_status(answer) or (answer if words is not None else Unknown("unreadable_body"))
    return (classify(answer) if classify else None) or classify_status(answer) or answer


def as_read_failure(failure: CallFailure) -> ReadFailed:
    """A read has no side effect, so an ambiguous answer is only one to ask for again."""
    if isinstance(failure, Refused):
        return ReadFailed(failure.reason, failure.permanent, failure.retry_after_s, failure.detail)
    if isinstance(failure, Blocked):
        return ReadFailed(failure.reason, permanent=True, detail=failure.detail)
    redirected = failure.reason.startswith("http_3")
    return ReadFailed(failure.reason, permanent=redirected, detail=failure.detail)


class VendorApi:
    """One vendor account over a shared HTTP client. `headers` or `query` carry the credential; both stay out of repr and
    logs."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        *,
        base_url: str,
        headers: Mapping[str, str],
        read_timeout_s: float,
        query: Mapping[str, str] | None = None,
        classify: Classify | None = None,
        takes_words: bool = False,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._client = client
        self._query = dict(query or {})
        self._takes_words = takes_words
        self._base_url = base_url.rstrip("/")
        self._headers = dict(headers)
        self._read_timeout_s = read_timeout_s
        self._classify = classify
        self._sleep = sleep

    @classmethod
    def bearer(
        cls,
        client: httpx.AsyncClient,
        credential: Credential,
        *,
        read_timeout_s: float,
        classify: Classify,
        sleep: Sleep,
        headers: Mapping[str, str] | None = None,
    ) -> Self:
        """The account of a vendor that takes the token in the Authorization header, as most do."""
        # Without Accept some answer HTML redirects.
        given = {"Authorization": f"Bearer {credential.token}", "Accept": "application/json", **(headers or {})}
        return cls(
            client,
            base_url=credential.base_url,
            headers=given,
            read_timeout_s=read_timeout_s,
            classify=classify,
            sleep=sleep,
        )

    def __repr__(self) -> str:
        return f"VendorApi({self._base_url})"

    async def _once(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        json: Any,
        headers: Mapping[str, str] | None,
        form: Sequence[tuple[str, str]] | None = None,
    ) -> Answer | CallFailure:
        return await request(
            self._client,
            method,
            self._base_url + path,
            headers=self._headers | dict(headers or {}),
            read_timeout_s=self._read_timeout_s,
            params=self._query | dict(params or {}) or None,
            json=json,
            form=form,
            classify=self._classify,
            takes_words=self._takes_words,
        )

    async def write(
        self, path: str, json: Any, *, method: str = "POST", headers: Mapping[str, str] | None = None
    ) -> Answer | CallFailure:
        """POST, or whatever the vendor writes with, once."""
        return await self._once(method, path, None, json, headers)

    async def write_form(self, path: str, form: Sequence[tuple[str, str]]) -> Answer | CallFailure:
        """POST once, as multipart."""
        return await self._once("POST", path, None, None, None, form)

    async def delete(self, path: str) -> Answer | CallFailure:
        """DELETE once."""
        return await self._once("DELETE", path, None, None, None)

    async def read(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        post: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer | ReadFailed:
        """GET, repeated up to three times. `post` makes it a POST of that body: only for calls safe to repeat."""
        method = "GET" if post is None else "POST"
        for attempt in range(1, READ_ATTEMPTS + 1):
            result = await self._once(method, path, params, post, headers)
            if isinstance(result, Answer):
                return result
            failure = as_read_failure(result)
            pause = failure.retry_after_s or READ_PAUSES_S[min(attempt, len(READ_PAUSES_S)) - 1]
            if failure.permanent or attempt == READ_ATTEMPTS or pause > MAX_READ_PAUSE_S:
                return failure
            await self._sleep(pause)
        raise AssertionError("the loop returns")
