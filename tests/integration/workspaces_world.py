"""A workspace file with every section, the secrets it names, and ways to apply it and to see what was written."""

import http.server
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.integration.seeds import NOW
from zrg_dagster.core.followups.declared import activation_problems
from zrg_dagster.core.workspaces.apply import Plan, apply_file, make_plan
from zrg_dagster.core.workspaces.declare import parse
from zrg_dagster.core.workspaces.references import resolve_all
from zrg_dagster.core.workspaces.sealing import Keys

FILE = """\
workspace:
  key: harbourline
  name: Harbourline Analytics
  timezone: America/New_York
  owner: Owner@Harbourline.example
settings:
  company_name: Harbourline
  booking_link: https://calendly.com/harbourline/intro
  digest_local_time: 08:30
  slack_recipients: [setter@harbourline.example]
members:
  - {email: owner@harbourline.example, name: Workspace owner, role: ADMIN}
  - {email: setter@harbourline.example, name: First setter, role: SETTER, slack_user: U05REVIEWER}
  - {email: portal@mills.example, role: CLIENT_PORTAL}
integrations:
  emailbison:
    base_url: http://127.0.0.1:9/emailbison
    external_id: 41
    api_key: env:EB_KEY
    webhook_secret: env:EB_HOOK
    allowed_hosts: [send.harbourline.example]
  ghl: {location_id: vQ7mZ2xKc9TfLp4RdWnA, token: env:GHL_TOKEN, webhook_secret: env:GHL_HOOK}
  calendly: {token: env:CAL_TOKEN, signing_key: env:CAL_KEY}
  slack: {bot_token: env:SLACK_TOKEN}
  resend: {api_key: env:RESEND_KEY, from_email: notices@harbourline.example}
personas:
  - {name: Chris, is_default: true, persona_name: Chris Doe, tone: brief, signature: Chris}
  - {name: Aaron, persona_name: Aaron Roe, goals: book a call}
knowledge:
  - {title: Pilot, text: A pilot takes two weeks and costs nothing.}
  - {title: Looms, text: Works with every loom since 1990.}
qualification_questions:
  - {question: "How many looms do you run?", required: true}
  - {question: "Which shifts do you run?"}
campaigns:
  - {external_id: 318, name: Answered, response_mode: AI_AUTO_SEND, auto_send_threshold: 0.6, persona: aaron}
  - {external_id: 319, name: By setters}
sms_campaigns: [Mills spring]
ghl_campaigns:
  - {external_id: cmp_1, name: Reactivation}
calendars:
  - {provider: ghl, external_id: Cal7Zx2QwLr9TkVn4MbPd, name: Intro call}
sequences:
  - name: Meeting Requested
    trigger_on: setter_reply
    persona: Chris
    steps:
      - {order: 1, channel: email, subject: Next step, message: "Hi {firstName}, shall we talk?"}
      - {order: 2, day_offset: 3, channel: sms, message: "Still of interest, {firstName}?"}
"""
SECRETS = {
    "EB_KEY": "planted-eb-key-77aa",
    "EB_HOOK": "planted-eb-hook-77bb",
    "GHL_TOKEN": "planted-ghl-token-77cc",
    "GHL_HOOK": "planted-ghl-hook-77dd",
    "CAL_TOKEN": "planted-cal-token-77ee",
    "CAL_KEY": "planted-cal-key-77ff",
    "SLACK_TOKEN": "xoxb-planted-slack-77gg",
    "RESEND_KEY": "planted-resend-77hh",
}

_TABLES = text("""
    SELECT n.nspname || '.' || quote_ident(c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('app', 'secret', 'raw', 'ops') AND c.relkind = 'r' AND NOT c.relispartition
    ORDER BY 1""")


async def apply(
    engine: AsyncEngine,
    keys: Keys,
    source: str = FILE,
    *,
    environment: Mapping[str, str] = SECRETS,
    actor: str = "operator@zrg.example",
    now: datetime = NOW,
) -> Plan:
    """Apply a file's text in one transaction."""
    file = parse(source, "w.yaml")
    secrets = resolve_all(file, base=Path(), environment=environment)
    async with engine.begin() as conn:
        return await apply_file(conn, file, secrets, keys, actor=actor, now=now, check=activation_problems)


async def plan(engine: AsyncEngine, keys: Keys, source: str = FILE) -> Plan:
    """What applying a file's text would change."""
    file = parse(source, "w.yaml")
    async with engine.connect() as conn:
        return await make_plan(conn, file, resolve_all(file, base=Path(), environment=SECRETS), keys)


async def versions(engine: AsyncEngine) -> set[tuple[str, str, str, str]]:
    """(table, place, writing transaction, locking transaction) of every row: equal sets mean that nothing was written,
    not even a row lock."""
    async with engine.connect() as conn:
        tables = (await conn.execute(_TABLES)).scalars().all()
        parts = [
            f"SELECT '{table.replace(chr(34), '')}', ctid::text, xmin::text, xmax::text FROM {table}"
            for table in tables
        ]
        return {tuple(row) for row in await conn.execute(text(" UNION ALL ".join(parts)))}


async def rows(engine: AsyncEngine, statement: str, **parameters: Any) -> list[Any]:
    async with engine.connect() as conn:
        return list(await conn.execute(text(statement), parameters))


async def recipients(engine: AsyncEngine) -> list[str]:
    """Addresses of those who get the review cards."""
    found = await rows(engine, "SELECT u.email FROM app.slack_recipient r JOIN app.user u ON u.id = r.user_id")
    return sorted(row.email for row in found)


@contextmanager
def slack_api(answer: dict[str, Any]) -> Iterator[str]:
    """A Slack that answers every call with `answer`, on a free port; yields its base address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the test's output is scanned for secrets."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/api"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
