"""tagline.yaml: what a repository says of itself and of its promotions, parsed once and strictly."""

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec

from tagline.errors import BadWord, ConfigError, NotYetSupported
from tagline.words import check_name

FILE = "tagline.yaml"
DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}

Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Percent = Annotated[int, msgspec.Meta(ge=1, le=100)]


def seconds(text: str) -> float:
    """`90s`, `5m`, `1.5h` or `200ms` in seconds; raises `ConfigError` for anything else."""
    match = DURATION.fullmatch(text)
    if not match:
        raise ConfigError(f"{text!r} is not a duration", fix="write a number with ms, s, m or h, such as 90s")
    return float(match[1]) * _SECONDS[match[2]]


class Train(StrEnum):
    """When a release's full training starts."""

    ON_RELEASE = "on-release"
    MANUAL = "manual"


class SmokeWhen(StrEnum):
    """When smoke training runs: at a release only, or on pull requests too."""

    ON_RELEASE = "on-release"
    ON_PR = "on-pr"


class Metric(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One gated metric: a column of 0/1 losses, lower is better.

    `max_drop` is the share of rows that the candidate may get wrong and the served model right; `floor` the
    share of rows that the first model must get right. Both in 0..1, proven at 95 %.
    """

    max_drop: Share = 0.10
    floor: Share = 0.5


class Gate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The gate's frozen data (a CSV file with a header), pinned by digest, and what it must prove.

    `label` names the columns that only the scorer sees, `id` the column that names a row.
    """

    data: str
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    label: str
    id: str = "row_id"
    metrics: dict[str, Metric] = msgspec.field(default_factory=lambda: {"wrong": Metric()})


class Serving(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a model is served: `sklearn`, `xgboost`, or `custom:src/serve.py` with a class `Model`.

    `slower_than` makes a slower answer a bad one; `timeout` ends it.
    """

    runtime: Annotated[str, msgspec.Meta(pattern="^(sklearn|xgboost|custom:[^ ]+)$")]
    slower_than: str = ""
    timeout: str = "10s"


class Rollout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Fixed steps of a canary: weights in percent (the first at most 10), each for `step_time`.

    `max_bad_increase` is the greatest tolerated rise of the bad share, absolute, 0..1; `max_duration` bounds
    the whole; `ttl` is the dead-man switch.
    """

    steps: list[Percent] = msgspec.field(default_factory=lambda: [10, 25, 50])
    step_time: str = "2m"
    max_duration: str = "30m"
    max_bad_increase: Share = 0.02
    ttl: str = "30s"


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model of the pipeline; `output` names the task output that holds it, `task.output`."""

    output: str = ""


class EngineName(StrEnum):
    """What runs the repository's code: host processes, containers, or the best that answers (it says which)."""

    PROCESS = "process"
    DOCKER = "docker"
    AUTO = "auto"


class Image(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The image that every task runs in, with engine `docker`; `repository` is where it is kept, without a tag.

    `base` with `requirements` needs no Dockerfile; else `dockerfile` is built, the project's root its context.
    `args` are build arguments: never secrets, they stay in the image.
    """

    repository: str = ""
    dockerfile: str = "docker/base_image/Dockerfile"
    base: str = ""
    requirements: str = "src/requirements.txt"
    args: dict[str, str] = {}


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of tagline.yaml. Every key has a default; `serving` and `gate` are needed for a promotion."""

    pipeline: str = ""
    paths: list[str] = []
    models: dict[str, Model] = {}
    environments: list[str] = msgspec.field(default_factory=lambda: ["prod"])
    platform: str = "local"
    engine: EngineName = EngineName.PROCESS
    image: Image = Image()
    train: Train = Train.ON_RELEASE
    parameters: dict[str, Any] = {}
    smoke: dict[str, Any] = {}
    smoke_when: SmokeWhen = SmokeWhen.ON_RELEASE
    smoke_timeout: str = "5m"
    serving: Serving | None = None
    gate: Gate | None = None
    rollout: Rollout = Rollout()

    def model_names(self) -> list[str]:
        """The models this pipeline makes; by default one, named as the pipeline."""
        return sorted(self.models) or [self.pipeline]

    def model_outputs(self) -> list[str]:
        """The declared `task.output` of each model, for runs that write no facts."""
        return [model.output for model in self.models.values() if model.output]


LATER = {
    "approvals": "approvals",
    "signers": "signers",
    "promotion": "signers and approvals",
    "pipelines": "several pipelines in one repository",
    "schedules": "schedules",
    "tagline": "the pinned tagline version",
}


def check_meaning(config: Config) -> None:
    """Raise for values that are well-formed and still wrong: names, durations, what this version lacks."""
    for name, what in [(config.pipeline, "pipeline"), *((env, "environment") for env in config.environments)]:
        check_name(name, what)
    for model in config.models:
        check_name(model, "model")
    if config.platform != "local":
        raise NotYetSupported(f"platform {config.platform!r}: this version of tagline has only 'local'")
    _check_gate(config.gate)
    _check_rollout(config.rollout)
    for duration in [config.smoke_timeout, *([config.serving.timeout] if config.serving else [])]:
        seconds(duration)
    if config.serving and config.serving.slower_than:
        seconds(config.serving.slower_than)


def _check_gate(gate: Gate | None) -> None:
    if gate is None:
        return
    if len(gate.metrics) != 1:
        raise NotYetSupported(
            f"gate.metrics has {len(gate.metrics)} metrics: this version of tagline judges exactly one"
        )
    if Path(gate.data).is_absolute() or ".." in Path(gate.data).parts:
        raise ConfigError(f"gate.data {gate.data!r} is not a path inside the repository")


def _check_rollout(rollout: Rollout) -> None:
    if not rollout.steps or rollout.steps[0] > 10:
        raise ConfigError("rollout.steps must begin with at most 10 (percent)", fix="steps: [10, 25, 50]")
    if rollout.steps != sorted(set(rollout.steps)):
        raise ConfigError("rollout.steps must rise", fix="steps: [10, 25, 50]")
    if rollout.steps[-1] > 95:
        raise ConfigError("the last of rollout.steps must leave the stable model at least 5 percent")
    planned = len(rollout.steps) * seconds(rollout.step_time)
    if planned > seconds(rollout.max_duration):
        raise ConfigError(f"the steps take {planned:g} s, longer than max_duration {rollout.max_duration}")
    if rollout.max_bad_increase <= 0:
        raise ConfigError("rollout.max_bad_increase must be above 0", fix="max_bad_increase: 0.02")
    seconds(rollout.ttl)


def parse(text: str, *, where: str = FILE, default_name: str = "") -> Config:
    """Read tagline.yaml's text; an empty one gives the defaults.

    `default_name` names the pipeline where the file does not. Raises `ConfigError` (file, line, column,
    nearest known key), `NotYetSupported` (what a later version brings, by name), `BadWord`.
    """
    from tagline import strict_yaml

    data, marks = strict_yaml.load(text, where)
    if not isinstance(data, dict):
        raise ConfigError("tagline.yaml must be a mapping", where=where, fix="pipeline: my-model")
    strict_yaml.check_keys(data, Config, marks, where, LATER)
    data.setdefault("pipeline", default_name)
    try:
        config = msgspec.convert(data, Config)
    except msgspec.ValidationError as error:
        raise strict_yaml.translate(error, marks, where) from error
    try:
        check_meaning(config)
    except (BadWord, ConfigError) as error:
        error.where = error.where or where
        raise
    return config
