"""Review cards: whole, within Slack's limits, and text from outside stays text."""

import html
import json
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from zrg_dagster.core.replies.cards import Card, fenced, notification, pending_blocks, settled_blocks

CARD = Card(
    draft_id="0198c0de-0000-7000-8000-000000000001",
    version=2,
    workspace_key="harbourline",
    lead_name="Lead",
    campaign_name="Mills",
    channel="email",
    tag="Interested",
    reason="confidence_below_threshold",
    confidence=Decimal("0.7"),
    threshold=Decimal("0.9"),
    inbound="Tell me more",
    draft="Happy to.",
)


def buttons(blocks):
    actions = [element for block in blocks if block["type"] == "actions" for element in block["elements"]]
    return {each["action_id"]: json.loads(each["value"]) for each in actions}


def test_buttons_are_bound_to_draft_version_and_workspace():
    found = buttons(pending_blocks(CARD))
    assert set(found) == {"approve", "edit", "regenerate", "reject"}
    assert all(value == {"draftId": CARD.draft_id, "version": 2, "clientId": "harbourline"} for value in found.values())


def test_a_draft_too_long_to_edit_is_shown_whole_and_cannot_be_edited_here():
    long = "a < b & c " * 700
    blocks = pending_blocks(Card(**{**{f: getattr(CARD, f) for f in CARD.__dataclass_fields__}, "draft": long}))
    assert "edit" not in buttons(blocks)
    shown = "".join(b["text"]["text"][3:-3] for b in blocks if b["type"] == "section" and "text" in b)
    assert long in html.unescape(shown)


def test_a_settled_card_has_no_buttons():
    assert buttons(settled_blocks(CARD, "Sent")) == {}


def test_names_and_texts_stay_off_the_lock_screen():
    assert "Lead" not in notification(CARD)


@given(st.text(max_size=3000))
def test_outside_text_cannot_leave_its_fence(text):
    shown = fenced(text, 1400)
    assert shown.startswith("```")
    assert "```" not in shown[3:-3]
    assert "<" not in shown[3:-3]


@given(st.text(max_size=5000), st.text(max_size=5000), st.text(max_size=300))
def test_limits_of_slack_hold_for_any_content(inbound, draft, name):
    values = {f: getattr(CARD, f) for f in CARD.__dataclass_fields__} | {
        "inbound": inbound,
        "draft": draft,
        "lead_name": name,
    }
    blocks = pending_blocks(Card(**values))
    assert len(blocks) <= 50
    for block in blocks:
        if block["type"] == "section" and "text" in block:
            assert len(block["text"]["text"]) <= 3000
        if block["type"] == "header":
            assert len(block["text"]["text"]) <= 150
        for field in block.get("fields", ()):
            assert 1 <= len(field["text"]) <= 2000
