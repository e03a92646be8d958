"""facts/step_execution: every follow-up step that ran, on the day it ran, with what came of it.

It replaces the sequence run's mutable "last step at", which forgets every step but the last, also stamps steps that
were skipped, and so credits the wrong one. A step that is only planned has no row yet.
"""

from zrg_dagster.core.analytics.facts import Column, Fact

# Credits depend on a step only when its lead has a booking after it. Flagging each step would build every workspace's
# mart all day long; a booking that comes later flags the mart by itself.
_FEEDS = """EXISTS (SELECT FROM facts.booking b
                    WHERE b.workspace_id = c.workspace_id AND b.lead_id = c.lead_id AND b.booked_at > c.executed_at)"""

_MERGE = f"""
    WITH keys AS (
        SELECT instance_id, step_id, attempt FROM app.follow_up_step_execution
        WHERE outcome <> 'planned' AND executed_at >= %(from_utc)s AND executed_at < %(to_utc)s
        UNION
        SELECT instance_id, step_id, attempt FROM facts.step_execution
        WHERE executed_at >= %(from_utc)s AND executed_at < %(to_utc)s
    ), source AS (
        SELECT x.workspace_id, x.instance_id, x.step_id, x.attempt, i.sequence_id, x.lead_id, x.channel, x.outcome,
               (x.executed_at AT TIME ZONE 'UTC')::date AS utc_day, x.executed_at, i.started_at AS instance_started_at
        FROM keys k
        JOIN app.follow_up_step_execution x USING (instance_id, step_id, attempt)
        JOIN app.follow_up_instance i ON i.id = x.instance_id
        WHERE x.outcome <> 'planned'
    ), gone AS (
        DELETE FROM facts.step_execution f USING keys k
        WHERE (f.instance_id, f.step_id, f.attempt) = (k.instance_id, k.step_id, k.attempt)
          AND NOT EXISTS (SELECT FROM source s
                          WHERE (s.instance_id, s.step_id, s.attempt) = (k.instance_id, k.step_id, k.attempt))
        RETURNING f.workspace_id, f.lead_id, f.executed_at, f.utc_day
    ), put AS (
        INSERT INTO facts.step_execution AS f (workspace_id, instance_id, step_id, attempt, utc_day, sequence_id,
            lead_id, channel, outcome, executed_at, instance_started_at)
        SELECT workspace_id, instance_id, step_id, attempt, utc_day, sequence_id, lead_id, channel, outcome,
               executed_at, instance_started_at
        FROM source
        ON CONFLICT (instance_id, step_id, attempt) DO UPDATE SET
            lead_id = excluded.lead_id,
            utc_day = excluded.utc_day,
            outcome = excluded.outcome,
            executed_at = excluded.executed_at,
            -- A lead that enters a sequence again restarts the same run; the first start settles ties for good.
            instance_started_at = least(f.instance_started_at, excluded.instance_started_at)
        WHERE (f.lead_id, f.utc_day, f.outcome, f.executed_at)
              IS DISTINCT FROM (excluded.lead_id, excluded.utc_day, excluded.outcome, excluded.executed_at)
           OR excluded.instance_started_at < f.instance_started_at
        RETURNING f.workspace_id, f.lead_id, f.executed_at, f.utc_day, f.xmax = 0 AS is_new
    ), changed AS (
        SELECT workspace_id, lead_id, executed_at, utc_day,
               CASE WHEN is_new THEN 'inserted' ELSE 'updated' END AS change FROM put
        UNION ALL
        SELECT workspace_id, lead_id, executed_at, utc_day, 'deleted' FROM gone
    )
    SELECT c.workspace_id, c.utc_day, c.change,
           -- A changed row may have been credited at its old time, which is no longer known here.
           (c.change = 'updated' OR {_FEEDS}) AS feeds_attribution
    FROM changed c"""

_SOURCE_COUNT = """
    SELECT count(*) AS n FROM app.follow_up_step_execution
    WHERE outcome <> 'planned' AND (%(from_utc)s::timestamptz IS NULL OR executed_at >= %(from_utc)s)
      AND (%(to_utc)s::timestamptz IS NULL OR executed_at < %(to_utc)s)"""

STEP_EXECUTION = Fact(
    name="step_execution",
    table="facts.step_execution",
    event_column="executed_at",
    key=("instance_id", "step_id", "attempt"),
    required=("workspace_id", "lead_id", "executed_at"),
    preview=("channel", "outcome", "executed_at", "attempt", "sequence_id", "step_id"),
    columns=(
        Column("workspace_id", "uuid", "The tenant."),
        Column("instance_id", "uuid", "The lead's run through the sequence."),
        Column("step_id", "uuid", "The step of the sequence."),
        Column("attempt", "smallint", "1 for the first try; unique with instance and step."),
        Column("utc_day", "date", "The daily partition: the UTC day of executed_at."),
        Column("sequence_id", "uuid", "The follow-up sequence."),
        Column("lead_id", "uuid", "The person who was followed up."),
        Column("channel", "text", "email, sms or linkedin."),
        Column("outcome", "text", "sent, task_created, skipped or failed. Only the first two earn credit."),
        Column("executed_at", "timestamptz", "When the step ran."),
        Column("instance_started_at", "timestamptz", "When the lead entered the sequence; settles ties."),
    ),
    merge_sql=_MERGE,
    source_count_sql=_SOURCE_COUNT,
)
