"""What a rule is, and what it says where it finds something."""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any

import msgspec


class Level(StrEnum):
    """An error ends `check` and `lint`; a warning is shown."""

    ERROR = "error"
    WARNING = "warning"


class Scope(StrEnum):
    """What is linted: a file on its own, a file of a release, a project for a cluster or for the local platform."""

    FILE = "file"
    RELEASE = "release"
    PROJECT = "project"
    LOCAL = "local"


ANYWHERE = frozenset(Scope)
ON_CLUSTER = ANYWHERE - {Scope.LOCAL}
AS_IT_IS = frozenset({Scope.FILE, Scope.RELEASE})


class Spot(msgspec.Struct, frozen=True):
    """Where a rule found something: the place's name, what is wrong there, and the line in the source (0: none)."""

    place: str
    reason: str
    line: int = 0


class Finding(msgspec.Struct, frozen=True):
    """One thing that a rule found: where it stands in the pipeline, why it is wrong, and how to mend it.

    `file` and `line` are where a person looks, "" and 0 where there is no such place.
    """

    rule: str
    level: Level
    place: str
    reason: str
    fix: str
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.level} {self.rule}: {self.place}: {self.reason}; {self.fix}"


class Rule(msgspec.Struct, frozen=True):
    """One rule: `why` is the reason in a sentence, `find` the function that looks, `scopes` where it holds.

    `find` takes a `View` where the rule reads compiled files, a `Source` where it reads Python.
    """

    id: str
    level: Level
    why: str
    fix: str
    find: Callable[[Any], Iterator[Spot]]
    scopes: frozenset[Scope] = ANYWHERE

    def findings(self, subject: Any, file: str = "") -> Iterator[Finding]:
        for spot in self.find(subject):
            yield Finding(self.id, self.level, spot.place, spot.reason, self.fix, file, spot.line)
