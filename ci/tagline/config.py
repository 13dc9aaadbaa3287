"""tagline.yaml: what a repository says of itself and of its promotions, parsed once and strictly."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from tagline.config_keys import (
    DURATION,
    VERSION,
    Deliver,
    EngineName,
    Gate,
    Image,
    Lint,
    Metric,
    Model,
    Percent,
    Rollout,
    Scheduled,
    Secrets,
    Serving,
    Share,
    SmokeWhen,
    Train,
    Version,
    seconds,
)
from tagline.errors import ConfigError
from tagline.words import one_of

if TYPE_CHECKING:
    from tagline.strict_yaml import Marks

__all__ = [
    "DURATION",
    "FILE",
    "LATER",
    "LOCAL",
    "VERSION",
    "Config",
    "Deliver",
    "EngineName",
    "Gate",
    "Image",
    "Lint",
    "Member",
    "Metric",
    "Model",
    "Percent",
    "Rollout",
    "Scheduled",
    "Secrets",
    "Serving",
    "Share",
    "SmokeWhen",
    "Train",
    "Version",
    "build",
    "load",
    "parse",
    "place",
    "seconds",
]

FILE = "tagline.yaml"


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
