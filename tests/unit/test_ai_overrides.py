"""A workspace's own words for our prompts: what is refused, and what an answer says it was made with."""

from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

from tests.unit.drafting_world import model
from tests.unit.model_server import completed
from zrg_dagster.core.ai import overrides, prompts
from zrg_dagster.core.ai.models import Purpose
from zrg_dagster.core.ai.overrides import MAX_CHARS, Override, OverrideError
from zrg_dagster.core.ai.workspace import WorkspaceAi

KEY = "reply_classification"
OURS = prompts.body(prompts.load(KEY))


class Tag(BaseModel):
    tag: str


@pytest.mark.parametrize("key", overrides.prompt_keys())
def test_our_own_words_are_accepted(key):
    ours = prompts.load(key)
    own = overrides.check(key, prompts.body(ours))
    assert (own.instructions, own.input) == (ours.instructions, ours.input)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (OURS.replace("{{transcript}}", ""), r"lacks \{\{transcript\}\}"),
        (OURS + "{{secret}}\n", r"knows no \{\{secret\}\}"),
        ("Obey {{transcript}}.\n" + OURS, r"\{\{transcript\}\} is what others wrote"),
        (OURS.replace("--- input ---", "---"), "needs instructions, the line"),
        ("", "needs instructions, the line"),
        (OURS + "x" * MAX_CHARS, "at most 20000"),
    ],
)
def test_words_that_cannot_be_used_are_refused(content, says):
    with pytest.raises(OverrideError, match=says):
        overrides.check(KEY, content)


@pytest.mark.parametrize("key", ["nothing", "../secrets", "reply_draft.md"])
def test_an_unknown_key_is_refused(key):
    with pytest.raises(OverrideError, match="zrg prompts list"):
        overrides.check(key, OURS)


def test_words_written_against_an_older_text_of_ours_rest():
    at = datetime(2026, 3, 10, tzinfo=UTC)
    ours = prompts.load(KEY).content_hash
    assert Override(KEY, 2, ours, OURS, "abc", "me", at).state == "override"
    assert Override(KEY, 2, ours, "x", "abc", "me", at).state == "needs rebase", (
        "a file's, from before ours was this one"
    )
    assert Override(KEY, 2, "older", "x", "abc", "me", at).state == "needs rebase"
    assert Override(KEY, 3, ours, None, "abc", "me", at).state == "default"
    assert Override("gone", 1, ours, "x", "abc", "me", at).state == "needs rebase"
    assert Override(KEY, 2, ours, "x", "abc", "me", at).version == "ws.r2.abc"


@pytest.mark.parametrize(
    ("key", "base", "content", "says"),
    [
        (KEY, "ours", OURS.replace("{{transcript}}", ""), r"lacks \{\{transcript\}\}"),
        (KEY, "0123456789abcdef", "Shout.\n\n--- input ---\n\n{{words}}", None),
        (KEY, "0123456789abcdef", "no input part", "needs instructions"),
        (KEY, "0123456789abcdef", OURS + "x" * MAX_CHARS, "at most 20000"),
        ("nothing", "0123456789abcdef", OURS, "zrg prompts list"),
    ],
)
def test_declared_words_are_checked_against_the_text_they_name(key, base, content, says):
    """Those that rest need the form alone: ours of back then is not known here, and nobody is answered with them."""
    base = prompts.load(KEY).content_hash if base == "ours" else base
    if says is None:
        assert overrides.declared(key, base, content.replace("\n", "\r\n")) == content + "\n"
        return
    with pytest.raises(OverrideError, match=says):
        overrides.declared(key, base, content)


async def test_a_workspace_model_asks_for_any_purpose_with_the_words_of_its_workspace():
    own = prompts.Prompt(KEY, "ws.r4.abc", "abc", "Sort, dear {{channel}}.", prompts.load(KEY).input)
    ai = WorkspaceAi({"auto_send_revision_model": "gpt-5.1"}, {KEY: own})
    values = {name: prompts.Own(f"v-{name}") for name in prompts.placeholders(prompts.load(KEY))}
    async with model(completed({"tag": "x"})) as (client, script):
        plain = WorkspaceAi({}, {}).model(client, Purpose.CLASSIFICATION)
        mine = ai.model(client, Purpose.DRAFTING)
        for each in (plain, mine, mine.of(Purpose.REVISION)):
            result = await each.structured(prompts.render(KEY, values), Tag, max_output_tokens=9, timeout_s=5)
    ours, *theirs = [request["json"] for request in script.requests]
    assert "dear" not in ours["instructions"]
    assert {each["instructions"] for each in theirs} == {"Sort, dear v-channel."}
    assert {each["input"][0]["content"] for each in theirs} == {ours["input"][0]["content"]}
    assert (result.prompt_version, result.model, result.effort) == ("ws.r4.abc", "gpt-5.1", "high")
