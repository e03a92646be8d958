"""Calendly API: free times of an event type, the account, its webhook subscriptions (vendor reference §9.4)."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import quote

import httpx

from zrg_dagster.core.providers.credential import Credential
from zrg_dagster.core.providers.http import Answer, Sleep, VendorApi
from zrg_dagster.core.providers.outcome import CallFailure, ReadFailed, Refused, Unknown, vendor_words
from zrg_dagster.core.text.times import parse_timestamp

READ_TIMEOUT_S = 15.0
WINDOW = timedelta(days=7)  # the vendor refuses a longer range
PAGE = 100
MAX_PAGES = 10

Scope = Literal["user", "organization"]


@dataclass(frozen=True, slots=True)
class Account:
    """Whose token it is. Ids are full URIs."""

    user_uri: str
    organization_uri: str


@dataclass(frozen=True, slots=True)
class Subscription:
    """One webhook subscription. `state` is active or disabled; its signing key is never told."""

    uri: str
    callback_url: str
    state: str
    events: frozenset[str]
    scope: str


def classify(answer: Answer) -> CallFailure | None:
    """Verdicts of this vendor beyond the HTTP status: a broken connected calendar heals without us."""
    if answer.status == 424:
        return Refused("external_calendar", permanent=False, detail=vendor_words(answer.document))
    return None


class CalendlyClient:
    """One Calendly account."""

    def __init__(self, http: httpx.AsyncClient, credential: Credential, *, sleep: Sleep = asyncio.sleep) -> None:
        self._api = VendorApi.bearer(http, credential, read_timeout_s=READ_TIMEOUT_S, classify=classify, sleep=sleep)

    async def available_times(self, event_type_uri: str, start: datetime, end: datetime) -> list[datetime] | ReadFailed:
        """Bookable starts in [start, end), aware UTC, ascending. `start` lies in the future; windows are merged."""
        times: set[datetime] = set()
        while start < end:
            stop = min(start + WINDOW, end)
            params = {"event_type": event_type_uri, "start_time": _utc(start), "end_time": _utc(stop)}
            answer = await self._api.read("/event_type_available_times", params)
            if isinstance(answer, ReadFailed):
                return answer
            part = _times(answer.object.get("collection"))
            if part is None:
                return ReadFailed("unexpected_body", permanent=False)
            times.update(part)
            start = stop
        return sorted(times)

    async def account(self) -> Account | ReadFailed:
        """The user of the token and the organization that the user is in."""
        answer = await self._api.read("/users/me")
        if isinstance(answer, ReadFailed):
            return answer
        resource = _resource(answer)
        user, organization = resource.get("uri"), resource.get("current_organization")
        if not (isinstance(user, str) and isinstance(organization, str)):
            return ReadFailed("unexpected_body", permanent=False)
        return Account(user, organization)

    async def subscriptions(self, account: Account, scope: Scope) -> list[Subscription] | ReadFailed:
        """All webhook subscriptions of the user, or of the organization, which only its owners and admins may see."""
        found: list[Subscription] = []
        params = {"organization": account.organization_uri, "scope": scope, "count": str(PAGE)}
        if scope == "user":
            params["user"] = account.user_uri
        for _ in range(MAX_PAGES):
            answer = await self._api.read("/webhook_subscriptions", params)
            if isinstance(answer, ReadFailed):
                return answer
            part = [_subscription(item) for item in _list(answer.object.get("collection"))]
            found += [each for each in part if each is not None]
            pagination = answer.object.get("pagination")
            token = pagination.get("next_page_token") if isinstance(pagination, dict) else None
            if not isinstance(token, str) or not token:
                return found
            params["page_token"] = token
        return ReadFailed("too_many_pages", permanent=True)

    async def subscription(self, uri: str) -> Subscription | ReadFailed:
        """One subscription as it is now; reason `not_found` when it is gone."""
        answer = await self._api.read(_path(uri))
        if isinstance(answer, ReadFailed):
            return answer
        return _subscription(_resource(answer)) or ReadFailed("unexpected_body", permanent=False)

    async def subscribe(
        self, account: Account, scope: Scope, *, url: str, events: tuple[str, ...], signing_key: str
    ) -> Subscription | CallFailure:
        """Make a subscription whose deliveries are signed with `signing_key`. The vendor refuses a second one of a URL."""
        body: dict[str, Any] = {
            "url": url,
            "events": list(events),
            "organization": account.organization_uri,
            "scope": scope,
            "signing_key": signing_key,
        }
        if scope == "user":
            body["user"] = account.user_uri
        answer = await self._api.write("/webhook_subscriptions", body)
        if not isinstance(answer, Answer):
            return answer
        return _subscription(_resource(answer)) or Unknown("unexpected_body")

    async def unsubscribe(self, uri: str) -> CallFailure | None:
        """Remove a subscription; None also when it was gone already."""
        answer = await self._api.delete(_path(uri))
        if isinstance(answer, Answer) or (isinstance(answer, Refused) and answer.reason == "not_found"):
            return None
        return answer


def _path(uri: str) -> str:
    """Where a subscription is reached: ids are URIs on the vendor's host, and the last part counts."""
    return f"/webhook_subscriptions/{quote(uri.rstrip('/').rpartition('/')[2], safe='')}"


def _resource(answer: Answer) -> Mapping[str, Any]:
    resource = answer.object.get("resource")
    return resource if isinstance(resource, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _subscription(item: object) -> Subscription | None:
    if not isinstance(item, dict):
        return None
    uri, url, state = (item.get(name) for name in ("uri", "callback_url", "state"))
    if not (isinstance(uri, str) and isinstance(url, str) and isinstance(state, str)):
        return None
    events = frozenset(each for each in _list(item.get("events")) if isinstance(each, str))
    return Subscription(uri, url, state, events, str(item.get("scope") or ""))


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _times(collection: object) -> list[datetime] | None:
    if not isinstance(collection, list):
        return None
    times: list[datetime] = []
    for item in collection:
        if not isinstance(item, dict):
            return None
        if item.get("status") != "available":
            continue
        instant = parse_timestamp(item.get("start_time"))
        if instant is None:
            return None
        times.append(instant)
    return times
