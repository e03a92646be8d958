"""The settings as a markdown table: what `docs/configuration.md` holds and a test compares."""

from pathlib import PurePath

from annotated_types import Ge, Le
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from zrg_dagster.core.base.settings import Settings


def settings_table() -> str:
    """One row a setting: name, default, limits, meaning."""
    rows = ["| setting | default | limits | what it does |", "|---|---|---|---|"]
    for field in Settings.model_fields.values():
        rows.append(f"| `{field.validation_alias}` | {_default(field)} | {_limits(field)} | {field.description} |")
    return "\n".join(rows)


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is None:
        return "unset"
    if isinstance(value, SecretStr):
        return "secret"
    if isinstance(value, bool):
        return str(value).lower()
    return f"`{PurePath(value) if isinstance(value, PurePath) else value}`"


def _limits(field: FieldInfo) -> str:
    low = next((rule.ge for rule in field.metadata if isinstance(rule, Ge)), None)
    high = next((rule.le for rule in field.metadata if isinstance(rule, Le)), None)
    return f"{low} to {high}" if low is not None and high is not None else ""
