"""The keys of tagline.yaml, each a struct of its own: what may be written below them, and what it means."""

import re
from enum import StrEnum
from typing import Annotated, Any

import msgspec

from tagline.errors import ConfigError

DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")
VERSION = re.compile("[0-9]+([.][0-9]+){1,3}((a|b|rc)[0-9]+)?")
Version = Annotated[str, msgspec.Meta(pattern=f"^({VERSION.pattern})?$")]
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

    `label` names the columns that only the scorer sees, `id` the column that names a row, `scorer` the task
    that judges, in `src/pipeline_steps/`.
    """

    data: str
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    label: str
    id: str = "row_id"
    scorer: Annotated[str, msgspec.Meta(pattern="^[A-Za-z_][A-Za-z0-9_]*$")] = "evaluate"
    metrics: dict[str, Metric] = msgspec.field(default_factory=lambda: {"wrong": Metric()})


class Serving(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a model is served: `sklearn`, `xgboost`, or `custom:src/serve.py` with a class `Model`.

    `slower_than` makes a slower answer a bad one: the default branch's word, for every version. `timeout` ends an
    answer: each version's own, at most the default branch's.
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


class Deliver(StrEnum):
    """How a task gets the Secret with Vault's credentials: as environment variables or as mounted files."""

    ENV = "env"
    VOLUME = "volume"


class Secrets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What tasks need to read secrets of Vault or OpenBao.

    `approle` names the Kubernetes Secret with VAULT_ADDR, VAULT_ROLE_ID and VAULT_SECRET_ID that each task
    gets. `path` is where the pipeline's secrets lie in the engine `mount`, with `{env}` for the environment's
    name, and `keys` the keys that it asks for there.
    """

    approle: str = ""
    deliver: Deliver = Deliver.ENV
    mount: str = "secret"
    path: str = ""
    keys: list[str] = []

    def path_of(self, environment: str) -> str:
        """Where the secrets of an environment lie, without slashes around it."""
        return self.path.replace("{env}", environment).strip("/")


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model of the pipeline; `output` names the task output that holds it, `task.output`."""

    output: str = ""


class EngineName(StrEnum):
    """What runs the repository's code: host processes, containers, or the best that answers (it says which)."""

    PROCESS = "process"
    DOCKER = "docker"
    DAGGER = "dagger"
    AUTO = "auto"


class Image(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The image that every task runs in, with engines `docker` and `dagger`; `repository` is where it is kept,
    without a tag.

    `base` with `requirements` needs no Dockerfile; else `dockerfile` is built, the project's root its context.
    `args` are build arguments: never secrets, they stay in the image.
    """

    repository: str = ""
    dockerfile: str = "docker/base_image/Dockerfile"
    base: str = ""
    requirements: str = "src/requirements.txt"
    args: dict[str, str] = {}


class Lint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `tagline lint` and `tagline check` let stand: a rule's id, and the reason."""

    ignore: dict[str, str] = {}


class Scheduled(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A schedule of the full training, on a Kubeflow platform: five-field cron in a time zone.

    `parameters` go over those of the pipeline; at most `concurrency` of its runs go on at once. With `cache`
    the server may answer tasks from its cache that do not forbid it, but never those that make a model or its facts.
    """

    cron: str
    time_zone: str = "UTC"
    parameters: dict[str, Any] = {}
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=10)] = 1
    cache: bool = False
