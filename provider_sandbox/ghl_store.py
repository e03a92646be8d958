"""What the imitated GoHighLevel location holds, and how it is filled."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from provider_sandbox.state import BoundedDict, Ids, Sandbox, iso_milli
from provider_sandbox.vendor import SeedError

NAME = "ghl"
LOCATION = "vQ7mZ2xKc9TfLp4RdWnA"
CALENDAR = "Cal7Zx2QwLr9TkVn4MbPd"
USER = "u9KdPq2LzXw7"
STOP_WORDS = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit"})
_TYPE_NUMBERS = {"SMS": 2, "Email": 3, "WhatsApp": 19}
_KINDS = ("contacts", "calendars", "users", "workflows", "appointments", "messages")


def _sms(now: str) -> dict[str, Any]:
    """What the vendor says of an SMS that a seed leaves out."""
    kind = {"type": _TYPE_NUMBERS["SMS"], "messageType": "TYPE_SMS", "contentType": "text/plain"}
    return {**kind, "locationId": LOCATION, "dateAdded": now, "status": "delivered", "attachments": []}


def _calendar(calendar_id: str, location: str) -> dict[str, Any]:
    return {
        "id": calendar_id,
        "name": "Intro 30",
        "locationId": location,
        "slotDuration": 30,
        "slotDurationUnit": "mins",
        "isActive": True,
        "timezone": "America/Los_Angeles",
        "teamMembers": [{"userId": USER, "priority": 0.5}],
    }


def _user() -> dict[str, Any]:
    names = {"name": "Sandbox User", "firstName": "Sandbox", "lastName": "User", "email": "user@sandbox.example"}
    return {"id": USER, **names}


@dataclass(slots=True)
class Store:
    """Records by vendor id. `calls` are request times per credential, for the rate bucket."""

    contacts: BoundedDict = field(default_factory=BoundedDict)
    conversations: BoundedDict = field(default_factory=BoundedDict)
    messages: BoundedDict = field(default_factory=BoundedDict)
    appointments: BoundedDict = field(default_factory=BoundedDict)
    calendars: BoundedDict = field(default_factory=lambda: BoundedDict({CALENDAR: _calendar(CALENDAR, LOCATION)}))
    users: BoundedDict = field(default_factory=lambda: BoundedDict({USER: _user()}))
    workflows: BoundedDict = field(default_factory=BoundedDict)
    calls: dict[str, deque[float]] = field(default_factory=dict)
    served: int = 0

    def new_contact(self, contact_id: str, fields: Mapping[str, Any], now: str) -> dict[str, Any]:
        contact = {
            "id": contact_id,
            "locationId": LOCATION,
            "firstName": None,
            "lastName": None,
            "email": None,
            "phone": None,
            "companyName": None,
            "timezone": None,
            "dnd": False,
            "dndSettings": {},
            "customFields": [],
            "tags": [],
            "dateAdded": now,
            **fields,
        }
        self.contacts[contact_id] = contact
        return contact

    def conversation_of(self, contact: Mapping[str, Any], ids: Ids) -> dict[str, Any]:
        for conversation in self.conversations.values():
            if conversation["contactId"] == contact["id"]:
                return conversation
        conversation = {"id": ids.alnum(), "contactId": contact["id"], "locationId": contact["locationId"]}
        self.conversations[conversation["id"]] = conversation
        return conversation

    def add_message(
        self, sandbox: Sandbox, contact: Mapping[str, Any], *, body: str, direction: str, kind: str = "SMS"
    ) -> dict[str, Any]:
        message = {
            "id": sandbox.ids.alnum(),
            "type": _TYPE_NUMBERS.get(kind, 5),
            "messageType": f"TYPE_{kind.upper()}",
            "locationId": contact["locationId"],
            "contactId": contact["id"],
            "conversationId": self.conversation_of(contact, sandbox.ids)["id"],
            "dateAdded": iso_milli(sandbox.clock.now()),
            "body": body,
            "direction": direction,
            "status": "delivered",
            "contentType": "text/plain",
            "attachments": [],
        }
        self.messages[message["id"]] = message
        return message

    def newest_messages(self, contact_id: str | None = None) -> list[dict[str, Any]]:
        # Sorting upwards and turning round keeps the later of two within one millisecond in front.
        wanted = [item for item in self.messages.values() if contact_id in (None, item["contactId"])]
        return sorted(wanted, key=lambda item: item["dateAdded"])[::-1]

    def shown_conversation(self, conversation: Mapping[str, Any]) -> dict[str, Any]:
        contact = self.contacts.get(conversation["contactId"]) or {}
        last = next(iter(self.newest_messages(conversation["contactId"])), {})
        name = " ".join(str(contact.get(key) or "") for key in ("firstName", "lastName")).strip()
        return {
            **conversation,
            "lastMessageBody": last.get("body"),
            "lastMessageType": last.get("messageType"),
            "lastMessageDate": last.get("dateAdded"),
            "type": "TYPE_PHONE",
            "unreadCount": int(last.get("direction") == "inbound"),
            "fullName": name,
            "contactName": name,
            "email": contact.get("email"),
            "phone": contact.get("phone"),
        }


def snapshot(sandbox: Sandbox) -> Mapping[str, Any]:
    store = sandbox.store(Store)
    kinds = ("contacts", "conversations", "messages", "appointments", "calendars", "users", "workflows")
    return {kind: list(getattr(store, kind).values()) for kind in kinds}


def seed(sandbox: Sandbox, data: Mapping[str, Any]) -> int:
    """`{contacts|calendars|users|workflows|appointments|messages: [record with an id, ...]}`."""
    store, taken, now = sandbox.store(Store), 0, iso_milli(sandbox.clock.now())
    unknown = set(data) - set(_KINDS)
    if unknown:
        raise SeedError(f"ghl: unknown kind {sorted(unknown)[0]}")
    for kind in _KINDS:
        for item in data.get(kind, []):
            if not isinstance(item, dict) or not isinstance(item.get("id"), str):
                raise SeedError(f"ghl {kind}: every record needs a text id")
            if kind == "contacts":
                store.new_contact(item["id"], {name: value for name, value in item.items() if name != "id"}, now)
            elif kind == "calendars":
                store.calendars[item["id"]] = _calendar(item["id"], LOCATION) | item
            elif kind == "messages":
                store.messages[item["id"]] = _sms(now) | item
            else:
                getattr(store, kind)[item["id"]] = dict(item)
            taken += 1
    return taken


def learn(sandbox: Sandbox, body: Mapping[str, Any]) -> int:
    """Remember the contact and the inbound text of a workflow webhook; STOP sets DND, as the vendor does itself."""
    contact_id = body.get("contact_id")
    if not isinstance(contact_id, str) or not contact_id:
        return 0
    store, location = sandbox.store(Store), body.get("location") or {}
    fields = {
        "locationId": location.get("id") or LOCATION,
        "firstName": body.get("first_name"),
        "lastName": body.get("last_name"),
        "email": body.get("email") or None,
        "phone": body.get("phone") or None,
        "tags": [tag.strip() for tag in str(body.get("tags") or "").split(",") if tag.strip()],
    }
    contact = store.contacts.get(contact_id)
    if contact is None:
        contact = store.new_contact(contact_id, fields, iso_milli(sandbox.clock.now()))
    message = body.get("message") or {}
    text = str(message.get("body") or (body.get("customData") or {}).get("Message") or "").strip()
    if text:
        store.add_message(sandbox, contact, body=text, direction="inbound")
    if text.lower().rstrip(".!") in STOP_WORDS:
        contact["dndSettings"] = {"SMS": {"status": "permanent", "message": "STOP", "code": "103"}}
    return 1
