"""What jobs have in common that tell a vendor something which may be said twice."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from zrg_dagster.core.providers.clients import VendorClients
from zrg_dagster.core.providers.credential import Access
from zrg_dagster.core.providers.outcome import CallOutcome, Refused, Unknown
from zrg_dagster.core.replies.pipeline_result import Ended, NotNow


@dataclass(frozen=True, slots=True)
class VendorTools:
    """What a job that talks to vendors works with."""

    engine: AsyncEngine
    vendors: VendorClients
    access: Access
    clock: Callable[[], datetime]


def is_not_there(outcome: CallOutcome) -> bool:
    """The vendor does not have what the call was about."""
    return isinstance(outcome, Refused) and outcome.reason in ("not_found", "contact_not_found")


def not_accepted(what: str, outcome: CallOutcome) -> Ended | NotNow:
    """How a job ends whose call was not accepted: doubt is tried again like an outage, a refusal is for a person. The
    reason is that of the vendor after `what`."""
    reason = f"{what}_{getattr(outcome, 'reason', 'refused')}"
    if isinstance(outcome, Unknown):
        return NotNow(reason, park=False)
    if isinstance(outcome, Refused) and not outcome.permanent:
        return NotNow(reason, park=False, after_s=outcome.retry_after_s)
    return Ended("dead", reason)
