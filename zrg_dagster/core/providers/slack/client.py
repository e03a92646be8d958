"""Slack Web API: direct messages, posts that can be found again, updates (vendor reference §11.4, §11.6)."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import httpx

from zrg_dagster.core.providers.credential import Credential
from zrg_dagster.core.providers.http import Answer, Sleep, VendorApi, retry_after_s
from zrg_dagster.core.providers.outcome import (
    Accepted,
    CallFailure,
    CallOutcome,
    ReadBack,
    ReadFailed,
    Refused,
    Unknown,
    settle_candidates,
)
from zrg_dagster.core.providers.readback import BEFORE

READ_TIMEOUT_S = 8.0
MAX_HISTORY_PAGES = 5
EVENT_TYPE = "zrg_send"

RETRYABLE = frozenset({"ratelimited", "rate_limited", "request_timeout", "service_unavailable", "team_added_to_org"})
AMBIGUOUS = frozenset({"internal_error", "fatal_error"})
CREDENTIALS = frozenset(
    {"not_authed", "invalid_auth", "account_inactive", "token_revoked", "token_expired", "missing_scope"}
)


def classify(answer: Answer) -> CallFailure | None:
    """Slack says no with HTTP 200 and `ok: false`; the error word decides. Undocumented words are permanent."""
    if answer.status == 429 or answer.object.get("ok") is not False:
        return None
    error = str(answer.object.get("error") or "no_error_word")[:80]
    if error in RETRYABLE:
        return Refused(f"slack_{error}", permanent=False, retry_after_s=retry_after_s(answer.headers))
    if error in AMBIGUOUS:
        return Unknown(f"slack_{error}")
    if error in CREDENTIALS:
        return Refused("credentials_rejected", permanent=True, detail=error)
    return Refused(f"slack_{error}", permanent=True, detail=_why(answer))


def message_metadata(key: str) -> dict[str, Any]:
    """What makes a post findable: `key` names the intent (its natural key in the ledger)."""
    return {"event_type": EVENT_TYPE, "event_payload": {"key": key}}


class SlackClient:
    """One bot in one Slack workspace."""

    def __init__(self, http: httpx.AsyncClient, credential: Credential, *, sleep: Sleep = asyncio.sleep) -> None:
        self._api = VendorApi.bearer(
            http,
            credential,
            read_timeout_s=READ_TIMEOUT_S,
            classify=classify,
            sleep=sleep,
            headers={"Content-Type": "application/json; charset=utf-8"},
        )

    async def auth_test(self) -> Mapping[str, Any] | ReadFailed:
        """Whose token this is: `team`, `team_id`, `user_id`, `bot_id`, `url`. Permanent failure: Slack refuses it."""
        answer = await self._api.read("/auth.test", post={})
        if isinstance(answer, ReadFailed):
            return answer
        if answer.object.get("ok") is not True or not isinstance(answer.object.get("team_id"), str):
            return ReadFailed("unexpected_body", permanent=False)
        return answer.object

    async def open_dm(self, user_id: str) -> str | ReadFailed:
        """The channel id of the direct message with a user. Opening twice gives the same channel, so it may repeat."""
        answer = await self._api.read("/conversations.open", post={"users": user_id})
        if isinstance(answer, ReadFailed):
            return answer
        channel = answer.object.get("channel")
        channel_id = channel.get("id") if isinstance(channel, dict) else None
        return channel_id if isinstance(channel_id, str) else ReadFailed("unexpected_body", permanent=False)

    async def post_message(
        self,
        channel: str,
        text: str,
        blocks: Sequence[Mapping[str, Any]] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> CallOutcome:
        """Post once. The accepted id is the message's `ts`; the channel it landed in is in `detail["channel"]`.

        `text` is what a notification shows and is needed beside `blocks`.
        """
        body: dict[str, Any] = {"channel": channel, "text": text, "unfurl_links": False}
        if blocks:
            body["blocks"] = list(blocks)
        if metadata:
            body["metadata"] = dict(metadata)
        result = await self._api.write("/chat.postMessage", body)
        return _posted(result) if isinstance(result, Answer) else result

    async def update_message(
        self, channel: str, ts: str, text: str, blocks: Sequence[Mapping[str, Any]] | None = None
    ) -> CallOutcome:
        """Replace a message of ours. Idempotent, hence repeated; a failure comes back as `Refused`."""
        body: dict[str, Any] = {"channel": channel, "ts": ts, "text": text, "blocks": list(blocks or [])}
        answer = await self._api.read("/chat.update", post=body)
        if isinstance(answer, ReadFailed):
            return Refused(answer.reason, answer.permanent, answer.retry_after_s, answer.detail)
        return _posted(answer)

    async def find_posted(self, channel: str, key: str, oldest: datetime) -> ReadBack:
        """Which message in `channel` since two minutes before `oldest` carries our `key` (see `message_metadata`)."""
        params = {
            "channel": channel,
            "oldest": f"{(oldest - BEFORE).timestamp():.6f}",
            "limit": "200",
            "include_all_metadata": "true",
        }
        found: list[str] = []
        for _ in range(MAX_HISTORY_PAGES):
            answer = await self._api.read("/conversations.history", params)
            if isinstance(answer, ReadFailed):
                return answer
            messages = answer.object.get("messages")
            if not isinstance(messages, list):
                return ReadFailed("unexpected_body", permanent=False)
            found += [str(item["ts"]) for item in messages if _carries(item, key)]
            follow = answer.object.get("response_metadata")
            cursor = follow.get("next_cursor") if isinstance(follow, dict) else None
            if not cursor:
                break
            params = {**params, "cursor": str(cursor)}
        return settle_candidates(list(dict.fromkeys(found)))


def _posted(answer: Answer) -> CallOutcome:
    ts, channel = answer.object.get("ts"), answer.object.get("channel")
    if answer.object.get("ok") is True and isinstance(ts, str) and isinstance(channel, str):
        return Accepted(ts, {"channel": channel})
    return Unknown("unexpected_body")


def _carries(item: Any, key: str) -> bool:
    metadata = item.get("metadata") if isinstance(item, dict) else None
    payload = metadata.get("event_payload") if isinstance(metadata, dict) else None
    return isinstance(payload, dict) and payload.get("key") == key and isinstance(item.get("ts"), str)


def _why(answer: Answer) -> str:
    follow = answer.object.get("response_metadata")
    messages = follow.get("messages") if isinstance(follow, dict) else None
    return " ".join(str(message) for message in messages)[:300] if isinstance(messages, list) else ""
