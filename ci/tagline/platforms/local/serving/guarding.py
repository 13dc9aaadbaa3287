"""What a model server must leave alone: all that the engine's commands must, and its own source and model."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from tagline.engines import Guards, places
from tagline.platforms import ServerSpec
from tagline.platforms.local.home import guards as of_home
from tagline.platforms.local.serving.paths import Paths


def environment(spec: ServerSpec) -> Path:
    """The folder of the environment that a server runs in."""
    return spec.python.parent.parent


def server_guards(paths: Paths, spec: ServerSpec) -> Guards:
    """The guards of one model server: it can change its own home, and nothing else of what tagline knows.

    A folder that the engine's commands may read, such as the work tree, is hidden where nothing that the server
    needs lies in it: single files in it would be seen again once they are made anew, and a server lives long.
    """
    given = of_home(paths.home, map(Path, spec.guards.hide), map(Path, spec.guards.keep))
    needed = [environment(spec), spec.source, spec.model]
    around = [*needed, paths.home / "servers", *places.shown(os.environ)]
    kept = [path for path in given.keep if _holds(path, around)]
    hidden = [
        *given.hide,
        *map(str, paths.not_for_servers()),
        *(path for path in given.keep if path not in kept),
    ]
    return Guards(
        list(dict.fromkeys(hidden)),
        list(dict.fromkeys([*kept, str(paths.home / "servers"), *map(str, needed)])),
    )


def _holds(folder: str, paths: Iterable[Path]) -> bool:
    """Whether one of the paths, or what it leads to, is this folder or lies in it."""
    real = Path(os.path.realpath(folder))
    return any(Path(os.path.realpath(path)).is_relative_to(real) for path in paths)


def all_guards(paths: Paths, specs: Iterable[ServerSpec]) -> Iterator[Guards]:
    """The guards of each of these servers, once where they are the same."""
    seen: list[Guards] = []
    for one in (server_guards(paths, spec) for spec in specs):
        if one not in seen:
            seen.append(one)
            yield one
