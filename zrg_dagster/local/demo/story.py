"""The story of `zrg demo`, chapter by chapter. Everything goes through the public doors: webhooks, the vendors' APIs
(the sandbox), Slack clicks with a real signature, and the Dagster UI's own API."""

import asyncio
import json
import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
from rich.console import Console

from zrg_dagster.core.base.clock import utc_now
from zrg_dagster.core.base.settings import Settings, load_settings
from zrg_dagster.local.children import Ports
from zrg_dagster.local.demo import deliveries as world
from zrg_dagster.local.demo.checks import Checks, Ledger
from zrg_dagster.local.demo.control_room import ControlRoom
from zrg_dagster.local.demo.set_up import DEMO_SECRETS, SIGNING_SECRET, apply_workspace
from zrg_dagster.local.stack import Stack
from zrg_dagster.local.supervisor import Supervisor

DUPLICATE_SHARE = 0.05
CONCURRENCY = 48
WAIT_S = 90.0
SCHEDULE_PATIENCE_S = 20.0


class Story:
    """One telling. Each chapter prints what happens and notes its checks."""

    def __init__(self, supervisor: Supervisor, console: Console, *, seed: int = 7) -> None:
        ports = supervisor.ports
        self._stack = supervisor.stack
        self._console = console
        self._receiver = f"http://127.0.0.1:{ports.receiver}"
        self._sandbox = f"http://127.0.0.1:{ports.sandbox}"
        self._ui = f"http://127.0.0.1:{ports.webserver}"
        self._control = httpx.Client(base_url=self._sandbox, timeout=30)
        self._room = ControlRoom(self._ui)
        self._ledger = Ledger(self._stack.dsn("worker"))
        self._random = random.Random(seed)  # noqa: S311 - the same story every time
        self._started = time.monotonic()
        self.checks = Checks()

    def tell(self) -> None:
        """All chapters. Raises only when the platform itself breaks; a check that does not hold is noted."""
        try:
            self._set_up()
            self._first_answer()
            self._burst()
            self._turned_away()
            self._understood()
            self._answered()
            self._followed_up()
            self._booked()
            self._reported()
        finally:
            self._control.close()
            self._room.close()

    def _say(self, text: str) -> None:
        self._console.print(f"[dim]{time.monotonic() - self._started:5.1f} s[/] {text}")

    def _until(self, what: Callable[[], bool], seconds: float = WAIT_S) -> bool:
        deadline = time.monotonic() + seconds
        while not (held := what()) and time.monotonic() < deadline:
            time.sleep(0.4)
        return held

    # Chapters

    def _set_up(self) -> None:
        self._say("one workspace from demo/workspace.yaml")
        asyncio.run(apply_workspace(self._stack, self._sandbox))
        now = utc_now()
        bodies = [world.sent_mail(number, now) for number in range(world.SENT_MAILS)]
        self._learn("emailbison", bodies + [body for kind, _, body in world.replies(now) if kind.channel == "email"])
        self._learn("emailbison", [self._review_reply(now)])
        self._learn("ghl", [body for kind, _, body in world.replies(now) if kind.channel == "sms"])
        run = self._room.launch("refresh_availability")
        self.checks.equal("availability refreshed", "SUCCESS", self._room.wait_run(run))
        self.checks.holds("free slots are cached", self._ledger.one("SELECT count(*) FROM app.availability_slot") > 0)

    def _learn(self, provider: str, bodies: Sequence[dict]) -> None:
        self._control.post("/_control/learn", json={"provider": provider, "bodies": list(bodies)}).raise_for_status()

    def _review_reply(self, now) -> dict:
        kind = next(kind for kind in world.KINDS if kind.name == "interested")
        return world.email_reply(kind, world.REVIEW_LEAD, now)

    def _first_answer(self) -> None:
        """One prospect of the setters' campaign writes first: a person answers in Slack while the rest comes in."""
        now = utc_now()
        self._say("a prospect of the setters' campaign answers; Slack asks a person")
        key = DEMO_SECRETS["DEMO_EMAILBISON_HOOK"]
        first = [
            world.email_delivery(world.sent_mail(world.REVIEW_LEAD, now), key),
            world.email_delivery(self._review_reply(now), key),
        ]
        asyncio.run(self._deliver(first))
        card: list[dict] = []
        self._until(lambda: bool(card or card.extend(self._cards())))
        self.checks.holds("review card in Slack", bool(card))
        if not card:
            return
        click = {
            "ts": card[0]["ts"],
            "channel": card[0].get("channel"),
            "action_id": "approve",
            "user": "U05REVIEWER",
            "target": f"{self._receiver}/api/webhooks/slack/interactions",
            "signing_secret": SIGNING_SECRET,
            "repeat": 2,
        }
        self._say("the setter approves, twice: a double click")
        answers = self._control.post("/_control/slack/click", json=click).json()["deliveries"]
        self.checks.equal("Slack clicks accepted", [200, 200], [answer.get("status") for answer in answers])

    def _cards(self) -> list[dict]:
        state = self._control.get("/_control/state/slack").json()
        return [message for message in state.get("messages", []) if "review_actions_" in str(message.get("blocks"))]

    def _burst(self) -> None:
        now = utc_now()
        key, sms_key = DEMO_SECRETS["DEMO_EMAILBISON_HOOK"], DEMO_SECRETS["DEMO_GHL_HOOK"]
        sent = [
            world.email_delivery(world.sent_mail(n, now), key)
            for n in range(world.SENT_MAILS)
            if n != world.REVIEW_LEAD
        ]
        answers = [
            world.sms_delivery(body, sms_key) if kind.channel == "sms" else world.email_delivery(body, key)
            for kind, _, body in world.replies(now)
        ]
        again = self._random.sample(sent + answers, round(DUPLICATE_SHARE * (len(sent) + len(answers))))
        burst = sent + answers
        self._random.shuffle(burst)
        self._say(
            f"{len(sent)} sent mails, {len(answers)} replies and {len(again)} repeated deliveries arrive together"
        )
        began = time.monotonic()
        statuses = asyncio.run(self._deliver(burst + again))
        self._say(f"all answered in {time.monotonic() - began:.1f} s")
        self.checks.equal("deliveries answered 200", len(burst) + len(again), statuses[200])
        self._stored = len(burst) + 2
        self._again = len(again)

    def _turned_away(self) -> None:
        bad = world.refused(DEMO_SECRETS["DEMO_EMAILBISON_HOOK"], utc_now())
        statuses = asyncio.run(self._deliver(bad))
        self.checks.equal("turned away at the door", Counter(each.expects for each in bad), statuses)

    async def _deliver(self, batch: Sequence[world.Delivery]) -> Counter[int]:
        gate = asyncio.Semaphore(CONCURRENCY)
        async with httpx.AsyncClient(base_url=self._receiver, timeout=30) as client:

            async def post(each: world.Delivery) -> int:
                headers = dict(each.headers) | {"content-type": each.content_type}
                async with gate:
                    return (await client.post(each.path, content=each.body, headers=headers)).status_code

            return Counter(await asyncio.gather(*(post(each) for each in batch)))

    def _understood(self) -> None:
        self._say("the drains work through it")
        busy = "SELECT count(*) FROM raw.webhook_event WHERE state IN ('pending', 'running')"
        self._until(lambda: self._ledger.one(busy) == 0)
        jobs = "SELECT count(*) FROM app.job WHERE state IN ('pending', 'running') AND kind = 'reply'"
        self._until(lambda: self._ledger.one(jobs) == 0)
        states = self._ledger.counts(
            "SELECT state, count(*) FROM raw.webhook_event WHERE provider <> 'slack' GROUP BY 1"
        )
        self.checks.equal("every delivery processed", {"processed": self._stored}, states)
        duplicates = int(self._ledger.one("SELECT sum(duplicate) FROM ops.intake_count WHERE provider <> 'slack'"))
        self.checks.equal("duplicates recognised", self._again, duplicates)
        self.checks.equal("leads", world.SENT_MAILS, self._ledger.one("SELECT count(*) FROM app.lead"))
        sent = self._ledger.one("SELECT count(*) FROM app.message WHERE source = 'campaign'")
        self.checks.equal("campaign mails in the conversations", world.SENT_MAILS, sent)
        received = self._ledger.one("SELECT count(*) FROM app.message WHERE direction = 'inbound'")
        self.checks.equal("replies in the conversations", world.REPLIES + 1, received)
        stopped = sum(kind.count for kind in world.KINDS if kind.stopped)
        black = self._ledger.one("SELECT count(*) FROM app.lead WHERE status = 'blacklisted'")
        self.checks.equal("opt-outs and bounces blacklisted", stopped, black)
        drafted = sum(kind.count for kind in world.KINDS if kind.drafted) + 1
        self.checks.equal("drafts written", drafted, self._ledger.one("SELECT count(*) FROM app.draft"))
        jobs_done = self._ledger.counts("SELECT state, count(*) FROM app.job WHERE kind = 'reply' GROUP BY 1")
        written = sum(kind.count for kind in world.KINDS if kind.event_type != "EMAIL_BOUNCED") + 1
        self.checks.equal("replies worked off", written, jobs_done.get("done", 0) + jobs_done.get("skipped", 0))

    def _answered(self) -> None:
        self._say("answers leave: automatic where it is safe, the approved one by the setter")
        open_sends = (
            "SELECT count(*) FROM app.send WHERE state IN ('planned', 'sending', 'unknown') AND kind <> 'follow_up'"
        )
        self._until(lambda: self._ledger.one(open_sends) == 0)
        automatic = self._ledger.one(
            "SELECT count(*) FROM app.draft WHERE action IN ('send_immediate', 'send_delayed')"
        )
        sent = self._ledger.one(
            "SELECT count(*) FROM app.send WHERE kind = 'draft' AND origin = 'ai' AND state = 'sent'"
        )
        self.checks.equal("automatic answers sent", automatic, sent)
        self.checks.holds("some answers were automatic", automatic > 0)
        human = self._ledger.all(
            "SELECT state, member_user_id IS NOT NULL FROM app.send WHERE kind = 'draft' AND origin = 'setter'"
        )
        self.checks.equal("the approved answer, once, with its member", [("sent", True)], human)
        self._once_each()
        wrong = self._ledger.one(
            """SELECT count(*) FROM app.send s JOIN app.lead l ON l.id = s.lead_id
               WHERE l.status = 'blacklisted' AND s.state = 'sent'"""
        )
        self.checks.equal("messages to people who opted out", 0, wrong)
        waiting = self._ledger.one(
            "SELECT count(*) FROM app.draft WHERE status = 'pending' AND action = 'needs_review'"
        )
        cards = self._ledger.one("SELECT count(*) FROM app.review_card")
        self.checks.equal("every draft that waits has its card", waiting + 1, cards)

    def _once_each(self) -> None:
        """Each answer has its thread. The first follow-up, which continues one, may have left meanwhile."""
        sent_by_kind = "SELECT kind, count(*) FROM app.send WHERE vendor = 'emailbison' AND state = 'sent' GROUP BY 1"

        def seen() -> tuple[int, int]:
            calls = self._control.get(
                "/_control/requests", params={"provider": "emailbison", "method": "POST", "limit": 1000}
            ).json()
            mails = [call["path"] for call in calls.get("requests", calls) if call["path"].endswith("/reply")]
            return len(mails), len(set(mails))

        def expected() -> tuple[int, int]:
            sent = self._ledger.counts(sent_by_kind)
            return sum(sent.values()), sent.get("draft", 0)

        self._until(lambda: seen() == expected(), 10)
        self.checks.equal("mails at the vendor, each answer in its thread once", expected(), seen())

    def _followed_up(self) -> None:
        self._say("the setter's answer started a sequence; its first step is due")
        step = "SELECT count(*) FROM app.follow_up_step_execution WHERE outcome = 'sent'"
        if not self._until(lambda: self._ledger.one(step) == 1, SCHEDULE_PATIENCE_S):
            self._say("the operator does not wait for the minute's tick and launches send_due_followups")
            self._room.wait_run(self._room.launch("send_due_followups"))
        self.checks.holds("first follow-up step sent", self._until(lambda: self._ledger.one(step) == 1))
        ahead = "SELECT next_step_due > now() + interval '1 day' FROM app.follow_up_instance"
        self.checks.equal("the second step waits for its day", True, self._ledger.one(ahead))

    def _booked(self) -> None:
        self._say("the prospect books on the calendar page")
        body = world.encode(world.booking(world.REVIEW_LEAD, utc_now()))
        sent = self._control.post(
            "/_control/webhooks/fire",
            json={
                "provider": "calendly",
                "body": json.loads(body),
                "sign": True,
                "secret": DEMO_SECRETS["DEMO_CALENDLY_KEY"],
                "target": f"{self._receiver}/api/webhooks/calendly/harbourline",
            },
        )
        sent.raise_for_status()
        booked = "SELECT count(*) FROM app.appointment WHERE status = 'confirmed' AND lead_id IS NOT NULL"
        self.checks.holds("appointment stored", self._until(lambda: self._ledger.one(booked) == 1))
        self.checks.equal(
            "lead is booked", 1, self._ledger.one("SELECT count(*) FROM app.lead WHERE status = 'meeting-booked'")
        )
        ended = self._ledger.one("SELECT status FROM app.follow_up_instance")
        self.checks.equal("the sequence is over", "completed", ended)

    def _reported(self) -> None:
        self._say("analysts backfill the facts; meanwhile the digest goes to Slack")
        today = utc_now().date()
        days = [str(today - timedelta(days=1)), str(today)]
        backfill = self._room.backfill(["facts/booking", "facts/step_execution"], days)
        run = self._room.launch("send_daily_digest", {"ops": {"plan_due_digests": {"config": {"send_now": True}}}})
        self.checks.equal("digest run", "SUCCESS", self._room.wait_run(run))
        sent = "SELECT count(*) FROM app.send WHERE kind = 'digest' AND state = 'sent'"
        self.checks.holds("digest in Slack", self._until(lambda: self._ledger.one(sent) == 1, 30))
        runs = self._room.wait_backfill_runs(backfill)
        self.checks.holds("facts backfilled", bool(runs) and set(runs) == {"SUCCESS"})
        self._say("and materialize the attribution")
        self._until(lambda: "harbourline" in self._room.partitions("marts/workflow_attribution"))
        mart = self._room.launch("refresh_workflow_attribution", tags={"dagster/partition": "harbourline"})
        self.checks.equal("attribution materialized", "SUCCESS", self._room.wait_run(mart))
        credit = self._ledger.all(
            """SELECT kind, sequence_name, bookings::int FROM marts.workflow_attribution
               WHERE model = 'first_touch' AND window_label = '30d' AND bookings > 0"""
        )
        self.checks.equal("the booking is earned by", [("workflow", "Meeting Requested Day 1/2/5/7", 1)], credit)


def demo_settings(home: Path, ports: Ports) -> Settings:
    """Settings of the demo's own stack: nothing of the operator's environment but what a process needs."""
    sandbox = f"http://127.0.0.1:{ports.sandbox}"
    return load_settings(
        ZRG_HOME=home,
        ZRG_ENV="development",
        ZRG_LOG_FORMAT="json",
        PUBLIC_URL=f"http://127.0.0.1:{ports.receiver}",
        OPENAI_API_KEY="sk-sandbox",
        OPENAI_BASE_URL=f"{sandbox}/openai/v1",
        SMARTLEAD_BASE_URL=f"{sandbox}/smartlead",
        INSTANTLY_BASE_URL=f"{sandbox}/instantly",
        UNIPILE_DSN=f"{sandbox}/unipile",
        GHL_BASE_URL=f"{sandbox}/ghl",
        CALENDLY_BASE_URL=f"{sandbox}/calendly",
        SLACK_API_BASE_URL=f"{sandbox}/slack/api",
        SLACK_SIGNING_SECRET=SIGNING_SECRET,
        ZRG_DRAIN_IDLE_S=60,
        _env_file=None,
    )


@contextmanager
def fresh_stack(home: Path, ports: Ports) -> Iterator[Stack]:
    """A stack with an empty database; what an earlier demo left is removed."""
    stack = Stack(demo_settings(home, ports))
    if stack.is_supervised:
        stack.prepare()
        with stack.lock():  # raises with the name of the other demo
            pass
    if stack.postgres is not None:
        stack.postgres.remove()
    shutil.rmtree(home, ignore_errors=True)
    yield stack


def run(*, exit_after: bool, home: Path | None = None) -> int:
    """Tell the story; returns the exit code. Without `exit_after` the platform stays up until Ctrl-C."""
    console = Console(highlight=False, width=max(100, Console().width))
    ports = Ports.free()
    for name in [name for name in os.environ if name.startswith("ZRG_DB_")]:
        del os.environ[name]  # the demo never touches a real database
    home = home or load_settings().home / "demo"
    log_path = home / "logs" / "demo.log"
    with fresh_stack(home, ports) as stack:
        lines: list[str] = []

        def sink(child: str, line: str) -> None:
            lines.append(f"{child}: {line}")
            del lines[:-2000]
            if log_path.parent.is_dir():
                with log_path.open("a") as file:
                    file.write(f"{child}: {line}\n")

        console.print("starting Postgres, receiver, code server, daemon, webserver and the sandbox of the vendors")
        supervisor = Supervisor(stack, ports, sandbox=True, sink=sink)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # a shell starts `&` jobs with SIGINT ignored
            signal.signal(number, signal.default_int_handler)
        try:
            with supervisor:
                return _tell(supervisor, console, exit_after=exit_after)
        except KeyboardInterrupt:
            console.print("stopped")
            return 130


def _tell(supervisor: Supervisor, console: Console, *, exit_after: bool) -> int:
    story = Story(supervisor, console)
    url = f"http://127.0.0.1:{supervisor.ports.webserver}"
    console.print(f"the Dagster UI is at {url}")
    story.tell()
    story.checks.print(console)
    code = 1 if story.checks.failed else 0
    if exit_after:
        console.print(story.checks.verdict())
        return code
    console.print(f"{story.checks.verdict()}\nlook around at {url}; Ctrl-C stops everything")
    while True:
        signal.pause()
