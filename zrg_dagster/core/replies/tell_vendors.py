"""Telling a vendor that somebody wants no more of it: jobs of kind `stop_at_vendor` (OO-05)."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncEngine

from zrg_dagster.core.base.log import get_logger
from zrg_dagster.core.leads.vendor_stops import load_wanted, note
from zrg_dagster.core.providers.clients import VendorClients
from zrg_dagster.core.providers.credential import Access, Credential
from zrg_dagster.core.providers.outcome import Accepted, CallOutcome, Refused, Unknown
from zrg_dagster.core.replies.pipeline_result import Ended, NotNow

log = get_logger(__name__)

Call = Callable[[VendorClients, Credential, str], Awaitable[CallOutcome]]
_CALLS: Mapping[str, Call] = {
    "emailbison": lambda vendors, credential, lead: vendors.emailbison(credential).stop(lead),
    "ghl": lambda vendors, credential, contact: vendors.ghl(credential).stop(contact),
    "instantly": lambda vendors, credential, email: vendors.instantly(credential).stop(email),
    "smartlead": lambda vendors, credential, email: vendors.smartlead(credential).stop(email),
}


class VendorStops:
    """Works jobs of kind `stop_at_vendor`. Every call may be repeated, so doubt is simply tried again."""

    def __init__(
        self, engine: AsyncEngine, vendors: VendorClients, *, access: Access, clock: Callable[[], datetime]
    ) -> None:
        self._engine = engine
        self._vendors = vendors
        self._access = access
        self._clock = clock

    async def __call__(self, job: Row[Any]) -> Ended | NotNow:
        vendor = job.payload["vendor"]
        async with self._engine.connect() as conn:
            wanted = await load_wanted(conn, job.workspace_id, job.lead_id, vendor)
            credential = await self._access(conn, job.workspace_id, vendor)
        if not wanted.is_stopped:
            return Ended("skipped", "no_longer_stopped")
        if credential is None:
            return Ended("skipped", "vendor_not_connected")
        told = 0
        for handle in wanted.handles:
            outcome = await _CALLS[vendor](self._vendors, credential, handle)
            log.info("vendor_stop", vendor=vendor, outcome=outcome.call_class, attempt=job.attempts)
            if isinstance(outcome, Accepted):
                told += 1
            elif not (isinstance(outcome, Refused) and outcome.reason in _NOT_THERE):
                return await self._not_told(job, vendor, outcome)
        await self._note(job, vendor, "vendor_told_to_stop" if told else "vendor_knows_no_such_lead", None)
        return Ended("done", "vendor_told_to_stop" if told else "vendor_knows_no_such_lead")

    async def _not_told(self, job: Row[Any], vendor: str, outcome: CallOutcome) -> Ended | NotNow:
        passes = isinstance(outcome, Unknown) or (isinstance(outcome, Refused) and not outcome.permanent)
        reason = getattr(outcome, "reason", "refused")
        if passes:
            return NotNow(f"stop_{reason}", park=False, after_s=getattr(outcome, "retry_after_s", None))
        await self._note(job, vendor, "vendor_not_told_to_stop", reason)
        return Ended("dead", f"stop_{reason}")

    async def _note(self, job: Row[Any], vendor: str, code: str, reason: str | None) -> None:
        async with self._engine.begin() as conn:
            subject = (job.workspace_id, job.lead_id, job.message_id)
            await note(conn, *subject, vendor, code, reason, self._clock())


# A lead that the vendor does not have gets no campaign mail from it.
_NOT_THERE = frozenset({"not_found", "contact_not_found"})
