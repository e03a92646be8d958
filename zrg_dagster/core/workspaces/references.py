"""Secrets by reference: `env:NAME`, `file:PATH`. What a reference yields is cleaned once, here, and never printed."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import SecretStr

from zrg_dagster.core.workspaces.declare import WorkspaceFile
from zrg_dagster.core.workspaces.source import WorkspaceFileError

MIN_CHARS = 4
MAX_CHARS = 4096


class SecretRefused(ValueError):
    """A value cannot be a secret. The message says why and never contains the value."""


def clean_secret(value: str, *, what: str) -> SecretStr:
    """`value` without surrounding white space, or `SecretRefused`.

    A trailing newline in a signing key once failed every delivery of a day, and a line of log text once was a secret:
    inner white space, control and other characters that no vendor issues are refused (ops reference §7.9).
    """
    value = value.strip()
    if not value:
        raise SecretRefused(f"{what}: the secret is empty")
    if any(not 33 <= ord(character) <= 126 for character in value):
        raise SecretRefused(f"{what}: the secret contains white space, control or non-ASCII characters")
    if not MIN_CHARS <= len(value) <= MAX_CHARS:
        raise SecretRefused(f"{what}: the secret has {len(value)} characters, expected {MIN_CHARS} to {MAX_CHARS}")
    return SecretStr(value)


def resolve(reference: str, *, base: Path, environment: Mapping[str, str] | None = None) -> SecretStr:
    """The value behind `env:NAME`, or `file:PATH` relative to `base` (the folder of the workspace file)."""
    kind, _, where = reference.partition(":")
    if kind == "env":
        value = (os.environ if environment is None else environment).get(where)
        if value is None:
            raise SecretRefused(f"{reference}: the environment variable is not set")
    elif kind == "file":
        path = base / where
        try:
            value = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SecretRefused(f"{reference}: cannot be read ({type(error).__name__})") from None
    else:
        raise SecretRefused("a secret is named by env:NAME or file:PATH")
    return clean_secret(value, what=reference)


# provider → ((key in the file, name of the secret, whether it verifies deliveries), ...)
_PARTS = {
    "emailbison": (("api_key", "emailbison_api_key"), ("webhook_secret", "emailbison_webhook_secret")),
    "smartlead": (("api_key", "smartlead_api_key"), ("webhook_secret", "smartlead_webhook_secret")),
    "instantly": (("api_key", "instantly_api_key"), ("webhook_secret", "instantly_webhook_secret")),
    "ghl": (("token", "ghl_token"), ("webhook_secret", "ghl_webhook_secret")),
    "calendly": (("token", "calendly_token"), ("signing_key", "calendly_signing_key")),
    "slack": (("bot_token", "slack_bot_token"),),
    "resend": (("api_key", "resend_api_key"), ("webhook_secret", "resend_webhook_secret")),
    "unipile": (("api_key", "unipile_api_key"), ("webhook_secret", "unipile_webhook_secret")),
    "clay": (("webhook_secret", "clay_webhook_secret"), ("table_token", "clay_table_token")),
    "crm": (("secret", "crm_webhook_secret"),),
}


def references(file: WorkspaceFile) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """(path in the file, name of the secret, reference) of every secret that the file names."""
    for provider, parts in _PARTS.items():
        integration = getattr(file.integrations, provider)
        for key, name in parts if integration is not None else ():
            reference = getattr(integration, key)
            if reference is not None:
                yield ("integrations", provider, key), name, reference


def resolve_all(
    file: WorkspaceFile, *, base: Path, environment: Mapping[str, str] | None = None
) -> dict[str, SecretStr]:
    """Name of the secret → value, for every reference in the file; one `WorkspaceFileError` for all that fail."""
    values, problems = {}, []
    for path, name, reference in references(file):
        try:
            values[name] = resolve(reference, base=base, environment=environment)
        except SecretRefused as error:
            problems.append(file.problem(path, str(error)))
    if problems:
        raise WorkspaceFileError(problems)
    return values
