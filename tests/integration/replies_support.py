"""A workspace with campaigns, people and Slack, a scripted model on a socket, scripted vendors, and the two lanes."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.conftest import Database
from tests.integration import intake_support
from tests.integration.intake_support import LATER, Rows
from tests.unit.drafting_world import MEETING, SIGNATURE, STRATEGY
from tests.unit.model_server import Scripted, completed, serve
from zrg_dagster.core.ai.client import ModelClient
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.db.jobs import NewJob, enqueue
from zrg_dagster.core.db.lane import LaneLimits, LaneReport, LaneWork, drain_lane
from zrg_dagster.core.db.lanes import REPLIES, SENDS, Lane, Queue
from zrg_dagster.core.intake import history
from zrg_dagster.core.providers.clients import VendorClients
from zrg_dagster.core.providers.credential import Credential
from zrg_dagster.core.replies.drain import RepliesLane
from zrg_dagster.core.replies.vendor_job import VendorTools
from zrg_dagster.core.replies.world import ReplyWorld
from zrg_dagster.core.sending.drain import SendsLane
from zrg_dagster.jobs.consequences import CONSEQUENCES

DRAFT = (
    "Happy to walk you through it. Most mills begin with a look at one line, and the shift goes on as before while we find out "
    "together where the yarn breaks most often. What would help most: the set-up, or an example from a mill like yours?"
)
# What a mail costs before anybody judges it; every other channel is written in one step.
DRAFTING = ["meeting_extract", "reply_strategy", "reply_draft", "reply_verification"]
REVIEWERS = ("U01ADMIN", "U02SETTER")


@dataclass
class Brain:
    """The model: what it answers to each prompt, and how it fails. `asked` lists the prompts in the order of the calls.

    The dicts change single fields of a calm answer. `revisions` and `evaluations` are used in turn, the last again and
    again; without any the answers come from `draft`, `safe` and `confidence`.
    """

    tag: str = "Interested"
    tag_confidence: float = 0.9
    is_newsletter: bool = False
    draft: str = DRAFT
    safe: bool = True
    confidence: float = 0.95
    strategy: dict[str, Any] = field(default_factory=dict)
    verification: dict[str, Any] = field(default_factory=dict)
    meeting: dict[str, Any] = field(default_factory=dict)
    gate: dict[str, Any] = field(default_factory=dict)
    signature: dict[str, Any] = field(default_factory=dict)
    route: dict[str, Any] = field(default_factory=dict)
    link: dict[str, Any] = field(default_factory=dict)
    revisions: list[dict[str, Any]] = field(default_factory=list)
    evaluations: list[dict[str, Any]] = field(default_factory=list)
    failing: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    prompts: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, request: dict[str, Any]) -> Any:
        prompt = request["json"]["text"]["format"]["name"]
        self.asked.append(prompt)
        self.prompts.append(request["json"])
        if prompt in self.failing:
            return self.failing[prompt]
        match prompt:
            case "reply_classification":
                return completed(
                    {
                        "tag": self.tag,
                        "is_newsletter": self.is_newsletter,
                        "confidence": self.tag_confidence,
                        "reason": "It says so.",
                    }
                )
            case "reply_draft":
                return completed({"body": self.draft})
            case "reply_revision":
                calm = {"body": self.draft, "changes": [], "unresolved": [], "confidence": 0.9}
                return completed(calm | self._turn(self.revisions, prompt))
            case "reply_evaluation":
                calm = {
                    "safe_to_send": self.safe,
                    "requires_human_review": not self.safe,
                    "confidence": self.confidence,
                    "reason": "Fine.",
                }
                return completed(calm | self._turn(self.evaluations, prompt))
            case "reply_verification" | "meeting_gate":
                seen = re.search(r'<data name="draft">\n(.*?)\n</data>', request["json"]["input"][0]["content"], re.S)
                draft = seen[1] if seen else ""
                if prompt == "meeting_gate":
                    calm = {"decision": "approve", "confidence": 0.9, "issues": [], "rationale": "Fine."}
                    return completed(calm | {"final_draft": draft} | self.gate)
                calm = {"changed": False, "violations_detected": [], "changes": []}
                return completed(calm | {"final_draft": draft} | self.verification)
            case "action_route":
                return completed({"process": 1, "confidence": 0.9} | self.route)
            case "scheduler_link":
                return completed({"asks_to_book_there": False, "confidence": 0.9} | self.link)
            case _:
                calm = {"reply_strategy": STRATEGY, "meeting_extract": MEETING, "signature_context": SIGNATURE}[prompt]
                changes = {
                    "reply_strategy": self.strategy,
                    "meeting_extract": self.meeting,
                    "signature_context": self.signature,
                }
                return completed(calm | changes[prompt])

    def _turn(self, answers: list[dict[str, Any]], prompt: str) -> dict[str, Any]:
        return answers[min(self.asked.count(prompt), len(answers)) - 1] if answers else {}


REFUSAL = (
    200,
    {},
    {
        "id": "resp_1",
        "object": "response",
        "status": "completed",
        "output": [
            {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "refusal", "refusal": "I cannot help with that."}],
            }
        ],
    },
)


def http_error(status: int, code: str = "server_error", **headers: str) -> Any:
    return (status, headers, {"error": {"message": "no", "type": "error", "code": code}})


class Vendors(VendorClients):
    """The product's own clients over a scripted transport. `said` holds the decoded requests by path ending."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, Any]] = []
        self.answers: dict[str, Callable[[Any], httpx.Response]] = {}
        self._count = 0
        self._http = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path, body = request.url.path, json.loads(request.content) if request.content else None
        self.requests.append((path, body))
        for ending, answer in self.answers.items():
            if path.endswith(ending):
                return answer(body)
        self._count += 1
        if path.endswith("/messages/export"):
            return httpx.Response(200, json={"messages": [], "nextCursor": None})
        if path.endswith("/conversations.open"):
            return httpx.Response(200, json={"ok": True, "channel": {"id": f"D-{body['users']}"}})
        if path.endswith("/chat.postMessage"):
            return httpx.Response(200, json={"ok": True, "ts": f"1773.{self._count:04d}", "channel": body["channel"]})
        if path.endswith("/chat.update"):
            return httpx.Response(200, json={"ok": True, "ts": body["ts"], "channel": body["channel"]})
        return httpx.Response(200, json={"data": {"success": True, "reply": {"id": 9000 + self._count}}})

    def said(self, ending: str) -> list[Any]:
        return [body for path, body in self.requests if path.endswith(ending)]

    @property
    def answers_sent(self) -> list[Any]:
        """Bodies of the mails that left."""
        return [body for path, body in self.requests if "/api/replies/" in path]


def buttons(blocks: list[dict[str, Any]]) -> dict[str, str]:
    """Values of a card's buttons by action."""
    elements = [element for block in blocks if block["type"] == "actions" for element in block["elements"]]
    return {element["action_id"]: element["value"] for element in elements}


def words(blocks: list[dict[str, Any]]) -> str:
    return json.dumps(blocks, ensure_ascii=False)


class Scene:
    """One workspace with an AI campaign (318) and a setters' campaign (319)."""

    def __init__(self, database: Database, brain: Brain, script: Scripted) -> None:
        self.database = database
        self.brain = brain
        self.vendors = Vendors()
        self.rows = Rows(database)
        self.engine = make_engine(database.dsn("worker"), pool_size=8)
        self._script = script
        # Kinds of jobs that a test adds to the lane, made for its engine.
        self.more: Callable[[Any], dict[str, Any]] = lambda _engine: {}
        self.now = LATER
        # What the process asks where no workspace chose; None asks the default of each purpose.
        self.model: str | None = "gpt-5.4-mini"
        # Each test counts the calls of a draft; those of hearing a reply (test_signals.py) switch it on.
        self.workspace = self.rows.workspace(ai_route_booking_process_enabled=False)
        self.people = {
            slack: self.add_user(slack, role, recipient=True)
            for slack, role in zip(REVIEWERS, ("ADMIN", "INBOX_MANAGER"), strict=True)
        }
        for external_id, mode in (("318", "AI_AUTO_SEND"), ("319", "SETTER_MANAGED")):
            self.rows.all(
                "INSERT INTO app.email_campaign (id, workspace_id, provider, external_id, response_mode, "
                "auto_send_threshold, delay_min_s, delay_max_s) VALUES (%s, %s, 'emailbison', %s, %s, 0.9, 0, 0)",
                new_id(), self.workspace, external_id, mode,
            )  # fmt: skip

    def add_user(self, slack: str, role: str | None, workspace: UUID | None = None, *, recipient: bool = False) -> UUID:
        user = new_id()
        self.rows.all(
            "INSERT INTO app.user (id, email, name, slack_user_id) VALUES (%s, %s, %s, %s)",
            user, f"{slack.lower()}@harbourline.example", slack, slack,
        )  # fmt: skip
        if role:
            self.rows.all(
                "INSERT INTO app.member (workspace_id, user_id, role) VALUES (%s, %s, %s)",
                workspace or self.workspace, user, role,
            )  # fmt: skip
        if recipient:
            self.rows.all(
                "INSERT INTO app.slack_recipient (workspace_id, user_id) VALUES (%s, %s)",
                workspace or self.workspace, user,
            )  # fmt: skip
        return user

    async def aclose(self) -> None:
        await self.vendors.aclose()
        await self.engine.dispose()

    def tick(self, **delta: float) -> datetime:
        self.now += timedelta(**delta)
        return self.now

    async def receive(self, *deliveries: intake_support.Delivery) -> None:
        intake_support.accept(self.database, deliveries)
        await intake_support.drain(self.database, now=self.now, engine=self.engine)

    async def reply_comes(self, text: str = "Sounds useful, tell me more.", number: int = 4401, **options: Any) -> None:
        await self.receive(intake_support.replied(self.workspace, number, text, **options))

    async def _access(self, _conn: Any, _workspace: UUID, _vendor: str) -> Credential:
        return Credential("https://vendor.example", "key", "loc")

    def tools(self, engine: AsyncEngine) -> VendorTools:
        return VendorTools(engine, self.vendors, self._access, lambda: self.now)

    async def replies(
        self, *, has_key: bool = True, auto_send_disabled: bool = False, concurrency: int = 4
    ) -> LaneReport:
        """Work the replies lane at the scene's time."""
        model = ModelClient(
            api_key="key" if has_key else None,
            base_url=self._script.url,
            model=self.model,
            gate=asyncio.Semaphore(8),
            sleep=lambda _seconds: asyncio.sleep(0),
        )
        report = LaneReport()
        try:
            world = ReplyWorld(
                engine=self.engine,
                model=model,
                has_model_key=has_key,
                auto_send_disabled=auto_send_disabled,
                clock=lambda: self.now,
                breakers=model.breakers,
            )
            lane = RepliesLane(
                world,
                self.vendors,
                access=self._access,
                lease_s=600,
                report=report,
                run_id="run-1",
                also={**self.more(self.engine), history.KIND: history.ConversationSync(self.tools(self.engine))},
            )
            return await self._drain(REPLIES, lane.work(), report, concurrency)
        finally:
            await model.aclose()

    async def sends(self, *, auto_send_disabled: bool = False) -> LaneReport:
        """Work the sends lane at the scene's time."""
        report = LaneReport()
        lane = SendsLane(
            self.engine,
            self.vendors,
            access=self._access,
            consequences=CONSEQUENCES,
            auto_send_disabled=auto_send_disabled,
            lease_s=600,
            clock=lambda: self.now,
            report=report,
        )
        return await self._drain(SENDS, lane.work(), report)

    async def _drain(self, queue: Queue, work: LaneWork[Any], report: LaneReport, concurrency: int = 4) -> LaneReport:
        return await drain_lane(
            self.engine,
            self.database.dsn("worker"),
            queue,
            work,
            limits=LaneLimits(concurrency=concurrency, budget_s=60, idle_s=0, lease_s=600),
            stop=asyncio.Event(),
            clock=lambda: self.now,
            report=report,
        )

    async def click(
        self,
        action: str,
        *,
        user: str = REVIEWERS[0],
        version: int | None = 1,
        workspace: UUID | None = None,
        **payload: Any,
    ) -> str | None:
        """A click as intake queues it, carried out; the reason that its job ended with."""
        draft = payload.pop("draft_id", None) or str(self.draft["id"])
        job = NewJob(
            workspace_id=workspace or self.workspace,
            lane=Lane.REPLIES,
            kind="review_action",
            job_key=f"review_action:{new_id()}",
            serial_key=f"draft:{draft}",
            correlation_id="click",
            run_at=self.now,
            payload={
                "action": action,
                "draft_id": draft,
                "version": version,
                "slack_user": user,
                "slack_channel": "D1",
                "slack_ts": "1",
                "edited_text": None,
                "reason": None,
                **payload,
            },
        )
        async with self.engine.begin() as conn:
            await enqueue(conn, [job])
        await self.replies()
        return self.rows.value("SELECT reason FROM app.job WHERE job_key = %s", job.job_key)

    @property
    def draft(self) -> dict[str, Any]:
        return self.rows.one("SELECT * FROM app.draft")

    @property
    def lead(self) -> dict[str, Any]:
        return self.rows.one("SELECT * FROM app.lead")

    def job(self, kind: str = "reply") -> tuple[str, str | None]:
        """State and reason of the newest job of that kind."""
        row = self.rows.all("SELECT state, reason FROM app.job WHERE kind = %s ORDER BY id DESC LIMIT 1", kind)[0]
        return row["state"], row["reason"]

    def planned(self, kind: str = "draft") -> list[dict[str, Any]]:
        return self.rows.all("SELECT * FROM app.send WHERE kind = %s ORDER BY recipient, draft_version", kind)

    def decisions(self, subject: str) -> list[str]:
        return self.rows.column("SELECT code FROM app.decision WHERE subject = %s ORDER BY id", subject)


@asynccontextmanager
async def make_scene(database: Database) -> AsyncIterator[Scene]:
    brain = Brain()
    async with serve(brain.answer) as script:
        scene = Scene(database, brain, script)
        try:
            yield scene
        finally:
            await scene.aclose()
