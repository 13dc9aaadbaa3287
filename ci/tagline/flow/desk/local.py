"""`tagline local`: the local platform's processes, and traffic for a laptop that has no users."""

import csv
import io
import math
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tagline import config
from tagline.config_rules import label_columns
from tagline.errors import ConfigError, MissingKeys, PlatformError, RepositoryError
from tagline.flow import platforms
from tagline.flow.desk.traffic import Stream, Tally, replay
from tagline.flow.world import default_name
from tagline.git.repo import Repo
from tagline.platforms import Route
from tagline.platforms.local import serving, work
from tagline.platforms.local.home import tagline_home
from tagline.words import one_of

MOST_RATE = 10_000


class Load(msgspec.Struct, frozen=True):
    """What `tagline local traffic` sends; `env` "" means the first declared one in which the model serves."""

    model: str
    env: str = ""
    rate: float = 20.0
    seconds: float | None = None
    without: str = ""
    share: float = 0.0


def up() -> serving.PlatformStatus:
    """Start the platform and everything that served."""
    return serving.up(tagline_home(os.environ))


def down() -> str:
    """Stop the platform; returns a sentence."""
    home = tagline_home(os.environ)
    was_up = serving.status(home).up
    serving.down(home)
    work.sweep(home)
    return (
        "the local platform is down; what serves is remembered" if was_up else "the local platform was down"
    )


def local_status() -> serving.PlatformStatus:
    """What runs now; starts nothing."""
    return serving.status(tagline_home(os.environ))


def logs(name: str, lines: int) -> list[serving.LogTail]:
    """The ends of the logs."""
    return serving.logs(tagline_home(os.environ), name, lines)


def traffic(load: Load, told: Callable[[Tally], None]) -> None:
    """Send the stream; `told` hears the tally about once a second, and at the end. Ctrl-C ends it well.

    Raises `MissingKeys` (no gate.data to replay), `UnknownName`, `PlatformError` where nothing serves, or where
    no request got a good answer.
    """
    _check(load)
    rows, own = _rows(_top(Path.cwd()), load.model)
    routes = local_routes()
    one_of(load.model, {*own.model_names(), *(route.model for route in routes)}, "model")
    if load.without:
        one_of(load.without, rows[0], "field")
    send(rows, Stream(_url(load, own, routes), load.rate, load.seconds, load.without, load.share), told)


def _check(load: Load) -> None:
    """Raise `ConfigError` for numbers that no stream can have; NaN is none of them."""
    if not 0 < load.rate <= MOST_RATE:
        raise ConfigError(f"--rate {load.rate:g} is not above 0 and at most {MOST_RATE}", fix="--rate 20")
    if load.seconds is not None and not 0 < load.seconds < math.inf:
        raise ConfigError(f"--seconds {load.seconds:g} is not above 0", fix="--seconds 60")
    if not 0 <= load.share <= 1:
        raise ConfigError(f"--share {load.share:g} is not in 0..1", fix="--share 0.3")


def _top(here: Path) -> Path:
    """The nearest folder, from here upwards, that has a tagline.yaml; raises `MissingKeys` where none has."""
    for folder in (here, *here.parents):
        if (folder / config.FILE).is_file():
            return folder
    raise MissingKeys(
        f"there is no {config.FILE} in {here} or above: it names the hold-out to replay",
        where=str(here),
        fix="run this in the project",
    )


def send(rows: Sequence[Mapping[str, Any]], stream: Stream, told: Callable[[Tally], None]) -> None:
    """Replay the rows until the stream's end or Ctrl-C, telling the tally; raises `PlatformError` where requests
    were sent and none got a good answer.
    """
    stopped: list[bool] = []
    before = signal.signal(signal.SIGINT, lambda *_: stopped.append(True))
    try:
        tally = replay(rows, stream, told, lambda: bool(stopped))
    finally:
        signal.signal(signal.SIGINT, before)
    told(tally)
    if tally.sent and not tally.statuses[200]:
        seen = ", ".join(f"{status or 'no answer'} {count}" for status, count in tally.statuses.most_common())
        raise PlatformError(
            f"none of {tally.sent} requests got a good answer ({seen})",
            where=stream.url,
            fix="tagline local logs",
        )


def _rows(folder: Path, model: str) -> tuple[list[dict[str, Any]], config.Config]:
    """The hold-out's rows as features: numbers where they read as numbers, without labels and row ids."""
    file = folder / config.FILE
    own = platforms.of_work_tree(folder, os.environ, _name(folder), str(file))
    own = own.of(own.maker(one_of(model, own.model_names(), "model"))) if own.several else own
    if own.gate is None:
        raise MissingKeys(
            "tagline.yaml has no gate: there is no hold-out to replay", where=str(file), fix="add gate:"
        )
    data = folder / own.gate.data
    if not data.exists():
        raise ConfigError(
            f"the hold-out {own.gate.data} is missing", where=str(data), fix="restore the file: git status"
        )
    hidden = {own.gate.id, *label_columns(own.gate)}
    reader = csv.DictReader(io.StringIO(data.read_text()))
    return [{k: _value(v) for k, v in row.items() if k not in hidden} for row in reader], own


def _name(folder: Path) -> str:
    """The pipeline's name where tagline.yaml gives none."""
    try:
        return default_name(Repo.open(folder).url())
    except RepositoryError:
        return default_name(folder.name)


def _value(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def _url(load: Load, own: config.Config, known: list[Route]) -> str:
    routes = [route for route in known if route.model == load.model and route.main and route.url]
    if load.env:
        one_of(load.env, own.environments, "environment")
        routes = [route for route in routes if route.env == load.env]
    routes.sort(key=lambda route: own.environments.index(route.env) if route.env in own.environments else 99)
    if not routes:
        raise PlatformError(
            f"nothing serves {load.model}{f' in {load.env}' if load.env else ''}",
            fix="tagline local up; tagline status",
        )
    return str(routes[0].url)


def local_routes() -> list[Route]:
    """Every route of the local platform."""
    return list(serving.LocalServing(tagline_home(os.environ)).routes())
