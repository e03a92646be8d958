"""Deliveries made from the sample payloads: the same shapes and texts, another person and other ids in each.

A lead is a number. Its workspace, addresses and ids follow from the number alone, here and in the SQL of `large.py`.
"""

import hashlib
import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg

from zrg_dagster.core.base.clock import utc_now
from zrg_dagster.core.base.ids import new_id

PAYLOADS = Path(__file__).parents[1] / "tests" / "data" / "payloads"
REPLY = "emailbison/LEAD_REPLIED__quoted_thread.json"
SENT = "emailbison/EMAIL_SENT__step1.json"
SMS = "ghl/sms_inbound__basic.json"
OTHERS = (
    "emailbison/EMAIL_OPENED__basic.json",
    "emailbison/LEAD_FIRST_CONTACTED__basic.json",
    "emailbison/MANUAL_EMAIL_SENT__reply.json",
    "emailbison/LEAD_UNSUBSCRIBED__basic.json",
    "calendly/invitee.created__basic.json",
)
WITH_MESSAGE = frozenset({REPLY, SENT, SMS, "emailbison/MANUAL_EMAIL_SENT__reply.json"})
WITH_LEAD = WITH_MESSAGE | {"emailbison/LEAD_UNSUBSCRIBED__basic.json"}

WORKSPACES = 36
ID_BASE = 100_000_000  # nine digits for every id: JSON knows no leading zeros, and all bodies are equally long
PHONE_BASE = 4_152_000_000  # ten digits, an existing area code for the first eight million leads

# What names the person in the samples, and the words that name the delivery's subject, by what replaces them.
_PERSON = (
    (r"mara\.okafor@brightloom\.example", "p%(lead)s@mill.example"),
    (r"\+1 \(415\) 555-0132|\+1 415-555-0132|\+14155550132", "+1%(phone)s"),
    (r"mara-okafor-brightloom", "p-%(lead)s"),
    (r"h3TzW8kLq0VbNc5XyRsE", "contact%(lead)s"),
    (r"\b90213\b", "%(lead)s"),
)
_SUBJECT = (
    (r"440[12]\d\d\d\b", "%(number)s"),
    (r"7710\d\d\d\b", "%(number)s"),
    (r"\b88\d\d\d\b", "%(number)s"),
    (r"/invitees/[A-Za-z0-9-]+", "/invitees/I%(number)s"),
    (r"mornings work", "mornings work %(number)s"),
)
_QUOTED = "".join(
    f'<p style="margin:0;font-family:Arial,sans-serif">On day {day} Noor wrote: <b>Worth a quick look</b> at how '
    f'<a href="https://t.example/c/{day}">other mills</a> cut changeover time?</p>'
    for day in range(16)
)


class Sample:
    """One sample payload, ready to be filled in; about a microsecond per delivery."""

    def __init__(self, file: str, *, quoted_html: bool = False) -> None:
        self.file = file
        self.provider = file.partition("/")[0]
        document = json.loads((PAYLOADS / file).read_bytes())
        if quoted_html:
            reply = document["data"]["reply"]
            reply["html_body"] = reply["html_body"].replace("</blockquote>", f"{_QUOTED}</blockquote>")
        text = json.dumps(document, separators=(",", ":")).replace("%", "%%")
        for pattern, replacement in (*_PERSON, *_SUBJECT):
            text = re.sub(pattern, replacement, text)
        self._parts = re.split(r"%\((lead|phone|number)\)s", text.replace("%%", "%"))

    def render(self, lead: int, number: int) -> bytes:
        """The body about lead `lead`; `number` tells its ids from those of every other delivery of this file."""
        words = {"lead": str(ID_BASE + lead), "phone": str(PHONE_BASE + lead), "number": str(ID_BASE + number)}
        parts = self._parts
        return "".join([words[each] if at % 2 else each for at, each in enumerate(parts)]).encode()


@dataclass(frozen=True, slots=True)
class Event:
    """A delivery to store. `repeats` marks a second report of a message under a delivery key of its own."""

    file: str
    provider: str
    workspace: int
    lead: int
    number: int
    body: bytes
    repeats: bool


def workspace_of(lead: int) -> int:
    """Even leads belong to the first workspace, which so has half of everything; the other 35 share the odd ones."""
    return 0 if lead % 2 == 0 else 1 + (lead // 2) % (WORKSPACES - 1)


def events(number: int, leads: Sequence[int], *, first: int, seed: int) -> Iterator[Event]:
    """`number` deliveries about `leads` in a shuffled order: 80 % campaign mail, 12 % replies, 3 % SMS, 5 % others.

    5 % are second reports of a message: vendors repeat themselves with another envelope, which the door cannot tell.
    """
    chance = random.Random(seed)
    samples = {file: Sample(file, quoted_html=file == REPLY) for file in (SENT, REPLY, SMS, *OTHERS)}
    repeated = number // 20
    made: list[Event] = []
    for at in range(number - repeated):
        share = at * 100 // (number - repeated)
        file = SENT if share < 80 else REPLY if share < 92 else SMS if share < 95 else OTHERS[at % len(OTHERS)]
        lead = chance.choice(leads)
        body = samples[file].render(lead, first + at)
        made.append(Event(file, samples[file].provider, workspace_of(lead), lead, first + at, body, repeats=False))
    tellable = [event for event in made if event.file in WITH_MESSAGE and event.file != SMS]
    for event in chance.sample(tellable, repeated):
        body = event.body + b"\n"
        made.append(Event(event.file, event.provider, event.workspace, event.lead, event.number, body, repeats=True))
    chance.shuffle(made)
    yield from made


ACCEPT = """SELECT count(*) FROM raw.accept_deliveries(%b::uuid[], %b::text[], %b::text[], %b::uuid[], %b::text[],
    %b::bytea[], %b::timestamptz[], %b::bytea[], %b::bytea[], %b::text[]) WHERE is_new"""
HEADERS = json.dumps({"content-type": "application/json"}).encode()
BATCH = 500


def deliver(receiver_dsn: str, workspaces: Sequence[UUID], deliveries: Sequence[Event]) -> None:
    """Store deliveries with the receiver's role and its one function, in the order given. All of them must be new."""
    with psycopg.connect(receiver_dsn, autocommit=True) as connection:
        for at in range(0, len(deliveries), BATCH):
            batch = [(new_id(), hashlib.sha256(each.body).digest(), each) for each in deliveries[at : at + BATCH]]
            received = utc_now()
            batch.sort(key=lambda row: row[1])
            columns = (
                [row[0] for row in batch],
                [row[2].provider for row in batch],
                [f"bench-{row[2].workspace:02d}" for row in batch],
                [workspaces[row[2].workspace] for row in batch],
                ["unread"] * len(batch),
                [row[1] for row in batch],
                [received] * len(batch),
                [HEADERS] * len(batch),
                [row[2].body for row in batch],
                [row[0].hex for row in batch],
            )
            row = connection.execute(ACCEPT, columns, prepare=True).fetchone()
            if row is None or row[0] != len(batch):
                raise SystemExit("some generated deliveries are not new: the generator repeats itself")
