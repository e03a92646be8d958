"""Every setting of the platform: one class, typed, clamped, documented.

Values come from the environment, then from `.env` in the working directory. A field's description is what
`docs/configuration.md` prints; a test fails when a setting is read nowhere or documented nowhere.
"""

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class SettingsError(ValueError):
    """A setting is missing or malformed. The message is one line that names the setting and the fix."""


def _exact(value: object) -> object:
    """Refuse secrets with surrounding white space: a trailing newline in one has cost a production day."""
    if isinstance(value, str) and value != value.strip():
        raise ValueError("has leading or trailing white space; remove it")
    return value or None if isinstance(value, str) else value


Secret = Annotated[SecretStr | None, BeforeValidator(_exact)]


class Settings(BaseSettings):
    """Process-wide settings. Per-workspace settings live in the database."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    environment: Literal["development", "production"] = Field(
        default="development",
        validation_alias="ZRG_ENV",
        description="`production` refuses unsigned deliveries and writes JSON logs.",
    )
    home: Path = Field(
        default=Path(".zrg"),
        validation_alias="ZRG_HOME",
        description="Folder of the local stack: Postgres, keys, Dagster instance, logs.",
    )
    public_url: str = Field(
        default="http://127.0.0.1:8080",
        validation_alias="PUBLIC_URL",
        description="Address under which vendors reach the receiver; used when webhooks are registered.",
    )
    log_format: Literal["auto", "json", "console"] = Field(
        default="auto", validation_alias="ZRG_LOG_FORMAT", description="`auto` is JSON in production, else console."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", validation_alias="ZRG_LOG_LEVEL", description="Least severe level written."
    )

    # Databases: one DSN per role; a process receives only its own. Unset means the embedded Postgres.
    db_admin_url: Secret = Field(
        default=None,
        validation_alias="ZRG_DB_ADMIN_URL",
        description="Superuser or CREATEROLE login; read by `zrg db bootstrap` only.",
    )
    db_migrator_url: Secret = Field(
        default=None, validation_alias="ZRG_DB_MIGRATOR_URL", description="Role zrg_migrator: migrations."
    )
    db_receiver_url: Secret = Field(
        default=None, validation_alias="ZRG_DB_RECEIVER_URL", description="Role zrg_receiver: the webhook receiver."
    )
    db_worker_url: Secret = Field(
        default=None, validation_alias="ZRG_DB_WORKER_URL", description="Role zrg_worker: sensors, drains, commands."
    )
    db_build_url: Secret = Field(
        default=None, validation_alias="ZRG_DB_BUILD_URL", description="Role zrg_build: facts and marts."
    )
    db_analyst_url: Secret = Field(
        default=None, validation_alias="ZRG_DB_ANALYST_URL", description="Role zrg_analyst: read-only facts and marts."
    )
    db_web_url: Secret = Field(
        default=None, validation_alias="ZRG_DB_WEB_URL", description="Role zrg_web: a web tier under row security."
    )
    db_monitor_url: Secret = Field(
        default=None,
        validation_alias="ZRG_DB_MONITOR_URL",
        description="Role zrg_monitor: pg_monitor, for `zrg doctor`.",
    )
    db_dagster_url: Secret = Field(
        default=None,
        validation_alias="ZRG_DB_DAGSTER_URL",
        description="Role dagster_instance on database zrg_dagster; `postgresql+psycopg2://` is added where needed.",
    )

    # Keys
    secret_keys: Secret = Field(
        default=None,
        validation_alias="ZRG_SECRET_KEYS",
        description="Comma-separated Fernet keys, newest first, that seal vendor credentials.",
    )
    verify_keys: Secret = Field(
        default=None,
        validation_alias="ZRG_VERIFY_KEYS",
        description="Fernet keys that seal webhook verification secrets; all that the receiver can open.",
    )

    # People
    super_admins: str | None = Field(
        default=None,
        validation_alias="ZRG_SUPER_ADMINS",
        description="Comma-separated e-mail addresses of the people who may do everything in every workspace.",
    )

    # Receiver
    receiver_host: str = Field(
        default="127.0.0.1", validation_alias="ZRG_RECEIVER_HOST", description="Bind address of the receiver."
    )
    receiver_port: int = Field(
        default=8080, ge=1, le=65535, validation_alias="ZRG_RECEIVER_PORT", description="Port of the receiver."
    )
    receiver_max_body_bytes: int = Field(
        default=5 * 1024 * 1024,
        ge=1024,
        le=32 * 1024 * 1024,
        validation_alias="ZRG_RECEIVER_MAX_BODY_BYTES",
        description="Larger deliveries answer 413.",
    )
    receiver_batch_size: int = Field(
        default=256,
        ge=1,
        le=1000,
        validation_alias="ZRG_RECEIVER_BATCH_SIZE",
        description="Most deliveries committed together. 1 switches micro-batching off.",
    )
    receiver_queue_size: int = Field(
        default=5000,
        ge=100,
        le=100_000,
        validation_alias="ZRG_RECEIVER_QUEUE_SIZE",
        description="Deliveries waiting for a commit before the door answers 503.",
    )
    receiver_store_timeout_s: float = Field(
        default=10.0,
        ge=1,
        le=60,
        validation_alias="ZRG_RECEIVER_STORE_TIMEOUT_S",
        description="A delivery that is not committed within this time answers 503.",
    )
    route_ttl_s: float = Field(
        default=30.0,
        ge=1,
        le=600,
        validation_alias="ZRG_ROUTE_TTL_S",
        description="Age at which the receiver reads its routing table again without being notified.",
    )
    slack_signing_secret: Secret = Field(
        default=None,
        validation_alias="SLACK_SIGNING_SECRET",
        description="Signing secret of the Slack app whose clicks the receiver accepts.",
    )
    ghl_app_public_keys: Secret = Field(
        default=None,
        validation_alias="GHL_APP_PUBLIC_KEYS",
        description="Comma-separated public keys (PEM or base64 DER, Ed25519 or RSA) with which HighLevel signs the "
        "webhooks of a marketplace app.",
    )

    # Dagster
    webserver_host: str = Field(
        default="127.0.0.1", validation_alias="ZRG_WEBSERVER_HOST", description="Bind address of the Dagster UI."
    )
    webserver_port: int = Field(
        default=3000, ge=1, le=65535, validation_alias="ZRG_WEBSERVER_PORT", description="Port of the Dagster UI."
    )
    code_server_host: str = Field(
        default="127.0.0.1", validation_alias="ZRG_CODE_SERVER_HOST", description="Address of the code server."
    )
    code_server_port: int = Field(
        default=4266, ge=1, le=65535, validation_alias="ZRG_CODE_SERVER_PORT", description="Port of the code server."
    )
    automation: bool = Field(
        default=True,
        validation_alias="ZRG_AUTOMATION",
        description="Sensors and schedules start switched on. Each can be switched alone in the UI.",
    )

    # Queues
    event_batch_size: int = Field(
        default=1000,
        ge=1,
        le=1000,
        validation_alias="ZRG_EVENT_BATCH_SIZE",
        description="Events that an inbound drain writes in one transaction; it claims twice as many together.",
    )
    job_concurrency: int = Field(
        default=32, ge=1, le=256, validation_alias="ZRG_JOB_CONCURRENCY", description="Jobs in flight in one drain."
    )
    lease_s: float = Field(
        default=600.0,
        ge=60,
        le=3600,
        validation_alias="ZRG_LEASE_S",
        description="A claim older than this is released even if its owner's lock is held.",
    )
    drain_budget_s: float = Field(
        default=1500.0,
        ge=5,
        le=3600,
        validation_alias="ZRG_DRAIN_BUDGET_S",
        description="A drain claims nothing more after this time and ends; the sensor starts the next one.",
    )
    drain_idle_s: float = Field(
        default=15.0,
        ge=0,
        le=300,
        validation_alias="ZRG_DRAIN_IDLE_S",
        description="An empty drain waits this long for a notification before it ends.",
    )

    # Model
    openai_api_key: Secret = Field(
        default=None,
        validation_alias="OPENAI_API_KEY",
        description="Without it replies park with reason `model_no_key`.",
    )
    openai_base_url: str = Field(
        default="https://api.openai.com/v1",
        validation_alias="OPENAI_BASE_URL",
        description="Address of the Responses API.",
    )
    openai_model: str | None = Field(
        default=None,
        validation_alias="OPENAI_MODEL",
        description="Model for every purpose of every workspace that names none. Unset: the default of each purpose.",
    )
    ai_model_pricing_json: str | None = Field(
        default=None,
        validation_alias="AI_MODEL_PRICING_JSON",
        description="Prices that the built-in list lacks or has wrong, USD for a million tokens: "
        '`{"gpt-5.1": {"input": 1.25, "output": 10}}`.',
    )
    model_daily_budget_usd: float = Field(
        default=100.0,
        ge=0.01,
        le=1_000_000,
        validation_alias="ZRG_MODEL_DAILY_BUDGET_USD",
        description="What the model may cost a workspace in a UTC day unless it says otherwise itself, USD.",
    )
    model_max_in_flight: int = Field(
        default=96,  # a reply asks three questions at the same time at most
        ge=1,
        le=256,
        validation_alias="ZRG_MODEL_MAX_IN_FLIGHT",
        description="Requests to the model that one process has open at the same time, over everything that asks.",
    )
    model_timeout_s: float = Field(
        default=60.0, ge=5, le=600, validation_alias="ZRG_MODEL_TIMEOUT_S", description="Deadline of one model call."
    )

    # Vendors
    smartlead_base_url: str = Field(
        default="https://server.smartlead.ai", validation_alias="SMARTLEAD_BASE_URL", description="SmartLead API."
    )
    instantly_base_url: str = Field(
        default="https://api.instantly.ai", validation_alias="INSTANTLY_BASE_URL", description="Instantly API."
    )
    unipile_dsn: str | None = Field(
        default=None,
        validation_alias="UNIPILE_DSN",
        description="Host and port of the Unipile API, as its dashboard shows them; without it LinkedIn messages are "
        "received and not sent.",
    )
    unipile_api_key: Secret = Field(
        default=None,
        validation_alias="UNIPILE_API_KEY",
        description="Key of the Unipile API for workspaces without one of their own.",
    )
    crm_webhook_timeout_ms: int = Field(
        default=10_000,
        ge=2500,
        le=60_000,
        validation_alias="CRM_WEBHOOK_TIMEOUT_MS",
        description="Deadline of one delivery to a customer's CRM, milliseconds.",
    )
    ghl_base_url: str = Field(
        default="https://services.leadconnectorhq.com", validation_alias="GHL_BASE_URL", description="GoHighLevel API."
    )
    calendly_base_url: str = Field(
        default="https://api.calendly.com", validation_alias="CALENDLY_BASE_URL", description="Calendly API."
    )
    slack_base_url: str = Field(
        default="https://slack.com/api", validation_alias="SLACK_API_BASE_URL", description="Slack Web API."
    )
    slack_bot_token: Secret = Field(
        default=None,
        validation_alias="SLACK_BOT_TOKEN",
        description="Fallback bot token for workspaces without one of their own.",
    )
    auto_send_disabled: bool = Field(
        default=False,
        validation_alias="AUTO_SEND_DISABLED",
        description="Stops every automatic send; no command lifts it. 1, true, yes or on.",
    )
    auto_send_revision_disabled: bool = Field(
        default=False,
        validation_alias="AUTO_SEND_REVISION_DISABLED",
        description="No draft is revised after its evaluation, whatever its workspace wants. 1, true, yes or on.",
    )
    lead_context_bundle_disabled: bool = Field(
        default=False,
        validation_alias="LEAD_CONTEXT_BUNDLE_DISABLED",
        description="No draft is told the notes about leads and workspaces, whatever its workspace wants. 1, true, yes or on.",
    )
    followups_dry_run: bool = Field(
        default=False,
        validation_alias="FOLLOWUPS_DRY_RUN",
        description="Follow-up runs count what they would do and send nothing. 1, true, yes or on.",
    )

    # Retention
    webhook_body_retention_days: int = Field(
        default=30,
        ge=1,
        le=365,
        validation_alias="ZRG_WEBHOOK_BODY_RETENTION_DAYS",
        description="Raw bodies and headers older than this are dropped with their partition.",
    )
    run_retention_days: int = Field(
        default=14,
        ge=1,
        le=365,
        validation_alias="ZRG_RUN_RETENTION_DAYS",
        description="Finished runs of op jobs older than this are deleted from the Dagster instance.",
    )
    draft_pipeline_run_retention_days: int = Field(
        default=30,
        ge=1,
        le=365,
        validation_alias="DRAFT_PIPELINE_RUN_RETENTION_DAYS",
        description="Ended runs of the draft pipeline older than this are deleted with what their stages made.",
    )
    ai_call_retention_days: int = Field(
        default=30,
        ge=1,
        le=365,
        validation_alias="ZRG_AI_CALL_RETENTION_DAYS",
        description="Facts of model calls older than this are deleted.",
    )

    @property
    def json_logs(self) -> bool:
        return self.log_format == "json" or (self.log_format == "auto" and self.environment == "production")


def load_settings(**overrides: object) -> Settings:
    """Read the settings, or raise `SettingsError` with one line per bad setting."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        aliases = {name: field.validation_alias for name, field in Settings.model_fields.items()}
        lines = []
        for problem in error.errors():
            name = str(problem["loc"][0])
            reason = str(problem["msg"]).removeprefix("Value error, ")
            lines.append(f"setting {aliases.get(name, name)}: {reason}")
        raise SettingsError("; ".join(lines)) from None


@lru_cache(maxsize=1)
def current_settings() -> Settings:
    """The settings of this process, read once."""
    return load_settings()
