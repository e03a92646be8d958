"""Workspace files: every wrong place is named with its line and its fix, and no value is ever repeated."""

import pytest

from zrg_dagster.core.workspaces.declare import parse
from zrg_dagster.core.workspaces.declared_integrations import SEVERAL_EMAIL_PROVIDERS
from zrg_dagster.core.workspaces.source import MAX_BYTES, WorkspaceFileError

HEAD = "workspace: {key: harbourline, name: Harbourline}\n"


def problems(body: str, head: str = HEAD) -> tuple[str, ...]:
    with pytest.raises(WorkspaceFileError) as refused:
        parse(head + body, "w.yaml")
    return refused.value.problems


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "settings:\n  auto_send_custom_schedule: {days: [1], start: '09:00', end: '09:00'}\n",
            "w.yaml:3: settings.auto_send_custom_schedule: start and end are the same time",
        ),
        (
            "settings:\n  auto_send_holidays:\n    ranges: [{start: 2026-03-02, end: 2026-03-01}]\n",
            "w.yaml:4: settings.auto_send_holidays.ranges[1]: a range ends on or after its start and has at most 366 days",
        ),
        (
            "settings:\n  auto_send_holidays: {extra: [2026-02-30]}\n",
            "w.yaml:3: settings.auto_send_holidays.extra[1]: no day; write it as 2026-12-24",
        ),
        ("settings:\n  tonne: brief\n", "w.yaml:3: settings.tonne: unknown key; did you mean `tone`?"),
        (
            "settings:\n  tone: 5\n",
            "w.yaml:3: settings.tone: Input should be a valid string; put it in quotes",
        ),
        (
            "members:\n  - {email: a@b.example, role: SETTER}\n  - email: nobody\n    role: SETTER\n",
            "w.yaml:4: members[2].email: not an e-mail address; write name@example.com",
        ),
        (
            "members:\n  - email: a@b.example\n    role: OWNER\n",
            "w.yaml:4: members[1].role: Input should be 'ADMIN', 'INBOX_MANAGER', 'SETTER' or 'CLIENT_PORTAL'",
        ),
        (
            "prompts:\n  - {key: reply_drafts, base_hash: 0123456789abcdef, text: x}\n",
            "w.yaml:3: prompts[1]: no prompt has the key 'reply_drafts'; `zrg prompts list` shows them",
        ),
        (
            "prompts:\n  - {key: reply_draft, base_hash: latest, text: 'a\n\n    --- input ---\n\n    b'}\n",
            "w.yaml:3: prompts[1].base_hash: String should match pattern '^[0-9a-f]{16}$'",
        ),
        ("members:\n  - role: SETTER\n", "w.yaml:3: members[1].email: is required; add it"),
        (
            "members:\n  - {email: a@b.example, role: SETTER}\n  - {email: A@B.example, role: SETTER}\n",
            "w.yaml:4: members[2]: the same as entry 1; remove one",
        ),
        (
            "integrations:\n  slack:\n    bot_token: xoxb-in-the-clear\n",
            "w.yaml:4: integrations.slack.bot_token: a secret is never written here; use env:NAME or file:PATH",
        ),
        (
            "integrations:\n  resend: {from_email: 'Sales <sales@b.example>'}\n",
            "w.yaml:3: integrations.resend.from_email: not an e-mail address; write name@example.com",
        ),
        (
            "integrations:\n  emailbison: {base_url: 'http://mail.example', external_id: 4}\n",
            "w.yaml:3: integrations.emailbison.base_url: vendor address of host mail.example: only https (plain http for "
            "loopback) is called",
        ),
        (
            "integrations:\n  smartlead: {api_key: env:A}\n  instantly: {api_key: env:B}\n",
            f"w.yaml:2: integrations: {SEVERAL_EMAIL_PROVIDERS}",
        ),
        (
            "integrations:\n  smartlead: {api_key: env:A, webhook_secret: in-the-clear}\n",
            "w.yaml:3: integrations.smartlead.webhook_secret: a secret is never written here; use env:NAME or file:PATH",
        ),
        (
            "sequences:\n  - name: A\n    trigger_on: manual\n    steps:\n"
            "      - {order: 1, channel: email, message: 'Hi {firstName}'}\n"
            "      - {order: 2, channel: sms, message: 'Hi {first_nam}'}\n",
            "w.yaml:7: sequences[1].steps[2].message: unknown template variables {first_nam}; correct or remove them",
        ),
        (
            "sequences:\n  - name: A\n    trigger_on: manual\n    steps:\n"
            "      - {order: 1, channel: email, message: a}\n      - {order: 1, channel: email, message: b}\n",
            "w.yaml:7: sequences[1].steps[2].order: two steps have the same order",
        ),
        ("campaigns:\n  - {external_id: 1, auto_send_threshold: 1.2}\n", "less than or equal to 1"),
        (
            "campaigns:\n  - {external_id: 1, delay_min_s: 9, delay_max_s: 1}\n",
            "delay_min_s is larger than delay_max_s",
        ),
        ("settings: {}\nsettings: {}\n", "w.yaml:3: settings: the key stands here twice, first in line 2"),
        ("settings: &a {}\nmembers: *a\n", "aliases"),
        ("settings: {tone: [}\n", "w.yaml:2: file: not YAML"),
        ("personas:\n  - {name: A, is_default: true}\n  - {name: B, is_default: true}\n", "a second default persona"),
    ],
)
def test_a_wrong_place_is_named(body, expected):
    found = problems(body)
    assert len(found) == 1
    assert expected in found[0]
    assert "in-the-clear" not in found[0]


def test_all_problems_are_told_at_once():
    found = problems("settings: {tone: 5}\nmembers: [{email: x, role: BOSS}]\nextra: 1\n")
    assert [each.split(": ")[1] for each in found] == ["settings.tone", "members[1].email", "members[1].role", "extra"]


@pytest.mark.parametrize("text", ["", "- a\n", "just words", "x" * (MAX_BYTES + 1)])
def test_what_is_no_mapping_is_refused(text):
    assert problems(text, head="")[0].startswith("w.yaml:1: file: ")


def test_a_time_without_quotes_is_that_time():
    """YAML 1.1 reads 08:30 as the number 510."""
    file = parse(HEAD + "settings: {digest_local_time: 08:30, company_name: no}\n")
    assert file.settings.digest_local_time.isoformat() == "08:30:00"
    assert file.settings.company_name == "no"


def test_vendor_ids_may_look_like_numbers():
    file = parse(HEAD + "campaigns: [{external_id: 318}, {external_id: '0319'}]\n")
    assert [campaign.external_id for campaign in file.campaigns] == ["318", "0319"]
