"""Workspace files against a real database: what an apply writes, what it refuses, and that an unchanged one writes
nothing."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.integration.seeds import NOW
from tests.integration.workspaces_world import FILE, SECRETS, apply, plan, recipients, rows, versions
from zrg_dagster.core.base.ids import new_id
from zrg_dagster.core.base.seal import Sealer, new_key
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.workspaces import audit, export, hosts, members
from zrg_dagster.core.workspaces.apply import WorkspaceWriter
from zrg_dagster.core.workspaces.changes import lines
from zrg_dagster.core.workspaces.declare import parse
from zrg_dagster.core.workspaces.declared_integrations import SEVERAL_EMAIL_PROVIDERS
from zrg_dagster.core.workspaces.sealing import Keys
from zrg_dagster.core.workspaces.settings_registry import SETTINGS, UNSET
from zrg_dagster.core.workspaces.source import WorkspaceFileError
from zrg_dagster.local.children import repository_file
from zrg_dagster.local.demo.set_up import DEMO_SECRETS

LATER = NOW + timedelta(days=1)


@pytest.fixture
async def engine(database) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(database.dsn("worker"), pool_size=8)
    yield engine
    await engine.dispose()


@pytest.fixture
def keys() -> Keys:
    return Keys(Sealer(new_key()), Sealer(new_key()))


def written(found: set[tuple[str, str, str, str]]) -> set[tuple[str, str, str]]:
    """Without the locks: foreign keys take them, and what was rolled back leaves them behind."""
    return {version[:3] for version in found}


async def refused(engine, keys, source, **options) -> tuple[str, ...]:
    before = await versions(engine)
    with pytest.raises(WorkspaceFileError) as error:
        await apply(engine, keys, source, **options)
    assert written(await versions(engine)) == written(before)
    return error.value.problems


async def test_an_unchanged_file_writes_nothing(engine, keys):
    first = await apply(engine, keys)
    assert first.is_new
    before = await versions(engine)
    second = await apply(engine, keys, now=LATER)
    assert (second.changes, second.workspace_id) == ((), first.workspace_id)
    assert await versions(engine) == before


@pytest.mark.parametrize(
    ("stands", "instead", "shown", "touched"),
    [
        ("name: Harbourline Analytics", "name: New", '~ workspace name: "Harbourline Analytics" -> "New"', "workspace"),
        ("08:30", "09:00", "~ setting digest_local_time: 08:30:00 -> 09:00:00", "workspace_setting"),
        ("First setter", "Setter", '~ user setter@harbourline.example name: "First setter" -> "Setter"', "user"),
        ("CLIENT_PORTAL", "SETTER", "- member portal@mills.example CLIENT_PORTAL", "member"),
        ("location_id: vQ7m", "location_id: wQ7m", "+ route ghl wQ7mZ2xKc9TfLp4RdWnA", "integration"),
        ("two weeks", "three weeks", "~ knowledge Pilot body", "knowledge_asset"),
        ("Which shifts", "How many shifts", "~ question 2 question", "qualification_question"),
        ("0.6", "0.65", "~ campaign emailbison 318 auto_send_threshold: 0.6 -> 0.65", "email_campaign"),
        ("persona: aaron", "persona: chris", '~ campaign emailbison 318 persona: "Aaron" -> "Chris"', "email_campaign"),
        ("book a call", "book two", '~ persona aaron goals: "book a call" -> "book two"', "ai_persona"),
        ("Mills spring", "Mills autumn", "+ sms_campaign Mills autumn", "sms_campaign"),
        ("Reactivation", "React", '~ ghl_campaign cmp_1 name: "Reactivation" -> "React"', "ghl_campaign"),
        ("Intro call", "First call", "~ calendar ghl Cal7Zx2QwLr9TkVn4MbPd name", "calendar"),
        (
            "trigger_on: setter_reply",
            "trigger_on: manual",
            "~ sequence Meeting Requested trigger_on",
            "follow_up_sequence",
        ),
        ("day_offset: 3", "day_offset: 4", "~ step Meeting Requested 2 day_offset: 3 -> 4", "follow_up_step"),
    ],
)
async def test_a_change_of_the_file_is_shown_and_touches_its_table_alone(engine, keys, stands, instead, shown, touched):
    await apply(engine, keys)
    before = await versions(engine)
    done = await apply(engine, keys, FILE.replace(stands, instead, 1), now=LATER)
    assert any(line.startswith(shown) for line in lines(done.changes)), lines(done.changes)
    tables = {row[0].split(".")[1] for row in written(await versions(engine)) - written(before)}
    # Routes follow their integration.
    assert tables - {"route"} == {"audit", touched}
    assert (await apply(engine, keys, FILE.replace(stands, instead, 1), now=LATER)).changes == ()


async def test_everything_lands_where_its_readers_look(engine, keys):
    workspace_id = (await apply(engine, keys)).workspace_id
    [setting] = await rows(engine, "SELECT * FROM app.workspace_setting")
    assert (setting.sender_name, setting.tone, setting.signature) == ("Chris Doe", "brief", "Chris")
    assert setting.digest_local_time.isoformat() == "08:30:00"
    assert await recipients(engine) == ["setter@harbourline.example"]
    [owner] = await rows(engine, "SELECT u.email FROM app.workspace w JOIN app.user u ON u.id = w.owner_user_id")
    assert owner.email == "owner@harbourline.example"
    routes = await rows(
        engine, "SELECT provider, routing_key, sealed_secret, workspace_key FROM raw.route ORDER BY 1, 2"
    )
    assert [(row.provider, row.routing_key) for row in routes] == [
        ("calendly", "harbourline"),
        ("emailbison", "harbourline"),
        ("emailbison", "send.harbourline.example|41"),
        ("ghl", "vQ7mZ2xKc9TfLp4RdWnA"),
    ]
    opened = keys.verifiers.open(routes[3].sealed_secret, scope=f"{workspace_id}:verify:ghl")
    assert (opened, routes[3].workspace_key) == (SECRETS["GHL_HOOK"], "harbourline")
    [token] = await rows(engine, "SELECT sealed FROM secret.credential WHERE name = 'ghl_token'")
    assert keys.credentials.open(token.sealed, scope=f"{workspace_id}:ghl_token") == SECRETS["GHL_TOKEN"]
    bound = await rows(
        engine,
        "SELECT c.external_id, p.name FROM app.email_campaign c LEFT JOIN app.ai_persona p ON p.id = c.ai_persona_id "
        "UNION ALL SELECT q.name, p.name FROM app.follow_up_sequence q JOIN app.ai_persona p ON p.id = q.ai_persona_id "
        "ORDER BY 1",
    )
    assert [tuple(row) for row in bound] == [("318", "Aaron"), ("319", None), ("Meeting Requested", "Chris")]


async def test_what_a_file_does_not_name_stays_and_a_given_list_is_complete(engine, keys):
    await apply(engine, keys)
    head = "workspace: {key: harbourline, name: Harbourline Analytics}\n"
    assert (await apply(engine, keys, head)).changes == ()
    done = await apply(
        engine, keys, head + "sequences: []\ncalendars: []\nknowledge: []\ncampaigns: []\npersonas: []\n"
    )
    assert lines(done.changes) == [
        "~ calendar ghl Cal7Zx2QwLr9TkVn4MbPd is_active: true -> false",
        "~ sequence Meeting Requested is_active: true -> false",
        "- knowledge Looms",
        "- knowledge Pilot",
    ]
    one_step = """sequences:
  - name: Meeting Requested
    trigger_on: setter_reply
    persona: Chris
    steps: [{order: 1, channel: email, subject: Next step, message: "Hi {firstName}, shall we talk?"}]
"""
    done = await apply(engine, keys, head + one_step)
    assert lines(done.changes) == [
        "~ sequence Meeting Requested is_active: false -> true",
        "- step Meeting Requested 2",
    ]


async def test_a_stored_sequence_that_could_not_be_switched_on_now_does_not_hold_up_the_file(engine, keys):
    await apply(engine, keys)
    async with engine.begin() as conn:
        await conn.execute(text("UPDATE app.follow_up_sequence SET trigger_on = 'no_response'"))
    source = FILE.replace("trigger_on: setter_reply", "trigger_on: no_response").replace("08:30", "09:30")
    assert lines((await apply(engine, keys, source)).changes) == ["~ setting digest_local_time: 08:30:00 -> 09:30:00"]


async def test_an_export_describes_the_workspace_and_changes_nothing(engine, keys):
    await apply(engine, keys)
    async with engine.connect() as conn:
        exported = export.dump(await export.describe(conn, "harbourline", keys))
    assert not [value for value in SECRETS.values() if value in exported]
    assert (await apply(engine, keys, exported)).changes == ()
    elsewhere = exported.replace("key: harbourline", "key: copy", 1)
    problems = await refused(engine, keys, elsewhere)
    assert any("no ghl_token is stored yet; add token: env:NAME or file:PATH" in problem for problem in problems)


async def test_the_demo_file_applies_as_the_demo_does_it(engine, keys):
    source = repository_file("demo/workspace.yaml").read_text(encoding="utf-8")
    for _ in range(2):
        async with engine.begin() as conn:
            writer = WorkspaceWriter(
                conn,
                secrets=lambda reference: DEMO_SECRETS[reference.removeprefix("env:")],
                credentials=keys.credentials,
                verifiers=keys.verifiers,
                now=NOW,
            )
            await writer.apply(parse(source.replace("${SANDBOX}", "http://127.0.0.1:9")))
        entries = await rows(engine, "SELECT action, actor FROM ops.audit ORDER BY id")
        assert [tuple(row) for row in entries] == [("workspace.create", "system")]


DELIVERING = """\
workspace: {key: harbourline, name: Harbourline Analytics}
integrations:
  unipile: {account_id: Kd82nVtQRcW0pZ5mXyLs4A, webhook_secret: env:EB_HOOK}
  clay: {webhook_secret: env:GHL_HOOK}
  resend: {api_key: env:RESEND_KEY, from_email: notices@harbourline.example, webhook_secret: env:CAL_KEY}
"""


async def test_vendors_that_deliver_get_routes_that_the_receiver_can_use(engine, keys):
    workspace_id = (await apply(engine, keys, DELIVERING)).workspace_id
    found = await rows(engine, "SELECT provider, routing_key, sealed_secret FROM raw.route ORDER BY 1")
    opened = {
        (row.provider, row.routing_key): keys.verifiers.open(
            row.sealed_secret, scope=f"{workspace_id}:verify:{row.provider}"
        )
        for row in found
    }
    assert opened == {
        ("clay", "harbourline"): SECRETS["GHL_HOOK"],
        ("resend", "harbourline"): SECRETS["CAL_KEY"],
        ("unipile", "Kd82nVtQRcW0pZ5mXyLs4A"): SECRETS["EB_HOOK"],
    }
    assert (await apply(engine, keys, DELIVERING)).changes == ()
    without = DELIVERING.replace(", webhook_secret: env:EB_HOOK", "").replace("{webhook_secret: env:GHL_HOOK}", "{}")
    assert (await apply(engine, keys, without)).changes == (), "a stored secret stays"
    async with engine.connect() as conn:
        document = await export.describe(conn, "harbourline", keys)
    assert document["integrations"]["unipile"] == {"account_id": "Kd82nVtQRcW0pZ5mXyLs4A"}
    assert document["integrations"]["clay"] == {}
    gone = "workspace: {key: harbourline, name: Harbourline Analytics}\nintegrations: {unipile: null, clay: null}\n"
    assert (await apply(engine, keys, gone)).changes
    assert await rows(engine, "SELECT 1 FROM raw.route WHERE provider IN ('unipile', 'clay')") == []
    for part in ("unipile: {account_id: other}", "clay: {}"):
        [problem] = await refused(engine, keys, f"workspace: {{key: new, name: New}}\nintegrations:\n  {part}\n")
        assert "webhook_secret: none is stored yet; add webhook_secret: env:NAME or file:PATH" in problem


async def test_a_linkedin_account_belongs_to_one_workspace(engine, keys):
    await apply(engine, keys, DELIVERING)
    problems = await refused(engine, keys, DELIVERING.replace("key: harbourline", "key: other"))
    assert "integrations.unipile: id Kd82nVtQRcW0pZ5mXyLs4A is connected to another workspace" in problems[0]


async def test_null_disconnects(engine, keys):
    await apply(engine, keys)
    async with engine.begin() as conn:
        await conn.execute(text("UPDATE app.integration SET user_uri = 'https://x' WHERE provider = 'calendly'"))
    source = "workspace: {key: harbourline, name: Harbourline Analytics}\nintegrations: {calendly: null}\n"
    assert (await apply(engine, keys, source)).changes
    [integration] = await rows(engine, "SELECT is_active, user_uri FROM app.integration WHERE provider = 'calendly'")
    assert tuple(integration) == (False, None)
    assert await rows(engine, "SELECT 1 FROM raw.route WHERE provider = 'calendly'") == []
    assert await rows(engine, "SELECT 1 FROM secret.credential WHERE name = 'calendly_token'") == []
    assert (await apply(engine, keys, source)).changes == ()


@pytest.mark.parametrize(
    ("stands", "instead", "problem"),
    [
        (
            "slack_recipients: [setter@",
            "slack_recipients: [stranger@",
            "w.yaml:10: settings.slack_recipients[1]: unknown address stranger@harbourline.example; "
            "add it to members with a slack_user",
        ),
        (
            "slack_recipients: [setter@harbourline.example]",
            "slack_recipients: [owner@harbourline.example]",
            "w.yaml:10: settings.slack_recipients[1]: owner@harbourline.example has no Slack user; "
            "give the member a slack_user",
        ),
        (
            "http://127.0.0.1:9/emailbison",
            "https://mail.harbourline.example",
            "w.yaml:17: integrations.emailbison.base_url: host mail.harbourline.example is not allowed; an operator "
            "allows it with `zrg workspace host add mail.harbourline.example`",
        ),
        (", token: env:GHL_TOKEN", "", "w.yaml:22: integrations.ghl.token: no ghl_token is stored yet; add token: "),
        (", webhook_secret: env:GHL_HOOK", "", "w.yaml:22: integrations.ghl.webhook_secret: none is stored yet; add "),
        (
            "trigger_on: setter_reply",
            "trigger_on: no_response",
            "w.yaml:45: sequences[1].trigger_on: nothing starts sequences on no response yet",
        ),
        (
            "Hi {firstName}, shall we talk?",
            "Hi, we are good at {result}",
            "w.yaml:44: sequences[1]: cannot be switched on: set Target result first, or write is_active: false",
        ),
        ("persona: aaron", "persona: Zoe", "w.yaml:36: campaigns[1].persona: Invalid persona for this workspace"),
        (
            "company_name: Harbourline",
            "tone: long",
            "w.yaml:7: settings.tone: the default persona 'Chris' decides this; write it there as tone",
        ),
    ],
)
async def test_what_does_not_fit_is_named_and_nothing_is_written(engine, keys, stands, instead, problem):
    problems = await refused(engine, keys, FILE.replace(stands, instead, 1))
    assert len(problems) == 1
    assert problem in problems[0]


async def test_an_allowed_host_is_accepted_and_kept_while_used(engine, keys):
    async with engine.begin() as conn:
        assert await hosts.add_host(conn, "Mail.Harbourline.example", "ours", actor="t", now=NOW)
        assert not await hosts.add_host(conn, "mail.harbourline.example", "", actor="t", now=NOW)
    await apply(engine, keys, FILE.replace("http://127.0.0.1:9/emailbison", "https://mail.harbourline.example/", 1))
    async with engine.begin() as conn:
        with pytest.raises(hosts.HostError, match="used by harbourline"):
            await hosts.remove_host(conn, "mail.harbourline.example", actor="t", now=NOW)
        with pytest.raises(hosts.HostError, match="not a host"):
            await hosts.add_host(conn, "https://x.example", "", actor="t", now=NOW)


async def test_a_vendor_id_of_another_workspace_is_refused(engine, keys):
    await apply(engine, keys)
    other = FILE.replace("key: harbourline", "key: other", 1).replace("external_id: 41", "external_id: 42", 1)
    problems = await refused(engine, keys, other)
    assert problems == (
        "w.yaml:22: integrations.ghl: id vQ7mZ2xKc9TfLp4RdWnA is connected to another workspace; disconnect it there first",
    )


async def test_a_second_email_provider_is_refused_by_the_database_too(engine, keys):
    """A row that somebody else wrote: the whole file is given up, in the seed's words."""
    await apply(engine, keys, FILE.replace("  emailbison:", "  emailbison: null\n  unused:", 1).split("  unused:")[0])
    async with engine.begin() as conn:
        await conn.execute(
            text("INSERT INTO app.integration (workspace_id, provider) SELECT id, 'smartlead' FROM app.workspace")
        )
    assert await refused(engine, keys, FILE) == (SEVERAL_EMAIL_PROVIDERS,)


async def test_who_leaves_receives_no_more_cards(engine, keys):
    await apply(engine, keys)
    source = """workspace: {key: harbourline, name: Harbourline Analytics}
members:
  - {email: owner@harbourline.example, role: ADMIN}
"""
    done = await apply(engine, keys, source)
    assert lines(done.changes) == [
        "- member portal@mills.example CLIENT_PORTAL",
        "- member setter@harbourline.example SETTER",
        "- recipient setter@harbourline.example",
    ]


async def test_applies_at_once_wait_for_each_other(engine, keys):
    """Six applies of two files: each finishes, and the last one stands whole."""
    first, second = FILE, FILE.replace("Harbourline Analytics", "Other name").replace("book a call", "book two calls")
    second = second.replace("day_offset: 3", "day_offset: 5").replace("two weeks", "three weeks")
    await asyncio.gather(*(apply(engine, keys, source) for source in (first, second) * 3))
    left = [(await plan(engine, keys, source)).changes for source in (first, second)]
    assert sorted(bool(changes) for changes in left) == [False, True]
    assert len(await rows(engine, "SELECT 1 FROM app.workspace")) == 1
    entries = await rows(engine, "SELECT action FROM ops.audit ORDER BY id")
    assert entries[0].action == "workspace.create"
    assert {row.action for row in entries[1:]} <= {"workspace.apply"}


async def test_the_audit_log_says_who_when_and_what_and_cannot_be_changed(engine, keys):
    await apply(engine, keys)
    environment = {**SECRETS, "GHL_TOKEN": "planted-ghl-token-second"}
    await apply(engine, keys, FILE.replace("08:30", "09:00"), environment=environment, now=LATER)
    async with engine.connect() as conn:
        newest, oldest = await audit.entries(conn, "harbourline", limit=10)
    assert (newest.actor, newest.action, newest.happened_at) == ("operator@zrg.example", "workspace.apply", LATER)
    assert newest.changes == [
        {"object": "setting", "verb": "update", "fields": {"digest_local_time": ["08:30:00", "09:00:00"]}},
        {"object": "credential ghl_token", "verb": "update", "fields": {"value": ["(secret)", "(secret)"]}},
    ]
    assert oldest.action == "workspace.create"
    everything = str((newest.changes, oldest.changes))
    assert not [value for value in (*SECRETS.values(), "planted-ghl-token-second") if value in everything]
    for statement in ("UPDATE ops.audit SET actor = 'x'", "DELETE FROM ops.audit", "TRUNCATE ops.audit"):
        with pytest.raises(DBAPIError):
            async with engine.begin() as conn:
                await conn.execute(text(statement))


async def test_the_registry_is_the_table(engine):
    columns = await rows(
        engine,
        """SELECT a.attname, format_type(a.atttypid, a.atttypmod) AS kind,
                  split_part(pg_get_expr(d.adbin, d.adrelid), '::', 1) AS value
           FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
           WHERE a.attrelid = 'app.workspace_setting'::regclass AND a.attnum > 0 AND NOT a.attisdropped""",
    )
    stored = {row.attname: (row.kind, row.value) for row in columns if row.attname not in UNSET}
    assert stored == {setting.column: (setting.kind, setting.default) for setting in SETTINGS}


HOURS = """\
  auto_send_schedule_mode: CUSTOM
  auto_send_custom_schedule: {days: [5, 1, 1], start: "22:00", end: "02:00", timezone: Europe/Paris}
  auto_send_holidays: {preset: US_FEDERAL_PLUS_COMMON, extra: [2026-12-31], ranges: [{start: 2026-08-03, end: 2026-08-07}]}
  round_robin_enabled: true
  round_robin_sequence: [setter@harbourline.example, Setter@Harbourline.example]
"""


async def test_hours_and_turns_are_stored_exported_and_come_back_unchanged(engine, keys):
    source = FILE.replace("settings:\n", "settings:\n" + HOURS, 1)
    await apply(engine, keys, source)
    (row,) = await rows(engine, "SELECT * FROM app.workspace_setting")
    assert row.auto_send_custom_schedule == {
        "days": [1, 5], "start": "22:00", "end": "02:00", "timezone": "Europe/Paris",
    }  # fmt: skip
    assert row.auto_send_holidays["extra"] == ["2026-12-31"]
    turns = "SELECT t.position, u.email FROM app.round_robin_turn t JOIN app.user u ON u.id = t.user_id ORDER BY 1"
    address = "setter@harbourline.example"
    assert [tuple(turn) for turn in await rows(engine, turns)] == [(1, address), (2, address)], "people, not addresses"
    assert (await apply(engine, keys, source)).changes == ()
    async with engine.connect() as conn:
        exported = export.dump(await export.describe(conn, "harbourline", keys))
    assert (await apply(engine, keys, exported)).changes == ()


async def test_whoever_takes_turns_is_a_setter(engine, keys):
    source = FILE.replace("settings:\n", "settings:\n  round_robin_sequence: [owner@harbourline.example]\n", 1)
    with pytest.raises(WorkspaceFileError, match="is no setter of this workspace"):
        await apply(engine, keys, source)


class TestMembers:
    async def test_addresses_are_one_person_in_any_case(self, engine, keys):
        await apply(engine, keys)
        options = {"actor": "t", "now": NOW}
        async with engine.begin() as conn:
            assert await members.add_member(conn, "harbourline", "New@Mills.example", "setter", name="New", **options)
            assert not await members.add_member(conn, "harbourline", "new@mills.EXAMPLE", "SETTER", **options)
            assert await members.add_member(conn, "harbourline", "new@mills.example", "inbox-manager", **options)
        async with engine.connect() as conn:
            listed = [(row.email, row.role) for row in await members.list_members(conn, "harbourline")]
        assert listed == [
            ("owner@harbourline.example", "OWNER"),
            ("owner@harbourline.example", "ADMIN"),
            ("new@mills.example", "INBOX_MANAGER"),
            ("new@mills.example", "SETTER"),
            ("setter@harbourline.example", "SETTER"),
            ("portal@mills.example", "CLIENT_PORTAL"),
        ]
        assert len(await rows(engine, "SELECT 1 FROM app.user WHERE email = 'new@mills.example' AND name = 'New'")) == 1

    async def test_roles_are_taken_one_or_all(self, engine, keys):
        await apply(engine, keys)
        options = {"actor": "t", "now": NOW}
        async with engine.begin() as conn:
            await members.add_member(conn, "harbourline", "setter@harbourline.example", "ADMIN", **options)
            taken = await members.remove_member(conn, "harbourline", "setter@harbourline.example", "ADMIN", **options)
        assert taken == ["ADMIN"]
        assert await recipients(engine) == ["setter@harbourline.example"]
        lead = new_id()
        insert = (
            f"INSERT INTO app.lead (id, workspace_id, assigned_to_user_id) SELECT '{lead}', w.id, u.id "
            "FROM app.workspace w, app.user u WHERE u.email = 'setter@harbourline.example'"
        )
        async with engine.begin() as conn:
            await conn.execute(text(insert))
        async with engine.begin() as conn:
            taken = await members.remove_member(conn, "harbourline", "setter@harbourline.example", **options)
        assert taken == ["SETTER"]
        assert await recipients(engine) == []
        [released] = await rows(engine, f"SELECT assigned_to_user_id FROM app.lead WHERE id = '{lead}'")
        assert released.assigned_to_user_id is None
        actions = await rows(engine, "SELECT action, object FROM ops.audit ORDER BY id DESC LIMIT 1")
        assert [tuple(row) for row in actions] == [("member.remove", "member setter@harbourline.example")]

    @pytest.mark.parametrize(
        ("email", "role", "says"),
        [
            ("a@b.example", "OWNER", "OWNER is not a membership"),
            ("a@b.example", "BOSS", "the roles are ADMIN, INBOX_MANAGER, SETTER, CLIENT_PORTAL"),
            ("nobody", "SETTER", "not an e-mail address"),
        ],
    )
    async def test_what_is_no_role_or_address_is_refused(self, engine, keys, email, role, says):
        await apply(engine, keys)
        before = await versions(engine)
        with pytest.raises(members.MemberError, match=says):
            async with engine.begin() as conn:
                await members.add_member(conn, "harbourline", email, role, actor="t", now=NOW)
        with pytest.raises(members.MemberError, match="no workspace has the key 'nowhere'"):
            async with engine.begin() as conn:
                await members.add_member(conn, "nowhere", "a@b.example", "SETTER", actor="t", now=NOW)
        assert await versions(engine) == before
