"""Reading the free slots of one calendar from its vendor. Network only."""

from datetime import datetime, timedelta

from zrg_dagster.core.booking.availability import (
    LOOK_AHEAD,
    Calendar,
    RefreshCode,
    Refreshed,
    answered,
    failed,
)
from zrg_dagster.core.providers.clients import VendorClients
from zrg_dagster.core.providers.credential import Credential
from zrg_dagster.core.providers.outcome import ReadFailed

# Calendly refuses a range that begins in the past, by its own clock.
START_AHEAD = timedelta(minutes=1)


async def fetch(vendors: VendorClients, credential: Credential, calendar: Calendar, now: datetime) -> Refreshed:
    """Ask for the free starts of the next 30 days; what to write for the calendar, whatever came back."""
    start, end = now + START_AHEAD, now + LOOK_AHEAD
    if calendar.provider == "calendly":
        answer = await vendors.calendly(credential).available_times(calendar.external_id, start, end)
    else:
        answer = await vendors.ghl(credential).free_slots(calendar.external_id, start, end)
    if isinstance(answer, ReadFailed):
        return failed(calendar, RefreshCode.FAILED, f"{answer.reason} {answer.detail}".strip(), now)
    return answered(calendar, answer, now)
