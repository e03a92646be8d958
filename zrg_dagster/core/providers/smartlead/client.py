"""SmartLead API: answer in a campaign's thread, read back what was sent (vendor reference §6.4, §6.6)."""

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
    CallOutcome,
    NotFound,
    ReadBack,
    ReadFailed,
    Refused,
    Unknown,
    settle_candidates,
    vendor_words,
)
from zrg_dagster.core.providers.readback import in_window, same_beginning
from zrg_dagster.core.text.address import Address
from zrg_dagster.core.text.html import strip_tags
from zrg_dagster.core.text.mail_html import text_to_html

READ_TIMEOUT_S = 30.0
# Whole answers; the vendor's older servers say this instead of JSON.
_ACCEPTED_WORDS = frozenset({"success", "ok"})


@dataclass(frozen=True, slots=True)
class AnsweredMail:
    """The mail that is answered: the vendor builds the thread and the quotation from it."""

    stats_id: str
    message_id: str | None = None
    time: str | None = None
    body: str | None = None


class SmartLeadClient:
    """One SmartLead account. The key travels in the query of every call and is never logged."""

    def __init__(self, http: httpx.AsyncClient, credential: Credential, *, sleep: Sleep = asyncio.sleep) -> None:
        self._api = VendorApi(
            http,
            base_url=credential.base_url,
            headers={"Accept": "application/json"},
            query={"api_key": credential.token},
            read_timeout_s=READ_TIMEOUT_S,
            takes_words=True,
            sleep=sleep,
        )

    async def stop(self, lead_email: str) -> CallOutcome:
        """No campaign writes to this lead any more. Safe to repeat."""
        lead_id = await self._lead_id(lead_email)
        if isinstance(lead_id, NotFound):
            return Refused("not_found", permanent=True)
        if isinstance(lead_id, ReadFailed):
            return Refused(lead_id.reason, lead_id.permanent, lead_id.retry_after_s, lead_id.detail)
        result = await self._api.write(f"/api/v1/leads/{quote(lead_id, safe='')}/unsubscribe", {})
        return Accepted(None) if isinstance(result, Answer) else result

    async def reply(
        self, campaign_id: str, answered: AnsweredMail, to: Address, cc: Sequence[Address], text: str
    ) -> CallOutcome:
        """Answer in the thread. One call, never repeated. The vendor queues the mail and names no message.

        The mailbox's own signature is not added: drafts carry the persona's.
        """
        body: dict[str, Any] = {
            "email_stats_id": answered.stats_id,
            "email_body": text_to_html(text),
            "reply_message_id": answered.message_id,
            "reply_email_time": answered.time,
            "reply_email_body": answered.body,
            "to_email": to.email,
            "cc": ",".join(address.email for address in cc),
            "bcc": "",
            "add_signature": False,
        }
        if to.name:
            first, _, last = to.name.partition(" ")
            body |= {"to_first_name": first, "to_last_name": last}
        given = {name: value for name, value in body.items() if value is not None}
        result = await self._api.write(f"/api/v1/campaigns/{quote(campaign_id, safe='')}/reply-email-thread", given)
        return _sent(result) if isinstance(result, Answer) else result

    async def find_sent(
        self,
        campaign_id: str,
        lead_email: str,
        text: str,
        since: datetime,
        *,
        known_ids: Collection[str] = (),
        spoken_for: int = 0,
    ) -> ReadBack:
        """Which mail in the lead's history is the attempt that started at `since`.

        `spoken_for` counts equal mails of ours that were accepted around that time: the vendor names none when it
        accepts, so only the number tells them apart. The history of newer accounts has no texts; a mail that could be
        ours is then for a person to look at.
        """
        lead_id = await self._lead_id(lead_email)
        if not isinstance(lead_id, str):
            return lead_id
        path = f"/api/v1/campaigns/{quote(campaign_id, safe='')}/leads/{quote(lead_id, safe='')}/message-history"
        answer = await self._api.read(path)
        if isinstance(answer, ReadFailed):
            return answer
        items = answer.object.get("history", answer.object.get("messages"))
        if not isinstance(items, list):
            return ReadFailed("unexpected_body", permanent=False)
        fitting = [item for item in items if isinstance(item, dict) and _could_be_ours(item, text, since)]
        ids = [_id(item) for item in fitting]
        return settle_candidates(
            [each for each in ids if each not in known_ids],
            proven=all("email_body" in item for item in fitting),
            spoken_for=spoken_for,
        )

    async def _lead_id(self, email: str) -> str | NotFound | ReadFailed:
        answer = await self._api.read("/api/v1/leads/", {"email": email})
        if isinstance(answer, ReadFailed):
            return NotFound() if answer.reason == "not_found" else answer
        found = answer.object.get("id")
        if found is None:
            return NotFound() if not answer.document else ReadFailed("unexpected_body", permanent=False)
        return str(found)


def _sent(answer: Answer) -> CallOutcome:
    if answer.document is None:
        return Accepted(None)
    if isinstance(answer.document, str):
        said = answer.document.strip().strip('"').lower()
        return Accepted(None) if said in _ACCEPTED_WORDS else Unknown("unexpected_body", vendor_words(answer.document))
    verdict = answer.object.get("ok", answer.object.get("success"))
    if verdict is True:
        return Accepted(None)
    if verdict is False:
        return Refused("vendor_declined", permanent=True, detail=vendor_words(answer.document))
    return Unknown("unexpected_body")


def _could_be_ours(item: dict[str, Any], text: str, since: datetime) -> bool:
    """Sent in the window, and with our words where the history has words."""
    sent = item.get("type") == "SENT" or item.get("direction") == "outbound"
    if not sent or not in_window(item.get("time") or item.get("sent_at"), since):
        return False
    return "email_body" not in item or same_beginning(text, strip_tags(str(item["email_body"] or "")))


def _id(item: dict[str, Any]) -> str:
    """The mail's own id; `stats_id` is of the step and repeats with each answer."""
    return str(item.get("message_id") or item.get("id") or "")
