"""What an environment runs on, in our words: pipelines, serving, and the rollout's memory.

The flow knows these Protocols only; `local` and `kubeflow` are plain modules behind them.
"""

from typing import Protocol

from tagline.platforms.pipelines import (
    ModelFacts,
    Pipelines,
    Run,
    RunRequest,
    RunState,
    Signature,
    TaskEvent,
    UploadedVersion,
)
from tagline.platforms.rollouts import Block, Rollouts
from tagline.platforms.schedules import Schedule, Schedules
from tagline.platforms.serving import Arm, ArmCounts, Counts, Route, ServerSpec, Serving

__all__ = [
    "Arm",
    "ArmCounts",
    "Block",
    "Counts",
    "ModelFacts",
    "Pipelines",
    "Platform",
    "Rollouts",
    "Route",
    "Run",
    "RunRequest",
    "RunState",
    "Schedule",
    "Schedules",
    "ServerSpec",
    "Serving",
    "Signature",
    "TaskEvent",
    "UploadedVersion",
]


class Platform(Protocol):
    """One platform: its name, the machine it belongs to, and the three things it gives.

    `serves` is whether models can be served on it by this version of tagline.
    """

    name: str
    serves: bool

    @property
    def machine(self) -> str: ...

    @property
    def pipelines(self) -> Pipelines: ...

    @property
    def schedules(self) -> Schedules | None:
        """What starts trainings by the clock; None where nothing does."""
        ...

    @property
    def serving(self) -> Serving: ...

    @property
    def rollouts(self) -> Rollouts: ...
