"""Training: run a release's pipeline to its end, and join what it made with the release that made it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from tagline import config, platform_file
from tagline.config import Config
from tagline.errors import NoModel, NotReleased
from tagline.flow.report import Outcome, Report, Said, StepReport, Told, done, nothing, perform
from tagline.flow.world import World
from tagline.git.events import AnyEvent, Trained
from tagline.git.ledger import Batch
from tagline.git.state import State
from tagline.platforms import ModelFacts, Pipelines, Run, RunRequest, RunState, UploadedVersion
from tagline.words import ModelVersion, Release

FULL = "full"
SMOKE = "smoke"


class Finished(msgspec.Struct, frozen=True):
    """A succeeded training that the ledger does not know: its run, its release, and the models it made."""

    run: Run
    release: Release
    models: dict[str, ModelFacts]


def config_of(world: World, version: UploadedVersion) -> Config:
    """tagline.yaml as the released tree has it, with the platform file's defaults."""
    file = version.source / config.FILE
    text = file.read_text() if file.exists() else ""
    where = f"{config.FILE} of {version.release}"
    return platform_file.read(text, where, version.pipeline, world.defaults())


def owner_prefix(pipeline: str, release: Release) -> str:
    """What the owner keys of a release's trainings begin with."""
    return f"{pipeline}/{release}/{FULL}/"


def finished(world: World, state: State) -> list[Finished]:
    """Trainings that succeeded on this platform and are not in the ledger yet, oldest first.

    Only runs of releases that the ledger knows, made from the same commit: another repository with the same
    pipeline name is not ours. A run that made no model is none of them.
    """
    pipeline = world.policy.pipeline
    found = []
    for version in world.platform.pipelines.versions(pipeline):
        released = state.release(pipeline, version.release)
        if released is None or released.commit != version.commit:
            continue
        for run in world.platform.pipelines.runs(owner_prefix(pipeline, version.release)):
            if run.state is RunState.SUCCEEDED and not state.trained_by(run.owner):
                models = models_of(world, run, config_of(world, version))
                found += [Finished(run, version.release, models)] if models else []
    return found


def models_of(world: World, run: Run, own: Config) -> dict[str, ModelFacts]:
    """The models that a succeeded run made, by name; raises `NoModel` where it is not clear which they are."""
    facts = {
        name: world.platform.pipelines.facts(run, [declared.output] if declared.output else [])
        for name, declared in (own.models or {own.pipeline: config.Model()}).items()
    }
    missing = [name for name, found in facts.items() if found is None]
    if missing and len(missing) < len(facts):
        raise NoModel(
            f"run {run.owner} made no model {', '.join(missing)}",
            where=config.FILE,
            fix="name its output in models:",
        )
    return {name: found for name, found in facts.items() if found is not None}


def register_finished(world: World) -> list[ModelVersion]:
    """Append `trained` for every finished training; the ledger's compare-and-swap gives each its number."""
    todo = finished(world, world.state())
    if not todo:
        return []
    made: list[tuple[str, ModelVersion]] = []

    def make(state: State) -> Batch:
        made.clear()
        events: list[AnyEvent] = []
        for one in todo:
            if state.trained_by(one.run.owner):
                continue
            for model, facts in one.models.items():
                earlier = [other for name, other in made if name == model and other.release == one.release]
                first = state.next_version(model, one.release)
                version = ModelVersion(one.release, first.number + len(earlier))
                made.append((model, version))
                events.append(_trained(world.policy.pipeline, model, version, one.run.owner, facts))
        return Batch(events=events)

    world.append(make)
    for model, version in made:
        world.told(Said(f"registered model {model} {version}"))
    return [version for _, version in made]


def _trained(pipeline: str, model: str, version: ModelVersion, owner: str, facts: ModelFacts) -> Trained:
    return Trained(
        pipeline=pipeline,
        model=model,
        model_version=str(version),
        owner=owner,
        uri=facts.uri,
        sha256=facts.sha256,
        metrics=facts.metrics,
        data_sha256=facts.data_sha256,
    )


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
    if any(run.state is RunState.SUCCEEDED for run in before):
        return nothing("smoke training", "the same pipeline and source succeeded before")
    request = RunRequest(
        owner=prefix + _attempt(before),
        pipeline=own.pipeline,
        compiled=content.compiled,
        source=content.source,
        parameters=parameters(own, smoke=True),
        timeout=config.seconds(own.smoke_timeout),
        serving=own.serving is not None,
    )
    run_to_end(pipelines, told, request)
    return done("smoke training", f"succeeded with {dict(own.smoke) or 'the default parameters'}")


def parameters(own: Config, *, smoke: bool) -> Mapping[str, Any]:
    """The pipeline parameters of a run: `parameters:`, and `smoke:` over them for a smoke run."""
    return {**own.parameters, **own.smoke} if smoke else dict(own.parameters)


def _attempt(before: list[Run]) -> str:
    """The number of the next run: an interrupted or running one is taken up again, a finished one is not."""
    if before and before[-1].state in {RunState.INTERRUPTED, RunState.RUNNING}:
        return str(len(before))
    return str(len(before) + 1)


def train_release(world: World, release: Release) -> StepReport:
    """A full training of an uploaded release, then its registration; raises `NotReleased`, `TaskFailed`."""
    version = world.platform.pipelines.version(world.policy.pipeline, release)
    if version is None:
        raise NotReleased(
            f"release {release} is not on this platform ({world.platform.machine})",
            fix="git checkout the release's commit, then: tagline release",
        )
    own = config_of(world, version)
    before = world.platform.pipelines.runs(owner_prefix(own.pipeline, release))
    request = RunRequest(
        owner=owner_prefix(own.pipeline, release) + _attempt(before),
        pipeline=own.pipeline,
        compiled=version.compiled,
        source=version.source,
        parameters=parameters(own, smoke=False),
        serving=own.serving is not None,
    )
    run = run_to_end(world.platform.pipelines, world.told, request)
    made = register_finished(world)
    if made:
        return done("training", f"model {', '.join(map(str, made))}", models=[str(one) for one in made])
    if not models_of(world, run, own):
        return done("training", f"run {run.owner} succeeded; it made no model, so nothing is registered")
    return nothing("training", f"run {run.owner} was registered by somebody else in the meantime")


def train_command(world: World, release: str | None, *, smoke: bool) -> Report:
    """`tagline train`: a new training of a release, or a smoke run of HEAD."""
    from tagline.flow.release import prepared

    report = Report("train", world.facts.head)
    if smoke:

        def smoke_head() -> StepReport:
            with prepared(world, world.facts.head) as ready:
                return ready.smoke(world)

        return perform(report, world.told, [("smoke training", smoke_head)])

    def full() -> StepReport:
        return train_release(world, _which(world, release))

    return perform(report, world.told, [("training", full)])


def _which(world: World, release: str | None) -> Release:
    from tagline.git.versions import release_of

    if release:
        wanted = Release.parse(release.removeprefix("v"))
        if world.state().release(world.policy.pipeline, wanted) is None:
            raise NotReleased(f"there is no release {wanted}", fix="tagline history")
        return wanted
    return release_of(world.repo, world.facts, world.state(), world.policy.paths, world.facts.head)


def register_step(world: World) -> StepReport:
    """The step that registers finished trainings."""
    made = register_finished(world)
    if not made:
        return nothing("register", "every finished training is registered")
    return StepReport("register", Outcome.DONE, f"model {', '.join(map(str, made))}")
