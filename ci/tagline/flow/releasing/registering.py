"""Registering: what a finished training made is joined with the release that made it, and gets its number."""

import msgspec

from tagline import config
from tagline.config import Config
from tagline.errors import NoModel, PipelineError, TaskContractBroken, VersionError
from tagline.flow.releasing.owners import config_of, owner_prefix
from tagline.flow.report import Outcome, Said, StepReport, nothing
from tagline.flow.world import World
from tagline.git.events import AnyEvent, Trained
from tagline.git.ledger import Batch
from tagline.git.state import State
from tagline.platforms import ModelFacts, Run, RunState, UploadedVersion
from tagline.words import ModelVersion, Release


class Finished(msgspec.Struct, frozen=True):
    """A succeeded training that the ledger does not know: its run, its release, and the models it made."""

    run: Run
    pipeline: str
    release: Release
    models: dict[str, ModelFacts]


class Unclear(msgspec.Struct, frozen=True):
    """A succeeded training whose models cannot be told: it stays unregistered, and stops nothing else."""

    run: Run
    release: Release
    problem: VersionError | PipelineError


class Unregistered(msgspec.Struct, frozen=True):
    """Trainings that succeeded on this platform and are not in the ledger, oldest first."""

    finished: list[Finished]
    unclear: list[Unclear]

    @property
    def count(self) -> int:
        return len(self.finished) + len(self.unclear)

    def of(self, release: Release) -> bool:
        """Whether a training of this release waits to be registered."""
        return any(one.release == release for one in self.finished)


def unregistered(world: World, state: State, *, all_of_it: bool = True) -> Unregistered:
    """What waits here to be registered; on a server others share not `all_of_it` leaves out what schedules started.

    Only runs of releases that the ledger knows, made from the same commit: another repository with the same
    pipeline name is not ours. A run that made no model is none of them.
    """
    found = Unregistered([], [])
    for part in world.parts():
        _look(part, state, found, all_of_it)
    return found


def _look(world: World, state: State, found: Unregistered, all_of_it: bool) -> None:
    if world.platform.pipelines.detached:
        _look_there(world, state, found, all_of_it)
        return
    for version in world.platform.pipelines.versions(world.policy.pipeline):
        released = state.release(version.pipeline, version.release)
        if released is None or released.commit != version.commit:
            continue
        for run in world.platform.pipelines.runs(owner_prefix(version.pipeline, version.release)):
            if run.state is RunState.SUCCEEDED and not state.trained_by(run.owner):
                _sort(world, run, version, found)


def _look_there(world: World, state: State, found: Unregistered, all_of_it: bool) -> None:
    """On a server: it is asked only while a release has no model in the ledger, or a schedule may make another."""
    pipeline, models = world.policy.pipeline, world.policy.model_names()
    releases = [release for name, release in state.uploads if name == pipeline]
    known = {one for one in releases if any(state.versions(model, one) for model in models)}
    open_ = (
        releases if world.policy.schedules and all_of_it else [one for one in releases if one not in known]
    )
    if not open_:
        return
    for run in world.platform.pipelines.runs(f"{pipeline}/"):
        release = next((one for one in open_ if run.owner.startswith(owner_prefix(pipeline, one))), None)
        if release is None or run.state is not RunState.SUCCEEDED or state.trained_by(run.owner):
            continue
        version = world.platform.pipelines.version(pipeline, release)
        if version is not None:
            _sort(world, run, version, found)


def _sort(world: World, run: Run, version: UploadedVersion, found: Unregistered) -> None:
    try:
        models = models_of(world, run, version)
    except (NoModel, TaskContractBroken) as problem:
        found.unclear.append(Unclear(run, version.release, problem))
    else:
        found.finished.extend([Finished(run, version.pipeline, version.release, models)] if models else [])


def models_of(world: World, run: Run, version: UploadedVersion) -> dict[str, ModelFacts]:
    """The models that a succeeded run made, by name: as its release's tagline.yaml names them, else the policy's.

    So `models:` on the default branch settles a release that did not say which they are. Raises `NoModel`,
    `TaskContractBroken` where neither does, or a model is not what its facts say.
    """
    own = config_of(world, version)
    try:
        return _named(world, run, own)
    except NoModel:
        if world.policy.models in ({}, own.models):
            raise
        return _named(world, run, world.policy)


def _named(world: World, run: Run, said: Config) -> dict[str, ModelFacts]:
    facts = {
        name: world.platform.pipelines.facts(run, [declared.output] if declared.output else [])
        for name, declared in (said.models or {said.pipeline: config.Model()}).items()
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
    waiting = unregistered(world, world.state())
    for one in waiting.unclear:
        world.told(Said(f"run {one.run.owner} is not registered: {one.problem.what}"))
    if not waiting.finished:
        return []
    made: list[tuple[str, ModelVersion]] = []

    def make(state: State) -> Batch:
        made.clear()
        events: list[AnyEvent] = []
        for one in waiting.finished:
            if state.trained_by(one.run.owner):
                continue
            for model, facts in one.models.items():
                earlier = [other for name, other in made if name == model and other.release == one.release]
                first = state.next_version(model, one.release)
                version = ModelVersion(one.release, first.number + len(earlier))
                made.append((model, version))
                events.append(trained(one.pipeline, model, version, one.run.owner, facts))
        return Batch(events=events)

    world.append(make)
    for model, version in made:
        world.told(Said(f"registered model {model} {version}"))
    return [version for _, version in made]


def trained(pipeline: str, model: str, version: ModelVersion, owner: str, facts: ModelFacts) -> Trained:
    """The event of a registered model version."""
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


def register_step(world: World) -> StepReport:
    """The step that registers finished trainings."""
    made = register_finished(world)
    if made:
        return StepReport("register", Outcome.DONE, f"model {', '.join(map(str, made))}")
    unclear = unregistered(world, world.state()).unclear
    if unclear:
        return nothing("register", "; ".join(f"run {one.run.owner}: {one.problem.what}" for one in unclear))
    return nothing("register", "every finished training is registered")


def register_run(world: World, run: Run) -> list[ModelVersion]:
    """Register what stands here, this run among it; raises the problem of this run where its models are unclear."""
    made = register_finished(world)
    problems = [
        one.problem for one in unregistered(world, world.state()).unclear if one.run.owner == run.owner
    ]
    if problems:
        raise problems[0]
    return made
