"""tagline.yaml: what a repository says of itself and of its promotions, parsed once and strictly."""

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from tagline.errors import ConfigError
from tagline.words import one_of

if TYPE_CHECKING:
    from tagline.strict_yaml import Marks

FILE = "tagline.yaml"
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


class Lint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `tagline lint` and `tagline check` let stand: a rule's id, and the reason."""

    ignore: dict[str, str] = {}


class Scheduled(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A schedule of the full training, on a Kubeflow platform: five-field cron in a time zone.

    `parameters` go over those of the pipeline; at most `concurrency` of its runs go on at once. `cache` switches
    the cache for every task; left out, each says for itself.
    """

    cron: str
    time_zone: str = "UTC"
    parameters: dict[str, Any] = {}
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=10)] = 1
    cache: bool | None = None


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of several pipelines: what it says in place of the key of the same name above it."""

    file: str | None = None
    paths: list[str] | None = None
    models: dict[str, Model] | None = None
    train: Train | None = None
    parameters: dict[str, Any] | None = None
    smoke: dict[str, Any] | None = None
    smoke_when: SmokeWhen | None = None
    smoke_timeout: str | None = None
    gpu: Annotated[int, msgspec.Meta(ge=0)] | None = None
    serving: Serving | None = None
    gate: Gate | None = None
    rollout: Rollout | None = None
    secrets: Secrets | None = None
    schedules: dict[str, Scheduled] | None = None


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of tagline.yaml. Every key has a default; `serving` and `gate` are needed for a promotion.

    `pipelines` names several pipelines of one repository, in place of `pipeline`: with one tree, one lock and
    one image, each with its own file, paths, releases and models. `file` is the pipeline's Python file, by
    default docker/kubeflow_pipeline/pipeline.py or, of several, docker/kubeflow_pipeline/NAME.py.
    `platform` names the platform file: of an installed package, or `git+URL@REF`; `tagline` is the one version
    that may act for this repository, such as `1.2.0`. `gpu` is how many GPUs a training asks for: above 0,
    its smoke and full training need an agent with one.
    `ledger` is the ref of the ledger, or the name of a branch where a host refuses other refs.
    `webhook` names the variable that holds the address of a chat's webhook: the address itself is a secret.
    """

    pipeline: str = ""
    pipelines: dict[str, Member] = {}
    file: str = ""
    paths: list[str] = []
    models: dict[str, Model] = {}
    environments: list[str] = msgspec.field(default_factory=lambda: ["prod"])
    platform: str = "local"
    engine: EngineName = EngineName.PROCESS
    image: Image = Image()
    tagline: Version = ""
    ledger: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9][-A-Za-z0-9_./]*$")] = "refs/tagline/ledger"
    train: Train = Train.ON_RELEASE
    parameters: dict[str, Any] = {}
    smoke: dict[str, Any] = {}
    smoke_when: SmokeWhen = SmokeWhen.ON_RELEASE
    smoke_timeout: str = "5m"
    gpu: Annotated[int, msgspec.Meta(ge=0)] = 0
    serving: Serving | None = None
    gate: Gate | None = None
    rollout: Rollout = Rollout()
    secrets: Secrets | None = None
    schedules: dict[str, Scheduled] = {}
    lint: Lint = Lint()
    webhook: Annotated[str, msgspec.Meta(pattern="^([A-Z][A-Z0-9_]*)?$")] = ""

    @property
    def several(self) -> bool:
        """Whether the repository holds several pipelines."""
        return bool(self.pipelines)

    @property
    def title(self) -> str:
        """The pipeline's name, or those of all of them."""
        return self.pipeline or ", ".join(sorted(self.pipelines))

    def of(self, pipeline: str) -> "Config":
        """What is said of one of several pipelines; a file of a single one is the same for any name.

        Raises `UnknownName` that names the nearest.
        """
        if not self.pipelines:
            return self
        member = self.pipelines[one_of(pipeline, self.pipelines, "pipeline")]
        said = {key: getattr(member, key) for key in Member.__struct_fields__}
        said = {key: value for key, value in said.items() if value is not None}
        return msgspec.structs.replace(self, pipeline=pipeline, **said)

    def each(self) -> list["Config"]:
        """What is said of each pipeline, by name."""
        if self.pipeline or not self.pipelines:
            return [self]
        return [self.of(name) for name in sorted(self.pipelines)]

    def held_out(self) -> list[str]:
        """The frozen data of every gate of the repository, which no pipeline's code may see."""
        gates = [self.gate, *(member.gate for member in self.pipelines.values())]
        return sorted({gate.data for gate in gates if gate})

    def maker(self, model: str) -> str:
        """The pipeline that makes a model; "" where none does."""
        if not self.pipelines:
            return self.pipeline if model in self.model_names() else ""
        made = {name: member.models or [name] for name, member in self.pipelines.items()}
        return next((name for name, models in made.items() if model in models), "")

    def model_names(self) -> list[str]:
        """The models that are made here; by default one of each pipeline, named as it."""
        if not self.pipeline and self.pipelines:
            return sorted(name for one in self.each() for name in one.model_names())
        return sorted(self.models) or [self.pipeline]

    def model_outputs(self) -> list[str]:
        """The declared `task.output` of each model, for runs that write no facts."""
        return [model.output for model in self.models.values() if model.output]


LATER = {
    "approvals": "approvals",
    "signers": "signers",
    "promotion": "signers and approvals",
}
LOCAL = "local"


def load(text: str, where: str = FILE) -> tuple[dict[str, Any], "Marks"]:
    """tagline.yaml's text as plain data with known keys only, and where each value stands.

    Raises `ConfigError` (file, line, column, nearest known key), `NotYetSupported` (what a later version
    brings, by name).
    """
    from tagline import strict_yaml

    data, marks = strict_yaml.load(text, where)
    if not isinstance(data, dict):
        raise ConfigError("tagline.yaml must be a mapping", where=where, fix="pipeline: my-model")
    strict_yaml.check_keys(data, Config, marks, where, LATER)
    return data, marks


def build(data: Mapping[str, Any], marks: "Marks", where: str = FILE, default_name: str = "") -> Config:
    """Plain data as a `Config`.

    Raises `ConfigError` where a value stands that is wrong or has no sense, `NotYetSupported`, `BadWord`.
    """
    from tagline import config_rules, strict_yaml

    if "pipelines" not in data:
        data = {"pipeline": default_name, **data}
    try:
        config = msgspec.convert(data, Config)
    except msgspec.ValidationError as error:
        raise strict_yaml.translate(error, marks, where) from error
    for fault in config_rules.faults(config):
        raise fault.kind(fault.what, where=strict_yaml.place(marks, fault.at, where), fix=fault.fix)
    return config


def parse(text: str, *, where: str = FILE, default_name: str = "") -> Config:
    """Read tagline.yaml's text as it is, under no platform file; an empty one gives the defaults.

    `default_name` names the pipeline where the file does not. Raises what `load` and `build` raise.
    """
    data, marks = load(text, where)
    return build(data, marks, where, default_name)


def place(root: Path, *path: str | int) -> str:
    """Where a value stands in the tagline.yaml of a tree, as file:line:column."""
    from tagline import strict_yaml

    file = root / FILE
    return (
        strict_yaml.place(strict_yaml.load(file.read_text(), FILE)[1], path, FILE) if file.exists() else FILE
    )
