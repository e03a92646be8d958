"""What the sandbox remembers: clock, credentials, recordings, latencies and one store per vendor.

Everything is bounded: a demo that runs all night must not grow. The event loop is single-threaded and handlers do
not await between reading and writing a store, so no locks are needed.
"""

import hashlib
import itertools
import math
import random
import secrets
import time
from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

MAX_STORED_ITEMS = 20_000
MAX_RECORDS = 20_000
MAX_RECORDED_BYTES = 32 * 1024 * 1024
MAX_RECORDED_BODY = 64 * 1024

DEFAULT_CREDENTIALS: Mapping[str, str] = {
    "emailbison": "sandbox-emailbison-key",
    "smartlead": "sandbox-smartlead-key",
    "instantly": "sandbox-instantly-key",
    "unipile": "sandbox-unipile-key",
    "ghl": "sandbox-ghl-token",
    "calendly": "sandbox-calendly-token",
    "slack": "xoxb-sandbox",
    "openai": "sk-sandbox",
    "clay": "sandbox-clay-token",
    "resend": "re_sandbox",
}

# What a vendor's own lists show of a message it accepted: after a random number of seconds between the first two, and of
# this share never. Its snapshot (`GET /_control/state/{provider}`) always holds the message.
VISIBILITY: Mapping[str, Any] = {"visible_after_min_s": 0.0, "visible_after_max_s": 0.0, "never_visible": 0.0}

# Vendor timing and limits that a test or a demo may want to change (`POST /_control/options`).
DEFAULT_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "emailbison": {
        **VISIBILITY,
        "adopt_unknown": False,  # answer for reply and lead ids never seen instead of 404
        "echo_delay_s": 1.0,  # MANUAL_EMAIL_SENT follows a reply after 1-3 s at the vendor
        "instance_url": "https://send.sandbox.example",
        "workspace_id": 41,
        "workspace_name": "Sandbox",
    },
    "smartlead": {**VISIBILITY, "adopt_unknown": False, "plain_success": False, "history_shape": "history"},
    "instantly": {**VISIBILITY, "adopt_unknown": False, "lists_per_minute": 20},
    "unipile": {**VISIBILITY, "adopt_unknown": False, "adopted_distance": "FIRST_DEGREE", "account_id": ""},
    "ghl": {
        **VISIBILITY,
        "adopt_unknown": False,
        "export_lag_s": 1.0,  # a sent message is visible in the export after this long
        "bucket_max": 100,  # requests per 10 s and token; 0 switches the limit off
        "appointment_wrapper": "event",  # or "appointment", the other shape seen in the field
    },
    "calendly": {"echo_delay_s": 0.0, "bookings_per_minute": 10, "requests_per_minute": 500},
    "slack": {"adopt_unknown": False},
    "openai": {"reject_temperature_with_reasoning": True},
    # A table's column takes seconds to hours; an answer of it goes to the target, with its header and secret.
    "clay": {"answer_delay_s": 0.2, "rows_per_table": 50_000, "require_token": False},
    "resend": {"event_delay_s": 0.1},
}

T = TypeVar("T")


class BoundedDict(OrderedDict[Any, Any]):
    """A dict that forgets its oldest entry above `MAX_STORED_ITEMS`."""

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        if len(self) > MAX_STORED_ITEMS:
            self.popitem(last=False)


class Clock:
    """Virtual time: the machine's clock plus an offset, so delays, signatures and slots move together."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def set(self, now: datetime) -> None:
        self.offset = now - datetime.now(UTC)


class Ids:
    """Ids in the vendors' own forms.

    They are unique over restarts: the product keeps a unique key on vendor ids, and a sandbox that began at 1 again
    would make a second send look like a duplicate of the first run's.
    """

    ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0123456789"

    def __init__(self) -> None:
        self._salt = secrets.token_hex(8)
        self._counter = itertools.count(1)
        # Ten ids per second of wall time since late 2023 stay below 2**31 until 2030.
        self._numbers = itertools.count((int(time.time()) - 1_700_000_000) * 10)

    def digest(self) -> bytes:
        return hashlib.sha256(f"{self._salt}:{next(self._counter)}".encode()).digest()

    def alnum(self, length: int = 20) -> str:
        value, out = int.from_bytes(self.digest(), "big"), []
        for _ in range(length):
            value, index = divmod(value, len(self.ALPHABET))
            out.append(self.ALPHABET[index])
        return "".join(out)

    def uuid(self) -> str:
        text = self.digest().hex()
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:32]}"

    def number(self) -> int:
        return next(self._numbers)


@dataclass(slots=True)
class Record:
    """One request as received, and what became of it. `outcome` is answered, reset or abandoned."""

    id: int
    provider: str
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    received_at: str
    fault: str | None = None
    outcome: str = "answered"
    status: int | None = None
    response: Any = None
    duration_ms: int = 0
    size: int = 0

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__ if name != "size"}


class _Ring:
    """The last requests of one provider, bounded in count and in bytes."""

    def __init__(self) -> None:
        self.records: deque[Record] = deque()
        self.forgotten = 0
        self._bytes = 0

    def add(self, record: Record) -> None:
        self.records.append(record)
        self._bytes += record.size
        while len(self.records) > MAX_RECORDS or self._bytes > MAX_RECORDED_BYTES:
            self._bytes -= self.records.popleft().size
            self.forgotten += 1


class Recorder:
    """The last requests of each provider: a model's long prompts push nobody else's out."""

    def __init__(self) -> None:
        self._rings: defaultdict[str, _Ring] = defaultdict(_Ring)
        self._ids = itertools.count(1)
        self._since = 0
        self.unfinished = 0  # exchanges that have begun and are not recorded yet

    @property
    def totals(self) -> dict[str, int]:
        """How many requests there were, by provider."""
        return {name: len(ring.records) + ring.forgotten for name, ring in self._rings.items()}

    @property
    def forgotten(self) -> dict[str, int]:
        """How many of them are no longer kept: whoever counts calls must not count on those."""
        return {name: ring.forgotten for name, ring in self._rings.items() if ring.forgotten}

    def next_id(self) -> int:
        return next(self._ids)

    def add(self, record: Record) -> None:
        if record.id >= self._since:  # else it began before the last reset
            self._rings[record.provider].add(record)

    def clear(self) -> None:
        self._since = self.next_id()
        self._rings.clear()

    def __iter__(self) -> Iterator[Record]:
        """Provider by provider; ids tell the order in which they came."""
        return itertools.chain.from_iterable(ring.records for ring in self._rings.values())


@dataclass(slots=True)
class Sandbox:
    """All state of one sandbox process. `store(kind)` gives the one instance of a vendor's store class."""

    clock: Clock = field(default_factory=Clock)
    ids: Ids = field(default_factory=Ids)
    recorder: Recorder = field(default_factory=Recorder)
    credentials: dict[str, set[str]] = field(default_factory=dict)
    latency: dict[str, float] = field(default_factory=dict)
    options: dict[str, dict[str, Any]] = field(default_factory=dict)
    _stores: dict[type, Any] = field(default_factory=dict)
    _shown_from: BoundedDict = field(default_factory=BoundedDict)
    _chance: random.Random = field(default_factory=lambda: random.Random(0), repr=False)

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Back to the state of a fresh process; ids go on, so none is given twice."""
        self.clock.offset = timedelta()
        self.recorder.clear()
        self.credentials = {name: {value} for name, value in DEFAULT_CREDENTIALS.items()}
        self.latency = {}
        self.options = {name: dict(values) for name, values in DEFAULT_OPTIONS.items()}
        self._stores = {}
        self._shown_from = BoundedDict()
        self._chance = random.Random(0)

    def hide(self, provider: str, item_id: Any) -> None:
        """Draw from when on the vendor's lists show this message."""
        options = self.options[provider]
        wait = self._chance.uniform(options["visible_after_min_s"], options["visible_after_max_s"])
        never = self._chance.random() < options["never_visible"]
        shown_from = math.inf if never else self.clock.now().timestamp() + wait
        self._shown_from[(provider, item_id)] = shown_from

    def shows(self, provider: str, item_id: Any) -> bool:
        """Whether the vendor's lists show it now."""
        return self._shown_from.get((provider, item_id), -math.inf) <= self.clock.now().timestamp()

    def store(self, kind: type[T]) -> T:
        if kind not in self._stores:
            self._stores[kind] = kind()
        return self._stores[kind]

    def option(self, provider: str, name: str) -> Any:
        return self.options[provider][name]

    def bearer_ok(self, provider: str, authorization: str | None) -> bool:
        scheme, _, token = (authorization or "").partition(" ")
        return scheme.lower() == "bearer" and token.strip() in self.credentials[provider]


def iso_micro(moment: datetime) -> str:
    """`2026-03-10T17:05:31.000000Z`: EmailBison and Calendly."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def iso_milli(moment: datetime) -> str:
    """`2026-03-10T16:52:03.000Z`: GoHighLevel."""
    moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def parse_iso(text: str) -> datetime | None:
    """An aware time from ISO text; None when it is not one. Text without offset counts as UTC."""
    try:
        moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except (ValueError, AttributeError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
