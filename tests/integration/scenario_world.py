"""The whole way of a reply without processes: the receiver's application, the lanes, the vendors' sandbox, a model that
says what the story needs. Deliveries are signed requests; what left is asked of the vendors."""

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import httpx
import pytest

from tests.conftest import Database
from tests.integration import intake_support as mail
from tests.integration.intake_support import KEY, LOCATION
from tests.integration.receiver_support import EMAIL_SECRET, GHL_SECRET, SLACK_SECRET, Receiver, running_receiver
from tests.integration.replies_support import Brain, Scene
from tests.integration.test_sending_vendors import CREDENTIALS
from tests.integration.test_vendor_stops import connect
from tests.unit.model_server import Scripted, serve
from tests.unit.sandbox_tools import InProcess
from zrg_dagster.core.leads.contacts import KIND as CONTACT
from zrg_dagster.core.leads.vendor_stops import KIND as STOP_AT_VENDOR
from zrg_dagster.core.providers.credential import Credential
from zrg_dagster.core.replies import review
from zrg_dagster.core.replies.contact_sync import ContactSync
from zrg_dagster.core.replies.escalation import KIND as ESCALATION
from zrg_dagster.core.replies.escalation import Escalation
from zrg_dagster.core.replies.review import Reviewed
from zrg_dagster.core.replies.tell_vendors import VendorStops

NEW_YORK_OFFICE = {"auto_send_schedule_mode": "BUSINESS_HOURS"}
ACCOUNTS = {**CREDENTIALS, "slack": ("xoxb-sandbox", None)}
EMAIL = f"/api/webhooks/email?clientId={KEY}&key={EMAIL_SECRET}"


class Story(Scene):
    """One workspace whose vendors are the sandbox, told by deliveries to its receiver."""

    def __init__(self, database: Database, brain: Brain, script: Scripted, sandbox: InProcess, door: Receiver) -> None:
        super().__init__(database, brain, script)
        self.sandbox, self.door = sandbox, door
        self.vendors._http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=sandbox.app, raise_app_exceptions=False)
        )
        self.more = lambda engine: {
            CONTACT: ContactSync(self.tools(engine)),
            ESCALATION: Escalation(engine, lambda: self.now),
            STOP_AT_VENDOR: VendorStops(self.tools(engine)),
        }
        connect(self, "emailbison", "ghl")
        self.rows.all("UPDATE app.integration SET external_id = %s WHERE provider = 'ghl'", LOCATION)

    async def _access(self, _conn: Any, _workspace: UUID, vendor: str) -> Credential:
        token, account = ACCOUNTS[vendor]
        return Credential(f"http://sandbox.test/{vendor}", token, account)

    async def at(self, now: datetime) -> None:
        """Let it be `now`, here and at the vendors."""
        self.now = now
        await self.sandbox.control("POST", "clock", {"now": now.isoformat()})

    async def delivered(self, body: dict[str, Any], path: str = EMAIL, times: int = 1) -> list[dict[str, Any]]:
        """Deliver the body, learnt by the vendor first; the receiver's answers. Nothing is worked yet."""
        if path == EMAIL:
            await self.sandbox.control("POST", "learn", {"provider": "emailbison", "bodies": [body]})
        raw = json.dumps(body).encode()
        answers = []
        for _ in range(times):
            response = await self.door.post(raw, path)
            assert response.status_code == 200, response.text
            answers.append(response.json())
        return answers

    async def mail_comes(self, text: str, number: int = 4401, **options: Any) -> None:
        """A mail of the lead at the scene's time, up to the end of its reply's work."""
        lead = options.pop("lead", None)
        reply = mail.reply(number, text, at=self.now, **options)
        await self.delivered(mail.email_event("LEAD_REPLIED", lead=lead, reply=reply))
        await self.work()

    async def sms_comes(self, text: str) -> None:
        body = json.loads(mail.sms(self.workspace, text).body)
        await self.delivered(body, f"/api/webhooks/ghl/sms?locationId={LOCATION}&key={GHL_SECRET}")
        await self.work()

    async def work(self) -> None:
        """Everything that is due a few seconds later, lane after lane."""
        await self.at(self.now + timedelta(seconds=5))
        await mail.drain(self.database, now=self.now, workers=2, engine=self.engine)
        await self.replies()
        await self.sends()
        await self.replies()

    async def presses(self, action: str, *, user: str, **payload: Any) -> str | None:
        """A signed click in Slack, through the door to its end; the reason of its job."""
        card = self.planned("review_card")[-1]
        value = next(
            element["value"]
            for block in card["content"]["blocks"]
            if block["type"] == "actions"
            for element in block["elements"]
            if element["action_id"] == action
        )
        click = {
            "type": "block_actions",
            "user": {"id": user},
            "channel": {"id": "D1"},
            "message": {"ts": "1.1"},
            "actions": [{"action_id": action, "value": value, "action_ts": str(time.monotonic_ns())}],
            "state": {"values": {}},
            **payload,
        }
        body = urlencode({"payload": json.dumps(click)}).encode()
        stamp = str(int(self.now.timestamp()))
        mac = hmac.new(SLACK_SECRET.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "x-slack-request-timestamp": stamp,
            "x-slack-signature": f"v0={mac}",
        }
        response = await self.door.post(body, "/api/webhooks/slack/interactions", headers)
        assert response.status_code == 200, response.text
        await self.work()
        return self.job("review_action")[1]

    async def decides(self, action: str, email: str, **changes: Any) -> Reviewed:
        """The same by command."""
        request = review.ReviewRequest(
            workspace_id=self.workspace,
            action=action,
            draft_id=changes.pop("draft_id", None) or self.draft["id"],
            version=None,
            slack_user=None,
            user_email=email,
            edited_text=changes.pop("edited_text", None),
            reason=None,
            correlation_id="command",
        )
        async with self.engine.begin() as conn:
            return await review.apply(conn, request, self.now)

    async def left(self) -> list[dict[str, Any]]:
        """Mails of ours that the vendor has, whether it shows them or not."""
        replies = (await self.sandbox.state("emailbison"))["replies"]
        return [item for item in replies if item["type"] == "Outgoing Email"]

    async def texts_left(self) -> list[str]:
        messages = (await self.sandbox.state("ghl"))["messages"]
        return [item["body"] for item in messages if item["direction"] == "outbound"]


@asynccontextmanager
async def telling(database: Database, monkeypatch: pytest.MonkeyPatch, start: datetime) -> AsyncIterator[Story]:
    """A story that begins at `start`."""
    brain = Brain()
    async with serve(brain.answer) as script, InProcess() as sandbox, running_receiver(database, samples=False) as door:
        story = Story(database, brain, script, sandbox, door)
        monkeypatch.setattr("webhook_receiver.app.utc_now", lambda: story.now)
        door.add_route("emailbison", KEY, EMAIL_SECRET, story.workspace, KEY)
        door.add_route("ghl", LOCATION, GHL_SECRET, story.workspace, KEY)
        assert await door.routes.refresh()
        await story.at(start)
        try:
            yield story
        finally:
            await story.aclose()
