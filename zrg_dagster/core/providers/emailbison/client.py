"""EmailBison API: answer in a thread, read back what was sent, list mailboxes (vendor reference §5.4, §5.6)."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
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
from zrg_dagster.core.providers.readback import comparable_subject, in_window, same_beginning
from zrg_dagster.core.text.address import Address
from zrg_dagster.core.text.html import strip_tags
from zrg_dagster.core.text.mail_html import text_to_html

READ_TIMEOUT_S = 30.0
MAX_PAGES = 5
PAGE_SIZE = "100"


@dataclass(frozen=True, slots=True)
class SenderEmail:
    """A mailbox. Only `status` says whether it can send; names containing "error" have misled a text search before."""

    id: str
    email: str
    name: str
    status: str

    @property
    def can_send(self) -> bool:
        return self.status.strip().lower() == "connected"


def classify(answer: Answer) -> CallFailure | None:
    """Verdicts of this vendor beyond the HTTP status (vendor reference §5.4)."""
    if not 400 <= answer.status < 500 or answer.status in (401, 403, 404, 429):
        return None
    words = vendor_words(answer.document)
    lowered = words.lower()
    if "smtp" in lowered and "auth" in lowered:
        return Blocked("sender_smtp_auth", detail=words)
    if answer.status == 422 and "sender email id is invalid" in lowered:
        return Refused("sender_invalid", permanent=True, detail=words)
    return None


class EmailBisonClient:
    """One workspace on one EmailBison host."""

    def __init__(self, http: httpx.AsyncClient, credential: Credential, *, sleep: Sleep = asyncio.sleep) -> None:
        self._api = VendorApi.bearer(http, credential, read_timeout_s=READ_TIMEOUT_S, classify=classify, sleep=sleep)

    async def reply(
        self, reply_id: str, sender_email_id: str, to: Sequence[Address], cc: Sequence[Address], text: str
    ) -> CallOutcome:
        """Answer the mail `reply_id` from one of our mailboxes. One call, never repeated.

        The previous mail is not injected: the vendor would copy the lead's signature with it.
        """
        if not sender_email_id.isdecimal():
            return Refused("sender_invalid", permanent=True, detail="sender id is not a number")
        if not to:
            return Refused("recipient_missing", permanent=True)
        body = {
            "message": text_to_html(text),
            "sender_email_id": int(sender_email_id),
            "to_emails": [_recipient(address) for address in to],
            "cc_emails": [_recipient(address) for address in cc],
            "bcc_emails": [],
            "content_type": "html",
            "inject_previous_email_body": False,
            "use_dedicated_ips": True,
        }
        result = await self._api.write(f"/api/replies/{quote(reply_id, safe='')}/reply", body)
        return _sent(result) if isinstance(result, Answer) else result

    async def stop(self, lead_external_id: str) -> CallOutcome:
        """No campaign writes to this lead any more. Safe to repeat."""
        result = await self._api.write(f"/api/leads/{quote(lead_external_id, safe='')}/unsubscribe", {}, method="PATCH")
        return Accepted(None) if isinstance(result, Answer) else result

    async def find_sent(
        self,
        lead_external_id: str | None,
        reply_id: str,
        subject: str,
        text: str,
        since: datetime,
        *,
        known_ids: Collection[str] = (),
    ) -> ReadBack:
        """Which outgoing mail of this lead is the attempt that started at `since`.

        `known_ids` are vendor ids that belong to other sends; they are not candidates.
        """
        if lead_external_id:
            path, params = f"/api/leads/{quote(lead_external_id, safe='')}/replies", {}
        else:
            path, params = "/api/replies", {"folder": "sent"}
        items = await self._pages(path, params)
        if isinstance(items, ReadFailed):
            return items
        fitting = [item for item in items if _is_ours(item, reply_id, subject, text, since)]
        ids = [str(item["id"]) for item in fitting if str(item.get("id")) not in known_ids]
        return settle_candidates(ids)

    async def history(self, lead_external_id: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]] | ReadFailed:
        """The newest mails with a lead: those of the inbox in both directions, and the campaign steps that were sent."""
        path = f"/api/leads/{quote(lead_external_id, safe='')}"
        replies = await self._pages(f"{path}/replies", {})
        if isinstance(replies, ReadFailed):
            return replies
        sent = await self._pages(f"{path}/sent-emails", {})
        return sent if isinstance(sent, ReadFailed) else (replies, sent)

    async def sender_emails(self) -> list[SenderEmail] | ReadFailed:
        """Every mailbox of the workspace."""
        items = await self._pages("/api/sender-emails", {})
        if isinstance(items, ReadFailed):
            return items
        return [
            SenderEmail(
                str(item["id"]), str(item.get("email", "")), str(item.get("name") or ""), str(item.get("status", ""))
            )
            for item in items
            if "id" in item
        ]

    async def _pages(self, path: str, params: dict[str, str]) -> list[dict[str, Any]] | ReadFailed:
        """The items of a list, at most five pages: newest first, so what a read-back seeks is on the first ones."""
        items: list[dict[str, Any]] = []
        for page in range(1, MAX_PAGES + 1):
            answer = await self._api.read(path, {**params, "page": str(page), "per_page": PAGE_SIZE})
            if isinstance(answer, ReadFailed):
                return answer
            data, meta = answer.object.get("data"), answer.object.get("meta")
            if not isinstance(data, list):
                return ReadFailed("unexpected_body", permanent=False)
            items += [item for item in data if isinstance(item, dict)]
            last_page = meta.get("last_page") if isinstance(meta, dict) else None
            if not isinstance(last_page, int) or page >= last_page:
                break
        return items


def _recipient(address: Address) -> dict[str, str]:
    return {"name": address.name or "", "email_address": address.email}


def _sent(answer: Answer) -> CallOutcome:
    if answer.document is None:
        return Accepted(None)
    data = answer.object.get("data")
    reply = data.get("reply") if isinstance(data, dict) else None
    if isinstance(reply, dict) and reply.get("id") is not None:
        return Accepted(str(reply["id"]), {"raw_message_id": reply.get("raw_message_id")})
    success = data.get("success") if isinstance(data, dict) else None
    if success is True:
        return Accepted(None)
    if success is False:
        return Refused("vendor_declined", permanent=True, detail=vendor_words(answer.document))
    return Unknown("unexpected_body")


def _is_ours(item: dict[str, Any], reply_id: str, subject: str, text: str, since: datetime) -> bool:
    if item.get("type") != "Outgoing Email" or not in_window(
        item.get("date_received") or item.get("created_at"), since
    ):
        return False
    parent = item.get("parent_id")
    if parent is not None and str(parent) != reply_id:
        return False
    # The parent is the stronger test; the vendor chooses the subject of a reply, so it counts only without a parent.
    if parent is None and comparable_subject(item.get("subject")) != comparable_subject(subject):
        return False
    theirs = item.get("text_body") or strip_tags(str(item.get("html_body") or ""))
    return same_beginning(text, str(theirs))
