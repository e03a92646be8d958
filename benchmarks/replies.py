"""`make bench BENCH=replies`: how near one process comes to what the model's own time allows.

Mails on a campaign that answers by itself go the full way (understand, read the signature, plan, write, check, evaluate,
decide) against the imitated model, which takes two seconds a call. Ideal is the number of replies in work at once ÷ the
model's time that a reply needs one call after the other, taken from the rows of the calls. CPU and statements are the
drain's own process; `gauge_ms` is what a fixed piece of Python cost beside it (`benchmarks.common.Gauge`). Every reply
must have ended with a draft and a decision, or nothing is printed.
"""

import argparse
import asyncio
import json
import os
import subprocess
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import psycopg

from benchmarks.common import median, note, report
from benchmarks.database import ROOT, checkpoint, child_env, clone, cluster, prepare_process, python
from tests.conftest import Cluster, Database
from tests.integration.seeds import add_campaign, add_lead, add_message, add_workspace
from tests.unit.sandbox_tools import server
from zrg_dagster.core.base.clock import utc_now
from zrg_dagster.core.db.engine import make_engine
from zrg_dagster.core.db.jobs import NewJob, enqueue
from zrg_dagster.core.db.lanes import Lane

NAME = "replies"
CONCURRENCY = 32
# Eight times what is in work at once: the last ones, which nobody fills up, are then an eighth.
REPLIES = 8 * CONCURRENCY
LATENCY_S = 2.0
TEXT = """Hi Noor,

this sounds interesting, could you tell me more about how it works with older looms? We run forty of them.

Best,
Mara {number}

Mara Okafor | Head of Operations | Brightloom Textiles
+1 (415) 555-0132 | https://brightloom.example | https://cal.example/mara
"""


@dataclass(frozen=True, slots=True)
class Round:
    replies_s: float
    ideal_s: float
    calls_per_reply: float
    cpu_ms: float
    statements: float
    gauge_ms: float

    @property
    def ratio(self) -> float:
        return self.replies_s / self.ideal_s


async def _fill(database: Database, number: int) -> None:
    """`number` replies of as many leads in four workspaces, each with its job, as intake leaves them."""
    engine, now = make_engine(database.dsn("worker")), utc_now()
    jobs = []
    async with engine.begin() as conn:
        places = []
        for index in range(4):
            workspace = await add_workspace(conn, f"bench-{index}", service_description="We mend looms overnight.")
            places.append((workspace, await add_campaign(conn, workspace)))
        for index in range(number):
            workspace, campaign = places[index % len(places)]
            email = f"lead{index}@mills.example"
            lead = await add_lead(conn, workspace, email=email, email_campaign_id=campaign, first_name="Mara")
            said = {"from_email": email, "to_email": "noor@try-harbourline.example", "subject": "Re: looms"}
            body, at = TEXT.format(number=index), now - timedelta(minutes=1)
            message = await add_message(conn, workspace, lead, body=body, raw_text=body, sent_at=at, **said)
            jobs.append(
                NewJob(
                    workspace_id=workspace,
                    lane=Lane.REPLIES,
                    kind="reply",
                    job_key=f"reply:{message}",
                    serial_key=f"lead:{lead}",
                    correlation_id=f"bench:{index}",
                    run_at=at,
                    lead_id=lead,
                    message_id=message,
                )
            )
        await enqueue(conn, jobs)
    await engine.dispose()


def _drain(database: Database, model_url: str) -> dict[str, Any]:
    environment = child_env(
        ZRG_DB_WORKER_URL=database.dsn("worker"),
        OPENAI_BASE_URL=f"{model_url}/openai/v1",
        OPENAI_API_KEY="sk-sandbox",
        ZRG_JOB_CONCURRENCY=str(CONCURRENCY),
    )
    done = subprocess.run(
        python("benchmarks.replier"), env=environment, cwd=ROOT, capture_output=True, text=True, timeout=1800
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


# Calls that run at the same time count once: a reply waits for the longest of them. A row is written at its call's end.
_CALLS = """
    SELECT count(*) AS calls,
           (SELECT sum(extract(epoch FROM upper(r.spent) - lower(r.spent)))
            FROM (SELECT unnest(range_agg(tstzrange(called_at - latency_ms * interval '1 ms', called_at))) AS spent
                  FROM app.ai_call GROUP BY message_id) r) AS model_s,
           count(*) FILTER (WHERE outcome <> 'ok') AS failed, count(DISTINCT message_id) AS replies FROM app.ai_call"""
_ENDS = """
    SELECT count(*) FILTER (WHERE j.state = 'done') AS done, count(d.id) AS drafts,
           count(*) FILTER (WHERE d.action IS NOT NULL) AS decided
    FROM app.job j LEFT JOIN app.draft d ON d.trigger_message_id = j.message_id WHERE j.kind = 'reply'"""


def measure(running: Cluster, number: int, replies: int, model_url: str) -> Round:
    with clone(running, f"bench_replies_{number}", running.template) as database:
        asyncio.run(_fill(database, replies))
        checkpoint(running.admin_dsn())
        said = _drain(database, model_url)
        with psycopg.connect(database.dsn("bootstrap")) as connection:
            calls, model_s, failed, answered = connection.execute(_CALLS).fetchone() or (0, 0, 0, 0)
            ends = connection.execute(_ENDS).fetchone()
    assert ends == (replies, replies, replies), f"not every reply was drafted and decided: {ends}, {said}"
    assert (failed, answered) == (0, replies), f"{failed} calls failed, {answered} replies asked the model"
    made = Round(
        replies_s=replies / said["seconds"],
        ideal_s=said["concurrency"] / (float(model_s) / replies),
        calls_per_reply=calls / replies,
        cpu_ms=said["cpu_s"] * 1000 / replies,
        statements=said["statements"] / replies,
        gauge_ms=said["gauge_ms"],
    )
    note(NAME, f"round {number}: {made}, {said['outcomes']}")
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--replies", type=int, default=REPLIES)
    options = parser.parse_args()
    prepare_process()
    note(
        NAME,
        f"{options.replies} replies a round, {CONCURRENCY} at once, {LATENCY_S} s a call, {os.cpu_count()} CPUs for all",
    )
    with cluster() as running, server() as model_url:
        body = {"provider": "openai", "seconds": LATENCY_S}
        assert httpx.post(f"{model_url}/_control/latency", json=body, timeout=10).status_code == 200
        rounds = [measure(running, number, options.replies, model_url) for number in range(options.rounds)]
    report(
        NAME,
        replies_s=median([each.replies_s for each in rounds]),
        ideal_s=median([each.ideal_s for each in rounds]),
        ratio=median([each.ratio for each in rounds]),
        calls_per_reply=median([each.calls_per_reply for each in rounds]),
        cpu_ms=median([each.cpu_ms for each in rounds]),
        statements=median([each.statements for each in rounds]),
        gauge_ms=median([each.gauge_ms for each in rounds]),
    )


if __name__ == "__main__":
    main()
