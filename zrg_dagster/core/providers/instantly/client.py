"""Instantly API v2: answer a mail, read back what was sent (vendor reference §7.4, §7.6)."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx

from zrg_dagster.core.providers.credential import Credential
from zrg_dagster.core.providers.http import Answer, Sleep, VendorApi
from zrg_dagster.core.providers.outcome import (
    Accepted,
    CallFailure,
    CallOutcome,
    ReadBack,
    ReadFailed,
    Refused,
    Unknown,
    settle_candidates,
    vendor_words,
)
from zrg_dagster.core.providers.readback import BEFORE, comparable_subject, in_window, same_beginning
from zrg_dagster.core.text.address import Address
from zrg_dagster.core.text.html import strip_tags
from zrg_dagster.core.text.mail_html import text_to_lines

READ_TIMEOUT_S = 30.0
PAGE_SIZE = "50"
MAX_PAGES = 5
SENT = 3  # `ue_type` of a mail that was sent by hand or by API; 1 is a campaign's


def classify(answer: Answer) -> CallFailure | None:
    """402 is an account without a paid plan: nothing about this send changes it (sample `no_paid_plan`)."""
    if answer.status == 402:
        return Refused("no_paid_plan", permanent=True, detail=vendor_words(answer.document))
    return None


class InstantlyClient:
    """One Instantly workspace."""

    def __init__(self, http: httpx.AsyncClient, credential: Credential, *, sleep: Sleep = asyncio.sleep) -> None:
        self._api = VendorApi.bearer(http, credential, read_timeout_s=READ_TIMEOUT_S, classify=classify, sleep=sleep)

    async def reply(
        self, reply_to_id: str, mailbox: str, subject: str, cc: Sequence[Address], text: str
    ) -> CallOutcome:
        """Answer the mail `reply_to_id` from `mailbox`. One call, never repeated.

        There is no recipient to give: the vendor sends to whoever wrote that mail (CC-09).
        """
        body: dict[str, Any] = {
            "reply_to_uuid": reply_to_id,
            "eaccount": mailbox,
            "subject": subject,
            "body": {"html": text_to_lines(text), "text": text},
        }
        if cc:
            body["cc_address_email_list"] = ",".join(address.email for address in cc)
        result = await self._api.write("/api/v2/emails/reply", body)
        return _sent(result) if isinstance(result, Answer) else result

    async def stop(self, lead_email: str) -> CallOutcome:
        """No campaign of the workspace writes to this address any more: it is on the block list. Safe to repeat."""
        result = await self._api.write("/api/v2/block-lists-entries", {"bl_value": lead_email})
        return Accepted(None) if isinstance(result, Answer) else result

    async def find_sent(
        self,
        lead_email: str,
        mailbox: str,
        subject: str,
        text: str,
        since: datetime,
        *,
        known_ids: Collection[str] = (),
    ) -> ReadBack:
        """Which mail to this lead from this mailbox is the attempt that started at `since`.

        Every page is one of the twenty list calls a minute that the vendor allows a workspace.
        """
        params = {
            "lead": lead_email,
            "eaccount": mailbox,
            "email_type": "manual",
            "limit": PAGE_SIZE,
            "min_timestamp_created": (since - BEFORE).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        }
        found: list[str] = []
        for _ in range(MAX_PAGES):
            answer = await self._api.read("/api/v2/emails", params)
            if isinstance(answer, ReadFailed):
                return answer
            items = answer.object.get("items")
            if not isinstance(items, list):
                return ReadFailed("unexpected_body", permanent=False)
            found += [str(item["id"]) for item in items if _is_ours(item, subject, text, since)]
            cursor = answer.object.get("next_starting_after")
            if not cursor or not items or cursor == params.get("starting_after"):
                break
            params = {**params, "starting_after": str(cursor)}
        return settle_candidates([each for each in dict.fromkeys(found) if each not in known_ids])


def _sent(answer: Answer) -> CallOutcome:
    """The mail object. Some failures come with status 200 and an error inside."""
    mail_id = answer.object.get("id")
    if isinstance(mail_id, str) and mail_id:
        return Accepted(mail_id, {"thread_id": answer.object.get("thread_id")})
    if answer.object.get("error") or answer.object.get("statusCode"):
        return Refused("vendor_declined", permanent=True, detail=vendor_words(answer.document))
    return Unknown("unexpected_body")


def _is_ours(item: Any, subject: str, text: str, since: datetime) -> bool:
    if not isinstance(item, dict) or "id" not in item or item.get("ue_type") not in (SENT, None):
        return False
    if not in_window(item.get("timestamp_created") or item.get("timestamp_email"), since):
        return False
    if comparable_subject(item.get("subject")) != comparable_subject(subject):
        return False
    body = item.get("body")
    said = body if isinstance(body, dict) else {}
    theirs = said.get("text") or strip_tags(str(said.get("html") or ""))
    return same_beginning(text, str(theirs))
