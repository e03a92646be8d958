"""Which model answers for which purpose, and how hard it thinks. Pure.

A purpose has a default; a workspace may name another of the models known for it; `OPENAI_MODEL` stands in between. What
is not known is never sent to the vendor: it is coerced, and the coercion is told in `ModelChoice.notes` (PR-09, TL-03).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any


class Purpose(StrEnum):
    """What a model is asked for."""

    CLASSIFICATION = "classification"
    ROUTING = "routing"
    SIGNATURE = "signature"
    STRATEGY = "strategy"
    DRAFTING = "drafting"
    VERIFICATION = "verification"
    OVERSEER = "overseer"
    EVALUATION = "evaluation"
    REVISION = "revision"


class Effort(StrEnum):
    """Reasoning effort as the Responses API spells it, least first."""

    NONE = "none"
    MINIMAL = "minimal"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    XHIGH = "xhigh"


@dataclass(frozen=True, slots=True)
class Rule:
    """`models` are those that a workspace may name, the first is the default. `setting` is the stem of its two columns
    in `app.workspace_setting` (`<setting>_model`, `<setting>_reasoning_effort`), None for what no workspace chooses."""

    models: tuple[str, ...]
    effort: Effort
    setting: str | None = None


NANO, MINI, FIVE_ONE, FIVE_TWO = "gpt-5-nano", "gpt-5-mini", "gpt-5.1", "gpt-5.2"
# Domain reference 3.3, 4.9, EV-05, 6.3 and seed 002. A draft is what a prospect reads, so mini is refused there.
RULES: Mapping[Purpose, Rule] = MappingProxyType(
    {
        Purpose.CLASSIFICATION: Rule((MINI,), Effort.LOW),
        # SI-01: one choice of five within four seconds leaves no time for thoughts.
        Purpose.ROUTING: Rule((MINI,), Effort.MINIMAL),
        # Seed 003 §8: the signature of a mail is read with the smallest model there is.
        Purpose.SIGNATURE: Rule((NANO,), Effort.MINIMAL),
        Purpose.STRATEGY: Rule((FIVE_ONE, FIVE_TWO), Effort.MEDIUM, "draft_generation"),
        Purpose.DRAFTING: Rule((FIVE_ONE, FIVE_TWO), Effort.MEDIUM, "draft_generation"),
        Purpose.VERIFICATION: Rule((FIVE_TWO, FIVE_ONE, MINI), Effort.LOW, "draft_verification"),
        Purpose.OVERSEER: Rule((FIVE_TWO,), Effort.LOW),
        Purpose.EVALUATION: Rule((MINI, FIVE_ONE, FIVE_TWO), Effort.LOW, "auto_send_evaluator"),
        Purpose.REVISION: Rule((FIVE_TWO, FIVE_ONE, MINI), Effort.HIGH, "auto_send_revision"),
    }
)
# What a workspace may ask for: the API's other two levels save nothing worth a worse answer.
_CHOSEN = {
    **{each.value: each for each in (Effort.LOW, Effort.MEDIUM, Effort.HIGH, Effort.XHIGH)},
    "extra_high": Effort.XHIGH,
    "extra-high": Effort.XHIGH,
}
# Families that take the parameter at all (others answer 400), and the levels each takes. The levels of a family that
# is not listed alone are those that every reasoning model has.
_REASONING = ("gpt-5", "gpt-6", "o1", "o3", "o4")
_COMMON = (Effort.LOW, Effort.MEDIUM, Effort.HIGH)
_LEVELS = (
    ("gpt-5.2", (Effort.NONE, *_COMMON, Effort.XHIGH)),
    ("gpt-5.1", (Effort.NONE, *_COMMON)),
    ("gpt-5", (Effort.MINIMAL, *_COMMON)),
)
# Reasoning counts as output: a caller asks for the tokens of the text, and this is added for the thoughts before it.
REASONING_TOKENS: Mapping[Effort, int] = MappingProxyType(
    {Effort.MEDIUM: 2_000, Effort.HIGH: 6_000, Effort.XHIGH: 10_000}
)


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """What one call uses. `effort` is None for a model that takes none; `notes` say what was wished and not possible."""

    purpose: Purpose
    model: str
    effort: Effort | None
    notes: tuple[str, ...] = ()

    @property
    def reasoning_tokens(self) -> int:
        return REASONING_TOKENS.get(self.effort, 0) if self.effort else 0


def setting_columns(purpose: Purpose) -> tuple[str, str] | None:
    """The columns of a workspace's model and effort for `purpose`, or None when it chooses neither."""
    stem = RULES[purpose].setting
    return None if stem is None else (f"{stem}_model", f"{stem}_reasoning_effort")


def columns_of_settings() -> tuple[str, ...]:
    """Every column that says something about a model, each once: planning and writing a draft share theirs."""
    return tuple(dict.fromkeys(column for purpose in RULES for column in setting_columns(purpose) or ()))


def resolve(settings: Mapping[str, Any] | None, purpose: Purpose, *, default_model: str | None = None) -> ModelChoice:
    """The model and effort for one purpose of a workspace.

    `settings` are columns of `app.workspace_setting` (missing and None mean the default), `default_model` is the
    process's `OPENAI_MODEL`, which an operator may set to any name and which is therefore not coerced.
    """
    rule, columns = RULES[purpose], setting_columns(purpose)
    wished_model, wished_effort = ((settings or {}).get(column) for column in columns) if columns else (None, None)
    notes: list[str] = []
    model = default_model or rule.models[0]
    if wished_model:
        known = str(wished_model).strip()
        model = known if known in rule.models else rule.models[0]
        if model != wished_model:
            notes.append(f"{purpose}: model {_shown(wished_model)} is not known here, {model} is used")
    effort = rule.effort
    if wished_effort:
        effort = _CHOSEN.get(str(wished_effort).strip().lower(), rule.effort)
    fitting = fit_effort(model, effort)
    if wished_effort and (fitting is None or str(wished_effort) != fitting.value):
        used = f"{fitting} is used" if fitting else "the model takes none"
        notes.append(f"{purpose}: effort {_shown(wished_effort)} is not possible with {model}, {used}")
    return ModelChoice(purpose, model, fitting, tuple(notes))


def coerce_settings(given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """`given` with the models and efforts that will be used instead of unknown ones, and a note for each such column.

    Only columns that stand in `given` with a text are looked at; what is no text is for the caller's own check.
    """
    kept, notes = dict(given), {}
    for purpose in RULES:
        for column, name in zip(setting_columns(purpose) or (), ("model", "effort"), strict=False):
            if not isinstance(given.get(column), str) or not given[column].strip():
                continue
            choice = resolve({key: value for key, value in given.items() if isinstance(value, str)}, purpose)
            used = choice.model if name == "model" else str(choice.effort)
            if used != given[column]:
                kept[column] = used
                notes[column] = f"{name} {_shown(given[column])} is not known here; {used} is used"
    return kept, notes


def fit_effort(model: str, effort: Effort) -> Effort | None:
    """`effort` as `model` takes it: the nearest level it has, None when it takes none at all (TL-03).

    Nearest means downward above the model's highest level, upward below its lowest; between, the next lower one.
    """
    if not model.startswith(_REASONING):
        return None
    levels = next((each for family, each in _LEVELS if model == family or model.startswith(f"{family}-")), _COMMON)
    order = list(Effort)
    lower = [level for level in levels if order.index(level) <= order.index(effort)]
    return lower[-1] if lower else levels[0]


def _shown(value: Any) -> str:
    """A wished name for a message: one short line."""
    return repr(" ".join(str(value).split())[:40])
