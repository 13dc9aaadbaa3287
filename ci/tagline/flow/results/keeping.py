"""Gathers the results of a call from the world it ran in: the sentence, the plan, the metrics, the places."""

from tagline.flow.ci import name_of
from tagline.flow.releasing import owners
from tagline.flow.releasing.release import next_of
from tagline.flow.report import Report
from tagline.flow.results.headline import Outlook, headline, usual
from tagline.flow.results.results import FORMAT, Listener, Measured, Results, places, plan_lines
from tagline.flow.steps import Plan
from tagline.flow.world import World
from tagline.git.occasion import Event
from tagline.git.state import State
from tagline.platforms import RunState
from tagline.words import ModelVersion


def outlook_of(world: World, event: Event) -> Outlook:
    """What is known before a plan for this event is carried out; raises what reading versions raises."""
    if event not in {Event.PR, Event.MERGE}:
        return Outlook(event, world.policy.title)
    found = [(part, next_of(part)) for part in world.parts()]
    made = [(part, one) for part, one in found if one.release]
    if not made:
        return Outlook(event, world.policy.title, reason="; ".join(one.reason for _, one in found))
    first, *others = [f"{part.policy.pipeline} {one.release}" for part, one in made]
    pipeline, _, release = first.partition(" ")
    because = list(dict.fromkeys(one.because for _, one in made if one.because))
    lasts = [_usual_training(part) for part, _ in made]
    return Outlook(
        event=event,
        pipeline=pipeline,
        release=", ".join([release, *others]),
        because="; ".join(because),
        reason=made[0][1].reason,
        trains=None if None in lasts else sum(one for one in lasts if one is not None),
    )


def _usual_training(world: World) -> float | None:
    """How long a full training of this pipeline took lately, in seconds, as far as the platform knows."""
    full = f"/{owners.FULL}/"
    runs = world.platform.pipelines.runs(f"{world.policy.pipeline}/")
    return usual([run.seconds for run in runs if full in run.owner and run.state is RunState.SUCCEEDED])


def results_of(world: World, plan: Plan, report: Report, listener: Listener, before: Outlook) -> Results:
    """The results of a call; `before` is what was known before it ran."""
    state = world.state()
    serves = _serves(world, state)
    known = Outlook(
        before.event, before.pipeline, before.release, before.because, before.reason, before.trains, serves
    )
    return Results(
        format=FORMAT,
        event=str(plan.event),
        ref=plan.ref,
        head=report.head,
        pipeline=world.policy.title,
        headline=headline(known, report),
        exit_code=report.exit_code,
        error=report.error,
        plan=plan_lines(plan, name_of),
        steps=report.steps,
        parts=listener.parts(report),
        cases=listener.cases,
        metrics=_metrics(world, state, report, serves),
        places=places(report, listener.cases),
    )


def _serves(world: World, state: State) -> list[tuple[str, str, str]]:
    spots = [(env, model) for env in world.policy.environments for model in world.policy.model_names()]
    found = ((env, model, state.place(env, model).serves) for env, model in spots)
    return [(env, model, str(version)) for env, model, version in found if version]


def _metrics(
    world: World, state: State, report: Report, serves: list[tuple[str, str, str]]
) -> list[Measured]:
    """The metrics of what this call trained, then of what serves."""
    new = {str(one) for step in report.steps for one in step.facts.get("models", [])}
    wanted = [(model, version, "new") for version in sorted(new) for model in world.policy.model_names()]
    wanted += [(model, version, env) for env, model, version in serves]
    found = []
    for model, version, stands in wanted:
        trained = state.trained(model, ModelVersion.parse(version))
        if trained and trained.metrics:
            found.append(Measured(f"{model} {version}", stands, dict(trained.metrics)))
    return found
