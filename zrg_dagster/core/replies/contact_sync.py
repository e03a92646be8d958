"""Who shows interest is a contact at the SMS vendor, with what we know of them: jobs of kind `ghl_contact`.

A lead without a contact is upserted there, by which the vendor finds the same person by address or number; a known contact
is told what we know now. Tags are never sent: they would replace all that the contact has. Every call may be repeated.
"""

from typing import Any

from sqlalchemy import Row

from zrg_dagster.core.base.log import get_logger
from zrg_dagster.core.leads.contacts import ContactCode, Person, link, load_person, unlink
from zrg_dagster.core.providers.ghl.client import GhlClient
from zrg_dagster.core.providers.outcome import Accepted, CallOutcome, Refused
from zrg_dagster.core.replies.pipeline_result import Ended, NotNow
from zrg_dagster.core.replies.vendor_job import VendorTools, is_not_there, not_accepted

log = get_logger(__name__)


class ContactSync:
    """Works jobs of kind `ghl_contact`."""

    def __init__(self, tools: VendorTools) -> None:
        self._tools = tools

    async def __call__(self, job: Row[Any]) -> Ended | NotNow:
        async with self._tools.engine.connect() as conn:
            person = await load_person(conn, job.lead_id)
            credential = await self._tools.access(conn, job.workspace_id, "ghl")
        if person is None or person.is_gone:
            return Ended("skipped", ContactCode.LEAD_GONE)
        if credential is None or person.location is None:
            return Ended("skipped", ContactCode.NOT_CONNECTED)
        if "email" not in person.fields and "phone" not in person.fields:
            return Ended("skipped", ContactCode.NOTHING_KNOWN)
        vendor = self._tools.vendors.ghl(credential)
        if person.contact_id is not None:
            outcome = await vendor.update_contact(person.contact_id, person.fields)
            if not is_not_there(outcome):
                if isinstance(outcome, Refused) and outcome.permanent:
                    # What the vendor does not take of a contact that it has stops nothing (providers §4.4).
                    return Ended("skipped", f"contact_{outcome.reason}")
                return self._ended(outcome, ContactCode.UPDATED)
            async with self._tools.engine.begin() as conn:
                await unlink(conn, person)
        return await self._make(vendor, person, person.location)

    async def _make(self, vendor: GhlClient, person: Person, location: str) -> Ended | NotNow:
        outcome = await vendor.upsert_contact(location, person.fields)
        if not isinstance(outcome, Accepted) or outcome.vendor_message_id is None:
            return self._ended(outcome, ContactCode.MADE)
        async with self._tools.engine.begin() as conn:
            code = await link(conn, person, outcome.vendor_message_id, self._tools.clock())
        return Ended("skipped" if code is ContactCode.LEAD_GONE else "done", code)

    def _ended(self, outcome: CallOutcome, code: ContactCode) -> Ended | NotNow:
        log.info("contact_synced", outcome=outcome.call_class)
        return Ended("done", code) if isinstance(outcome, Accepted) else not_accepted("contact", outcome)
