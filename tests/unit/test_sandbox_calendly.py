"""Calendly's behaviours: slots, bookings, reschedules, limits."""

from typing import Any

import pytest

from tests.unit.sandbox_tools import SAMPLE_NOW, InProcess

EVENT_TYPE = "https://api.calendly.com/event_types/8b2e4d10-55aa-4f3c-b7d9-1c0e9a8f7b6d"
USER = "https://api.calendly.com/users/CBAA77NN00RR"
BOOKING = {
    "event_type": EVENT_TYPE,
    "start_time": "2026-03-12T17:00:00Z",
    "invitee": {"name": "Mara Okafor", "email": "mara.okafor@brightloom.example", "timezone": "America/Los_Angeles"},
    "tracking": {"utm_content": "lead_1"},
}


async def starts(sandbox: InProcess) -> list[str]:
    query = {"event_type": EVENT_TYPE, "start_time": "2026-03-12T00:00:00Z", "end_time": "2026-03-13T00:00:00Z"}
    answer = await sandbox.call("calendly", "GET", "/event_type_available_times", params=query)
    return [slot["start_time"] for slot in answer.json()["collection"]]


async def test_a_booking_takes_its_slot_and_is_found_by_invitee() -> None:
    async with InProcess() as sandbox:
        await sandbox.control("POST", "clock", {"now": SAMPLE_NOW})
        assert "2026-03-12T17:00:00Z" in await starts(sandbox)
        booked = (await sandbox.call("calendly", "POST", "/invitees", BOOKING)).json()["resource"]
        assert "2026-03-12T17:00:00Z" not in await starts(sandbox)
        assert (await sandbox.call("calendly", "POST", "/invitees", BOOKING)).status_code == 400
        query = {
            "user": USER,
            "invitee_email": "MARA.okafor@brightloom.example",
            "min_start_time": "2026-03-12T17:00:00Z",
            "max_start_time": "2026-03-12T17:01:00Z",
            "status": "active",
        }
        found = (await sandbox.call("calendly", "GET", "/scheduled_events", params=query)).json()["collection"]
        assert [event["uri"] for event in found] == [booked["event"]]
        path = "/scheduled_events/" + booked["event"].rpartition("/")[2]
        invitees = (await sandbox.call("calendly", "GET", f"{path}/invitees")).json()["collection"]
        assert invitees[0]["tracking"]["utm_content"] == "lead_1"
        await sandbox.call("calendly", "POST", f"{path}/cancellation", {"reason": "moved"})
        assert "2026-03-12T17:00:00Z" in await starts(sandbox)


@pytest.mark.parametrize(
    "change, parameter",
    [
        ({"start_time": "2026-03-12T03:00:00Z"}, "start_time"),
        ({"start_time": "2026-03-01T17:00:00Z"}, "start_time"),
        ({"event_type": "https://api.calendly.com/event_types/none"}, "event_type"),
        ({"invitee": {"name": "x", "email": "no", "timezone": "UTC"}}, "invitee.email"),
    ],
)
async def test_a_booking_with_a_wrong_argument_names_it(change: dict[str, Any], parameter: str) -> None:
    async with InProcess() as sandbox:
        await sandbox.control("POST", "clock", {"now": SAMPLE_NOW})
        refused = await sandbox.call("calendly", "POST", "/invitees", BOOKING | change)
        assert refused.status_code == 400
        assert refused.json()["details"][0]["parameter"] == parameter


async def test_available_times_must_lie_in_the_future() -> None:
    async with InProcess() as sandbox:
        await sandbox.control("POST", "clock", {"now": SAMPLE_NOW})
        query = {"event_type": EVENT_TYPE, "start_time": "2026-03-10T00:00:00Z", "end_time": "2026-03-12T00:00:00Z"}
        answer = await sandbox.call("calendly", "GET", "/event_type_available_times", params=query)
        assert answer.json()["details"][0]["parameter"] == "start_time"


async def test_a_reschedule_links_the_old_and_the_new_invitee() -> None:
    async with InProcess() as sandbox:
        await sandbox.control("POST", "clock", {"now": SAMPLE_NOW})
        old = (await sandbox.call("calendly", "POST", "/invitees", BOOKING)).json()["resource"]
        uuid = old["uri"].rpartition("/")[2]
        moved = await sandbox.call("calendly", "POST", f"/reschedulings/{uuid}", {"start_time": "2026-03-12T18:00:00Z"})
        new = moved.json()["resource"]
        invitees = {item["uri"]: item for item in (await sandbox.state("calendly"))["invitees"]}
        assert invitees[old["uri"]]["new_invitee"] == new["uri"]
        assert invitees[old["uri"]]["rescheduled"] is True
        assert (invitees[old["uri"]]["status"], new["status"], new["old_invitee"]) == ("canceled", "active", old["uri"])


async def test_the_eleventh_booking_within_a_minute_is_refused() -> None:
    async with InProcess() as sandbox:
        await sandbox.control("POST", "clock", {"now": SAMPLE_NOW})
        times = (await starts(sandbox))[:11]
        answers = [await sandbox.call("calendly", "POST", "/invitees", BOOKING | {"start_time": at}) for at in times]
        assert [answer.status_code for answer in answers] == [201] * 10 + [429]
        assert answers[-1].headers["x-ratelimit-limit"] == "10"


async def test_the_public_booking_page_needs_no_credential() -> None:
    async with InProcess() as sandbox:
        await sandbox.control("POST", "clock", {"now": SAMPLE_NOW})
        query = {"event_type_slug": "intro-30", "profile_slug": "sandbox-host"}
        base = "/calendly/api/booking/event_types"
        found = (await sandbox.http.get(f"{base}/lookup", params=query)).json()
        window = {"timezone": "America/New_York", "range_start": "2026-03-12", "range_end": "2026-03-14"}
        days = (await sandbox.http.get(f"{base}/{found['uuid']}/calendar/range", params=window)).json()["days"]
        assert [day["status"] for day in days] == ["available", "available", "unavailable"]
        assert days[0]["spots"][0]["start_time"] == "2026-03-12T12:00:00-04:00"
