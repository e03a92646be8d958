"""What the jobs over "what is due now" share: one run at a time, a written reason for every tick without one, and the
table of reasons on the run's page."""

from collections import Counter

import dagster as dg

# A job in one of these is working, or will; another run would find the same rows claimed. Includes the queue.
UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def request_or_skip(
    context: dg.ScheduleEvaluationContext, job_name: str, *, due: str | None, otherwise: str
) -> dg.RunRequest | dg.SkipReason:
    """A run when `due` says what is waiting and no run of the job is unfinished; else the reason why none starts.

    Claims make two runs harmless; the check saves the second one. It comes last, because it costs a query that an idle
    platform never makes.
    """
    if due is None:
        return dg.SkipReason(otherwise)
    unfinished = context.instance.get_runs(dg.RunsFilter(job_name=job_name, statuses=UNFINISHED), limit=1)
    if unfinished:
        return dg.SkipReason(f"Run {unfinished[0].run_id[:8]} of {job_name} is not finished yet; {due}.")
    return dg.RunRequest(tags={"zrg/trigger": "schedule"})


def reason_table(codes: Counter[str], noun: str) -> dict[str, dg.MetadataValue]:
    """The metadata entry `by_reason`: how often each code applied, most frequent first; nothing when there is none."""
    # str(): the codes are StrEnum members, which table records refuse.
    records = [dg.TableRecord({"reason": str(code), noun: number}) for code, number in codes.most_common()]
    return {"by_reason": dg.MetadataValue.table(records)} if records else {}
