"""Unipile: recorded exchanges, the way to a person, read-back over every way."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tests.unit.vendor_wire import CREDENTIAL, Wire, exchange, exchanges, response_of
from zrg_dagster.core.providers.outcome import (
    Accepted,
    Ambiguous,
    Blocked,
    CallClass,
    Found,
    NotFound,
    ReadFailed,
    Refused,
    Unknown,
    Waiting,
)
from zrg_dagster.core.providers.unipile.client import Profile, UnipileClient, note
from zrg_dagster.core.sending.linkedin import INVITATION_RECHECK_S, Way, send_linkedin, way_to

SENT_AT = datetime(2026, 3, 10, 18, 2, 0, tzinfo=UTC)
TEXT = "Thursday 10:00 PT it is!"
MARA = "ACoAADx91RwBkT6mZqLs3vYcHn8GpWf5UoEjDbA"
WRITES = [item for item in exchanges("unipile") if item["request"]["method"] == "POST"]


def client(wire: Wire) -> UnipileClient:
    return UnipileClient(wire.client, CREDENTIAL, sleep=wire.sleep)


def call(api: UnipileClient, recorded: dict[str, Any]) -> Any:
    path = recorded["request"]["path"]
    if path.endswith("/invite"):
        return api.invite(MARA, TEXT)
    return api.send_in_chat(path.split("/")[4], TEXT) if path.endswith("/messages") else api.start_chat(MARA, TEXT)


@pytest.mark.parametrize("recorded", WRITES, ids=[item["name"] for item in WRITES])
async def test_each_write_has_its_documented_class(recorded: dict[str, Any]) -> None:
    wire = Wire(response_of(recorded))
    assert (await call(client(wire), recorded)).call_class.value == recorded["client_class"]
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    "name, outcome, reason",
    [
        ("start_chat_not_connected", Refused, "no_connection"),
        ("start_chat_no_credits", Refused, "no_inmail_credits"),
        ("account_disconnected", Blocked, "account_disconnected"),
        ("our_key_missing", Refused, "credentials_rejected"),
        ("throttled_24h", Blocked, "account_throttled"),
        ("rate_limited", Refused, "rate_limited"),
        ("timeout_504", Unknown, "http_504"),
        ("invite_already_pending", Refused, "already_invited"),
    ],
)
async def test_reasons(name: str, outcome: type, reason: str) -> None:
    recorded = exchange("unipile", name)
    result = await call(client(Wire(response_of(recorded))), recorded)
    assert isinstance(result, outcome)
    assert result.reason == reason


async def test_messages_are_sent_as_the_vendors_own_forms() -> None:
    wire = Wire(response_of(exchange("unipile", "start_chat_inmail_ok")))
    sent = await client(wire).start_chat("ACoAABJoren01", "Hi Joren", inmail=True, subject="Detention fees")
    assert sent == Accepted("mSgInm1", {"chat_id": "cHInm1"})
    [request] = wire.requests
    assert request.headers["x-api-key"] == "token-under-test"
    assert request.headers["content-type"].startswith("multipart/form-data")
    said = request.content.decode()
    for name, value in (
        ("account_id", "external-1"),
        ("attendees_ids", "ACoAABJoren01"),
        ("text", "Hi Joren"),
        ("subject", "Detention fees"),
        ("linkedin[inmail]", "true"),
    ):
        assert f'name="{name}"\r\n\r\n{value}\r\n' in said


@pytest.mark.parametrize(
    "name, way",
    [
        ("profile_connected", Way.MESSAGE),
        ("profile_not_connected_open", Way.INMAIL),
        ("profile_invitation_pending", Way.WAIT),
    ],
)
async def test_the_way_follows_from_the_profile(name: str, way: Way) -> None:
    profile = await client(Wire(response_of(exchange("unipile", name)))).profile("x")
    assert isinstance(profile, Profile)
    assert way_to(profile) is way


def test_a_stranger_is_invited() -> None:
    assert way_to(Profile("m", is_connected=False, is_open=False, invitation_pending=False)) is Way.INVITATION
    assert way_to(Profile("m", is_connected=False, is_open=True, invitation_pending=True)) is Way.WAIT


def person(**fields: Any) -> httpx.Response:
    return httpx.Response(200, json={"provider_id": MARA, "network_distance": "SECOND_DEGREE", **fields})


OK = {"chat": "start_chat_ok", "message": "send_in_chat_ok", "invite": "invite_ok"}


def accepted(kind: str) -> httpx.Response:
    return response_of(exchange("unipile", OK[kind]))


def refused(name: str) -> httpx.Response:
    return response_of(exchange("unipile", name))


@pytest.mark.parametrize(
    "answers, chat, paths, outcome",
    [
        ([accepted("message")], "c1", ["/api/v1/chats/c1/messages"], Accepted),
        ([person(is_relationship=True), accepted("chat")], None, [f"/api/v1/users/{MARA}", "/api/v1/chats"], Accepted),
        ([person(is_open_profile=True), accepted("chat")], None, [f"/api/v1/users/{MARA}", "/api/v1/chats"], Accepted),
        ([person(), accepted("invite")], None, [f"/api/v1/users/{MARA}", "/api/v1/users/invite"], Accepted),
        ([person(invitation={"status": "PENDING"})], None, [f"/api/v1/users/{MARA}"], Waiting),
        ([person(), refused("invite_already_pending")], None, [f"/api/v1/users/{MARA}", "/api/v1/users/invite"], Waiting),
        (
            [refused("start_chat_not_connected"), person(), accepted("invite")],
            "c1",
            ["/api/v1/chats/c1/messages", f"/api/v1/users/{MARA}", "/api/v1/users/invite"],
            Accepted,
        ),
        ([refused("timeout_504")], "c1", ["/api/v1/chats/c1/messages"], Unknown),
        ([person(is_open_profile=True), refused("start_chat_no_credits")], None,
         [f"/api/v1/users/{MARA}", "/api/v1/chats"], Refused),
        ([refused("profile_not_found")], None, [f"/api/v1/users/{MARA}"], Refused),
        ([refused("rate_limited")], None, [f"/api/v1/users/{MARA}"], Refused),
    ],
)  # fmt: skip
async def test_the_waterfall(answers: list[Any], chat: str | None, paths: list[str], outcome: type) -> None:
    wire = Wire(*answers)
    result = await send_linkedin(client(wire), MARA, TEXT, chat_id=chat)
    assert isinstance(result, outcome)
    assert list(dict.fromkeys(request.url.path for request in wire.requests)) == paths


async def test_a_pending_invitation_waits_and_is_no_attempt() -> None:
    waits = await send_linkedin(client(Wire(person(invitation={"status": "PENDING"}))), MARA, TEXT)
    assert waits == Waiting("invitation_pending", INVITATION_RECHECK_S)
    assert waits.call_class is CallClass.BLOCKED


def test_a_note_fits_and_ends_between_words() -> None:
    assert note("short") == "short"
    cut = note("word " * 100)
    assert len(cut) <= 300
    assert cut.endswith("word…")
    assert len(note("x" * 1000)) == 300


def api(*, messages: Any = (), chats: Any = (), invitations: Any = ()) -> Wire:
    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        items = messages if path.endswith("/messages") else invitations if path.endswith("/sent") else chats
        return httpx.Response(200, json={"items": list(items), "cursor": None})

    return Wire(answer)


def message(number: str, **fields: Any) -> dict[str, Any]:
    return {"id": number, "is_sender": 1, "text": TEXT, "timestamp": "2026-03-10T18:02:10.000Z"} | fields


def invitation(number: str, **fields: Any) -> dict[str, Any]:
    return {"id": number, "invited_user_id": MARA, "parsed_datetime": "2026-03-10T18:02:10.000Z"} | fields


@pytest.mark.parametrize(
    "world, expected",
    [
        ({"messages": [message("m1")]}, Found("m1")),
        ({"messages": [message("m1"), message("m2")]}, Ambiguous(("m1", "m2"))),
        ({"messages": [message("old"), message("m2")]}, Found("m2")),
        ({"messages": [message("m1", is_sender=0)]}, NotFound()),
        ({"messages": [message("m1", text="other")]}, NotFound()),
        ({"messages": [message("m1", timestamp="2026-03-10T17:00:00.000Z")]}, NotFound()),
        ({"invitations": [invitation("77")]}, Found("invitation:77")),
        ({"invitations": [invitation("77", invited_user_id="else")]}, NotFound()),
        ({}, NotFound()),
    ],
)
async def test_read_back_verdicts(world: dict[str, Any], expected: object) -> None:
    assert await client(api(**world)).find_sent("c1", MARA, TEXT, SENT_AT, known_ids={"old"}) == expected


async def test_read_back_looks_into_conversations_begun_since() -> None:
    wire = api(messages=[message("m1")], chats=[{"id": "c9", "attendee_provider_id": MARA}, {"id": "c8"}])
    assert await client(wire).find_sent(None, MARA, TEXT, SENT_AT) == Found("m1")
    assert [each.url.path for each in wire.requests if each.url.path.endswith("messages")] == [
        "/api/v1/chats/c9/messages"
    ]


async def test_a_failed_read_teaches_nothing() -> None:
    failed = await client(Wire(httpx.Response(500, json={}))).find_sent("c1", MARA, TEXT, SENT_AT)
    assert isinstance(failed, ReadFailed)
    assert not failed.permanent
