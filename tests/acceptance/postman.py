"""A vendor's side of the door: every delivery is posted again and again until it is answered 200, and no longer."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import httpx

from zrg_dagster.local.demo import deliveries as world
from zrg_dagster.local.demo.deliveries import Delivery
from zrg_dagster.local.demo.set_up import DEMO_SECRETS

SENDERS = 12
PATIENCE_S = 120.0  # a vendor gives up after days; a test when the door stayed shut this long
RETRY_AFTER_S = 0.2
_ANSWERS = ("interested", "asks for times", "not interested", "interested by SMS", "opt-out", "interested")


@dataclass(slots=True)
class Mail:
    """What a number of prospects and our campaign cause: for each of them one sent mail and one answer."""

    deliveries: list[Delivery] = field(default_factory=list)
    lessons: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {"emailbison": [], "ghl": []})
    repeated: int = 0


def mail_of(leads: range, now: datetime, rng: random.Random, *, repeated: float = 0.1) -> Mail:
    """Shuffled deliveries about `leads`, a share of them delivered twice, as vendors do."""
    kinds = {kind.name: kind for kind in world.KINDS}
    mail = Mail()
    for number in leads:
        kind = kinds[_ANSWERS[number % len(_ANSWERS)]]
        sent = world.sent_mail(number, now)
        mail.deliveries.append(world.email_delivery(sent, DEMO_SECRETS["DEMO_EMAILBISON_HOOK"]))
        mail.lessons["emailbison"].append(sent)
        if kind.channel == "sms":
            answer = world.sms_reply(kind, number, now)
            mail.deliveries.append(world.sms_delivery(answer, DEMO_SECRETS["DEMO_GHL_HOOK"]))
            mail.lessons["ghl"].append(answer)
        else:
            answer = world.email_reply(kind, number, now)
            mail.deliveries.append(world.email_delivery(answer, DEMO_SECRETS["DEMO_EMAILBISON_HOOK"]))
            mail.lessons["emailbison"].append(answer)
    again = rng.sample(mail.deliveries, round(repeated * len(mail.deliveries)))
    mail.repeated = len(again)
    mail.deliveries += again
    rng.shuffle(mail.deliveries)
    return mail


class Door(Protocol):
    """Where deliveries go, and how the vendors behind them are told what they sent."""

    @property
    def receiver_url(self) -> str: ...

    def control(self, method: str, path: str, **arguments: Any) -> Any: ...


class Burst:
    """Deliveries on their way. Thread-safe counts."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.answered = 0
        self._changed = threading.Condition()

    def note(self) -> None:
        with self._changed:
            self.answered += 1
            self._changed.notify_all()

    def wait_answered(self, number: int) -> None:
        """Return when so many of the burst's deliveries are acknowledged."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.answered >= number, PATIENCE_S), (
                f"only {self.answered} of {self.total} deliveries were acknowledged"
            )


class Postman:
    """Remembers, over all bursts, which bodies were acknowledged and what else was answered meanwhile."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self.acknowledged: set[bytes] = set()
        self.acknowledged_at: list[float] = []  # of every 200, on the monotonic clock
        self.failures: Counter[str] = Counter()
        self.refusals: list[str] = []
        self._next_lead = 0
        self._lock = threading.Lock()

    def leads(self, number: int) -> range:
        """Prospects that nothing was delivered about yet."""
        self._next_lead += number
        return range(self._next_lead - number, self._next_lead)

    @contextmanager
    def burst(self, mail: Mail, *, pace_s: float) -> Iterator[Burst]:
        """Post `mail`, one delivery each `pace_s` seconds, while the block runs; then wait for the last answer."""
        for provider, bodies in mail.lessons.items():
            self._door.control("POST", "learn", json={"provider": provider, "bodies": bodies})
        burst = Burst(len(mail.deliveries))
        with httpx.Client(base_url=self._door.receiver_url, timeout=15) as client:
            pool = ThreadPoolExecutor(SENDERS)
            feeder = threading.Thread(target=self._feed, args=(pool, client, mail.deliveries, burst, pace_s))
            feeder.start()
            try:
                yield burst
                burst.wait_answered(burst.total)
            finally:
                feeder.join()
                pool.shutdown(cancel_futures=True)

    def deliver(self, mail: Mail) -> None:
        """Post `mail` as fast as it goes and return when all of it is acknowledged."""
        with self.burst(mail, pace_s=0):
            pass

    def _feed(
        self,
        pool: ThreadPoolExecutor,
        client: httpx.Client,
        deliveries: Sequence[Delivery],
        burst: Burst,
        pace_s: float,
    ) -> None:
        for each in deliveries:
            pool.submit(self._post, client, each, burst.note)
            time.sleep(pace_s)

    def _post(self, client: httpx.Client, each: Delivery, done: Callable[[], None]) -> None:
        headers = dict(each.headers) | {"content-type": each.content_type}
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                status = client.post(each.path, content=each.body, headers=headers).status_code
                problem = f"status {status}"
            except httpx.TransportError as error:
                status, problem = 0, type(error).__name__
            with self._lock:
                if status == 200:
                    self.acknowledged.add(each.body)
                    self.acknowledged_at.append(time.monotonic())
                    done()
                    return
                self.failures[problem] += 1
                if status not in (0, 503):
                    self.refusals.append(f"{each.path.partition('?')[0]}: {problem}")
                    return
            time.sleep(RETRY_AFTER_S)
