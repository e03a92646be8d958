"""The story's webhooks: what the vendors deliver in a day, in the vendors' own shapes. Pure."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

AI_CAMPAIGN, SETTER_CAMPAIGN = 318, 319
SENT_MAILS = 500
FIRST_LEAD = 90_000
SENDER = {"id": 512, "email": "team@try-harbourline.example", "name": "The Harbourline team", "status": "Connected"}
LOCATION = "vQ7mZ2xKc9TfLp4RdWnA"
REVIEW_LEAD = 499  # the one that a setter answers, that gets a follow-up and books


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of answer: how many come, what they say, and what must become of them."""

    name: str
    count: int
    text: str
    channel: str = "email"
    drafted: bool = False
    stopped: bool = False
    automated: bool = False
    event_type: str = "LEAD_REPLIED"


KINDS = (
    Kind("interested", 12, "Sounds interesting, tell me more about how it works.", drafted=True),
    Kind("asks for times", 11, "Happy to talk. What times do you have this week for a meeting?", drafted=True),
    Kind("not interested", 8, "Thanks, but we are not interested."),
    Kind("out of office", 5, "I am out of the office and will be back next week.", automated=True),
    Kind("opt-out", 5, "Please remove me from your list and do not contact me again.", stopped=True),
    Kind("automatic", 3, "This is an automated response. Your message was received.", automated=True),
    Kind("bounce", 4, "550 5.1.1 The email account does not exist", stopped=True, event_type="EMAIL_BOUNCED"),
    Kind("interested by SMS", 5, "Yes I am interested, can you tell me more?", channel="sms", drafted=True),
    Kind("not interested by SMS", 4, "No thanks, not interested.", channel="sms"),
    Kind("STOP by SMS", 3, "STOP", channel="sms", stopped=True),
)
REPLIES = sum(kind.count for kind in KINDS)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One HTTP request to the receiver. `expects` is the status a correct door answers."""

    path: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "application/json"
    expects: int = 200


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def lead(number: int) -> dict[str, Any]:
    return {
        "id": FIRST_LEAD + number,
        "email": f"lead{number:04d}@mills.example",
        "first_name": f"Lead{number:04d}",
        "last_name": "Prospect",
        "title": "Plant manager",
        "company": f"Mill {number:04d}",
        "custom_variables": [{"name": "phone", "value": phone(number)}, {"name": "website", "value": "-"}],
    }


def phone(number: int) -> str:
    """A number of the range that is reserved for fiction, told apart by its area code."""
    return f"+1{201 + number // 100}555{100 + number % 100:04d}"


def _email_event(kind: str, moment: datetime, number: int, campaign: int | None, **data: Any) -> dict[str, Any]:
    return {
        "event": {
            "type": kind,
            "name": kind.replace("_", " ").title(),
            "instance_url": "https://send.harbourline.example",
            "workspace_id": 41,
            "workspace_name": "Harbourline - EmailBison Client",
        },
        "data": {
            "campaign": {"id": campaign, "name": f"Mills {campaign}"} if campaign else None,
            "campaign_event": {
                "id": 800_000 + number + 1000 * len(kind),
                "type": kind.lower(),
                "created_at": _stamp(moment),
            },
            "lead": lead(number),
            "sender_email": SENDER,
            **data,
        },
    }


def campaign_of(number: int) -> int:
    return SETTER_CAMPAIGN if number == REVIEW_LEAD or number % 5 == 0 else AI_CAMPAIGN


def sent_mail(number: int, now: datetime) -> dict[str, Any]:
    sent = now - timedelta(hours=30) + timedelta(seconds=number)
    scheduled = {
        "id": 7_700_000 + number,
        "lead_id": FIRST_LEAD + number,
        "sequence_step_id": 1461,
        "email_subject": "changeover times",
        "email_body": f"<p>Hi Lead{number:04d},</p><p>Worth a look at how other mills cut changeover time?</p>",
        "status": "sent",
        "sent_at": _stamp(sent),
        "raw_message_id": f"<eb-{7_700_000 + number}@try-harbourline.example>",
    }
    return _email_event("EMAIL_SENT", sent, number, campaign_of(number), scheduled_email=scheduled)


def email_reply(kind: Kind, number: int, now: datetime) -> dict[str, Any]:
    received = now - timedelta(minutes=5) + timedelta(milliseconds=number)
    is_bounce = kind.event_type == "EMAIL_BOUNCED"
    sender = "mailer-daemon@mail.example" if is_bounce else lead(number)["email"]
    reply = {
        "id": 4_400_000 + number,
        "uuid": f"00000000-0000-4000-8000-{number:012d}",
        "email_subject": "Delivery Status Notification (Failure)" if is_bounce else "Re: changeover times",
        "interested": False,
        "automated_reply": kind.automated,
        "from_name": "Mail Delivery Subsystem" if is_bounce else f"Lead{number:04d} Prospect",
        "from_email_address": sender,
        "primary_to_email_address": SENDER["email"],
        "to": [{"name": SENDER["name"], "address": SENDER["email"]}],
        "cc": [],
        "bcc": [],
        "text_body": f"{kind.text}\n\nOn Monday the Harbourline team wrote:\n> Reply unsubscribe to opt out.",
        "html_body": f"<div>{kind.text}</div>",
        "raw_message_id": f"<m{number}@mills.example>",
        "parent_id": None,
        "type": "Bounced" if is_bounce else "Tracked Reply",
        "folder": "Bounced" if is_bounce else "Inbox",
        "date_received": _stamp(received),
        "created_at": _stamp(received),
    }
    return _email_event(kind.event_type, received, number, campaign_of(number), reply=reply)


def sms_reply(kind: Kind, number: int, now: datetime) -> dict[str, Any]:
    person = lead(number)
    contact = contact_id(number)
    return {
        "contact_id": contact,
        "first_name": person["first_name"],
        "last_name": person["last_name"],
        "email": person["email"],
        "phone": phone(number),
        "date_created": _stamp(now - timedelta(days=20)),
        "location": {"id": LOCATION, "name": "Harbourline Analytics"},
        "message": {"type": 2, "body": kind.text},
        "workflow": {"id": "5f0a1c6e-2b7d-4c19-9e83-d4417ab90c52", "name": "Inbound SMS"},
        "customData": {"Date": now.strftime("%B %d, %Y"), "Time": f"{number}", "Message": kind.text},
    }


def contact_id(number: int) -> str:
    return f"ContactOfTheDemo{number:04d}"


def booking(number: int, now: datetime) -> dict[str, Any]:
    """The prospect takes a slot on the booking page."""
    event = "https://api.calendly.com/scheduled_events/6f1a9c20-7d43-4e0b-9a11-5b0c7e2d9f31"
    start = (now + timedelta(days=2)).replace(minute=0, second=0, microsecond=0)
    return {
        "created_at": _stamp(now),
        "event": "invitee.created",
        "payload": {
            "uri": f"{event}/invitees/0d92b7e4-3c1f-4d58-8f6e-a7c0e1b2d345",
            "event": event,
            "email": lead(number)["email"],
            "name": f"Lead{number:04d} Prospect",
            "status": "active",
            "timezone": "America/New_York",
            "rescheduled": False,
            "created_at": _stamp(now),
            "updated_at": _stamp(now),
            "tracking": {},
            "questions_and_answers": [],
            "scheduled_event": {
                "uri": event,
                "name": "Intro call",
                "status": "active",
                "start_time": _stamp(start),
                "end_time": _stamp(start + timedelta(minutes=30)),
                "event_type": "https://api.calendly.com/event_types/8b2e4d10-55aa-4f3c-b7d9-1c0e9a8f7b6d",
                "created_at": _stamp(now),
                "updated_at": _stamp(now),
            },
        },
    }


def encode(body: dict[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def email_delivery(body: dict[str, Any], key: str) -> Delivery:
    return Delivery(f"/api/webhooks/email?clientId=harbourline&key={key}", encode(body))


def sms_delivery(body: dict[str, Any], key: str) -> Delivery:
    return Delivery("/api/webhooks/ghl/sms", encode(body), (("x-zrg-key", key),))


def replies(now: datetime) -> Iterator[tuple[Kind, int, dict[str, Any]]]:
    """Every reply of the burst with its kind and its lead's number. Leads answer once each."""
    number = 0
    for kind in KINDS:
        for _ in range(kind.count):
            number += 1
            make = sms_reply if kind.channel == "sms" else email_reply
            yield kind, number, make(kind, number, now)


def refused(email_key: str, now: datetime) -> list[Delivery]:
    """What a correct door turns away: wrong key, no key, broken JSON, an unknown workspace, a wrong signature."""
    good = encode(email_reply(KINDS[0], 480, now))
    path = "/api/webhooks/email?clientId=harbourline"
    return [
        Delivery(f"{path}&key=wrong", good, expects=401),
        Delivery(path, good, expects=401),
        Delivery(f"{path}&key={email_key}", b'{"event": {"type": "LEAD_RE', expects=400),
        Delivery(
            f"/api/webhooks/email?clientId=nobody&key={email_key}", b'{"event":{"type":"EMAIL_SENT"}}', expects=404
        ),
        Delivery(
            "/api/webhooks/ghl/sms", encode(sms_reply(KINDS[-1], 481, now)), (("x-zrg-key", "wrong"),), expects=401
        ),
        Delivery(
            "/api/webhooks/calendly/harbourline",
            encode(booking(482, now)),
            (("calendly-webhook-signature", f"t={int(now.timestamp())},v1={'0' * 64}"),),
            expects=401,
        ),
    ]
