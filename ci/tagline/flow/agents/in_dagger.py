"""`tagline ci --engine dagger`: planned here, and its checks made in a container of an engine that runs already."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tagline.engines.dagger import lines, runner
from tagline.engines.dagger.session import Call, Ended, perform
from tagline.errors import ConfigError, EngineError, NotYetSupported
from tagline.flow.report import Outcome, Report, StepReport
from tagline.flow.steps import Check, Nothing, Plan

if TYPE_CHECKING:
    from tagline.flow.world import World

BASE_VARIABLE = "TAGLINE_DAGGER_BASE"
_WITHOUT = "leave --engine dagger away"


class _Error(msgspec.Struct, frozen=True):
    what: str
    where: str = ""


class _Failed(msgspec.Struct, frozen=True):
    """What a command prints with --json where it ended before its first step."""

    error: _Error


def carrier(engine: str | None, environ: Mapping[str, str]) -> "Callable[[World, Plan], Report]":
    """What carries a plan out: the engine of the policy, or the Dagger engine that answers.

    Raises `EngineMissing`, `MissingTool`, `ConfigError` within seconds, before anything else is looked at.
    """
    from tagline.flow.ci import run_plan

    if engine is None:
        return run_plan
    return partial(ci_in_dagger, environ=client_environ(environ))


def client_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of a client, where an engine answers.

    Raises `EngineMissing` where no engine answers, `MissingTool` without dagger-io, `ConfigError` where nothing
    says from where the container gets tagline.
    """
    ready = runner.require(environ)
    if not environ.get("TAGLINE_WHEELHOUSE") and not environ.get("TAGLINE_INDEX"):
        raise ConfigError(
            "nothing says from where the container gets tagline",
            fix="set TAGLINE_WHEELHOUSE or TAGLINE_INDEX, as for templates/bootstrap.sh",
        )
    return ready


def ci_in_dagger(world: "World", plan: Plan, environ: Mapping[str, str]) -> Report:
    """Carry out a plan of checks; `environ` is what `client_environ` gave.

    Raises `NotYetSupported`, `EngineMissing`, `EngineError`.
    """
    from tagline.flow.ci import run_plan

    step = check_of(plan)
    if step is None:
        return run_plan(world, plan)
    refuse(step, world)
    with world.work_folder() as work:
        world.repo.export(world.facts.head, work / "tree")
        ended = perform(call_of(step, work / "tree", environ), environ)
    checked = report_of(ended)
    for one in checked.steps:
        world.told(one)
    return as_step(checked, plan, world.facts.head)


def check_of(plan: Plan) -> Check | None:
    """The plan's one step that runs the repository's code; None where there is nothing to do.

    Raises `NotYetSupported` for a plan that releases, trains or serves: what the platform `local` holds lies on
    this machine, where no container sees it.
    """
    steps = [step for step in plan.steps if not isinstance(step, Nothing)]
    match steps:
        case []:
            return None
        case [Check() as step]:
            return step
        case _:
            raise NotYetSupported(
                f"engine dagger makes the checks of a pull request; this is a {plan.event}: what the platform "
                "local releases, trains and serves lies on this machine",
                fix=_WITHOUT,
            )


def refuse(step: Check, world: "World") -> None:
    """Refuse a check that would say another thing in the container than here. Raises `NotYetSupported`."""
    if step.image and world.images is not None:
        raise NotYetSupported("the checks of a project with an image need engine docker", fix=_WITHOUT)
    if world.platform_file is not None:
        raise NotYetSupported("the container does not get the platform file", fix=_WITHOUT)


def call_of(step: Check, tree: Path, environ: Mapping[str, str]) -> Call:
    """The call that makes a check; the code of a pull request gets no credential."""
    return Call(
        lines.check_line(smoke=step.smoke),
        str(tree),
        _absolute(environ.get("TAGLINE_WHEELHOUSE", "")),
        bool(environ.get("TAGLINE_INDEX")),
        _absolute(environ.get("TAGLINE_LOCK", "")),
        environ.get(BASE_VARIABLE, ""),
    )


def _absolute(path: str) -> str:
    return str(Path(path).absolute()) if path else ""


def report_of(ended: Ended) -> Report:
    """The report that `tagline check --json` printed; an error before its first step is a report without steps.

    Raises `EngineError` where it printed neither.
    """
    try:
        return msgspec.json.decode(ended.said, type=Report)
    except msgspec.DecodeError:
        pass
    try:
        error = msgspec.json.decode(ended.said, type=_Failed).error
    except msgspec.DecodeError as unread:
        raise EngineError(
            f"tagline in the container ended with exit code {ended.code} and no report",
            fix="see the lines above",
        ) from unread
    return Report("check", "", [], ended.code, error.what, error.where)


def as_step(checked: Report, plan: Plan, head: str) -> Report:
    """The checks as one step of the call, as `tagline ci` has them on every engine."""
    count = sum(one.outcome is Outcome.DONE for one in checked.steps)
    failed = [one.why for one in checked.steps if one.outcome is Outcome.FAILED]
    why = next(iter(failed), checked.error) or f"{count} checks passed at {head[:12]}"
    outcome = Outcome.FAILED if checked.exit_code else Outcome.DONE
    seconds = round(sum(one.seconds for one in checked.steps), 1)
    step = StepReport("check", outcome, why, seconds)
    return Report(plan.event, head, [step], checked.exit_code, checked.error, checked.where)
