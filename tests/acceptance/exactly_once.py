"""What must hold whatever died meanwhile: nothing acknowledged is lost, nothing is done twice."""

import json
from collections import Counter
from typing import Any

import psycopg

from tests import secret_watch
from tests.acceptance.platform import Platform
from tests.acceptance.postman import Postman
from zrg_dagster.local.demo.checks import Checks, Ledger

_EVENTS = """
    SELECT b.body, e.state, e.reason FROM raw.webhook_event e
    LEFT JOIN raw.webhook_body b ON b.event_id = e.id AND b.received_at = e.received_at"""
_MESSAGES = """
    SELECT l.external, l.said, l.told FROM (
        SELECT i.value AS external, count(*) FILTER (WHERE m.direction = 'inbound') AS said,
               count(*) FILTER (WHERE m.source = 'campaign') AS told
        FROM app.lead_identity i LEFT JOIN app.message m ON m.lead_id = i.lead_id
        WHERE i.kind = 'email' GROUP BY i.value) l"""
# Counters are added to, not set: applying a delivery twice would show here even where a unique key hides it.
_COUNTERS = """
    SELECT sum(c.sent_count)::int, sum(c.reply_count)::int,
           (SELECT count(*) FROM app.message WHERE source = 'campaign')::int,
           (SELECT count(*) FROM app.message m WHERE m.direction = 'inbound' AND m.provider = 'emailbison')::int
    FROM app.email_campaign c"""


_DAGSTER_TABLES = ("runs", "run_tags", "event_logs", "job_ticks", "instigators")


def check(platform: Platform, postman: Postman) -> None:
    """Compare everything posted so far with the database and with what the vendors received. All work must be done."""
    checks, ledger = Checks(), platform.ledger
    _deliveries(checks, ledger, postman)
    _conversations(checks, ledger, postman)
    _jobs(checks, ledger)
    _sends(checks, ledger, platform)
    _secrets(checks, platform)
    _none_failed(checks)


def check_intake(ledger: Ledger, postman: Postman) -> None:
    """Compare everything posted so far with what the inbound drain made of it; no other lane has worked."""
    checks = Checks()
    _deliveries(checks, ledger, postman)
    _conversations(checks, ledger, postman)
    inbound = ledger.one("SELECT count(*) FROM app.message WHERE direction = 'inbound'")
    queued = (
        "SELECT count(*)::int, count(DISTINCT message_id)::int FROM app.job WHERE kind = 'reply' AND state = 'pending'"
    )
    checks.equal("reply jobs, one for each message", (inbound, inbound), ledger.all(queued)[0])
    _none_failed(checks)


def _none_failed(checks: Checks) -> None:
    failed = [f"{each.name}: expected {each.expected}, seen {each.seen}" for each in checks.failed]
    assert not failed, "\n".join(failed)


def _deliveries(checks: Checks, ledger: Ledger, postman: Postman) -> None:
    checks.equal("deliveries refused by the door", [], postman.refusals)
    stored = ledger.all(_EVENTS)
    copies = Counter(bytes(body) for body, _, _ in stored if body is not None)
    lost = [body for body in postman.acknowledged if body not in copies]
    checks.equal("acknowledged deliveries lost", 0, len(lost))
    checks.equal("deliveries stored twice", 0, sum(number - 1 for number in copies.values()))
    ends = Counter(f"{state} {reason or ''}".strip() for _, state, reason in stored)
    checks.equal("how deliveries ended", {"processed": len(postman.acknowledged)}, dict(ends))
    counted = ledger.one("SELECT sum(stored)::int FROM ops.intake_count")
    checks.equal("deliveries counted at the door", len(stored), counted)


def _conversations(checks: Checks, ledger: Ledger, postman: Postman) -> None:
    bodies = [json.loads(body) for body in postman.acknowledged]
    sent = Counter(_address(body) for body in bodies if _kind(body) == "EMAIL_SENT")
    answers = Counter(_address(body) for body in bodies if _kind(body) != "EMAIL_SENT")
    seen = {address: (said, told) for address, said, told in ledger.all(_MESSAGES)}
    expected = {address: (answers[address], sent[address]) for address in sent | answers}
    wrong = {address: seen.get(address) for address in expected if seen.get(address) != expected[address]}
    checks.equal("leads whose messages differ (inbound, campaign)", {}, wrong)
    checks.equal("leads", len(expected), ledger.one("SELECT count(*) FROM app.lead"))
    counted_sent, counted_replies, campaign, inbound = ledger.all(_COUNTERS)[0]
    checks.equal("campaign counters (sent, replies)", (campaign, inbound), (counted_sent, counted_replies))
    checks.equal(
        "touches of campaign mails", campaign, ledger.one("SELECT count(*) FROM app.touch WHERE kind = 'campaign'")
    )


def _kind(body: dict[str, Any]) -> str:
    return body["event"]["type"] if "event" in body else "SMS"


def _address(body: dict[str, Any]) -> str:
    return body["data"]["lead"]["email"] if "data" in body else body["email"]


def _jobs(checks: Checks, ledger: Ledger) -> None:
    inbound = ledger.one("SELECT count(*) FROM app.message WHERE direction = 'inbound'")
    jobs = ledger.counts("SELECT state, count(*) FROM app.job WHERE kind = 'reply' GROUP BY 1")
    checks.equal("reply jobs done", inbound, jobs.get("done", 0) + jobs.get("skipped", 0))
    checks.equal("reply jobs that ended otherwise", {}, {k: n for k, n in jobs.items() if k not in ("done", "skipped")})
    finished = ledger.one("SELECT count(*) FROM app.job_attempt WHERE outcome IN ('done', 'skipped')")
    ended = ledger.one("SELECT count(*) FROM app.job WHERE state IN ('done', 'skipped')")
    checks.equal("jobs finished once", ended, finished)
    doubled = "SELECT count(*) FROM (SELECT FROM app.draft GROUP BY trigger_message_id HAVING count(*) > 1) d"
    checks.equal("messages with two drafts", 0, ledger.one(doubled))


def _sends(checks: Checks, ledger: Ledger, platform: Platform) -> None:
    """Each ledger row caused at most one call, exactly one when it says so, and no call is without its row."""
    rows = ledger.all("SELECT vendor, state, reason, content, natural_key FROM app.send")
    calls = _vendor_calls(platform)
    checks.equal("vendor calls made twice", {}, {intent: n for intent, n in calls.items() if n > 1})
    intents = {_intent(vendor, content, key): (state, reason) for vendor, state, reason, content, key in rows}
    checks.equal("vendor calls without a ledger row", set(), set(calls) - set(intents))
    for intent, (state, reason) in intents.items():
        if state == "sent":
            checks.equal(f"calls for {intent}, which is sent", 1, calls[intent])
        elif state == "needs_human":
            # Its worker died between the claim and the call; the vendor was asked and knows nothing of it.
            checks.equal(f"calls for {intent}, {state}", ("outcome_unknown", 0), (reason, calls[intent]))
        else:
            checks.equal(f"state of {intent} ({reason})", "blocked", state)
    touches = ledger.one("SELECT count(*) FROM app.touch WHERE send_id IS NOT NULL")
    to_leads = ledger.one(
        "SELECT count(*) FROM app.send WHERE state = 'sent' AND lead_id IS NOT NULL AND channel <> 'slack'"
    )
    messages = ledger.one("SELECT count(*) FROM app.message WHERE source = 'zrg'")
    checks.equal("touches and messages of our sends", (to_leads, to_leads), (touches, messages))


def _secrets(checks: Checks, platform: Platform) -> None:
    """No log line of a process, and nothing that Dagster keeps of a run, holds a secret."""
    checks.equal("secrets in the logs", [], secret_watch.found_in("\n".join(platform.all_lines())))
    with psycopg.connect(platform.stack.dsn("dagster")) as connection:
        for table in _DAGSTER_TABLES:
            rows = connection.execute(f"SELECT t::text FROM {table} t".encode()).fetchall()
            said = "\n".join(text for (text,) in rows)
            checks.equal(f"secrets in Dagster's {table}", [], secret_watch.found_in(said))


def _intent(vendor: str, content: dict[str, Any], natural_key: str) -> str:
    match vendor:
        case "emailbison":
            return f"mail to thread {content['reply_id']}"
        case "ghl":
            return f"SMS to {content['contact_id']}"
        case _:
            return f"Slack {natural_key}"


def _vendor_calls(platform: Platform) -> Counter[str]:
    # A call is recorded with its answer, and a slow vendor may still be answering a worker that died.
    platform.until(lambda: not platform.control("GET", "health")["unfinished"], "the vendors have answered everything")
    calls: Counter[str] = Counter()
    for call in platform.calls("emailbison"):
        if call["path"].endswith("/reply"):
            calls[f"mail to thread {call['path'].split('/')[-2]}"] += 1
    for call in platform.calls("ghl"):
        if call["path"].endswith("/conversations/messages"):
            calls[f"SMS to {call['body']['contactId']}"] += 1
    for call in platform.calls("slack"):
        if call["path"].endswith("/chat.postMessage"):
            calls[f"Slack {_natural_key(call['body'])}"] += 1
    return calls


def _natural_key(body: dict[str, Any]) -> str:
    return next(iter(body["metadata"]["event_payload"].values()))
