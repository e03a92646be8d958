"""Telling a vendor that somebody wants no more of it: jobs of kind `stop_at_vendor` (OO-05)."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sqlalchemy import Row

from zrg_dagster.core.base.log import get_logger
from zrg_dagster.core.leads.vendor_stops import load_wanted, note
from zrg_dagster.core.providers.clients import VendorClients
from zrg_dagster.core.providers.credential import Credential
from zrg_dagster.core.providers.outcome import Accepted, CallOutcome
from zrg_dagster.core.replies.pipeline_result import Ended, NotNow
from zrg_dagster.core.replies.vendor_job import VendorTools, is_not_there, not_accepted

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

    def __init__(self, tools: VendorTools) -> None:
        self._tools = tools

    async def __call__(self, job: Row[Any]) -> Ended | NotNow:
        vendor = job.payload["vendor"]
        async with self._tools.engine.connect() as conn:
            wanted = await load_wanted(conn, job.workspace_id, job.lead_id, vendor)
            credential = await self._tools.access(conn, job.workspace_id, vendor)
        if not wanted.is_stopped:
            return Ended("skipped", "no_longer_stopped")
        if credential is None:
            return Ended("skipped", "vendor_not_connected")
        told = 0
        for handle in wanted.handles:
            outcome = await _CALLS[vendor](self._tools.vendors, credential, handle)
            log.info("vendor_stop", vendor=vendor, outcome=outcome.call_class, attempt=job.attempts)
            if isinstance(outcome, Accepted):
                told += 1
            elif not is_not_there(outcome):  # a lead that the vendor does not have gets no campaign mail from it
                ended = not_accepted("stop", outcome)
                if isinstance(ended, Ended):
                    await self._note(job, vendor, "vendor_not_told_to_stop", ended.reason)
                return ended
        await self._note(job, vendor, "vendor_told_to_stop" if told else "vendor_knows_no_such_lead", None)
        return Ended("done", "vendor_told_to_stop" if told else "vendor_knows_no_such_lead")

    async def _note(self, job: Row[Any], vendor: str, code: str, reason: str | None) -> None:
        async with self._tools.engine.begin() as conn:
            subject = (job.workspace_id, job.lead_id, job.message_id)
            await note(conn, *subject, vendor, code, reason, self._tools.clock())
