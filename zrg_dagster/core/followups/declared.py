"""Sequences that come from a workspace's file pass the same activation rules as those that people save (FU-19, FU-88)."""

from collections.abc import Collection

from zrg_dagster.core.followups.sequences import NOT_RUN_YET, StepInput, missing_labels
from zrg_dagster.core.workspaces.declare import WorkspaceFile
from zrg_dagster.core.workspaces.tables import State


def activation_problems(file: WorkspaceFile, wanted: State, touched: Collection[str]) -> list[str]:
    """Why sequences of the file cannot be active, each with its line. Pure.

    `wanted` is the workspace after the file, `touched` the names of the sequences that the file changes: one that is
    stored and stays as it is does not keep the rest of the file from being applied.
    """
    problems = []
    for index, sequence in enumerate(file.sequences):
        if not sequence.is_active or sequence.name not in touched:
            continue
        if reason := NOT_RUN_YET.get(sequence.trigger_on):
            problems.append(file.problem(("sequences", index, "trigger_on"), reason))
        steps = [StepInput.model_validate(step.model_dump()) for step in sequence.steps]
        if missing := missing_labels(steps, _values(wanted, sequence.persona)):
            message = f"cannot be switched on: set {', '.join(missing)} first, or write is_active: false"
            problems.append(file.problem(("sequences", index), message))
    return problems


def _values(wanted: State, persona: str | None) -> dict[str, str | None]:
    """What a template of the workspace may ask for; the bound persona speaks before the settings (FU-4)."""
    setting = wanted["setting"][()]
    voice = wanted["persona"].get((persona.lower(),), {}) if persona else {}
    question = next((row["question"] for row in wanted["question"].values()), None)  # one satisfies either token
    return {
        "company_name": setting["company_name"],
        "sender_name": voice.get("persona_name") or setting["sender_name"],
        "signature": voice.get("signature") or setting["signature"],
        "calendar_link": setting["booking_link"],
        "qualification_question_1": question,
        "qualification_question_2": question,
    }
