"""The daily digest against a real Postgres: counts, once a day, no persons, and the job and its schedule."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import dagster as dg
import pytest

from tests.conftest import Database
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.base.settings import current_settings
from zrg_dagster.core.db.engine import sync_connect
from zrg_dagster.jobs.digest import send_daily_digest, send_daily_digest_every_quarter_hour
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database as DatabaseResource

NOW = datetime(2026, 5, 4, 12, 5, tzinfo=UTC)  # 08:05 in New York
HOUR = timedelta(hours=1)


class Stopped(Clock):
    """The clock resource, stopped."""

    at: str

    def now(self) -> datetime:
        return datetime.fromisoformat(self.at)


class World:
    """A workspace with two Slack recipients."""

    def __init__(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        self.dsn = database.dsn("worker")
        monkeypatch.setenv("ZRG_DB_WORKER_URL", self.dsn)
        current_settings.cache_clear()
        self.workspace = self.add_workspace("acme", ["C1", "U2", "C1"])

    def run(self, statement: str, *parameters: Any) -> list[Any]:
        with sync_connect(self.dsn) as connection:
            cursor = connection.execute(statement.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def add_workspace(self, key: str, recipients: list[str]) -> UUID:
        workspace = new_id()
        self.run(
            "INSERT INTO app.workspace (id, key, name, timezone, created_at) VALUES (%s, %s, 'Acme', %s, %s)",
            workspace,
            key,
            "America/New_York",
            NOW - timedelta(days=90),
        )
        self.run("INSERT INTO app.workspace_setting (workspace_id) VALUES (%s)", workspace)
        for slack in recipients:
            user = new_id()
            self.run(
                "INSERT INTO app.user (id, email, slack_user_id) VALUES (%s, %s, %s)",
                user,
                f"{user}@mills.example",
                slack,
            )
            self.run("INSERT INTO app.slack_recipient (workspace_id, user_id) VALUES (%s, %s)", workspace, user)
        return workspace

    def add_reply(self, workspace: UUID, tag: str | None, at: datetime, *, times: int = 1) -> UUID:
        lead = new_id()
        self.run(
            "INSERT INTO app.lead (id, workspace_id, first_name, email) VALUES (%s, %s, 'Ava', %s)",
            lead,
            workspace,
            f"{lead}@example.org",
        )
        for _ in range(times):
            self.run(
                """INSERT INTO app.message (id, workspace_id, lead_id, message_key, channel, direction, source, provider,
                                            body, sent_at, sentiment_tag, created_at)
                   VALUES (%s, %s, %s, %s, 'email', 'inbound', 'webhook', 'emailbison', 'secret words', %s, %s, %s)""",
                new_id(),
                workspace,
                lead,
                str(new_id()),
                at,
                tag,
                at,
            )
        return lead

    def add_send(self, lead: UUID, state: str, reason: str | None, at: datetime) -> None:
        self.run(
            """INSERT INTO app.send (id, workspace_id, natural_key, kind, origin, channel, vendor, lead_id, recipient,
                                     content, state, due_at, sent_at, finished_at, reason, correlation_id)
               SELECT %s, workspace_id, %s, 'draft', 'ai', 'email', 'emailbison', id, email, '{}', %s, %s, %s, %s, %s, 'c'
               FROM app.lead WHERE id = %s""",
            new_id(),
            str(new_id()),
            state,
            at,
            at if state == "sent" else None,
            at,
            reason,
            lead,
        )

    def sends(self) -> list[Any]:
        return self.run("SELECT * FROM app.send WHERE kind = 'digest' ORDER BY workspace_id, recipient")

    def digest(self, at: datetime = NOW, **config: Any) -> dict[str, int]:
        """One run of the job; how often each outcome was counted."""
        resources = {"database": DatabaseResource(role="worker"), "clock": Stopped(at=at.isoformat())}
        with dg.DagsterInstance.ephemeral() as instance:
            result = send_daily_digest.execute_in_process(
                resources=resources,
                instance=instance,
                run_config=dg.RunConfig(ops={"plan_due_digests": {"config": config}}),
            )
        (output,) = [event for event in result.all_events if event.event_type_value == "STEP_OUTPUT"]
        table = output.step_output_data.metadata.get("by_reason")
        records = table.value.records if table else []
        return {record.data["reason"]: record.data["workspaces"] for record in records}


@pytest.fixture
def world(database: Database, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(database, monkeypatch)


def test_counts_reach_every_recipient_once_and_name_nobody(world: World) -> None:
    hot = world.add_reply(world.workspace, "Interested", NOW - 2 * HOUR, times=2)
    world.add_reply(world.workspace, None, NOW - HOUR)
    world.add_reply(world.workspace, "Objection", NOW - 30 * HOUR)  # before the covered day
    world.add_send(hot, "sent", None, NOW - HOUR)
    world.add_send(hot, "blocked", "suppressed", NOW - HOUR)
    world.add_send(hot, "blocked", "kill_switch", NOW - 30 * HOUR)
    world.run(
        """INSERT INTO app.appointment (id, workspace_id, provider, external_id, status, booked_at, booked_at_source,
                                        vendor_updated_at, created_at)
           VALUES (%s, %s, 'ghl', 'a', 'confirmed', %s, 'webhook', %s, %s)""",
        new_id(),
        world.workspace,
        NOW,
        NOW,
        NOW - HOUR,
    )
    assert world.digest() == {"digest_planned": 1}
    sends = world.sends()
    assert [send["recipient"] for send in sends] == ["C1", "U2"]
    assert [send["natural_key"] for send in sends] == ["digest:2026-05-04:C1", "digest:2026-05-04:U2"]
    assert {(send["vendor"], send["channel"], send["origin"]) for send in sends} == {("slack", "slack", "system")}
    sections = [b["text"]["text"] for b in sends[0]["content"]["blocks"] if b["type"] == "section"]
    assert sections == [
        "*Replies (people, by tag)*\n• Interested: 1\n• Unclassified: 1",
        "*Messages to leads*\n• sent: 1",
        "*Not sent, by reason*\n• suppressed: 1",
        "*Bookings*\n• meetings booked: 1",
    ]
    words = json.dumps(sends[0]["content"])
    assert not any(private in words for private in ("Ava", "@", "secret words"))


def test_once_a_day_and_the_next_one_continues_where_this_one_ended(world: World) -> None:
    world.add_reply(world.workspace, "Interested", NOW - HOUR)
    assert world.digest() == {"digest_planned": 1}
    assert world.digest(NOW + HOUR) == {"already_done_today": 1}
    assert world.digest(NOW + HOUR, send_now=True) == {"already_done_today": 1}
    world.add_reply(world.workspace, "Objection", NOW + HOUR)
    late = NOW + timedelta(days=3)  # the scheduler was down for two days
    assert world.digest(late) == {"digest_planned": 1}
    rows = world.run("SELECT * FROM app.digest ORDER BY local_day")
    assert [row["local_day"] for row in rows] == [date(2026, 5, 4), date(2026, 5, 7)]
    assert (rows[1]["covered_from"], rows[1]["covered_until"]) == (NOW, late)
    assert "Objection: 1" in json.dumps(world.sends()[-1]["content"], ensure_ascii=False)
    assert "Interested" not in json.dumps(world.sends()[-1]["content"])


def test_nothing_to_report_sends_nothing_and_is_not_asked_again(world: World) -> None:
    assert world.digest() == {"nothing_to_report": 1}
    assert world.sends() == []
    assert world.digest(NOW + HOUR) == {"already_done_today": 1}


def test_other_workspaces_do_not_show(world: World) -> None:
    other = world.add_workspace("other", ["C9"])
    world.add_reply(other, "Interested", NOW - HOUR)
    assert world.digest() == {"digest_planned": 1, "nothing_to_report": 1}
    assert {send["workspace_id"] for send in world.sends()} == {other}


def test_without_recipients_or_switched_off_there_is_no_digest(world: World) -> None:
    world.add_reply(world.workspace, "Interested", NOW - HOUR)
    world.run("UPDATE app.workspace SET is_active = false")
    quiet = world.add_workspace("quiet", [])
    world.add_reply(quiet, "Interested", NOW - HOUR)
    assert world.digest() == {}
    assert world.sends() == []


def test_a_dry_run_changes_nothing_and_send_now_does_not_wait(world: World) -> None:
    world.add_reply(world.workspace, "Interested", NOW - 3 * HOUR)
    early = NOW - 2 * HOUR  # 06:05 in New York; yesterday's digest was sent
    world.run(
        "INSERT INTO app.digest VALUES (%s, '2026-05-03', %s, %s, 'planned', %s)",
        world.workspace,
        NOW - 48 * HOUR,
        NOW - 24 * HOUR,
        NOW - 24 * HOUR,
    )
    assert world.digest(early) == {"already_done_today": 1}
    assert world.digest(early, send_now=True, dry_run=True) == {"digest_planned": 1}
    assert world.sends() == []
    assert world.digest(early, send_now=True) == {"digest_planned": 1}
    assert len(world.sends()) == 2


def test_nothing_due_no_run(world: World) -> None:
    def tick(at: datetime) -> Any:
        resources = {"database": DatabaseResource(role="worker"), "clock": Stopped(at=at.isoformat())}
        return send_daily_digest_every_quarter_hour(context, **resources)

    with dg.instance_for_test() as instance, dg.build_schedule_context(instance=instance) as context:
        assert tick(NOW).tags == {"zrg/trigger": "schedule"}
        world.digest()
        assert "No workspace is due" in tick(NOW + HOUR).skip_message
        assert "No workspace is due" in tick(NOW + 23 * HOUR).skip_message
        assert tick(NOW + 24 * HOUR).tags == {"zrg/trigger": "schedule"}
