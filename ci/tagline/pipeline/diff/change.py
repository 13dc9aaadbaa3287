"""One change between two compiled pipelines, and the sentence that tells it."""

import difflib
import json
from enum import StrEnum
from typing import Any, assert_never

import msgspec

_LONG = 100


class Kind(StrEnum):
    """What became of a thing."""

    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"
    CHANGED = "changed"


_INVERSE = {Kind.ADDED: Kind.REMOVED, Kind.REMOVED: Kind.ADDED}


class Change(msgspec.Struct, frozen=True):
    """One change: `place` is the task, parameter or pipeline, `what` its field ("" where it came or went whole).

    `path` is where it stands in the compiled file's own words; `before` and `after` are None for what was, or
    is, not there.
    """

    kind: Kind
    place: str
    what: str = ""
    path: str = ""
    before: Any = None
    after: Any = None

    def inverse(self) -> "Change":
        """The same change seen from the other side."""
        kind = _INVERSE.get(self.kind, self.kind)
        place = str(self.after) if self.kind is Kind.RENAMED else self.place
        return Change(kind, place, self.what, self.path, self.after, self.before)

    def __str__(self) -> str:
        match self.kind:
            case Kind.ADDED:
                return f"{self._thing()} is new" + (f": {said(self.after)}" if self.what else "")
            case Kind.REMOVED:
                return f"{self._thing()} is gone" + (f": {said(self.before)}" if self.what else "")
            case Kind.RENAMED:
                return f"{self.before} is now called {self.after}"
            case Kind.CHANGED:
                return f"{self._thing()}: {_from_to(self.before, self.after)}"
        assert_never(self.kind)

    def _thing(self) -> str:
        return f"{self.place}: {self.what}" if self.what else self.place


def said(value: Any) -> str:
    """A value as it is told: text as it stands, long texts by their size."""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)
    if len(text) <= _LONG and "\n" not in text:
        return text or '""'
    return f"{len(text.splitlines())} lines, {len(text)} characters"


def _joined(value: Any) -> Any:
    """A list of words as lines, so that what changed in a program inside is counted by its lines."""
    words = isinstance(value, list) and all(isinstance(each, str) for each in value)
    return "\n".join(value) if words and any("\n" in each for each in value) else value


def _from_to(before: Any, after: Any) -> str:
    one, other = said(before), said(after)
    before, after = _joined(before), _joined(after)
    if isinstance(before, str) and isinstance(after, str) and ("\n" in before or "\n" in after):
        lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""))[2:]
        new, old = (sum(line.startswith(sign) for line in lines) for sign in "+-")
        return f"{new} lines new, {old} lines gone"
    return f"{one} is now {other}" if one != other else f"{one}, with other content"
