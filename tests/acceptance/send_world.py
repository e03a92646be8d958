"""Sends over all vendors, workers that die over them, and what must hold afterwards: none twice, none lost."""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.acceptance.send_worker import CREDENTIALS, READ_TIMEOUT_S
from tests.conftest import Cluster, _memory_folder
from tests.integration.seeds import add_campaign, add_draft, add_lead, add_message, add_workspace
from tests.unit.sandbox_tools import server
from zrg_dagster.core.base.clock import utc_now
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.replies import outbound
from zrg_dagster.core.sending import ledger
from zrg_dagster.local.postgres import EmbeddedPostgres

VENDORS = tuple(CREDENTIALS)
SETTLED = max(ledger.SETTLE_TIME.values()) + timedelta(seconds=90)
# Not sent, and rightly: the first of two texts has left, or stands in an invitation that nobody has accepted.
BLOCKED = {"outbound_after_trigger", "invitation_pending"}
CHANNEL = {"ghl": "sms", "unipile": "linkedin"}
LATENCY_S = 0.03
# Read-backs see a message after this long at most (or never); every settle time is longer but GHL's, which is equal.
SHOWN_AFTER_S = (0.0, 100.0)
NEVER_SHOWN = 0.04
TWINS = 0.05  # of the leads get the same text twice
FAULTS = (
    ("accept_then_reset", 0.03, {}),
    ("accept_then_500", 0.03, {}),
    ("slow", 0.02, {"seconds": 2.5 * READ_TIMEOUT_S}),
    ("reset_before", 0.01, {}),
    ("bad_json_200", 0.01, {}),
    ("rate_limit", 0.02, {"retry_after": 1}),
)


@dataclass(slots=True)
class World:
    """A Postgres that may be killed, a sandbox, and the sends between them."""

    cluster: Cluster
    sandbox: str
    rng: random.Random
    kills: Counter[str] = field(default_factory=Counter)
    offset_s: float = 0.0

    @property
    def dsn(self) -> str:
        return self.cluster.dsn("worker", self.cluster.template)

    def control(self, path: str, body: Any) -> Any:
        response = httpx.post(f"{self.sandbox}/_control/{path}", json=body, timeout=30)
        assert response.status_code in (200, 201), response.text
        return response.json()

    def state(self, vendor: str) -> Any:
        return httpx.get(f"{self.sandbox}/_control/state/{vendor}", timeout=60).json()

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.cluster.admin_dsn(self.cluster.template)) as connection:
            return connection.execute(statement.encode()).fetchall()

    # Work

    def set_up_vendors(self) -> None:
        for vendor in VENDORS:
            self.control("latency", {"provider": vendor, "seconds": LATENCY_S})
            shown = {"visible_after_min_s": SHOWN_AFTER_S[0], "visible_after_max_s": SHOWN_AFTER_S[1]}
            options = {"adopt_unknown": True, "never_visible": NEVER_SHOWN, **shown}
            self.control("options", {"provider": vendor, **options})
            for mode, probability, rule in FAULTS:
                seed = self.rng.randrange(10**6)
                match = {"match": {"method": "POST"}, "probability": probability, "seed": seed}
                self.control("faults", {"provider": vendor, "mode": mode, **match, **rule})
        # The vendors' own rates would make this an hour of waiting; they have tests of their own.
        self.control("options", {"provider": "ghl", "bucket_max": 0, "export_lag_s": 0})
        self.control("options", {"provider": "instantly", "lists_per_minute": 0})

    async def plan(self, number: int) -> None:
        """`number` sends, spread evenly over the vendors."""
        engine = make_engine(self.dsn)
        people: list[dict[str, Any]] = []
        async with engine.begin() as conn:
            workspace = await add_workspace(conn)
            campaigns = {vendor: await add_campaign(conn, workspace, provider=vendor) for vendor in VENDORS}
            done = 0
            while done < number:
                vendor = VENDORS[done % len(VENDORS)]
                draft = await self._lead(conn, workspace, campaigns[vendor], vendor, done, people)
                done += 1
                if done < number and self.rng.random() < TWINS:
                    await _twin(conn, draft)
                    done += 1
        await engine.dispose()
        self.control("state/unipile", {"profiles": people})

    async def _lead(
        self,
        conn: AsyncConnection,
        workspace: UUID,
        campaign: UUID,
        vendor: str,
        number: int,
        people: list[dict[str, Any]],
    ) -> UUID:
        email, channel = f"lead{number}@mills.example", CHANNEL.get(vendor, "email")
        lead = await add_lead(conn, workspace, email=email, email_campaign_id=campaign if channel == "email" else None)
        now = utc_now() - timedelta(hours=1)
        trigger: dict[str, Any] = {"provider": vendor, "channel": channel, "sent_at": now, "from_email": email}
        # The vendor knows a lead by the mail that is answered; its own lead id would have to be seeded.
        await conn.execute(text("DELETE FROM app.lead_identity WHERE kind = 'emailbison_lead'"))
        match vendor:
            case "emailbison":
                trigger |= {"provider_message_id": str(1_000_000 + number), "to_email": "sender512@sandbox.example"}
            case "smartlead":
                trigger |= {"thread_handle": f"88412:s{number}", "to_email": "ava@go.example"}
            case "instantly":
                trigger |= {"thread_handle": f"m{number}", "to_email": "sol@meet.example"}
                self.control(
                    "state/instantly", {"emails": [{"id": f"m{number}", "lead": email, "eaccount": "sol@meet.example"}]}
                )
            case "unipile":
                near = self.rng.choice(["FIRST_DEGREE", "SECOND_DEGREE"])
                people.append({"provider_id": f"ACoAA{number}", "network_distance": near})
                identity = """INSERT INTO app.lead_identity (workspace_id, kind, value, lead_id, source)
                              VALUES (:w, 'linkedin_member', :v, :l, 'test')"""
                await conn.execute(text(identity), {"w": workspace, "v": f"ACoAA{number}", "l": lead})
                trigger |= {"thread_handle": self.rng.choice([f"chat{number}", None])}
        message = await add_message(conn, workspace, lead, **trigger)
        subject = "Re: hi" if channel == "email" else None
        body = f"Answer number {number}."
        draft = await add_draft(
            conn, workspace, lead, message, channel=channel, subject=subject, body=body, ai_body=body
        )
        loaded = await outbound.load_draft(conn, draft)
        assert loaded is not None
        assert await outbound.plan_draft(conn, loaded, body, outbound.Origin("setter"), now, "proof")
        return draft

    # Death

    def run_worker(self, boundary: str | None, victim: str) -> None:
        """One worker until it, or Postgres, dies at the boundary, or until nothing is due."""
        postgres = self.cluster.postgres
        order = {
            "dsn": self.dsn,
            "sandbox": self.sandbox,
            "boundary": boundary,
            "nth": self.rng.randint(1, 25),
            "victim": postgres.pid if victim == "postgres" else None,
            "offset_s": self.offset_s,
        }
        command = [sys.executable, "-m", "tests.acceptance.send_worker", json.dumps(order)]
        environment = {**os.environ, "PYTHONWARNINGS": "default", "ZRG_LOG_LEVEL": "ERROR"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=240)
        if done.returncode == -9:
            self.kills[f"worker {boundary}"] += 1
        elif postgres.pid is None:
            self.kills[f"postgres {boundary}"] += 1
        elif done.returncode:
            raise AssertionError(f"the worker failed by itself:\n{done.stderr[-3000:]}")
        if postgres.pid is None:
            postgres.stop()  # takes leave of the dead process
            postgres.start()

    def open_sends(self) -> list[tuple[Any, ...]]:
        """(vendor, state, why, when next, text) of what has not ended."""
        return self.query("""
            SELECT vendor, state, reason, attempts, due_at, planned_at, content ->> 'text' FROM app.send
            WHERE state IN ('planned', 'sending', 'unknown') ORDER BY id""")

    def unsent(self) -> int:
        """How many sends a dying worker could still find. Who waits for an invitation is looked at again in hours."""
        [(number,)] = self.query("""
            SELECT count(*) FROM app.send WHERE state = 'planned' AND reason IS DISTINCT FROM 'invitation_pending'""")
        return number

    def let_time_pass(self, span: timedelta) -> None:
        """For the vendors and for the workers alike."""
        self.offset_s += span.total_seconds()
        self.control("clock", {"advance_s": span.total_seconds()})

    # Judgement

    def received(self) -> Counter[tuple[str, str]]:
        """(vendor, text) → how often the vendor got it, shown or not."""
        found: Counter[tuple[str, str]] = Counter()
        for item in self.state("emailbison")["replies"]:
            if item["type"] == "Outgoing Email":
                found[("emailbison", item["text_body"])] += 1
        found.update(("smartlead", item["email_body"][3:-4]) for item in self.state("smartlead")["sent"])
        found.update(
            ("instantly", item["body"]["text"]) for item in self.state("instantly")["emails"] if item["ue_type"] == 3
        )
        found.update(("ghl", item["body"]) for item in self.state("ghl")["messages"] if item["direction"] == "outbound")
        unipile = self.state("unipile")
        found.update(("unipile", item["text"]) for item in unipile["messages"])
        found.update(("unipile", item["invitation_text"]) for item in unipile["invitations"])
        return found

    def problems(self, planned: int) -> list[str]:
        """Everything that must not be."""
        rows = self.query("SELECT vendor, content ->> 'text', state, reason FROM app.send")
        received, problems = self.received(), []
        if len(rows) != planned:
            problems.append(f"{planned} planned, {len(rows)} in the ledger")
        intents: dict[tuple[str, str], list[str]] = {}
        for vendor, words, state, reason in rows:
            intents.setdefault((vendor, words), []).append(state)
            if state not in ("sent", "needs_human") and not (state == "blocked" and reason in BLOCKED):
                problems.append(f"{vendor} {words!r} ended {state} {reason}")
        for intent, states in intents.items():
            sent, may_be = states.count("sent"), states.count("needs_human")
            if not sent <= received[intent] <= sent + may_be:
                problems.append(f"{intent}: {states}, and the vendor got {received[intent]}")
        problems += [f"{intent}: no intent, {n} received" for intent, n in received.items() if intent not in intents]
        touches = self.query("""
            SELECT (SELECT count(*) FROM app.touch), (SELECT count(*) FROM app.message WHERE send_id IS NOT NULL),
                   (SELECT count(*) FROM app.send WHERE state = 'sent')""")[0]
        if len(set(touches)) != 1:
            problems.append(f"touches, messages and sent sends differ: {touches}")
        return problems

    def summary(self) -> str:
        states = self.query("SELECT vendor, state, count(*) FROM app.send GROUP BY 1, 2 ORDER BY 1, 2")
        by_vendor: dict[str, list[str]] = {}
        for vendor, state, number in states:
            by_vendor.setdefault(vendor, []).append(f"{state} {number}")
        lines = [f"  {vendor}: {', '.join(each)}" for vendor, each in by_vendor.items()]
        found = self.query("SELECT count(*) FROM app.send WHERE vendor_detail ->> 'found_by' = 'read_back'")[0][0]
        kills = ", ".join(f"{name} {number}" for name, number in sorted(self.kills.items()))
        return "\n".join(
            [*lines, f"  found by reading back: {found}", f"  kills: {sum(self.kills.values())} ({kills})"]
        )


async def _twin(conn: AsyncConnection, draft: UUID) -> None:
    """A second intent of the same words for the same lead, as templates make them."""
    again = UUID(int=draft.int ^ 1)
    await conn.execute(
        text("""INSERT INTO app.draft (id, workspace_id, lead_id, trigger_message_id, channel, body, ai_body)
                SELECT :new, workspace_id, lead_id, trigger_message_id, channel || ' ', body, ai_body
                FROM app.draft WHERE id = :d"""),
        {"new": again, "d": draft},
    )
    await conn.execute(
        text("""INSERT INTO app.send (id, workspace_id, natural_key, kind, origin, channel, vendor, lead_id, draft_id,
                draft_version, trigger_message_id, recipient, content, due_at, correlation_id)
                SELECT :new, workspace_id, natural_key || '-twin', kind, origin, channel, vendor, lead_id, :new,
                draft_version, trigger_message_id, recipient, content, due_at, correlation_id
                FROM app.send WHERE draft_id = :d"""),
        {"new": again, "d": draft},
    )


@contextmanager
def running_world(postgres_major: int, seed: int) -> Iterator[World]:
    """A cluster of its own (it will be killed) and a sandbox process; both are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="zrg sends ") as home, server() as sandbox:
        postgres = EmbeddedPostgres(Path(home), postgres_major, durable=False)
        if memory := _memory_folder():
            postgres.base = memory / f"zrg-sends-{os.getpid()}"
            postgres.data = postgres.base / str(postgres_major)
        try:
            postgres.start()
            world = World(Cluster(postgres), sandbox, random.Random(seed))
            world.set_up_vendors()
            yield world
        finally:
            postgres.stop()
            for _ in range(50):
                if postgres.pid is None:
                    break
                time.sleep(0.1)
            postgres.remove()
