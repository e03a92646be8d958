"""Unipile API v1 for LinkedIn: messages, InMail, invitations, and their read-back (vendor reference §8.4, §8.6)."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import httpx

from zrg_dagster.core.providers.credential import Credential
from zrg_dagster.core.providers.http import Answer, Sleep, VendorApi
from zrg_dagster.core.providers.outcome import (
    Accepted,
    Blocked,
    CallFailure,
    CallOutcome,
    ReadBack,
    ReadFailed,
    Refused,
    Unknown,
    settle_candidates,
    vendor_words,
)
from zrg_dagster.core.providers.readback import BEFORE, comparable, in_window

# The vendor talks to LinkedIn while we wait.
READ_TIMEOUT_S = 60.0
# The note of an invitation; LinkedIn refuses a longer one.
INVITATION_CHARS = 300
MAX_PAGES = 5

ACCOUNT_DISCONNECTED = "account_disconnected"
ACCOUNT_THROTTLED = "account_throttled"
ALREADY_INVITED = "already_invited"
NO_CONNECTION = "no_connection"
NO_CREDITS = "no_inmail_credits"

_CONNECTED = frozenset({"DISTANCE_1", "FIRST_DEGREE", "SELF"})
_DISCONNECTED = frozenset(
    {"disconnected_account", "expired_credentials", "invalid_credentials", "checkpoint_error", "multiple_sessions"}
)
# LinkedIn's own limits hold for the whole account, a day long.
_THROTTLED = frozenset({"cannot_resend_yet", "cannot_resend_within_24hrs", "limit_exceeded"})
_REFUSALS: Mapping[str, str] = MappingProxyType(
    {
        "no_connection_with_recipient": NO_CONNECTION,
        "insufficient_credits": NO_CREDITS,
        "already_invited_recently": ALREADY_INVITED,
        "account_restricted": "account_restricted",
        "feature_not_subscribed": "feature_not_subscribed",
        "invalid_recipient": "recipient_unreachable",
        "blocked_recipient": "recipient_unreachable",
        "user_unreachable": "recipient_unreachable",
        "recipient_cannot_be_reached": "recipient_unreachable",
        "not_allowed_inmail": "recipient_unreachable",
        "cannot_invite_attendee": "recipient_unreachable",
        "too_many_characters": "text_too_long",
        "missing_credentials": "credentials_rejected",
    }
)


@dataclass(frozen=True, slots=True)
class Profile:
    """What decides how a person may be written to."""

    member_id: str
    is_connected: bool
    is_open: bool
    invitation_pending: bool


def classify(answer: Answer) -> CallFailure | None:
    """Verdicts by the vendor's error types (vendor reference §8.4, errors)."""
    if answer.status < 400:
        return None
    kind = str(answer.object.get("type") or "").removeprefix("errors/")
    words = vendor_words({"title": answer.object.get("title"), "message": answer.object.get("detail")})
    if kind in _DISCONNECTED:
        return Blocked(ACCOUNT_DISCONNECTED, detail=words)
    if kind in _THROTTLED:
        return Blocked(ACCOUNT_THROTTLED, detail=words)
    if kind in _REFUSALS:
        return Refused(_REFUSALS[kind], permanent=True, detail=words)
    if answer.status == 503 and kind in ("no_client_session", "service_unavailable"):
        return Refused("unavailable", permanent=False, detail=words)
    if answer.status == 402:
        return Refused(NO_CREDITS, permanent=True, detail=words)
    return None


def note(text: str) -> str:
    """`text` as an invitation's note: at most 300 characters, cut between words."""
    if len(text) <= INVITATION_CHARS:
        return text
    cut = text[: INVITATION_CHARS - 1]
    head, _, _ = cut.rpartition(" ")
    return f"{(head if len(head) > INVITATION_CHARS // 2 else cut).rstrip()}…"


class UnipileClient:
    """One LinkedIn account. All accounts share an address and a key; `external_id` names the account."""

    def __init__(self, http: httpx.AsyncClient, credential: Credential, *, sleep: Sleep = asyncio.sleep) -> None:
        self._account = credential.external_id or ""
        self._api = VendorApi(
            http,
            base_url=credential.base_url,
            headers={"X-API-KEY": credential.token, "Accept": "application/json"},
            read_timeout_s=READ_TIMEOUT_S,
            classify=classify,
            sleep=sleep,
        )

    async def profile(self, identifier: str) -> Profile | ReadFailed:
        """A person by public name or member id."""
        path = f"/api/v1/users/{quote(identifier, safe='')}"
        answer = await self._api.read(path, {"account_id": self._account})
        if isinstance(answer, ReadFailed):
            return answer
        said = answer.object
        member = said.get("provider_id")
        if not isinstance(member, str) or not member:
            return ReadFailed("unexpected_body", permanent=False)
        invitation = said.get("invitation")
        pending = isinstance(invitation, dict) and str(invitation.get("status", "")).upper() == "PENDING"
        distance = str(said.get("network_distance") or "").upper()
        return Profile(
            member,
            is_connected=said.get("is_relationship") is True or distance in _CONNECTED,
            is_open=said.get("is_open_profile") is True,
            invitation_pending=pending,
        )

    async def send_in_chat(self, chat_id: str, text: str) -> CallOutcome:
        """One message in a conversation that exists. One call, never repeated."""
        path = f"/api/v1/chats/{quote(chat_id, safe='')}/messages"
        result = await self._api.write_form(path, [("text", text), ("account_id", self._account)])
        return _sent(result) if isinstance(result, Answer) else result

    async def start_chat(
        self, member_id: str, text: str, *, inmail: bool = False, subject: str | None = None
    ) -> CallOutcome:
        """A message to a connection, or InMail to an open profile. One call, never repeated."""
        form = [("account_id", self._account), ("attendees_ids", member_id), ("text", text)]
        if inmail:
            form += [("subject", subject)] if subject else []
            form += [("linkedin[api]", "classic"), ("linkedin[inmail]", "true")]
        result = await self._api.write_form("/api/v1/chats", form)
        return _sent(result) if isinstance(result, Answer) else result

    async def invite(self, member_id: str, text: str) -> CallOutcome:
        """Ask to connect, with the text as a note. One call, never repeated."""
        body = {"account_id": self._account, "provider_id": member_id, "message": note(text)}
        result = await self._api.write("/api/v1/users/invite", body)
        if not isinstance(result, Answer):
            return result
        invitation = result.object.get("invitation_id")
        return Accepted(f"invitation:{invitation}", {"via": "invitation"}) if invitation else Unknown("unexpected_body")

    async def find_sent(
        self,
        chat_id: str | None,
        member_id: str | None,
        text: str,
        since: datetime,
        *,
        known_ids: Collection[str] = (),
    ) -> ReadBack:
        """Which message or invitation to this person is the attempt that started at `since`.

        A worker that died left no word on which way it took, so every way is looked at: the conversation, those begun
        with the person since, and invitations.
        """
        chats = [chat_id] if chat_id else []
        if member_id:
            begun = await self._chats_with(member_id, since)
            if isinstance(begun, ReadFailed):
                return begun
            chats += [each for each in begun if each != chat_id]
        found: list[str] = []
        for chat in chats:
            messages = await self._messages(chat, text, since)
            if isinstance(messages, ReadFailed):
                return messages
            found += messages
        if member_id:
            invited = await self._invitations(member_id, since)
            if isinstance(invited, ReadFailed):
                return invited
            found += invited
        return settle_candidates([each for each in dict.fromkeys(found) if each not in known_ids])

    async def _messages(self, chat_id: str, text: str, since: datetime) -> list[str] | ReadFailed:
        answer = await self._api.read(f"/api/v1/chats/{quote(chat_id, safe='')}/messages", {"limit": "50"})
        if isinstance(answer, ReadFailed):
            return [] if answer.reason == "not_found" else answer
        items = answer.object.get("items")
        if not isinstance(items, list):
            return ReadFailed("unexpected_body", permanent=False)
        return [str(item["id"]) for item in items if _is_ours(item, text, since)]

    async def _chats_with(self, member_id: str, since: datetime) -> list[str] | ReadFailed:
        after = (since - BEFORE).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        items = await self._pages("/api/v1/chats", {"account_id": self._account, "after": after, "limit": "100"})
        if isinstance(items, ReadFailed):
            return items
        return [str(item["id"]) for item in items if item.get("attendee_provider_id") == member_id and "id" in item]

    async def _invitations(self, member_id: str, since: datetime) -> list[str] | ReadFailed:
        """One person has at most one pending invitation of an account, so the note need not be compared."""
        items = await self._pages("/api/v1/users/invite/sent", {"account_id": self._account, "limit": "100"})
        if isinstance(items, ReadFailed):
            return items
        return [
            f"invitation:{item['id']}"
            for item in items
            if item.get("invited_user_id") == member_id
            and "id" in item
            and in_window(item.get("parsed_datetime") or item.get("date"), since)
        ]

    async def _pages(self, path: str, params: dict[str, str]) -> list[dict[str, Any]] | ReadFailed:
        items: list[dict[str, Any]] = []
        for _ in range(MAX_PAGES):
            answer = await self._api.read(path, params)
            if isinstance(answer, ReadFailed):
                return answer
            page = answer.object.get("items")
            if not isinstance(page, list):
                return ReadFailed("unexpected_body", permanent=False)
            items += [item for item in page if isinstance(item, dict)]
            cursor = answer.object.get("cursor")
            if not cursor or not page or cursor == params.get("cursor"):
                break
            params = {**params, "cursor": str(cursor)}
        return items


def _sent(answer: Answer) -> CallOutcome:
    message = answer.object.get("message_id")
    if isinstance(message, str) and message:
        return Accepted(message, {"chat_id": answer.object.get("chat_id")})
    return Unknown("unexpected_body")


def _is_ours(item: Any, text: str, since: datetime) -> bool:
    return (
        isinstance(item, dict)
        and "id" in item
        and item.get("is_sender") in (1, True)
        and comparable(item.get("text")) == comparable(text)
        and in_window(item.get("timestamp"), since)
    )
