"""One phrase rule of the opt-out floor, and how it is written down."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rule:
    """Shapes of one request to stop, read on one sentence in canonical spelling (`optout_spelling.spelled`).

    `needs`: a sentence without any of these substrings is not looked at, nor one without any of those in `also`, where it
    is given. `asks`: the request. `before` and `after` look at the words before and behind a found request and make it
    something else ("why did you ...", "... before noon"); `unless` does so from anywhere in the sentence. With
    `another_channel` the request is a preference when the writer offers another channel ("don't call, email me"). A group
    named `do` in a request marks where its verb begins, when the words that announce it ("but please") stand before.
    """

    name: str
    needs: tuple[str, ...]
    asks: tuple[re.Pattern[str], ...]
    before: re.Pattern[str] | None = None
    after: re.Pattern[str] | None = None
    unless: re.Pattern[str] | None = None
    another_channel: bool = False
    exclamation: bool = False
    whole: bool = False
    also: re.Pattern[str] | None = None
    wants: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        # One scan in C: this question is asked a hundred times a sentence, and is mostly the last.
        object.__setattr__(self, "wants", re.compile("|".join(map(re.escape, self.needs))))

    def finds(self, sentence: str) -> bool:
        if self.wants.search(sentence) is None or (self.also is not None and self.also.search(sentence) is None):
            return False
        if all(self._explained_away(sentence, found) for asks in self.asks for found in asks.finditer(sentence)):
            return False
        # Last, for most sentences ask nothing.
        return self.unless is None or self.unless.search(sentence) is None

    def _explained_away(self, sentence: str, found: re.Match[str]) -> bool:
        start = found.start("do") if "do" in found.re.groupindex else found.start()
        if self.before is not None and self.before.search(sentence[:start]) is not None:
            return True
        return self.after is not None and self.after.match(sentence[found.end() :]) is not None


def rule(
    name: str,
    needs: str,
    *asks: str,
    before: str | None = None,
    after: str | None = None,
    unless: str | None = None,
    another_channel: bool = False,
    exclamation: bool = False,
    whole: bool = False,
    also: str | None = None,
) -> Rule:
    """`needs` and `also` are substrings separated by blanks, an underscore stands for a blank; `before` is tied to the end
    of the words before the request, `after` to the start of those behind it."""
    return Rule(
        name=name,
        needs=tuple(part.replace("_", " ") for part in needs.split()),
        asks=tuple(re.compile(pattern) for pattern in asks),
        before=re.compile(rf"(?:{before})$") if before else None,
        after=re.compile(after) if after else None,
        unless=re.compile(unless) if unless else None,
        another_channel=another_channel,
        exclamation=exclamation,
        whole=whole,
        also=re.compile("|".join(re.escape(part.replace("_", " ")) for part in also.split())) if also else None,
    )


def one_of(words: str | Iterable[str]) -> str:
    """A pattern for any of `words`; in a string they are separated by blanks, an underscore stands for a blank."""
    parts = [word.replace("_", " ") for word in words.split()] if isinstance(words, str) else list(words)
    return f"(?:{'|'.join(parts)})"
