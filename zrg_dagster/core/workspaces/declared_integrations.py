"""The vendors of a workspace as its file says them. Secrets stand here by reference only; `null` disconnects one."""

from pydantic import BaseModel, model_validator

from zrg_dagster.core.workspaces.declared_hours import FILE_PART
from zrg_dagster.core.workspaces.declared_values import (
    ClayTable,
    CustomerAddress,
    Email,
    Host,
    SecretReference,
    VendorAddress,
    VendorId,
)

# Seed 003 §4 (E7), word for word.
SEVERAL_EMAIL_PROVIDERS = (
    "Multiple email providers are configured for this workspace. Select exactly one (EmailBison, SmartLead, Instantly)."
)
EMAIL_PROVIDERS = ("emailbison", "smartlead", "instantly")


class IntegrationPart(BaseModel):
    model_config = FILE_PART


class EmailBisonPart(IntegrationPart):
    base_url: VendorAddress
    external_id: VendorId
    api_key: SecretReference | None = None
    webhook_secret: SecretReference | None = None
    allowed_hosts: list[Host] = []


class OtherEmailPart(IntegrationPart):
    """SmartLead and Instantly. The workspace's key in their webhook address is all that routes their deliveries."""

    api_key: SecretReference | None = None
    webhook_secret: SecretReference | None = None


class GhlPart(IntegrationPart):
    location_id: VendorId
    token: SecretReference | None = None
    webhook_secret: SecretReference | None = None


class CalendlyPart(IntegrationPart):
    token: SecretReference | None = None
    signing_key: SecretReference | None = None


class SlackPart(IntegrationPart):
    bot_token: SecretReference | None = None


class ResendPart(IntegrationPart):
    """Without a webhook secret nothing is heard of what became of a notification mail."""

    api_key: SecretReference | None = None
    from_email: Email
    webhook_secret: SecretReference | None = None


class UnipilePart(IntegrationPart):
    """One LinkedIn account; its deliveries carry the secret in a header that the hook was given. Without an `api_key`
    messages are sent with the key of the process."""

    account_id: VendorId
    api_key: SecretReference | None = None
    webhook_secret: SecretReference | None = None


class ClayPart(IntegrationPart):
    """Tables that look up a number or a profile, by the address of their webhook. Without any, answers are taken in and
    nobody is asked about. The token is for tables whose webhook asks for one."""

    webhook_secret: SecretReference | None = None
    phone_table: ClayTable | None = None
    linkedin_table: ClayTable | None = None
    table_token: SecretReference | None = None


class CrmPart(IntegrationPart):
    """The customer's own CRM, which is told about leads. What it is told: `settings.crm_webhook_events`."""

    url: CustomerAddress
    secret: SecretReference | None = None


class IntegrationsPart(BaseModel):
    """The section as a whole."""

    model_config = FILE_PART

    emailbison: EmailBisonPart | None = None
    smartlead: OtherEmailPart | None = None
    instantly: OtherEmailPart | None = None
    ghl: GhlPart | None = None
    calendly: CalendlyPart | None = None
    slack: SlackPart | None = None
    resend: ResendPart | None = None
    unipile: UnipilePart | None = None
    clay: ClayPart | None = None
    crm: CrmPart | None = None

    @model_validator(mode="after")
    def _one_email_provider(self) -> "IntegrationsPart":
        given = [name for name in EMAIL_PROVIDERS if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(SEVERAL_EMAIL_PROVIDERS)
        return self
