"""What the jobs over "what is due now" share: one run at a time, a written reason for every tick without one, and the
table of reasons on the run's page."""

from collections import Counter
from datetime import datetime, timedelta

import dagster as dg

# A run in one of these works or will, and run monitoring ends it when its process dies.
UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
# A run is made first and queued next. When the database goes away in between it stays NOT_STARTED for ever, and nobody
# ends it: it counts only while it could still be queued.
QUEUING_TIME = timedelta(seconds=60)


def unfinished_runs(
    instance: dg.DagsterInstance, job_name: str, now: datetime, *, limit: int = 1
) -> list[dg.DagsterRun]:
    """Up to `limit` runs of a job that work or will: another one would find the same rows claimed."""
    found: list[dg.DagsterRun] = []
    for filters in (
        dg.RunsFilter(job_name=job_name, statuses=UNFINISHED),
        dg.RunsFilter(job_name=job_name, statuses=[dg.DagsterRunStatus.NOT_STARTED], created_after=now - QUEUING_TIME),
    ):
        if len(found) < limit:
            found += instance.get_runs(filters, limit=limit - len(found))
    return found


def request_or_skip(
    context: dg.ScheduleEvaluationContext, job_name: str, now: datetime, *, due: str | None, otherwise: str
) -> dg.RunRequest | dg.SkipReason:
    """A run when `due` says what is waiting and no run of the job is unfinished; else the reason why none starts.

    Claims make two runs harmless; the check saves the second one. It comes last, because it costs a query that an idle
    platform never makes.
    """
    if due is None:
        return dg.SkipReason(otherwise)
    unfinished = unfinished_runs(context.instance, job_name, now)
    if unfinished:
        return dg.SkipReason(f"Run {unfinished[0].run_id[:8]} of {job_name} is not finished yet; {due}.")
    return dg.RunRequest(tags={"zrg/trigger": "schedule"})


def reason_table(codes: Counter[str], noun: str) -> dict[str, dg.MetadataValue]:
    """The metadata entry `by_reason`: how often each code applied, most frequent first; nothing when there is none."""
    # str(): the codes are StrEnum members, which table records refuse.
    records = [dg.TableRecord({"reason": str(code), noun: number}) for code, number in codes.most_common()]
    return {"by_reason": dg.MetadataValue.table(records)} if records else {}
