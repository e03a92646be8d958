"""Every setting of a workspace: what it may be, where it comes from, and the code that reads it.

Settings were once saved, shown and read by nobody (inbound reference §8.4). A column of `app.workspace_setting` that is
missing here, or whose reader does not mention it, fails a test.
"""

from dataclasses import dataclass
from importlib import import_module
from inspect import getsource, isroutine

from sqlalchemy import TextClause

# Columns that say nothing about how the workspace behaves.
UNSET = frozenset({"workspace_id", "updated_at"})


@dataclass(frozen=True, slots=True)
class Setting:
    """`kind` is the column's type, `default` its SQL default (None: NULL). `reader` is the dotted path of a function, or
    of the statement that fetches the column."""

    column: str
    kind: str
    default: str | None
    clamp: str
    source: str
    reader: str


_DRAFT = "zrg_dagster.core.drafting.context._MESSAGE"
_TEMPLATE = "zrg_dagster.core.followups.values.template_values"
_SWITCHES = "zrg_dagster.core.replies.stages._LOCKED_LEAD"
_HOURS = "zrg_dagster.core.sending.hours.RULE_COLUMNS"
_ROTATION = "zrg_dagster.core.leads.assignment._ROTATION"
_AI = "zrg_dagster.core.ai.workspace._LOAD"
_EFFORTS = "low, medium, high, xhigh; coerced to what the model takes"
_PERSONA = "seed 004; mirror of the default persona"

SETTINGS = (
    Setting("company_name", "text", "''", "any text", "seed 003 §3; {companyName}", _TEMPLATE),
    Setting("sender_name", "text", "''", "any text", _PERSONA, _DRAFT),
    Setting("signature", "text", "''", "any text", _PERSONA, _DRAFT),
    Setting("service_description", "text", "''", "any text", _PERSONA, _DRAFT),
    Setting("tone", "text", "'friendly'", "any text", _PERSONA, _DRAFT),
    Setting("greeting", "text", "''", "any text", _PERSONA, _DRAFT),
    Setting("sms_greeting", "text", "''", "any text", _PERSONA, _DRAFT),
    Setting("goals", "text", "''", "any text", _PERSONA, _DRAFT),
    Setting("ideal_customer_profile", "text", "''", "any text", _PERSONA, _DRAFT),
    Setting("booking_link", "text", None, "http(s) address", "seed 003 §3; {calendarLink}", _TEMPLATE),
    Setting(
        "follow_ups_paused_until",
        "timestamp with time zone",
        None,
        "an instant with its offset",
        "seed 003 §11; FU-33",
        "zrg_dagster.core.followups.due._DUE_FROM",
    ),
    Setting(
        "digest_local_time",
        "time without time zone",
        "'08:00:00'",
        "a time of day",
        "seed 003 §13",
        "zrg_dagster.core.notifications.digest._WORKSPACES",
    ),
    Setting(
        "crm_webhook_events",
        "text[]",
        "'{}'",
        "lead_created, crm_row_updated",
        "CO-01",
        "zrg_dagster.core.notifications.crm._WANTED",
    ),
    Setting("flag_uncertain_replies", "boolean", "true", "yes or no", "design §9", _SWITCHES),
    Setting("pause_for_ooo", "boolean", "true", "yes or no", "design §9; SN-03", _SWITCHES),
    Setting("auto_follow_ups_on_reply", "boolean", "false", "yes or no", "SE-21", _SWITCHES),
    Setting("round_robin_enabled", "boolean", "false", "yes or no", "seed 003 §19; AS-A1", _ROTATION),
    Setting("round_robin_email_only", "boolean", "false", "yes or no", "seed 003 §19; AS-A1", _ROTATION),
    Setting("draft_verification_enabled", "boolean", "true", "yes or no", "DR-21", _DRAFT),
    Setting("meeting_overseer_enabled", "boolean", "true", "yes or no", "OV-04", _DRAFT),
    Setting("ai_route_booking_process_enabled", "boolean", "true", "yes or no", "SI-01, BK-63", _DRAFT),
    Setting("auto_send_revision_enabled", "boolean", "false", "yes or no", "RV-01", _DRAFT),
    Setting("auto_send_revision_max_iterations", "integer", "3", "1 to 3", "seed 002 §4; RV-02", _DRAFT),
    Setting(
        "review_escalation_minutes",
        "integer",
        "60",
        "working minutes, 0 for never",
        "domain-inbound-ai §9 (38)",
        "zrg_dagster.core.replies.escalation.PATIENCE_COLUMNS",
    ),
    Setting("lead_context_bundle_enabled", "boolean", "false", "yes or no", "LC-02", _DRAFT),
    Setting(
        "linkedin_daily_cap",
        "integer",
        "80",
        "1 to 500 automatic messages of one account in a UTC day",
        "providers §8.4; RC-05",
        "zrg_dagster.core.sending.budget._DUE",
    ),
    Setting("auto_send_schedule_mode", "text", "'ALWAYS'", "ALWAYS, BUSINESS_HOURS, CUSTOM", "SC-01, SC-07", _HOURS),
    Setting("work_start_time", "time without time zone", "'09:00:00'", "a time of day", "SC-02", _HOURS),
    Setting("work_end_time", "time without time zone", "'17:00:00'", "another time of day", "SC-02", _HOURS),
    Setting("auto_send_custom_schedule", "jsonb", None, "days, start, end, timezone", "SC-03", _HOURS),
    Setting("auto_send_holidays", "jsonb", None, "preset, excluded, extra, ranges", "SC-05", _HOURS),
    Setting("draft_generation_model", "text", None, "gpt-5.1, gpt-5.2; else coerced", "domain rules 4.9", _AI),
    Setting("draft_generation_reasoning_effort", "text", None, _EFFORTS, "domain rules 4.9", _AI),
    Setting("draft_verification_model", "text", None, "gpt-5.2, gpt-5.1, gpt-5-mini; else coerced", "E104", _AI),
    Setting("draft_verification_reasoning_effort", "text", None, _EFFORTS, "E103", _AI),
    Setting("auto_send_evaluator_model", "text", None, "gpt-5-mini, gpt-5.1, gpt-5.2; else coerced", "EV-05", _AI),
    Setting("auto_send_evaluator_reasoning_effort", "text", None, _EFFORTS, "EV-05", _AI),
    Setting("auto_send_revision_model", "text", None, "gpt-5.2, gpt-5.1, gpt-5-mini; else coerced", "PR-09", _AI),
    Setting("auto_send_revision_reasoning_effort", "text", None, _EFFORTS, "PR-09", _AI),
    Setting(
        "model_daily_budget_usd",
        "numeric(10,2)",
        "0",
        "USD of a UTC day; 0: ZRG_MODEL_DAILY_BUDGET_USD",
        "domain rules 9, no. 48",
        "zrg_dagster.core.ai.spend._SPENT",
    ),
)


def reader_text(setting: Setting) -> str:
    """The reader's source or statement. `LookupError` when there is no such reader."""
    module_name, _, name = setting.reader.rpartition(".")
    try:
        reader = getattr(import_module(module_name), name)
    except (ImportError, AttributeError):
        raise LookupError(f"setting {setting.column}: its reader {setting.reader} does not exist") from None
    if isinstance(reader, str | TextClause):
        return str(reader)
    if isroutine(reader):
        return getsource(reader)
    raise LookupError(f"setting {setting.column}: its reader {setting.reader} is neither function nor statement")
