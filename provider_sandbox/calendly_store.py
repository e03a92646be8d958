"""What the imitated Calendly account holds, and how it is filled."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from provider_sandbox.slots import overlaps
from provider_sandbox.state import BoundedDict, Sandbox, iso_micro, parse_iso
from provider_sandbox.vendor import SeedError

NAME = "calendly"
# Ids are URIs on the vendor's host, as in its own answers; clients use the last part with their base URL.
HOST = "https://api.calendly.com"
USER_URI = f"{HOST}/users/CBAA77NN00RR"
ORGANIZATION_URI = f"{HOST}/organizations/ORG55"
EVENT_TYPE_UUID = "8b2e4d10-55aa-4f3c-b7d9-1c0e9a8f7b6d"


def last_part(uri: str) -> str:
    return uri.rstrip("/").rpartition("/")[2]


def _user() -> dict[str, Any]:
    return {
        "uri": USER_URI,
        "name": "Sandbox Host",
        "slug": "sandbox-host",
        "email": "host@sandbox.example",
        "scheduling_url": "https://calendly.com/sandbox-host",
        "timezone": "America/Los_Angeles",
        "avatar_url": None,
        "created_at": "2025-01-01T00:00:00.000000Z",
        "updated_at": "2026-01-01T00:00:00.000000Z",
        "current_organization": ORGANIZATION_URI,
    }


def _event_type(uuid: str) -> dict[str, Any]:
    return {
        "uri": f"{HOST}/event_types/{uuid}",
        "name": "Intro 30",
        "active": True,
        "slug": "intro-30",
        "scheduling_url": "https://calendly.com/sandbox-host/intro-30",
        "duration": 30,
        "kind": "solo",
        "pooling_type": None,
        "type": "StandardEventType",
        "custom_questions": [
            {
                "name": "Phone",
                "type": "phone_number",
                "position": 0,
                "enabled": True,
                "required": False,
                "answer_choices": [],
                "include_other": False,
            }
        ],
        "locations": [{"kind": "zoom_conference"}],
        "profile": {"type": "User", "name": "Sandbox Host", "owner": USER_URI},
    }


@dataclass(slots=True)
class Store:
    """Records by uuid. `calls` and `bookings` are request times for the two rate limits."""

    user: dict[str, Any] = field(default_factory=_user)
    event_types: BoundedDict = field(
        default_factory=lambda: BoundedDict({EVENT_TYPE_UUID: _event_type(EVENT_TYPE_UUID)})
    )
    events: BoundedDict = field(default_factory=BoundedDict)
    invitees: BoundedDict = field(default_factory=BoundedDict)
    subscriptions: BoundedDict = field(default_factory=BoundedDict)
    signing_keys: dict[str, str] = field(default_factory=dict)
    no_shows: BoundedDict = field(default_factory=BoundedDict)
    calls: deque[float] = field(default_factory=deque)
    bookings: deque[float] = field(default_factory=deque)

    def busy(self) -> list[tuple[datetime, datetime]]:
        out = []
        for event in self.events.values():
            start, end = parse_iso(event["start_time"]), parse_iso(event["end_time"])
            if event["status"] == "active" and start and end:
                out.append((start, end))
        return out

    def is_taken(self, start: datetime, minutes: int) -> bool:
        return overlaps(start, start + timedelta(minutes=minutes), self.busy())

    def invitees_of(self, event_uri: str) -> list[dict[str, Any]]:
        return [invitee for invitee in self.invitees.values() if invitee["event"] == event_uri]

    def add_booking(
        self, sandbox: Sandbox, event_type: Mapping[str, Any], start: datetime, guest: Mapping[str, Any]
    ) -> dict[str, Any]:
        """A scheduled event with its invitee; returns the invitee. `guest` holds the vendor's invitee fields."""
        now, event_uuid, uuid = iso_micro(sandbox.clock.now()), sandbox.ids.uuid(), sandbox.ids.uuid()
        event_uri = f"{HOST}/scheduled_events/{event_uuid}"
        self.events[event_uuid] = {
            "uri": event_uri,
            "name": event_type["name"],
            "status": "active",
            "start_time": iso_micro(start),
            "end_time": iso_micro(start + timedelta(minutes=event_type["duration"])),
            "event_type": event_type["uri"],
            "location": {
                "type": "zoom",
                "status": "pushed",
                "join_url": f"https://zoom.example/j/{sandbox.ids.number()}",
                "data": {},
            },
            "invitees_counter": {"total": 1, "active": 1, "limit": 1},
            "event_memberships": [
                {"user": self.user["uri"], "user_email": self.user["email"], "user_name": self.user["name"]}
            ],
            "event_guests": [],
            "created_at": now,
            "updated_at": now,
        }
        invitee = {
            "uri": f"{event_uri}/invitees/{uuid}",
            "event": event_uri,
            "status": "active",
            "first_name": None,
            "last_name": None,
            "questions_and_answers": [],
            "text_reminder_number": None,
            "rescheduled": False,
            "old_invitee": None,
            "new_invitee": None,
            "cancel_url": f"https://calendly.com/cancellations/{uuid}",
            "reschedule_url": f"https://calendly.com/reschedulings/{uuid}",
            "no_show": None,
            "payment": None,
            "reconfirmation": None,
            "routing_form_submission": None,
            "invitee_scheduled_by": None,
            "scheduling_method": None,
            "created_at": now,
            "updated_at": now,
            **guest,
        }
        self.invitees[uuid] = invitee
        return invitee

    def cancel(
        self, sandbox: Sandbox, event: dict[str, Any], *, by: str, reason: str | None, role: str
    ) -> dict[str, Any]:
        now = iso_micro(sandbox.clock.now())
        cancellation = {"canceled_by": by, "reason": reason, "canceler_type": role, "created_at": now}
        event |= {"status": "canceled", "updated_at": now, "cancellation": cancellation}
        event["invitees_counter"] = event["invitees_counter"] | {"active": 0}
        for invitee in self.invitees_of(event["uri"]):
            invitee |= {"status": "canceled", "updated_at": now, "cancellation": cancellation}
        return cancellation

    def subscription(self, uuid: str, now: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """A new subscription as the vendor shows it: everything but its signing key."""
        return {
            "uri": f"{HOST}/webhook_subscriptions/{uuid}",
            "callback_url": asked.get("url") or asked["callback_url"],
            "created_at": now,
            "updated_at": now,
            "retry_started_at": None,
            "state": "active",
            "events": asked.get("events", ["invitee.created"]),
            "scope": asked.get("scope", "user"),
            "organization": asked.get("organization", self.user["current_organization"]),
            "user": asked.get("user", self.user["uri"]),
            "group": asked.get("group"),
            "creator": self.user["uri"],
        }

    def webhook(self, kind: str, invitee: Mapping[str, Any], now: str) -> dict[str, Any]:
        """The payload IS the invitee, with the scheduled event inside (not `payload.invitee`)."""
        event = self.events[last_part(invitee["event"])]
        payload = {**invitee, "scheduled_event": event}
        return {"event": kind, "created_at": now, "created_by": self.user["uri"], "payload": payload}


def snapshot(sandbox: Sandbox) -> Mapping[str, Any]:
    store = sandbox.store(Store)
    kinds = ("event_types", "events", "invitees", "subscriptions", "no_shows")
    return {"user": store.user} | {kind: list(getattr(store, kind).values()) for kind in kinds}


def seed(sandbox: Sandbox, data: Mapping[str, Any]) -> int:
    """`{user: {fields}, event_types: [{uuid, name?, slug?, duration?, custom_questions?, ...}],
    subscriptions: [{callback_url, state: active/disabled}]}`. A subscription that nobody made is one of somebody else."""
    store, taken = sandbox.store(Store), 0
    unknown = set(data) - {"user", "event_types", "subscriptions"}
    if unknown:
        raise SeedError(f"calendly: unknown kind {sorted(unknown)[0]}")
    if data.get("user"):
        store.user |= data["user"]
        taken += 1
    for item in data.get("event_types", []):
        uuid = item.get("uuid") or (last_part(item["uri"]) if item.get("uri") else None)
        if not uuid:
            raise SeedError("calendly event_types: every record needs a uuid")
        fields = {name: value for name, value in item.items() if name not in ("uuid", "uri")}
        store.event_types[uuid] = _event_type(uuid) | fields
        taken += 1
    for item in data.get("subscriptions", []):
        if not item.get("callback_url") or item.get("state") not in ("active", "disabled"):
            raise SeedError(
                "calendly subscriptions: every record needs a callback_url, and a state: active or disabled"
            )
        known = next(
            (each for each in store.subscriptions.values() if each["callback_url"] == item["callback_url"]), None
        )
        if known is None:
            uuid = sandbox.ids.uuid()
            known = store.subscriptions[uuid] = store.subscription(uuid, iso_micro(sandbox.clock.now()), item)
        known |= {"state": item["state"]}
        taken += 1
    return taken
