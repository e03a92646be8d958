"""What an operator does in the Dagster UI, over the same GraphQL: launch jobs, start backfills, wait for runs."""

import time
from typing import Any

import httpx

_SELECTOR = {"repositoryLocationName": "zrg_dagster", "repositoryName": "__repository__"}
_LAUNCH = """mutation($params: ExecutionParams!) { launchRun(executionParams: $params) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } } } }"""
_RUN = "query($id: ID!) { runOrError(runId: $id) { __typename ... on Run { status } } }"
_BACKFILL = """mutation($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message }
    ... on PartitionKeysNotFoundError { message } } }"""
_BACKFILL_RUNS = """query($id: String!) { runsOrError(filter: {tags: [{key: "dagster/backfill", value: $id}]}) {
    __typename ... on Runs { results { status } } ... on PythonError { message } } }"""
_PARTITIONS = """query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) {
    __typename ... on AssetNode { partitionKeys } } }"""
DONE = {"SUCCESS", "FAILURE", "CANCELED"}


class ControlRoomError(RuntimeError):
    """The UI's API refused something; the message is its own."""


class ControlRoom:
    """One webserver. Calls block; waits are bounded."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=30)

    def close(self) -> None:
        self._client.close()

    def _ask(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        answer = self._client.post("/graphql", json={"query": query, "variables": variables})
        answer.raise_for_status()
        document = answer.json()
        if document.get("errors"):
            raise ControlRoomError(str(document["errors"][0].get("message")))
        return next(iter(document["data"].values()))

    def launch(self, job: str, config: dict[str, Any] | None = None, tags: dict[str, str] | None = None) -> str:
        """Start a job; returns the run's id."""
        params = {
            "selector": {**_SELECTOR, "jobName": job},
            "runConfigData": config or {},
            "executionMetadata": {"tags": [{"key": k, "value": v} for k, v in (tags or {}).items()]},
        }
        found = self._ask(_LAUNCH, {"params": params})
        if found["__typename"] != "LaunchRunSuccess":
            raise ControlRoomError(f"{job}: {found}")
        return found["run"]["runId"]

    def wait_run(self, run_id: str, seconds: float = 120) -> str:
        """The final status of a run, or what it was when the time ended."""
        return self._wait(lambda: self._ask(_RUN, {"id": run_id}).get("status", "UNKNOWN"), seconds)

    def backfill(self, assets: list[str], partitions: list[str]) -> str:
        """Backfill assets (`facts/booking`) over partitions, as the Assets page does; returns the backfill's id."""
        params = {"assetSelection": [{"path": asset.split("/")} for asset in assets], "partitionNames": partitions}
        found = self._ask(_BACKFILL, {"params": params})
        if found["__typename"] != "LaunchBackfillSuccess":
            raise ControlRoomError(f"backfill of {assets}: {found}")
        return found["backfillId"]

    def wait_backfill_runs(self, backfill_id: str, seconds: float = 90) -> list[str]:
        """The final statuses of the runs that the backfill daemon made of it; it looks every half minute."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = self._ask(_BACKFILL_RUNS, {"id": backfill_id}).get("results", [])
            statuses = [run["status"] for run in found]
            if statuses and DONE.issuperset(statuses):
                return statuses
            time.sleep(0.3)
        return []

    def partitions(self, asset: str) -> list[str]:
        """The partition keys that an asset has now."""
        return self._ask(_PARTITIONS, {"key": {"path": asset.split("/")}}).get("partitionKeys", [])

    @staticmethod
    def _wait(status: Any, seconds: float) -> str:
        deadline = time.monotonic() + seconds
        while (seen := status()) not in DONE and time.monotonic() < deadline:
            time.sleep(0.3)
        return seen
