"""Schedules of trainings, as the flow asks for them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from tagline.words import Release


class Schedule(msgspec.Struct, frozen=True):
    """A schedule as tagline.yaml has it: five-field cron in a time zone, parameters over those of the pipeline.

    At most `concurrency` of its runs go on at once, 1 to 10. `cache`: whether tasks that do not forbid it may be
    answered from the server's cache; those that make a model or its facts never are.
    """

    name: str
    cron: str
    time_zone: str
    parameters: Mapping[str, Any] = {}
    concurrency: int = 1
    cache: bool = False


class Schedules(Protocol):
    """The schedules of one pipeline on a platform.

    `declared` names every pipeline of the repository where those of its others, which it no longer has, are to go too.
    """

    def plan(
        self,
        pipeline: str,
        release: Release | None,
        wanted: Sequence[Schedule],
        declared: Collection[str] = (),
    ) -> list[str]:
        """What `apply` would do now, a sentence each, with the next ticks; empty where all is as declared.

        Raises `KfpScheduleRefused` for what the server cannot be told. `release` None: nothing is uploaded yet.
        """
        ...

    def apply(
        self, pipeline: str, release: Release, wanted: Sequence[Schedule], declared: Collection[str] = ()
    ) -> list[str]:
        """Make the server's schedules those that are declared, of this release; what was done, a sentence each."""
        ...
