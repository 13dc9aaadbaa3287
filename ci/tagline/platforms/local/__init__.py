"""The platform that needs nothing but wheels: folders, SQLite, host processes and real KServe servers."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tagline.config_keys import EngineName
from tagline.engines import Engine
from tagline.platforms import Platform

if TYPE_CHECKING:
    from tagline.platforms.local.pipelines import LocalPipelines
    from tagline.platforms.local.rollouts import LocalRollouts
    from tagline.platforms.local.serving import LocalServing
    from tagline.secrets.sources import Source


class LocalPlatform:
    """One user's platform in `home`; each of its three parts is imported when it is first used."""

    name = "local"
    serves = True
    schedules = None

    def __init__(
        self,
        home: Path,
        engine: Engine,
        source: "Source | None" = None,
        *,
        containers: EngineName | None = None,
    ) -> None:
        self.home, self._engine, self._source, self._containers = home, engine, source, containers

    @cached_property
    def machine(self) -> str:
        from tagline.platforms.local.home import machine

        return machine(self.home)

    @cached_property
    def pipelines(self) -> "LocalPipelines":
        from tagline.platforms.local.pipelines import LocalPipelines

        return LocalPipelines(self.home, self._engine, self._source, containers=self._containers)

    @cached_property
    def serving(self) -> "LocalServing":
        from tagline.platforms.local.serving import LocalServing

        return LocalServing(self.home)

    @cached_property
    def rollouts(self) -> "LocalRollouts":
        from tagline.platforms.local.rollouts import LocalRollouts

        return LocalRollouts(self.home)


def open_platform(
    home: Path, engine: Engine, source: "Source | None" = None, *, containers: EngineName | None = None
) -> Platform:
    """The local platform in `home` (`home.tagline_home`), whose code runs through `engine`.

    `source` is where tasks' secrets come from, by default this process's environment. With `containers` the
    tasks of pipelines run in their images instead, in that engine.
    """
    return LocalPlatform(home, engine, source, containers=containers)
