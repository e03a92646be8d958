"""The template language: strict tokens, stable wordings."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zrg_dagster.core.text.spintax import InvalidSpintax, expand, fnv1a_32
from zrg_dagster.core.text.template import VARIABLES, Blocked, Rendered, problems_in, render, variables_in

VALUES: dict[str, str | None] = {variable.name: f"<{variable.name}>" for variable in VARIABLES}


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda variable: variable.name)
def test_every_spelling_renders_and_its_absence_blocks(variable) -> None:
    for token in variable.tokens:
        assert render(f"a {token} b", VALUES, seed="s") == Rendered(f"a <{variable.name}> b")
        for empty in (None, "", "  "):
            blocked = render(f"a {token} b", {**VALUES, variable.name: empty}, seed="s")
            assert isinstance(blocked, Blocked)
            assert blocked.tokens == (token,)


def test_company_and_name_are_ours() -> None:
    assert render("{company} {name}", {"company_name": "Us", "sender_name": "Noor"}, seed="s") == Rendered("Us Noor")


@pytest.mark.parametrize(
    "token", ["{unknown}", "{firstname}", "{ firstName }", "{{firstName}}", "{{company}}", "{first_name}"]
)
def test_unknown_token_blocks(token: str) -> None:
    assert render(f"Hi {token}", VALUES, seed="s") == Blocked(f"missing_workspace_setup: {token}", (token,))


@pytest.mark.parametrize("text", ["{}", "a { b", "a } b", "{", "[x]", "50% {"])
def test_lone_braces_and_brackets_are_text(text: str) -> None:
    assert render(text, {}, seed="s") == Rendered(text)


def test_reason_is_the_first_class_with_a_problem_and_lists_all() -> None:
    blocked = render("{link} {foo} {lastName}", {}, seed="s", subject="{availability}")
    assert blocked == Blocked(
        "missing_lead_data: {lastName}, {foo}, {link}, {availability}",
        ("{availability}", "{link}", "{foo}", "{lastName}"),
    )
    assert render(" ", VALUES, seed="s") == Blocked("missing_workspace_setup", ())
    assert render("[[a", VALUES, seed="s") == Blocked("missing_workspace_setup: invalid_spintax", ("invalid_spintax",))


def test_a_value_is_never_expanded_again() -> None:
    assert render("{firstName}", {"first_name": "{lastName} [[a|b]]"}, seed="s") == Rendered("{lastName} [[a|b]]")


def test_subject_is_strict_too() -> None:
    assert render("Hi", {}, seed="s", subject="{firstName}") == Blocked(
        "missing_lead_data: {firstName}", ("{firstName}",)
    )
    assert render("Hi", VALUES, seed="s", subject="{firstName}?") == Rendered("Hi", "<first_name>?")


def test_save_checks_every_option() -> None:
    assert problems_in("[[a|{foo}]] {firstName}") == ("{foo}",)
    assert problems_in("[[a|[[b]]]]") == ("invalid_spintax",)
    assert variables_in("[[{firstName}|{link}]] {nope}") == {"first_name", "calendar_link"}


@pytest.mark.parametrize("text", ["[[a|]]", "[[|a]]", "[[ ]]", "[[a", "a]]", "[[a[[b]]", "[[a|b"])
def test_bad_groups(text: str) -> None:
    with pytest.raises(InvalidSpintax):
        expand(text, "s")


def test_escapes_and_single_options() -> None:
    assert expand(r"[[a \| b]] c|d \| e", "s") == r"a | b c|d \| e"
    assert expand("[[only]]", "s") == "only"


def test_choice_is_fnv1a_over_utf16_units() -> None:
    assert fnv1a_32("") == 0x811C9DC5
    assert fnv1a_32("a") == 0xE40C292C
    assert fnv1a_32("foobar") == 0xBF9CF968
    # One unit above 255 is one step, not two bytes.
    assert fnv1a_32("é€") == ((((0x811C9DC5 ^ 0xE9) * 0x01000193) & 0xFFFFFFFF ^ 0x20AC) * 0x01000193) & 0xFFFFFFFF
    options = "[[a|b|c]]"
    assert expand(options, "lead:step") == "abc"[fnv1a_32("lead:step:0") % 3]
    assert {expand(options, f"lead{number}:step") for number in range(40)} == {"a", "b", "c"}


_SPELLINGS = [token for variable in VARIABLES for token in variable.tokens]


def test_braces_around_a_token_are_a_broken_token() -> None:
    assert problems_in("{{firstName}{lastName}}") == ("{{firstName}{lastName}}",)
    assert problems_in("{ {firstName} }, {{contact.first_name}} {") == ("{ {firstName} }",)
    refused = render("{{firstName} }", dict.fromkeys(VALUES, "value"), seed="s")
    assert refused == Blocked("missing_workspace_setup: {{firstName} }", ("{{firstName} }",))


@given(
    st.lists(
        st.one_of(st.sampled_from([*_SPELLINGS, "{x}", "{", "}", "{}", "[[a|b]]", "[", "]"]), st.text(max_size=8)),
        max_size=12,
    ).map("".join)
)
def test_what_is_rendered_holds_no_token(template: str) -> None:
    result = render(template, dict.fromkeys(VALUES, "value"), seed="s")
    if isinstance(result, Rendered):
        assert re.search(r"\{[^{}]+\}", result.body) is None
    else:
        assert result.reason.startswith("missing_")


@pytest.mark.timeout(60)
@pytest.mark.parametrize("unit", ["[[", "[[a", "[[\\", "[[a]", "{", "[[a|b]]", "{firstName}"])
def test_long_templates_take_bounded_work(unit: str) -> None:
    problems_in(unit * (2**20 // len(unit)))
