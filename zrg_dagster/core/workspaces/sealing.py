"""Which key list and which scope a stored secret of a workspace has. Names of secrets are words an operator types."""

from dataclasses import dataclass
from uuid import UUID

from pydantic import SecretStr

from zrg_dagster.core.base.seal import Sealer, SealError
from zrg_dagster.core.workspaces.channels import CREDENTIAL_NAMES, credential_scope

# Secret of `raw.route` by provider: what the receiver checks deliveries with.
VERIFIERS = {
    "emailbison": "emailbison_webhook_secret",
    "smartlead": "smartlead_webhook_secret",
    "instantly": "instantly_webhook_secret",
    "ghl": "ghl_webhook_secret",
    "calendly": "calendly_signing_key",
    "resend": "resend_webhook_secret",
    "unipile": "unipile_webhook_secret",
    "clay": "clay_webhook_secret",
}
# Secret of `secret.credential` by provider: what we call the vendor with. The last ones have no client among the channels.
CREDENTIALS = {
    **CREDENTIAL_NAMES,
    "resend": "resend_api_key",
    "crm": "crm_webhook_secret",
    "clay": "clay_table_token",
}
SECRET_NAMES = (*CREDENTIALS.values(), *VERIFIERS.values())

# Stands for a stored value that no key of this process opens. Equal to itself only.
UNREADABLE = SecretStr("\0")


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """Both key lists. `credentials` never reaches the receiver, `verifiers` does."""

    credentials: Sealer
    verifiers: Sealer

    def seal(self, workspace_id: UUID, section: str, name: str, value: SecretStr) -> str:
        """`value` for a row of section `credential` (by its name) or `route` (by its provider)."""
        sealer, scope = self._place(workspace_id, section, name)
        return sealer.seal(value.get_secret_value(), scope=scope)

    def open(self, workspace_id: UUID, section: str, name: str, sealed: str) -> SecretStr:
        """The stored value, or UNREADABLE."""
        sealer, scope = self._place(workspace_id, section, name)
        try:
            return SecretStr(sealer.open(sealed, scope=scope))
        except SealError:
            return UNREADABLE

    def _place(self, workspace_id: UUID, section: str, name: str) -> tuple[Sealer, str]:
        if section == "credential":
            return self.credentials, credential_scope(workspace_id, name)
        return self.verifiers, f"{workspace_id}:verify:{name}"
