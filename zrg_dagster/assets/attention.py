"""ops/attention: what is stuck, why, and which job with which config fixes it. A sensor reports it without a run."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    from zrg_dagster.core.replies.attention import Item

ATTENTION = dg.AssetKey(["ops", "attention"])
SHOWN = 100

attention = dg.AssetSpec(
    ATTENTION,
    group_name="operations",
    kinds={"postgres"},
    owners=["team:operations"],
    description=(
        "Everything that needs somebody: quarantined and dead deliveries, parked and dead jobs, sends that nobody confirmed "
        "or that are late, drafts that have waited for hours, paused follow-ups, stops of automatic sends, accounts that are "
        "disconnected or paused.\n\n"
        "Each line of `listed` names the job that fixes it and the config to paste into its launchpad; every such config is "
        "a dry run. A sensor renews it within a minute of a change."
    ),
)


def shown(items: "Sequence[Item]") -> dict[str, Any]:
    """The metadata of one observation."""
    lines = [
        "| what | workspace | code | why | number | oldest | job | config | note |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for item in items[:SHOWN]:
        config = f"`{item.config}`" if item.config else ""
        cells = (item.what, item.workspace or "", item.code, item.why, str(item.number))
        cells += (f"{item.oldest:%Y-%m-%d %H:%MZ}", item.job, config, item.hint)
        lines.append(f"| {' | '.join(cell.replace('|', '¦').replace(chr(10), ' ') for cell in cells)} |")
    return {
        "kinds": len(items),
        "things": sum(item.number for item in items),
        "listed": dg.MetadataValue.md("\n".join(lines) if items else "Nothing needs anybody."),
    }
