"""Training: run a release's pipeline to its end, and join what it made with the release that made it."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, assert_never

import msgspec

from tagline import config
from tagline.config import Config
from tagline.errors import NoModel, NotReleased, NotYetSupported, TaskContractBroken
from tagline.flow.releasing.owners import (
    SMOKE,
    config_of,
    next_owner,
    owner_prefix,
    recorded_owners,
    uploaded,
)
from tagline.flow.releasing.registering import models_of, register_run
from tagline.flow.report import Report, StepReport, Told, done, nothing, perform
from tagline.flow.world import World
from tagline.platforms import Pipelines, Run, RunRequest, RunState
from tagline.words import Release


def run_to_end(pipelines: Pipelines, told: Told, request: RunRequest) -> Run:
    """Run and follow; raises `TaskFailed`, `TaskTimedOut`, `TaskContractBroken` (task, log) where it fails."""
    run = pipelines.run(request, told)
    problem = run.problem()
    if problem:
        raise problem
    return run


class Content(msgspec.Struct, frozen=True):
    """What a smoke run runs: a compiled file that has no version yet, its tree, and the digest of both."""

    compiled: Path
    source: Path
    digest: str


def run_smoke(pipelines: Pipelines, told: Told, own: Config, content: Content) -> StepReport:
    """A short run with the `smoke:` parameters; registers nothing. What succeeded before is not run again."""
    prefix = f"{own.pipeline}/{SMOKE}/{content.digest}/"
    before = pipelines.runs(prefix)
    if passed := [run for run in before if run.state is RunState.SUCCEEDED]:
        why = "the same pipeline and source succeeded before"
        return nothing("smoke training", why, metrics=measured(pipelines, passed[-1], own))
    request = RunRequest(
        owner=next_owner(prefix, before),
        pipeline=own.pipeline,
        compiled=content.compiled,
        source=content.source,
        parameters=parameters(own, smoke=True),
        timeout=config.seconds(own.smoke_timeout),
        serving=own.serving is not None,
    )
    run = run_to_end(pipelines, told, request)
    why = f"succeeded with {dict(own.smoke) or 'the default parameters'}"
    return done("smoke training", why, metrics=measured(pipelines, run, own))


def measured(pipelines: Pipelines, run: Run, own: Config) -> dict[str, dict[str, float]]:
    """The metrics of what a smoke run made, by model.

    Empty where it is not clear which model it made: that is for a training to say, which would register it.
    """
    found = {}
    for name, declared in (own.models or {own.pipeline: config.Model()}).items():
        try:
            facts = pipelines.facts(run, [declared.output] if declared.output else [])
        except (NoModel, TaskContractBroken):
            return {}
        if facts:
            found[name] = dict(facts.metrics)
    return found


def parameters(own: Config, *, smoke: bool) -> Mapping[str, Any]:
    """The pipeline parameters of a run: `parameters:`, and `smoke:` over them for a smoke run."""
    return {**own.parameters, **own.smoke} if smoke else dict(own.parameters)


def train_release(world: World, release: Release) -> StepReport:
    """A full training of an uploaded release, then its registration.

    Raises `NotReleased`, `NameTaken`, `TaskFailed`, and `NoModel` where it is not clear which model it made.
    """
    version = uploaded(world, world.policy.pipeline, release)
    own, prefix = config_of(world, version), owner_prefix(world.policy.pipeline, release)
    before = world.platform.pipelines.runs(prefix)
    request = RunRequest(
        owner=next_owner(prefix, before, recorded_owners(world.state())),
        pipeline=own.pipeline,
        compiled=version.compiled,
        source=version.source,
        parameters=parameters(own, smoke=False),
        serving=own.serving is not None,
    )
    if world.platform.pipelines.detached:
        return _started(world.platform.pipelines, request)
    run = run_to_end(world.platform.pipelines, world.told, request)
    made = register_run(world, run)
    if made:
        return done("training", f"model {', '.join(map(str, made))}", models=[str(one) for one in made])
    if not models_of(world, run, version):
        return done("training", f"run {run.owner} succeeded; it made no model, so nothing is registered")
    return nothing("training", f"run {run.owner} was registered already, by another call in the meantime")


def _started(pipelines: Pipelines, request: RunRequest) -> StepReport:
    """Start a training that goes on by itself: a later call registers what it made."""
    run = pipelines.start(request)
    problem = run.problem()
    if problem:
        raise problem
    if run.state is RunState.SUCCEEDED:
        return nothing("training", f"run {run.owner} succeeded; a later tagline ci registers its model")
    return done("training", f"run {run.owner} is started; a later tagline ci registers its model", run=run.id)


def cancel_training(world: World, release: Release) -> StepReport:
    """End the trainings of a release that go on; the server says FAILED of them in the end.

    Raises `NotYetSupported` on a platform whose trainings end with the process that follows them.
    """
    pipelines = world.platform.pipelines
    if not pipelines.detached:
        raise NotYetSupported(
            f"a training on the platform {world.platform.name} is a process of its own",
            fix="interrupt the command that runs it (Ctrl-C), or end its CI job",
        )
    found = pipelines.runs(owner_prefix(world.policy.pipeline, release))
    going = [run for run in found if run.state is RunState.RUNNING]
    for run in going:
        pipelines.cancel(run)
    if not going:
        return nothing("cancel", f"no training of {release} goes on")
    return done("cancel", f"{', '.join(run.owner for run in going)} is being cancelled")


def retry_training(world: World, release: Release) -> StepReport:
    """Let the newest training of a release, which failed, go on where it failed; no other run is started.

    Raises `NotYetSupported` on a platform whose trainings are processes, `KfpRefused` where it failed too often.
    """
    pipelines = world.platform.pipelines
    if not pipelines.detached:
        raise NotYetSupported(
            f"a training on the platform {world.platform.name} begins anew",
            fix=f"tagline train --release {release}",
        )
    found = pipelines.runs(owner_prefix(world.policy.pipeline, release))
    going = [run for run in found if run.state is RunState.RUNNING]
    if going:
        return nothing("retry", f"run {going[0].owner} goes on already")
    if not found or found[-1].state is RunState.SUCCEEDED:
        return nothing("retry", f"no training of {release} failed")
    run = pipelines.retry(found[-1])
    problem = run.problem()
    if problem:
        raise problem
    return done("retry", f"run {run.owner} goes on where it failed; a later tagline ci registers its model")


class Act(StrEnum):
    """What `tagline train` does: a new training, a smoke run of HEAD, an end, or a failed one taken up again."""

    FULL = "training"
    SMOKE = "smoke training"
    CANCEL = "cancel"
    RETRY = "retry"


def train_command(world: World, release: str | None, act: Act) -> Report:
    """`tagline train`; the report's step is named as the act."""
    from tagline.flow.releasing.release import prepared

    def step() -> StepReport:
        match act:
            case Act.SMOKE:
                with prepared(world, world.facts.head) as ready:
                    return ready.smoke(world)
            case Act.FULL:
                return train_release(world, _which(world, release))
            case Act.CANCEL:
                return cancel_training(world, _which(world, release))
            case Act.RETRY:
                return retry_training(world, _which(world, release))
            case _:
                assert_never(act)

    return perform(Report("train", world.facts.head), world.told, [(act, step)])


def _which(world: World, release: str | None) -> Release:
    from tagline.git.versions import release_of

    if release:
        wanted = Release.parse(release.removeprefix("v"))
        if world.state().release(world.policy.pipeline, wanted) is None:
            raise NotReleased(f"there is no release {wanted}", fix="tagline history")
        return wanted
    return release_of(world.repo, world.facts, world.state(), world.scope(), world.facts.head)
