"""The code location: explicit lists of what runs, nothing else. Loading it connects to nothing."""

import dagster as dg

from zrg_dagster.assets import ai, attention, booking, deliveries, posture, step_execution, workflow_attribution
from zrg_dagster.jobs import (
    availability,
    conversation_sync,
    decisions,
    digest,
    enrichment,
    followups,
    inbound,
    integrations,
    maintenance,
    replay,
    replies,
    sends,
)
from zrg_dagster.jobs import workspaces as workspace_jobs
from zrg_dagster.resources.channels import Channels
from zrg_dagster.resources.clock import Clock
from zrg_dagster.resources.database import Database
from zrg_dagster.resources.model import Model
from zrg_dagster.sensors import absence, facts, intake, lanes, workspaces
from zrg_dagster.sensors import attention as attention_sensor

defs = dg.Definitions(
    assets=[
        booking.booking,
        step_execution.step_execution,
        workflow_attribution.workflow_attribution,
        ai.ai_calls,
        ai.ai_funnel,
        posture.posture,
        deliveries.deliveries,
        attention.attention,
    ],
    asset_checks=[
        booking.booking_checks,
        step_execution.step_execution_checks,
        workflow_attribution.workflow_attribution_checks,
        ai.ai_checks,
        attention.models_answer,
        deliveries.nothing_is_missing,
        deliveries.no_source_is_silent,
    ],
    jobs=[
        inbound.process_inbound,
        replies.process_replies,
        sends.process_sends,
        followups.send_due_followups,
        availability.refresh_availability,
        digest.send_daily_digest,
        maintenance.daily_maintenance,
        replay.webhook_replay,
        decisions.decide_drafts,
        decisions.autosend_switch,
        decisions.settle_sends,
        decisions.redo_jobs,
        decisions.explain_job,
        integrations.check_integrations,
        enrichment.expire_enrichments,
        conversation_sync.conversation_sync,
        workspace_jobs.workspace_bootstrap,
        booking.refresh_booking_facts,
        step_execution.refresh_step_execution_facts,
        workflow_attribution.refresh_workflow_attribution,
        ai.refresh_ai_marts,
        posture.check_posture,
    ],
    schedules=[
        followups.send_due_followups_every_minute,
        availability.refresh_availability_every_minute,
        digest.send_daily_digest_every_quarter_hour,
        maintenance.daily_maintenance_at_night,
        integrations.check_integrations_daily,
        enrichment.expire_enrichments_every_quarter_hour,
        workflow_attribution.refresh_marts_hourly,
        ai.refresh_ai_marts_hourly,
        posture.check_posture_daily,
    ],
    sensors=[
        lanes.process_inbound_when_due,
        lanes.process_replies_when_due,
        lanes.process_sends_when_due,
        facts.facts_dirty_sensor,
        workspaces.workspace_partitions_sensor,
        absence.absence_alarm,
        intake.deliveries_observed,
        attention_sensor.attention_observed,
    ],
    resources={
        "database": Database(role="worker"),
        "warehouse": Database(role="build"),
        "clock": Clock(),
        "model": Model(),
        "channels": Channels(),
    },
    # One process a run: parallelism is asyncio inside the op, and a second process would cost seconds to start.
    executor=dg.in_process_executor,
)
