"""What an agent must have to carry out a step: a pure function of the step and of what the policy says."""

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

import msgspec

from tagline.config import Config
from tagline.errors import BadWord
from tagline.flow.steps import (
    AnyStep,
    Check,
    CheckTag,
    FinishRelease,
    FinishRollback,
    GoOnTraining,
    MakeRelease,
    Nothing,
    Promote,
    Register,
    Schedule,
    Smoke,
    Train,
    Wake,
)
from tagline.pipeline import compiled as compiled_file
from tagline.pipeline.project import places
from tagline.words import check_name, one_of

if TYPE_CHECKING:
    from tagline.flow.world import World

ANY = "any"
_DEVICE = re.compile(r"nvidia[0-9]+")


class Kind(StrEnum):
    """What agents differ in: a GPU, a container engine, the way to the platform, the right to push tags and
    the ledger, the credentials of an environment."""

    GPU = "gpu"
    DOCKER = "docker"
    PLATFORM = "platform"
    PUSH = "push"
    CREDENTIAL = "credential"


class Need(msgspec.Struct, frozen=True, order=True):
    """One thing that an agent must have, written `gpu` or `credential:ENV`; `env` is "" but for credentials."""

    kind: Kind
    env: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.env}" if self.env else str(self.kind)

    @classmethod
    def parse(cls, text: str) -> "Need":
        """Read a need; raises `BadWord` (`UnknownName` with the nearest) for what is none."""
        name, colon, env = text.partition(":")
        kind = Kind(one_of(name, [one.value for one in Kind], "need of an agent"))
        if (kind is Kind.CREDENTIAL) != bool(colon):
            raise BadWord(
                f"{text!r} is no need of an agent", fix="gpu, docker, platform, push, credential:ENV"
            )
        return cls(kind, check_name(env, "environment") if colon else "")


class Wants(msgspec.Struct, frozen=True):
    """What a commit's training asks for: a GPU, a container engine; `trains_here`: on the agent itself."""

    gpu: bool = False
    docker: bool = False
    trains_here: bool = True

    @classmethod
    def of_all(cls, wants: Sequence["Wants"]) -> "Wants":
        """What several trainings ask for together."""
        if not wants:
            return cls()
        gpu, docker = any(one.gpu for one in wants), any(one.docker for one in wants)
        return cls(gpu, docker, any(one.trains_here for one in wants))


def needs(step: AnyStep, wants: Wants) -> frozenset[Need]:
    """What an agent must have for a step; empty where any agent will do."""
    runs = frozenset({Need(Kind.DOCKER)} if wants.docker else ())
    trains = runs | ({Need(Kind.GPU)} if wants.gpu else set())
    writes = frozenset({Need(Kind.PLATFORM), Need(Kind.PUSH)})
    match step:
        case Nothing() | CheckTag() | Wake():
            return frozenset()
        case Check():
            return trains if step.smoke else runs
        case Smoke():
            return trains
        case MakeRelease() | Register() | Schedule():
            return writes
        case FinishRelease():
            return writes | runs
        case Train() | GoOnTraining():
            return writes | (trains if wants.trains_here else frozenset())
        case FinishRollback():
            return writes | {Need(Kind.CREDENTIAL, step.env)}
        case Promote():
            return writes | runs | {Need(Kind.CREDENTIAL, step.promotion.env)}
        case _:
            assert_never(step)


def next_needs(left: Sequence[frozenset[Need]]) -> frozenset[Need]:
    """What the next agent must have, of the needs of what is left, in order: what environments wait for comes last."""
    free = [needed for needed in left if all(one.kind is not Kind.CREDENTIAL for one in needed)]
    return [*free, *left][0]


def written(found: Iterable[Need]) -> str:
    """Needs as one word list, in a fixed order; `any` where there are none."""
    return ",".join(map(str, sorted(found))) or ANY


def parse_list(text: str) -> frozenset[Need]:
    """`gpu,credential:prod` as needs; "" gives none. Raises `BadWord`, `UnknownName`."""
    return frozenset(Need.parse(word.strip()) for word in text.split(",") if word.strip())


def here(environments: Iterable[str], devices: Path = Path("/dev")) -> frozenset[Need]:
    """What this machine seems to have where nobody says: everything, but a GPU only if there is a device.

    Rights and credentials cannot be seen from outside: the step that lacks them fails and says so.
    """
    found = {Need(Kind.DOCKER), Need(Kind.PLATFORM), Need(Kind.PUSH)}
    found |= {Need(Kind.CREDENTIAL, env) for env in environments}
    if devices.is_dir() and any(_DEVICE.fullmatch(entry.name) for entry in devices.iterdir()):
        found.add(Need(Kind.GPU))
    return frozenset(found)


def wants_of(world: "World", commit: str) -> Wants:
    """What a commit's pipeline asks for: `gpu:` of its tagline.yaml, or an accelerator in its committed
    pipeline.yaml; nothing of the commit's own code runs for it."""
    gpu = any(one.gpu > 0 or _accelerated(world, one, commit) for one in world.own_config(commit).each())
    return Wants(gpu=gpu, docker=world.images is not None, trains_here=world.platform.name == "local")


def committed_pipeline(world: "World", own: Config, commit: str) -> str | None:
    """The compiled pipeline as a commit has it; None where it has none."""
    where = places(own)
    place = next((one for one in where if world.repo.show(commit, one) is not None), where[0])
    text = world.repo.show(commit, str(Path(place).with_suffix(".yaml")))
    return None if text is None else text.decode("utf-8", "replace")


def _accelerated(world: "World", own: Config, commit: str) -> bool:
    from tagline.errors import PipelineError

    text = committed_pipeline(world, own, commit)
    if text is None:
        return False
    try:
        return compiled_file.parse(text, f"pipeline.yaml of {own.pipeline}").accelerated()
    except PipelineError:  # the check of this commit says what is wrong with it
        return False
