"""Assets, checks, sensors and the hourly schedule, through Dagster and a real Postgres."""

import base64
import csv
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from tests.integration.analytics_support import DAY, HOUR, NOW, World
from zrg_dagster.assets import booking, step_execution, workflow_attribution
from zrg_dagster.assets.partitions import DAYS, WORKSPACES
from zrg_dagster.core.analytics.facts import ATTRIBUTION
from zrg_dagster.sensors import facts, workspaces

TODAY = NOW.date()
FACT_ASSETS = [
    booking.booking,
    booking.booking_checks,
    step_execution.step_execution,
    step_execution.step_execution_checks,
]
MART_ASSETS = [workflow_attribution.workflow_attribution, workflow_attribution.workflow_attribution_checks]
RANGE_TAGS = {
    "dagster/asset_partition_range_start": (TODAY - DAY).isoformat(),
    "dagster/asset_partition_range_end": TODAY.isoformat(),
}


@pytest.fixture
def world(database, monkeypatch, tmp_path) -> Iterator[World]:
    made = World(database, monkeypatch, tmp_path)
    yield made
    made.close()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def stored_instance() -> Iterator[dg.DagsterInstance]:
    """One with a reference to itself, which the context of a schedule asks for."""
    with dg.instance_for_test() as made:
        yield made


def booked_lead(world: World):
    """A lead who was followed up twice and then booked, yesterday and today."""
    lead = world.add_lead()
    run = world.add_instance(lead)
    world.add_step(lead, run, NOW - DAY)
    world.add_step(lead, run, NOW - timedelta(minutes=1))
    world.add_appointment(lead, NOW)
    return lead


def metadata_of(result: dg.ExecuteInProcessResult, asset: dg.AssetsDefinition, partition: str) -> dict:
    (event,) = [
        each.materialization
        for each in result.get_asset_materialization_events()
        if each.asset_key == asset.key and each.partition == partition
    ]
    return {name: value.value for name, value in event.metadata.items()}


def check_results(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {each.check_name: each.passed for each in result.get_asset_check_evaluations()}


def test_a_range_backfill_is_one_run_with_the_rows_of_each_day(world: World, instance: dg.DagsterInstance) -> None:
    booked_lead(world)
    world.mark("step_execution", TODAY)
    result = world.materialize(FACT_ASSETS, instance=instance, tags=RANGE_TAGS)
    assert result.success
    steps = world.rows("SELECT utc_day, count(*)::int AS n FROM facts.step_execution GROUP BY 1 ORDER BY 1")
    for row in steps:
        found = metadata_of(result, step_execution.step_execution, row["utc_day"].isoformat())
        assert found["dagster/row_count"] == row["n"]
    yesterday = metadata_of(result, booking.booking, (TODAY - DAY).isoformat())
    today = metadata_of(result, booking.booking, TODAY.isoformat())
    assert (yesterday["dagster/row_count"], today["dagster/row_count"], today["rows_restated"]) == (0, 1, 0)
    assert (today["rows_in_range"], today["workspace_count"]) == (1, 1)
    assert today["as_of_utc"] == today["source_max_ts"] == NOW.timestamp()
    assert today["statement_ms"] >= 0
    assert [record.data["workspace"] for record in today["preview"].records] == ["acme"]
    assert not {"lead_id", "provider_appointment_id"} & set(today["preview"].records[0].data)
    assert all(each.passed for each in result.get_asset_check_evaluations())
    assert len(result.get_asset_check_evaluations()) == 8
    assert [fact for fact, _, _ in world.flags()] == [ATTRIBUTION]


def test_a_single_day_can_be_materialized(world: World) -> None:
    booked_lead(world)
    result = world.materialize(FACT_ASSETS[:2], partition_key=TODAY.isoformat())
    assert result.success
    assert metadata_of(result, booking.booking, TODAY.isoformat())["dagster/row_count"] == 1


MOVED = "UPDATE facts.booking SET utc_day = utc_day - 1"
LOST = "DELETE FROM facts.booking"


@pytest.mark.parametrize(
    ("statement", "failing", "severity", "succeeds"),
    [
        (MOVED, "window_bounds", dg.AssetCheckSeverity.ERROR, False),
        (LOST, "row_balance", dg.AssetCheckSeverity.WARN, True),
    ],
)
def test_a_bad_row_is_found_and_only_serious_checks_block(world: World, statement, failing, severity, succeeds) -> None:
    booked_lead(world)
    world.materialize(FACT_ASSETS[:1], partition_key=TODAY.isoformat())
    world.superuser(statement)
    for tags in ({}, {"dagster/partition": TODAY.isoformat()}, RANGE_TAGS):
        result = world.materialize(
            FACT_ASSETS[:2], selection=dg.AssetSelection.checks(booking.booking_checks), tags=tags, raise_on_error=False
        )
        found = [each for each in result.get_asset_check_evaluations() if not each.passed]
        assert [(each.check_name, each.severity, each.blocking) for each in found] == [
            (failing, severity, not succeeds)
        ]
        assert result.success == succeeds


def test_building_the_day_again_heals_a_bad_row(world: World) -> None:
    booked_lead(world)
    world.materialize(FACT_ASSETS[:2], partition_key=TODAY.isoformat())
    world.superuser(MOVED)
    result = world.materialize(FACT_ASSETS[:2], partition_key=TODAY.isoformat())
    assert result.success
    assert metadata_of(result, booking.booking, TODAY.isoformat())["rows_restated"] == 1


class TestMart:
    def materialized(self, world: World, instance: dg.DagsterInstance, key: str = "acme", **options):
        instance.add_dynamic_partitions("workspace", [key])
        return world.materialize([*FACT_ASSETS, *MART_ASSETS], selection=[*MART_ASSETS], instance=instance,
                                 partition_key=key, **options)  # fmt: skip

    @pytest.fixture
    def built(self, world: World) -> World:
        booked_lead(world)
        assert world.materialize(FACT_ASSETS, tags=RANGE_TAGS).success
        return world

    def test_it_hands_over_one_frame_as_value_preview_picture_and_file(self, built: World, instance, tmp_path) -> None:
        later = NOW + HOUR
        built.stop_clock(later)
        result = self.materialized(built, instance)
        assert check_results(result) == {
            "unique_key": True, "totals_agree": True, "weights_sum_to_one": True, "credit_before_booking": True,
        }  # fmt: skip
        frame = result.output_for_node("marts__workflow_attribution")
        assert isinstance(frame, pd.DataFrame)
        first = frame[(frame["window_label"] == "30d") & (frame["model"] == "first_touch")]
        assert dict(zip(first["sequence_name"], first["bookings"], strict=True)) == {"Initial outreach": 0, "Chaser": 1}
        found = metadata_of(result, workflow_attribution.workflow_attribution, "acme")
        assert (found["dagster/row_count"], found["credit_rows"], found["workspace_count"]) == (len(frame), 4, 1)
        assert (found["bookings_30d"], found["kept_30d"], found["workflow_share_30d"]) == (1, 1, 1.0)
        assert (found["as_of_utc"], found["source_max_ts"]) == (later.timestamp(), NOW.timestamp())
        assert "Chaser" in found["preview"]
        head, _, picture = found["plot"].partition("base64,")
        assert head == "![1 leads booked in 30 days, by the sequence that touched them first](data:image/png;"
        assert base64.b64decode(picture[:-1]).startswith(b"\x89PNG")
        assert len(found["plot"]) < 40_000
        assert Path(found["csv"]) == tmp_path / "exports" / "workflow_attribution" / "acme.csv"
        with Path(found["csv"]).open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert [row["sequence_name"] for row in rows] == list(frame["sequence_name"])
        assert found["csv_first_rows"].startswith("workspace,window_label,model")
        assert built.flags() == []

    def test_an_empty_workspace_builds_without_headline_rate(self, world: World, instance) -> None:
        result = self.materialized(world, instance)
        found = metadata_of(result, workflow_attribution.workflow_attribution, "acme")
        assert found["bookings_30d"] == 0
        assert "workflow_share_30d" not in found

    def test_a_workspace_that_is_gone_fails_with_its_name(self, world: World, instance) -> None:
        result = self.materialized(world, instance, "gone", raise_on_error=False)
        assert not result.success
        messages = [each.step_failure_data.user_failure_data for each in result.all_events if each.is_step_failure]
        assert "no workspace 'gone'" in messages[0].description

    def test_a_check_can_be_asked_again_later(self, built: World, instance) -> None:
        built.stop_clock(NOW + HOUR)
        self.materialized(built, instance)
        built.superuser("UPDATE marts.workflow_attribution SET bookings = bookings + 1 WHERE kind = 'workflow'")
        for tags in ({}, {"dagster/partition": "acme"}):
            result = built.materialize(
                [*FACT_ASSETS, *MART_ASSETS],
                selection=dg.AssetSelection.checks(workflow_attribution.workflow_attribution_checks),
                tags=tags,
                raise_on_error=False,
            )
            assert [each for each, passed in check_results(result).items() if not passed] == ["totals_agree"]

    def test_a_failed_blocking_check_fails_the_run(self, built: World, instance) -> None:
        built.superuser("ALTER TABLE marts.booking_credit DROP CONSTRAINT booking_credit_pkey")
        built.superuser(
            "CREATE FUNCTION marts.twice() RETURNS trigger LANGUAGE plpgsql AS "
            "$$BEGIN IF NEW.model <> 'linear' THEN NEW.weight := 0.5; END IF; RETURN NEW; END$$"
        )
        built.superuser(
            "CREATE TRIGGER twice BEFORE INSERT ON marts.booking_credit FOR EACH ROW EXECUTE FUNCTION marts.twice()"
        )
        assert not self.materialized(built, instance, raise_on_error=False).success


class TestFactsSensor:
    def evaluate(self, world: World, instance: dg.DagsterInstance):
        with dg.build_sensor_context(instance=instance, resources=world.resources) as context:
            return facts.facts_dirty_sensor(context)

    def test_nothing_changed_starts_nothing(self, world: World, instance) -> None:
        answer = self.evaluate(world, instance)
        assert isinstance(answer, dg.SkipReason)
        assert answer.skip_message == "No fact changed."

    def test_one_day_is_a_partition_and_several_are_a_range(self, world: World, instance) -> None:
        world.mark("booking", TODAY)
        world.mark("step_execution", TODAY)
        world.mark("step_execution", TODAY - DAY)
        one, several = self.evaluate(world, instance)
        assert (one.job_name, one.partition_key) == ("refresh_booking_facts", TODAY.isoformat())
        assert (several.job_name, several.partition_key) == ("refresh_step_execution_facts", None)
        assert {name: several.tags[name] for name in RANGE_TAGS} == RANGE_TAGS

    def test_the_requested_range_builds_and_then_nothing_is_due(self, world: World, instance) -> None:
        booked_lead(world)
        for day in (TODAY - DAY, TODAY):
            world.mark("step_execution", day)
        (request,) = self.evaluate(world, instance)
        assert world.materialize(FACT_ASSETS, instance=instance, tags=request.tags).success
        assert "step_execution" not in [fact for fact, _, _ in world.flags()]

    def test_a_tick_without_news_repeats_its_run_key(self, world: World, instance) -> None:
        world.mark("booking", TODAY)
        key = self.evaluate(world, instance)[0].run_key
        assert self.evaluate(world, instance)[0].run_key == key
        world.mark("booking", TODAY)
        assert self.evaluate(world, instance)[0].run_key != key

    @pytest.mark.parametrize("status", [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED])
    def test_an_unfinished_run_of_the_fact_is_waited_for(self, world: World, instance, status) -> None:
        world.mark("booking", TODAY)
        run = instance.create_run_for_job(dg.Definitions(
            assets=FACT_ASSETS[::2], asset_checks=FACT_ASSETS[1::2], jobs=[booking.refresh_booking_facts],
            resources=world.resources,
        ).resolve_job_def("refresh_booking_facts"), status=status)  # fmt: skip
        assert self.evaluate(world, instance).skip_message == "facts/booking is being built"
        instance.delete_run(run.run_id)
        assert len(self.evaluate(world, instance)) == 1

    def test_a_mart_is_requested_once_its_workspace_has_a_partition(self, world: World, instance) -> None:
        world.mark(ATTRIBUTION, TODAY)
        assert self.evaluate(world, instance).skip_message == "a workspace has no partition yet"
        instance.add_dynamic_partitions("workspace", ["acme"])
        (request,) = self.evaluate(world, instance)
        assert (request.job_name, request.partition_key) == ("refresh_workflow_attribution", "acme")
        assert request.tags["zrg/workspace"] == "acme"


def test_new_workspaces_get_a_partition_and_none_is_deleted(world: World, instance) -> None:
    def evaluate():
        with dg.build_sensor_context(instance=instance, resources=world.resources) as context:
            return workspaces.workspace_partitions_sensor(context)

    world.add_workspace("globex")
    instance.add_dynamic_partitions("workspace", ["gone"])
    result = evaluate()
    assert isinstance(result, dg.SensorResult)
    (request,) = result.dynamic_partitions_requests or []
    assert (request.partitions_def_name, list(request.partition_keys)) == ("workspace", ["acme", "globex"])
    assert not result.run_requests
    instance.add_dynamic_partitions("workspace", ["acme", "globex"])
    assert isinstance(evaluate(), dg.SkipReason)


def test_the_hourly_schedule_requests_only_stale_marts(world: World, stored_instance: dg.DagsterInstance) -> None:
    instance = stored_instance

    def evaluate():
        context = dg.build_schedule_context(
            instance=instance, resources=world.resources, scheduled_execution_time=NOW.replace(minute=5)
        )
        with context:
            return workflow_attribution.refresh_marts_hourly(context)

    instance.add_dynamic_partitions("workspace", ["acme"])
    assert isinstance(evaluate(), dg.SkipReason)
    world.add_appointment(world.add_lead(), NOW - HOUR)
    assert world.materialize(FACT_ASSETS, tags=RANGE_TAGS).success
    (request,) = evaluate()
    assert (request.partition_key, request.run_key) == ("acme", f"acme:{NOW:%Y-%m-%dT%H}")
    TestMart().materialized(world, instance)
    assert isinstance(evaluate(), dg.SkipReason)


def test_today_is_a_partition() -> None:
    assert (DAYS.get_last_partition_key() or "") >= TODAY.isoformat()
    assert DAYS.get_first_partition_key() == "2025-01-01"
    assert WORKSPACES.name == "workspace"


@pytest.mark.parametrize("asset", [FACT_ASSETS[0], FACT_ASSETS[2], MART_ASSETS[0]], ids=lambda each: each.key.path[-1])
def test_a_stranger_finds_out_what_an_asset_is(asset: dg.AssetsDefinition) -> None:
    (spec,) = asset.specs
    assert len(spec.description or "") > 200
    assert spec.owners == ["team:analytics"]
    assert spec.group_name == spec.key.path[0]
    assert {"postgres", "sql"} <= spec.kinds
    schema = spec.metadata["dagster/column_schema"]
    assert all(column.description and column.type for column in schema.columns)


def test_loading_the_assets_loads_no_heavy_library() -> None:
    statement = (
        "import sys\n"
        "import zrg_dagster.sensors.facts, zrg_dagster.sensors.workspaces\n"
        "heavy = ('pandas', 'matplotlib', 'numpy', 'openai', 'httpx', 'psycopg')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    quiet = ["-W", "error", "-W", "ignore:Parameter `backfill_policy` of"]
    answer = subprocess.run([sys.executable, *quiet, "-c", statement], capture_output=True, text=True, check=False)
    assert (answer.stdout.strip(), answer.stderr) == ("[]", "")
