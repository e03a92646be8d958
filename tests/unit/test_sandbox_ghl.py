"""GoHighLevel's behaviours: version header, rate bucket, DND, export lag, slots."""

from typing import Any

import pytest

from tests.unit.sandbox_tools import SAMPLE_NOW, InProcess, payload

CONTACT = "h3TzW8kLq0VbNc5XyRsE"
LOCATION = "vQ7mZ2xKc9TfLp4RdWnA"
CALENDAR = "Cal7Zx2QwLr9TkVn4MbPd"
SMS = {"type": "SMS", "contactId": CONTACT, "message": "Thursday it is."}
EXPORT = {"locationId": LOCATION, "contactId": CONTACT, "channel": "SMS"}
APPOINTMENT = {
    "calendarId": CALENDAR,
    "locationId": LOCATION,
    "contactId": CONTACT,
    "startTime": "2026-03-12T10:00:00-07:00",
}


async def learn(sandbox: InProcess, name: str = "sms_inbound__basic") -> None:
    await sandbox.control("POST", "learn", {"provider": "ghl", "bodies": [payload(f"ghl/{name}.json")]})


async def test_the_version_header_is_required() -> None:
    async with InProcess() as sandbox:
        answer = await sandbox.call("ghl", "GET", "/users/?locationId=x", headers={"Version": ""})
        assert answer.status_code == 400


async def test_a_sent_message_appears_in_the_export_a_second_later() -> None:
    async with InProcess() as sandbox:
        await sandbox.control("POST", "state/ghl", {"contacts": [{"id": CONTACT, "phone": "+14155550132"}]})
        sent = (await sandbox.call("ghl", "POST", "/conversations/messages", SMS)).json()
        early = (await sandbox.call("ghl", "GET", "/conversations/messages/export", params=EXPORT)).json()
        assert early["messages"] == []
        await sandbox.control("POST", "clock", {"advance_s": 2})
        late = (await sandbox.call("ghl", "GET", "/conversations/messages/export", params=EXPORT)).json()["messages"]
        assert [(item["id"], item["direction"], item["source"]) for item in late] == [
            (sent["messageId"], "outbound", "api")
        ]


async def test_stop_from_the_lead_blocks_further_texts() -> None:
    async with InProcess() as sandbox:
        await learn(sandbox, "sms_inbound__stop")
        contact = (await sandbox.state("ghl"))["contacts"][0]
        blocked = await sandbox.call("ghl", "POST", "/conversations/messages", SMS | {"contactId": contact["id"]})
        assert blocked.status_code == 400
        assert blocked.json()["status"] == 400
        assert "DND is active" in blocked.json()["message"]
        cleared = {"dndSettings": {"SMS": {"status": "inactive"}}}
        await sandbox.call("ghl", "PUT", f"/contacts/{contact['id']}", cleared)
        again = await sandbox.call("ghl", "POST", "/conversations/messages", SMS | {"contactId": contact["id"]})
        assert again.status_code == 201


async def test_the_hundred_and_first_call_within_ten_seconds_is_refused() -> None:
    async with InProcess() as sandbox:
        answers = [await sandbox.call("ghl", "GET", f"/users/?locationId={LOCATION}") for _ in range(101)]
        assert {answer.status_code for answer in answers[:100]} == {200}
        assert answers[0].headers["x-ratelimit-remaining"] == "99"
        assert answers[100].status_code == 429
        assert 1 <= int(answers[100].headers["retry-after"]) <= 10


async def test_upsert_finds_the_same_person_by_phone() -> None:
    async with InProcess() as sandbox:
        body = {"locationId": LOCATION, "phone": "+14155550132", "firstName": "Mara"}
        first = (await sandbox.call("ghl", "POST", "/contacts/upsert", body)).json()
        second = (await sandbox.call("ghl", "POST", "/contacts/upsert", body | {"email": "m@x.example"})).json()
        assert (first["new"], second["new"]) == (True, False)
        assert first["contact"]["id"] == second["contact"]["id"]
        duplicate = await sandbox.call("ghl", "POST", "/contacts/", body)
        assert duplicate.json()["meta"]["contactId"] == first["contact"]["id"]
        filters = [{"field": "email", "operator": "eq", "value": "M@x.example"}]
        search = {"locationId": LOCATION, "pageLimit": 20, "filters": filters}
        found = (await sandbox.call("ghl", "POST", "/contacts/search", search)).json()
        assert found["total"] == 1
        assert "dndSettings" not in found["contacts"][0]


async def free_slots(sandbox: InProcess, zone: str = "America/Los_Angeles") -> dict[str, Any]:
    query = {"startDate": "1773298800000", "endDate": "1773471600000", "timezone": zone}
    return (await sandbox.call("ghl", "GET", f"/calendars/{CALENDAR}/free-slots", params=query)).json()


async def test_a_booked_slot_is_gone_and_a_second_booking_is_refused() -> None:
    async with InProcess() as sandbox:
        await sandbox.control("POST", "clock", {"now": SAMPLE_NOW})
        await learn(sandbox)
        before = await free_slots(sandbox)
        assert before["2026-03-12"]["slots"][0] == "2026-03-12T09:00:00-07:00"
        assert set(before) == {"2026-03-12", "2026-03-13", "traceId"}
        booked = await sandbox.call("ghl", "POST", "/calendars/events/appointments", APPOINTMENT)
        assert booked.json()["endTime"] == "2026-03-12T10:30:00-07:00"
        taken = await sandbox.call("ghl", "POST", "/calendars/events/appointments", APPOINTMENT)
        assert taken.status_code == 400
        forced = await sandbox.call(
            "ghl", "POST", "/calendars/events/appointments", APPOINTMENT | {"ignoreFreeSlotValidation": True}
        )
        assert forced.status_code == 200
        after = await free_slots(sandbox)
        gone = set(before["2026-03-12"]["slots"]) - set(after["2026-03-12"]["slots"])
        assert gone == {"2026-03-12T10:00:00-07:00"}
        listed = (await sandbox.call("ghl", "GET", f"/contacts/{CONTACT}/appointments")).json()["events"]
        assert {event["startTime"] for event in listed} == {"2026-03-12 10:00:00"}


async def test_cancelling_an_appointment_frees_its_slot() -> None:
    async with InProcess() as sandbox:
        await sandbox.control("POST", "clock", {"now": SAMPLE_NOW})
        await learn(sandbox)
        booked = (await sandbox.call("ghl", "POST", "/calendars/events/appointments", APPOINTMENT)).json()
        path = f"/calendars/events/appointments/{booked['id']}"
        await sandbox.call("ghl", "PUT", path, {"appointmentStatus": "cancelled"})
        assert "2026-03-12T10:00:00-07:00" in (await free_slots(sandbox))["2026-03-12"]["slots"]


@pytest.mark.parametrize("days, status", [(31, 200), (32, 400)])
async def test_free_slots_span_at_most_31_days(days: int, status: int) -> None:
    async with InProcess() as sandbox:
        query = {"startDate": "1773298800000", "endDate": str(1773298800000 + days * 86_400_000)}
        answer = await sandbox.call("ghl", "GET", f"/calendars/{CALENDAR}/free-slots", params=query)
        assert answer.status_code == status
