"""Settings work or do not exist."""

import re
from pathlib import Path

import pytest

from zrg_dagster.core.workspaces.declare import SettingsPart, WorkspaceFile
from zrg_dagster.core.workspaces.declared_integrations import IntegrationsPart
from zrg_dagster.core.workspaces.settings_registry import SETTINGS, Setting, reader_text
from zrg_dagster.core.workspaces.tables import SETTING
from zrg_dagster.core.workspaces.wanted import PEOPLE


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.column)
def test_each_setting_has_a_reader_that_mentions_it(setting):
    assert re.search(rf"\b{setting.column}\b", reader_text(setting))


def test_each_setting_stands_in_the_file_and_in_the_section():
    registered = [setting.column for setting in SETTINGS]
    # Lists of people are rows of tables of their own, which the reviews, the digest and the assignment read.
    assert sorted({*SettingsPart.model_fields} - PEOPLE) == sorted(registered)
    assert sorted(column.name for column in SETTING.columns) == sorted(registered)


@pytest.mark.parametrize(
    "reader",
    ["zrg_dagster.core.nowhere.read", "zrg_dagster.core.followups.values.gone", "zrg_dagster.core.base.log._EMAIL"],
)
def test_a_reader_that_is_none_is_named(reader):
    with pytest.raises(LookupError, match=re.escape(reader)):
        reader_text(Setting("tone", "text", None, "", "", reader))


def test_the_page_names_every_key_of_the_file():
    page = (Path(__file__).parents[2] / "docs" / "workspaces.md").read_text()
    table = page[page.index("| Tab |") : page.index("OWNER is not")]
    keys = {*WorkspaceFile.model_fields, *SettingsPart.model_fields, *IntegrationsPart.model_fields}
    assert [key for key in sorted(keys) if not re.search(rf"\b{key}\b", table)] == []
