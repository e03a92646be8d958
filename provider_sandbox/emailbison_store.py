"""What the imitated EmailBison workspace holds, and how it is filled."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from provider_sandbox.state import BoundedDict, Sandbox, iso_micro
from provider_sandbox.vendor import SeedError

_LEAD_FIELDS = ("email", "first_name", "last_name", "title", "company", "notes", "status")
_KINDS = {"senders": "senders", "campaigns": "campaigns", "leads": "leads", "replies": "replies", "emails": "emails"}


def _default_senders() -> BoundedDict:
    senders = BoundedDict()
    for number, name, status in ((512, "Sandbox Sender", "Connected"), (513, "Sandbox Sender Two", "Not connected")):
        senders[number] = {
            "id": number,
            "name": name,
            "email": f"sender{number}@sandbox.example",
            "status": status,
            "daily_limit": 35,
            "type": "custom",
        }
    return senders


def _campaign(number: int) -> dict[str, Any]:
    kind = {"name": "Sandbox campaign", "status": "active", "type": "outbound"}
    return {"id": number, "uuid": f"campaign-{number}", **kind, "emails_sent": 0, "replied": 0}


def _default_campaigns() -> BoundedDict:
    return BoundedDict({318: _campaign(318)})


def _default_variables() -> BoundedDict:
    names = ("phone", "linkedin url", "website", "company state", "availability_slot")
    return BoundedDict({name: {"id": number, "name": name} for number, name in enumerate(names, start=1)})


@dataclass(slots=True)
class Store:
    """Records by vendor id. `emails` are campaign steps (`/sent-emails`), `replies` both directions of the inbox."""

    senders: BoundedDict = field(default_factory=_default_senders)
    campaigns: BoundedDict = field(default_factory=_default_campaigns)
    variables: BoundedDict = field(default_factory=_default_variables)
    leads: BoundedDict = field(default_factory=BoundedDict)
    replies: BoundedDict = field(default_factory=BoundedDict)
    emails: BoundedDict = field(default_factory=BoundedDict)
    hooks: BoundedDict = field(default_factory=BoundedDict)
    blacklist: BoundedDict = field(default_factory=BoundedDict)

    def newest_replies(self) -> list[dict[str, Any]]:
        return sorted(
            self.replies.values(), key=lambda item: (str(item.get("date_received")), item["id"]), reverse=True
        )

    def lead_id_by_email(self, email: str) -> int | None:
        wanted = email.strip().lower()
        return next((lead["id"] for lead in self.leads.values() if str(lead["email"]).lower() == wanted), None)

    def new_lead(self, number: int, uuid: str, fields: Mapping[str, Any], now: str) -> dict[str, Any]:
        lead: dict[str, Any] = {"id": number, "uuid": uuid, "status": "unverified", "created_at": now}
        lead |= {name: fields.get(name, lead.get(name)) for name in _LEAD_FIELDS}
        lead["custom_variables"] = list(fields.get("custom_variables") or [])
        lead["lead_campaign_data"] = list(fields.get("lead_campaign_data") or [])
        lead["updated_at"] = now
        self.leads[number] = lead
        return lead

    def write_lead(self, lead: dict[str, Any], body: Mapping[str, Any], *, replace: bool, now: str) -> None:
        """PATCH keeps what is not sent, custom variables included; PUT clears it."""
        if replace:
            lead |= {name: None for name in _LEAD_FIELDS if name not in ("email", "status")}
            lead["custom_variables"] = []
        lead |= {name: body[name] for name in _LEAD_FIELDS if name in body}
        values = {str(item["name"]).lower(): item["value"] for item in lead["custom_variables"]}
        values |= {str(item["name"]).lower(): item.get("value") for item in body.get("custom_variables") or []}
        lead["custom_variables"] = [{"name": name, "value": value} for name, value in values.items()]
        lead["updated_at"] = now

    def adopt(self, kind: str, number: int, now: str) -> dict[str, Any]:
        """A record for an id never seen (option `adopt_unknown`)."""
        if kind == "leads":
            fields = {"email": f"lead{number}@sandbox.example", "first_name": "-", "last_name": "-"}
            return self.new_lead(number, f"adopted-{number}", fields, now)
        reply = {
            "id": number,
            "subject": "",
            "from_email_address": None,
            "from_name": None,
            "text_body": "",
            "type": "Tracked Reply",
            "folder": "Inbox",
            "interested": False,
            "date_received": now,
            "lead_id": None,
            "sender_email_id": next(iter(self.senders), None),
        }
        self.replies[number] = reply
        return reply

    def leads_of_campaign(self, campaign_id: int) -> list[dict[str, Any]]:
        def belongs(lead: Mapping[str, Any]) -> bool:
            return any(item.get("campaign_id") == campaign_id for item in lead["lead_campaign_data"])

        return [lead for lead in self.leads.values() if belongs(lead)]

    def stop_future_emails(self, campaign_id: int, lead_ids: list[Any]) -> int:
        stopped = 0
        for lead in self.leads_of_campaign(campaign_id):
            if lead["id"] in lead_ids:
                stopped += 1
                for item in lead["lead_campaign_data"]:
                    item["status"] = "stopped" if item.get("campaign_id") == campaign_id else item.get("status")
        for email in self.emails.values():
            if email.get("lead_id") in lead_ids and email.get("status") == "scheduled":
                email["status"] = "stopped"
        return stopped

    def event(
        self,
        sandbox: Sandbox,
        kind: str,
        *,
        reply: Mapping[str, Any] | None = None,
        lead: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The webhook body about a reply or a lead, in the vendor's own field names."""
        options = sandbox.options["emailbison"]
        lead = lead or self.leads.get(reply.get("lead_id") if reply else None)
        campaign = self.campaigns.get(reply.get("campaign_id")) if reply else None
        data: dict[str, Any] = {
            "campaign": {"id": campaign["id"], "name": campaign["name"]} if campaign else None,
            "lead": dict(lead) if lead else None,
        }
        if reply is not None:
            shown = {name: value for name, value in reply.items() if name not in ("subject", "lead_id", "campaign_id")}
            data["reply"] = shown | {"email_subject": reply.get("subject"), "raw_body": None}
            data["sender_email"] = self.senders.get(reply.get("sender_email_id"))
        else:
            created = iso_micro(sandbox.clock.now())
            data["campaign_event"] = {"id": sandbox.ids.number(), "type": kind, "created_at": created}
        event = {
            "type": kind,
            "name": kind.replace("_", " ").title(),
            "instance_url": options["instance_url"],
            "workspace_id": options["workspace_id"],
            "workspace_name": options["workspace_name"],
        }
        return {"event": event, "data": data}


def snapshot(sandbox: Sandbox) -> Mapping[str, Any]:
    store = sandbox.store(Store)
    kinds = ("senders", "campaigns", "leads", "replies", "emails", "hooks")
    return {kind: list(getattr(store, kind).values()) for kind in kinds} | {"blacklist": list(store.blacklist)}


def seed(sandbox: Sandbox, data: Mapping[str, Any]) -> int:
    """`{senders|campaigns|leads|replies|emails: [record with an integer id, ...], variables: [name, ...]}`."""
    store, taken, now = sandbox.store(Store), 0, iso_micro(sandbox.clock.now())
    unknown = set(data) - set(_KINDS) - {"variables"}
    if unknown:
        raise SeedError(f"emailbison: unknown kind {sorted(unknown)[0]}")
    for name in data.get("variables", []):
        store.variables[str(name).lower()] = {"id": sandbox.ids.number(), "name": str(name).lower()}
        taken += 1
    for kind in _KINDS:
        for item in data.get(kind, []):
            number = item.get("id") if isinstance(item, dict) else None
            if not isinstance(number, int):
                raise SeedError(f"emailbison {kind}: every record needs an integer id")
            if kind == "leads":
                store.new_lead(number, item.get("uuid") or sandbox.ids.uuid(), item, now)
            elif kind == "senders":
                store.senders[number] = {"status": "Connected", "type": "custom", "daily_limit": 35, "name": ""} | item
            elif kind == "replies":
                store.adopt("replies", number, now).update(item)
            else:
                getattr(store, kind)[number] = (_campaign(number) if kind == "campaigns" else {}) | item
            taken += 1
    return taken


def _number(value: Any) -> int | None:
    """Ids travel as numbers, by some instances as text."""
    text = str(value) if value is not None else ""
    return int(text) if text.isdecimal() else None


def _membership(lead: dict[str, Any], campaign_id: int) -> dict[str, Any]:
    """The lead's row in a campaign, made when there is none."""
    for item in lead["lead_campaign_data"]:
        if item["campaign_id"] == campaign_id:
            return item
    counts = {"emails_sent": 0, "replies": 0, "opens": 0}
    item = {"campaign_id": campaign_id, "status": "in_sequence", **counts, "interested": False}
    lead["lead_campaign_data"].append(item)
    return item


def learn(sandbox: Sandbox, body: Mapping[str, Any]) -> int:
    """Remember the lead, reply, campaign, sender and campaign step that a webhook body speaks of."""
    store, now = sandbox.store(Store), iso_micro(sandbox.clock.now())
    # Test events and rows of the events API wrap the delivery once more.
    for _ in range(3):
        inner = body.get("payload") or body.get("data")
        if "event" in body or not isinstance(inner, dict):
            break
        body = inner
    data = body.get("data")
    if not isinstance(data, dict):
        return 0
    lead, reply, campaign, sender, email = (
        data.get(name) or {} for name in ("lead", "reply", "campaign", "sender_email", "scheduled_email")
    )
    lead_id, reply_id, campaign_id, sender_id, email_id = (
        _number(part.get("id")) for part in (lead, reply, campaign, sender, email)
    )
    if campaign_id is not None:
        store.campaigns.setdefault(campaign_id, _campaign(campaign_id) | campaign | {"id": campaign_id})
    if sender_id is not None:
        store.senders.setdefault(sender_id, {"status": "Connected", "name": "", "daily_limit": 35} | sender)
        store.senders[sender_id]["id"] = sender_id
    if lead_id is not None:
        known = store.leads.get(lead_id)
        if known is None:
            known = store.new_lead(lead_id, lead.get("uuid") or sandbox.ids.uuid(), lead, now)
        if campaign_id is not None:
            membership = _membership(known, campaign_id)
            membership["emails_sent"] += email_id is not None and email_id not in store.emails
            if reply_id is not None and reply_id not in store.replies:
                membership |= {"replies": membership["replies"] + 1, "status": "replied"}
    if reply_id is not None:
        links = {"lead_id": lead_id, "campaign_id": campaign_id, "sender_email_id": sender_id}
        shown = {**reply, "id": reply_id, "subject": reply.get("email_subject"), **links}
        store.replies.setdefault(reply_id, {"type": "Tracked Reply", "folder": "Inbox", "date_received": now} | shown)
    if email_id is not None and lead_id is not None:
        store.emails[email_id] = {**email, "id": email_id, "lead_id": lead_id, "status": email.get("status") or "sent"}
    return sum(number is not None for number in (lead_id, reply_id, campaign_id, sender_id, email_id))
