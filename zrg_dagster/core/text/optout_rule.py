"""One phrase rule of the opt-out floor."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """`asks` finds a request to stop in one folded sentence; `unless` finds what makes it something else.

    With `another_channel` the request is a preference when the writer offers another channel ("don't call, email me").
    """

    name: str
    needs: tuple[str, ...]
    asks: re.Pattern[str]
    unless: re.Pattern[str] | None = None
    another_channel: bool = False
