"""The checks of a commit in a container of a Dagger engine that runs already, which gets no credential."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tagline.engines.dagger import lines, runner
from tagline.engines.dagger.session import Call, Ended, perform
from tagline.errors import ConfigError, EngineError, NotYetSupported, TaglineError
from tagline.flow.report import Outcome, Report, StepReport

if TYPE_CHECKING:
    from tagline.flow.world import World

BASE_VARIABLE = "TAGLINE_DAGGER_BASE"


class _Error(msgspec.Struct, frozen=True):
    what: str
    where: str = ""
    fix: str = ""


class _Failed(msgspec.Struct, frozen=True):
    """What a command prints with --json where it ended before its first step."""

    error: _Error


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


def has_image(world: "World") -> bool:
    """Whether HEAD says how its image is made; without one its smoke training runs beside its checks."""
    image = world.own_config(world.facts.head).image
    return bool(image.base) or world.repo.show(world.facts.head, image.dockerfile) is not None


def checked(world: "World", *, smoke: bool = False) -> list[StepReport]:
    """Make the checks of HEAD and tell them; the tests' cases stay there.

    `smoke` trains it there too, without an image.
    Raises the error of the first that fails, as it is raised on this machine; `EngineMissing`, `EngineError`.
    """
    environ = client_environ(world.environ)
    with world.work_folder() as work:
        world.repo.export(world.facts.head, work / "tree")
        ended = perform(call_of(work / "tree", environ, _platform_file(world), smoke=smoke), environ)
    report = report_of(ended)
    passed = [one for one in report.steps if one.outcome is not Outcome.FAILED]
    for one in passed:
        world.told(one)
    if report.exit_code:
        raise error_of(report)
    return passed


def _platform_file(world: "World") -> str:
    """The text of the platform file that rules; raises `NotYetSupported` for one that the container would fetch."""
    if world.platform_file is None:
        return ""
    if world.policy.platform.startswith("git+"):
        raise NotYetSupported(
            "the container of the checks does not get a platform file that git brings",
            fix="name its file in TAGLINE_PLATFORM_FILE and leave platform: away, or leave --engine dagger away",
        )
    return world.platform_file.text


def call_of(tree: Path, environ: Mapping[str, str], platform_file: str = "", *, smoke: bool = False) -> Call:
    """The call that makes the checks of a tree under a platform file's text; the tree's code gets no credential."""
    return Call(
        lines.check_line(smoke=smoke),
        str(tree),
        _absolute(environ.get("TAGLINE_WHEELHOUSE", "")),
        bool(environ.get("TAGLINE_INDEX")),
        _absolute(environ.get("TAGLINE_LOCK", "")),
        environ.get(BASE_VARIABLE, ""),
        platform_file,
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
    return Report(
        "check",
        "",
        [],
        ended.code,
        str(TaglineError(error.what, where=error.where, fix=error.fix)),
        error.where,
    )


def error_of(report: Report) -> TaglineError:
    """The failure of a report as the error that it was, by its exit code."""
    what, _, fix = report.error.partition("\n  fix:   ")
    what = what.partition("\n  where: ")[0]
    return TaglineError.of_exit_code(report.exit_code)(what, where=report.where, fix=fix)
