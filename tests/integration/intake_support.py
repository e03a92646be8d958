"""Deliveries as the receiver stores them, and drains that work them: shared by the intake tests."""

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.conftest import Database
from tests.integration.seeds import NOW
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.db.lane import LaneLimits, LaneReport, drain_lane
from zrg_dagster.core.db.lanes import INBOUND
from zrg_dagster.core.intake.drain import InboundLane

LATER = NOW + timedelta(hours=1)  # when drains work, so that everything received around NOW is due
HOST = "https://send.harbourline.example"
KEY = "clnt_harbourline"
LOCATION = "vQ7mZ2xKc9TfLp4RdWnA"
OURS = {"id": 512, "email": "noor@try-harbourline.example", "name": "Noor"}


@dataclass(frozen=True)
class Delivery:
    """One stored webhook. `key` names the delivery; by default its body does, as a vendor's retry repeats it."""

    provider: str
    body: bytes
    workspace: UUID | None
    received_at: datetime = NOW
    key: str = ""
    scope: str = KEY
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "application/json"})

    @property
    def delivery_key(self) -> bytes:
        return hashlib.sha256(f"{self.provider}|{self.scope}|{self.key}".encode() + self.body).digest()


def accept(database: Database, deliveries: Sequence[Delivery]) -> list[bool]:
    """What the receiver does with its role and its one function; tells for each delivery whether it was new."""
    ordered = sorted(range(len(deliveries)), key=lambda number: deliveries[number].delivery_key)
    rows = [deliveries[number] for number in ordered]
    columns = (
        [new_id() for _ in rows],
        [row.provider for row in rows],
        [row.scope for row in rows],
        [row.workspace for row in rows],
        ["unread"] * len(rows),
        [row.delivery_key for row in rows],
        [row.received_at for row in rows],
        [json.dumps(dict(row.headers)).encode() for row in rows],
        [row.body for row in rows],
        [f"c{number}" for number in ordered],
    )
    with psycopg.connect(database.dsn("receiver"), autocommit=True) as connection:
        answers = connection.execute(
            "SELECT ordinal, is_new FROM raw.accept_deliveries(%b::uuid[], %b::text[], %b::text[], %b::uuid[], %b::text[], "
            "%b::bytea[], %b::timestamptz[], %b::bytea[], %b::bytea[], %b::text[])",
            columns,
        ).fetchall()
    is_new = {ordered[ordinal - 1]: new for ordinal, new in answers}
    return [is_new[number] for number in range(len(deliveries))]


async def drain(
    database: Database,
    *,
    workers: int = 1,
    batch_size: int = 500,
    now: datetime = LATER,
    budget_s: float = 60,
    engine: AsyncEngine | None = None,
) -> LaneReport:
    """Work the inbound lane until it is empty, with `workers` lanes at once, each on an engine of its own but for `engine`."""
    report = LaneReport()

    async def one() -> None:
        own = engine or make_engine(database.dsn("worker"), pool_size=4)
        try:
            lane = InboundLane(own, batch_size=batch_size, lease_s=600, clock=lambda: now, report=report)
            limits = LaneLimits(concurrency=1, budget_s=budget_s, idle_s=0, lease_s=600)
            await drain_lane(
                own,
                database.dsn("worker"),
                INBOUND,
                lane.work(),
                limits=limits,
                stop=asyncio.Event(),
                clock=lambda: now,
                report=report,
            )
        finally:
            if engine is None:
                await own.dispose()

    await asyncio.gather(*(one() for _ in range(workers)))
    return report


class Rows:
    """Reads, and a few writes, as the worker."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        cursor = self._database.kept().execute(statement.encode(), values)
        return cursor.fetchall() if cursor.description else []

    def one(self, statement: str, *values: Any) -> dict[str, Any]:
        (row,) = self.all(statement, *values)
        return row

    def value(self, statement: str, *values: Any) -> Any:
        return next(iter(self.one(statement, *values).values()))

    def column(self, statement: str, *values: Any) -> list[Any]:
        return [next(iter(row.values())) for row in self.all(statement, *values)]

    def events(self) -> dict[str, list[tuple[str, str | None]]]:
        """State and reason of every delivery, by provider and event type."""
        found: dict[str, list[tuple[str, str | None]]] = {}
        for row in self.all(
            "SELECT provider, event_type, state, reason FROM raw.webhook_event ORDER BY received_at, id"
        ):
            found.setdefault(f"{row['provider']}/{row['event_type']}", []).append((row["state"], row["reason"]))
        return found

    def workspace(self, key: str = KEY, **settings: Any) -> UUID:
        workspace = new_id()
        self.all("INSERT INTO app.workspace (id, key, name) VALUES (%s, %s, %s)", workspace, key, key)
        columns = {"workspace_id": workspace, "company_name": "Harbourline", **settings}
        marks = ", ".join(["%s"] * len(columns))
        self.all(
            f"INSERT INTO app.workspace_setting ({', '.join(columns)}) VALUES ({marks})",
            *columns.values(),
        )
        return workspace


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def person(name: str = "mara", number: int = 90312, **fields: Any) -> dict[str, Any]:
    return {
        "id": number,
        "email": f"{name}@brightloom.example",
        "first_name": name.title(),
        "last_name": "Okafor",
        "company": "Brightloom Textiles",
        "title": "Head of Operations",
        "custom_variables": [],
        **fields,
    }


def email_event(kind: str, *, lead: Any = None, campaign: int | None = 318, **data: Any) -> dict[str, Any]:
    return {
        "event": {"type": kind, "instance_url": HOST, "workspace_id": 41},
        "data": {
            "campaign": {"id": campaign, "name": f"Mills {campaign}"} if campaign else None,
            "lead": person() if lead is None else lead,
            "sender_email": OURS,
            **data,
        },
    }


def reply(
    number: int,
    text: str = "Sounds useful, tell me more.",
    *,
    at: datetime = NOW,
    sender: str | None = None,
    **fields: Any,
) -> dict[str, Any]:
    """`data.reply` of an inbound mail."""
    return {
        "id": number,
        "email_subject": "Re: changeover times",
        "interested": False,
        "automated_reply": False,
        "from_name": "Mara Okafor",
        "from_email_address": sender or "mara@brightloom.example",
        "primary_to_email_address": OURS["email"],
        "to": [{"name": "Noor", "address": OURS["email"]}],
        "cc": [],
        "text_body": text,
        "html_body": None,
        "type": "Tracked Reply",
        "folder": "Inbox",
        "date_received": stamp(at),
        **fields,
    }


def replied(workspace: UUID, number: int, text: str = "Sounds useful, tell me more.", **options: Any) -> Delivery:
    """LEAD_REPLIED; `lead`, `campaign` and `kind` describe the event, everything else the mail."""
    kind = options.pop("kind", "LEAD_REPLIED")
    lead, campaign = options.pop("lead", None), options.pop("campaign", 318)
    received = options.pop("received_at", NOW)
    body = email_event(kind, lead=lead, campaign=campaign, reply=reply(number, text, **options))
    return email(workspace, body, received)


def sent_step(workspace: UUID, number: int, *, at: datetime, lead: Any = None, campaign: int = 318) -> Delivery:
    """EMAIL_SENT: a campaign step that the vendor sent."""
    scheduled = {
        "id": number,
        "email_subject": "changeover times",
        "email_body": "<p>Worth a look?</p>",
        "sent_at": stamp(at),
    }
    return email(workspace, email_event("EMAIL_SENT", lead=lead, campaign=campaign, scheduled_email=scheduled))


def email(workspace: UUID, body: dict[str, Any], received_at: datetime = NOW) -> Delivery:
    return Delivery("emailbison", json.dumps(body).encode(), workspace, received_at)


def sms(
    workspace: UUID, text: str, *, time: str | None = "9:41 AM", contact: str = "h3TzW8kLq0VbNc5XyRsE", **options: Any
):
    """The workflow feed: no message id."""
    custom = {"Message": text, **({"Date": "March 10th, 2026", "Time": time} if time else {})}
    body = {
        "contact_id": contact,
        "first_name": "Mara",
        "phone": "+14155550132",
        "location": {"id": LOCATION},
        "message": {"type": 2, "body": text},
        "workflow": {"id": "wf-1"},
        "customData": custom,
        **options.pop("fields", {}),
    }
    return Delivery("ghl", json.dumps(body).encode(), workspace, **options)


def app_sms(workspace: UUID, text: str, message_id: str, *, at: datetime = NOW, contact: str = "h3TzW8kLq0VbNc5XyRsE"):
    """The marketplace feed: typed, with ids."""
    body = {
        "type": "InboundMessage",
        "locationId": LOCATION,
        "contactId": contact,
        "messageType": "SMS",
        "messageId": message_id,
        "body": text,
        "dateAdded": stamp(at),
        "webhookId": f"w-{message_id}",
    }
    return Delivery("ghl", json.dumps(body).encode(), workspace, at + timedelta(seconds=2))


INVITEE = "https://api.calendly.com/scheduled_events/E1/invitees/I1"


def invitee(
    workspace: UUID,
    kind: str = "invitee.created",
    *,
    uri: str = INVITEE,
    at: datetime = NOW,
    email: str = "mara@brightloom.example",
    **payload: Any,
) -> Delivery:
    """A Calendly delivery about one invitee, true since `at`."""
    start = NOW + timedelta(days=2)
    body = {
        "event": kind,
        "created_at": stamp(at),
        "payload": {
            "uri": uri,
            "email": email,
            "name": "Mara Okafor",
            "status": "active",
            "timezone": "America/New_York",
            "created_at": stamp(NOW),
            "updated_at": stamp(at),
            "scheduled_event": {
                "uri": uri.partition("/invitees")[0],
                "start_time": stamp(start),
                "end_time": stamp(start + timedelta(minutes=30)),
                "event_type": "https://api.calendly.com/event_types/T1",
            },
            **payload,
        },
    }
    return Delivery("calendly", json.dumps(body).encode(), workspace, at)
