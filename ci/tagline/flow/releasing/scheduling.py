"""Schedules in the flow: what tagline.yaml declares is what the platform has, of the newest release."""

from collections.abc import Collection

from tagline.config import Config
from tagline.errors import NotYetSupported
from tagline.flow.report import StepReport, done, nothing
from tagline.flow.world import World
from tagline.platforms.schedules import Schedule
from tagline.words import Release


def declared(own: Config) -> list[Schedule]:
    """The schedules of a pipeline: the parameters of each over those of every run."""
    return [
        Schedule(
            name=name,
            cron=one.cron,
            time_zone=one.time_zone,
            parameters={**own.parameters, **one.parameters},
            concurrency=one.concurrency,
            cache=one.cache,
        )
        for name, one in sorted(own.schedules.items())
    ]


def declared_otherwise(world: World, commit: str) -> bool:
    """Whether the policy declares other schedules, or other pipelines, than a commit does: git alone is asked."""
    before = world.own_config(commit)
    return declared(before) != declared(world.policy) or set(before.pipelines) != set(world.policy.pipelines)


def schedule_moves(world: World, release: Release | None) -> tuple[str, ...]:
    """What is to be done to the schedules of a release, made already or to be made, a sentence each.

    Raises `NotYetSupported` where the platform has none and the policy declares one, `KfpScheduleRefused` for what the
    server cannot be told, and the errors of asking it.
    """
    wanted, there = declared(world.policy), world.platform.schedules
    if there is None:
        if wanted:
            raise NotYetSupported(
                f"schedules run on a platform of kind kubeflow, and this is {world.platform.name}: "
                f"{', '.join(one.name for one in wanted)}",
                where="tagline.yaml",
                fix="take schedules: out, or let the CI's own schedule call tagline train",
            )
        return ()
    if release is None:
        return ()
    return tuple(there.plan(world.policy.pipeline, release, wanted, _tidied(world)))


def _tidied(world: World) -> Collection[str]:
    """The repository's pipelines, for the first of them that is uploaded: it tidies up after those that are gone."""
    names = sorted(world.policy.pipelines) or [world.policy.pipeline]
    uploaded = {pipeline for pipeline, _ in world.state().uploads}
    first = next((name for name in names if name in uploaded), names[0])
    return names if world.policy.pipeline == first else ()


def schedule_step(world: World, release: Release) -> StepReport:
    """Make the platform's schedules those that are declared; again is a no-op."""
    there = world.platform.schedules
    pipeline = world.policy.pipeline
    acted = there.apply(pipeline, release, declared(world.policy), _tidied(world)) if there else []
    if not acted:
        return nothing("schedules", "they are as declared")
    return done("schedules", "; ".join(acted))
