"""Who shows interest is a contact at the SMS vendor, with what we know of them: jobs of kind `ghl_contact`.

A lead without a contact is upserted there, by which the vendor finds the same person by address or number; a known contact
is told what we know now. Tags are never sent: they would replace all that the contact has. Every call may be repeated.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncEngine

from zrg_dagster.core.base.log import get_logger
from zrg_dagster.core.leads.contacts import ContactCode, Person, link, load_person, unlink
from zrg_dagster.core.providers.clients import VendorClients
from zrg_dagster.core.providers.credential import Access
from zrg_dagster.core.providers.ghl.client import GhlClient
from zrg_dagster.core.providers.outcome import Accepted, CallOutcome, Refused, Unknown
from zrg_dagster.core.replies.pipeline_result import Ended, NotNow

log = get_logger(__name__)

_NOT_THERE = frozenset({"not_found", "contact_not_found"})


class ContactSync:
    """Works jobs of kind `ghl_contact`."""

    def __init__(
        self, engine: AsyncEngine, vendors: VendorClients, *, access: Access, clock: Callable[[], datetime]
    ) -> None:
        self._engine = engine
        self._vendors = vendors
        self._access = access
        self._clock = clock

    async def __call__(self, job: Row[Any]) -> Ended | NotNow:
        async with self._engine.connect() as conn:
            person = await load_person(conn, job.lead_id)
            credential = await self._access(conn, job.workspace_id, "ghl")
        if person is None or person.is_gone:
            return Ended("skipped", ContactCode.LEAD_GONE)
        if credential is None or person.location is None:
            return Ended("skipped", ContactCode.NOT_CONNECTED)
        if "email" not in person.fields and "phone" not in person.fields:
            return Ended("skipped", ContactCode.NOTHING_KNOWN)
        vendor = self._vendors.ghl(credential)
        if person.contact_id is not None:
            outcome = await vendor.update_contact(person.contact_id, person.fields)
            if not (isinstance(outcome, Refused) and outcome.reason in _NOT_THERE):
                if isinstance(outcome, Refused) and outcome.permanent:
                    # What the vendor does not take of a contact that it has stops nothing (providers §4.4).
                    return Ended("skipped", f"contact_{outcome.reason}")
                return self._ended(outcome, ContactCode.UPDATED)
            async with self._engine.begin() as conn:
                await unlink(conn, person)
        return await self._make(vendor, person, person.location)

    async def _make(self, vendor: GhlClient, person: Person, location: str) -> Ended | NotNow:
        outcome = await vendor.upsert_contact(location, person.fields)
        if not isinstance(outcome, Accepted) or outcome.vendor_message_id is None:
            return self._ended(outcome, ContactCode.MADE)
        async with self._engine.begin() as conn:
            code = await link(conn, person, outcome.vendor_message_id, self._clock())
        return Ended("skipped" if code is ContactCode.LEAD_GONE else "done", code)

    def _ended(self, outcome: CallOutcome, code: ContactCode) -> Ended | NotNow:
        log.info("contact_synced", outcome=outcome.call_class)
        if isinstance(outcome, Accepted):
            return Ended("done", code)
        if isinstance(outcome, Unknown):
            return NotNow(f"contact_{outcome.reason}", park=False)
        if isinstance(outcome, Refused) and not outcome.permanent:
            return NotNow(f"contact_{outcome.reason}", park=False, after_s=outcome.retry_after_s)
        return Ended("dead", f"contact_{getattr(outcome, 'reason', 'refused')}")
