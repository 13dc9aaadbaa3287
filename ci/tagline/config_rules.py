"""What tagline.yaml may not say although every value is well-formed: each rule, and where it was broken."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from tagline import cron
from tagline.config import Config, Gate, Rollout, Scheduled, Secrets, Serving, seconds
from tagline.errors import ConfigError, KfpScheduleRefused, NotYetSupported
from tagline.words import check_name

At = tuple[str | int, ...]
_OBJECT = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_PATH = "path: 'wine/{env}'"
_STORE_PATH = re.compile(r"[A-Za-z0-9._@/-]*")
HOUR, DAY = 3600.0, 24 * 3600.0


class Fault(msgspec.Struct, frozen=True):
    """A broken rule: `at` is the value's path in the file, `what` begins with its name."""

    at: At
    what: str
    fix: str = ""
    kind: type[ConfigError] = ConfigError


def faults(config: Config) -> Iterator[Fault]:
    """Every rule that is broken: names, durations, shares, what this version of tagline lacks."""
    yield from _names(config)
    if config.several:
        yield from _members(config)
    yield from _of_pipeline(config)


def _of_pipeline(config: Config) -> Iterator[Fault]:
    """The rules of what is said of one pipeline."""
    yield from _file(config.file)
    yield from _duration(config.smoke_timeout, ("smoke_timeout",), DAY)
    if config.gate:
        yield from _gate(config.gate)
    if config.serving:
        yield from _serving(config.serving)
    yield from _rollout(config.rollout)
    if config.secrets:
        yield from _secrets(config.secrets)
    for name, one in config.schedules.items():
        yield from _schedule(name, one)
    for rule, reason in config.lint.ignore.items():
        if not reason.strip():
            what = f"lint.ignore.{rule} gives no reason"
            yield Fault(("lint", "ignore", rule), what, f"{rule}: why it may stand")


def _schedule(name: str, one: Scheduled) -> Iterator[Fault]:
    """What is wrong with a schedule wherever it runs; what its server cannot be told is known there."""
    at: At = ("schedules", name)
    try:
        check_name(name, "schedule")
        cron.translate(one.cron, one.time_zone, one.time_zone)
        cron.zone(one.time_zone)
    except (ConfigError, KfpScheduleRefused) as error:
        yield Fault(at, f"schedules.{name}: {error.what}", error.fix)


def _file(file: str) -> Iterator[Fault]:
    path = Path(file)
    if file and (path.is_absolute() or ".." in path.parts or path.suffix != ".py"):
        yield Fault(
            ("file",), f"file {file!r} is not a Python file inside the repository", "file: pipelines/wine.py"
        )


def _members(config: Config) -> Iterator[Fault]:
    """The rules of several pipelines: each by itself, and what two of them may not share."""
    if config.pipeline:
        yield Fault(("pipeline",), "pipeline and pipelines: a file says one of them", "take pipeline: out")
    for key in ("file", "models", "gate"):
        if getattr(config, key):
            yield Fault(
                (key,), f"{key} is for each of the pipelines to say", f"pipelines: {{NAME: {{{key}: …}}}}"
            )
    makers: dict[str, str] = {}
    files: dict[str, str] = {}
    for name in config.pipelines:
        at: At = ("pipelines", name)
        own = msgspec.structs.replace(config, pipeline="").of(name)
        for fault in _of_pipeline(own):
            yield msgspec.structs.replace(fault, at=(*at, *fault.at), what=f"pipelines.{name}: {fault.what}")
        for model in own.model_names():
            if makers.setdefault(model, name) != name:
                what = f"{makers[model]} and {name} both make a model {model}: its tags would mean both"
                yield Fault((*at, "models") if own.models else at, what, "give each model one pipeline")
        if own.file and files.setdefault(own.file, name) != name:
            yield Fault((*at, "file"), f"{files[own.file]} has the same file", "give each its own")


def _names(config: Config) -> Iterator[Fault]:
    named: list[tuple[At, str, str]] = [(("pipelines", name), name, "pipeline") for name in config.pipelines]
    if not config.several:
        named.append((("pipeline",), config.pipeline, "pipeline"))
    named += [
        (("pipelines", name, "models", model), model, "model")
        for name, member in config.pipelines.items()
        for model in member.models or {}
    ]
    named += [(("environments", n), env, "environment") for n, env in enumerate(config.environments)]
    named += [(("models", model), model, "model") for model in config.models]
    if not config.platform.startswith("git+"):
        named.append((("platform",), config.platform, "platform"))
    for at, name, what in named:
        try:
            check_name(name, what)
        except ConfigError as error:
            yield Fault(at, error.what, error.fix, type(error))
    if not config.environments:
        yield Fault(("environments",), "environments is empty: no model could go anywhere", "[prod]")
    for n, env in enumerate(config.environments):
        if env in config.environments[:n]:
            yield Fault(("environments", n), f"environments names {env} twice", "keep one")


def _gate(gate: Gate) -> Iterator[Fault]:
    if len(gate.metrics) != 1:
        what = f"gate.metrics has {len(gate.metrics)} metrics: this version of tagline judges exactly one"
        yield Fault(("gate", "metrics"), what, "", NotYetSupported)
    if Path(gate.data).is_absolute() or ".." in Path(gate.data).parts or not gate.data:
        yield Fault(("gate", "data"), f"gate.data {gate.data!r} is not a path inside the repository")
    labels = label_columns(gate)
    if not labels or len(set(labels)) != len(labels):
        yield Fault(("gate", "label"), f"gate.label {gate.label!r} must name each column once", "label: y")
    if not gate.id:
        yield Fault(("gate", "id"), "gate.id is empty: a column must name the rows", "id: row_id")
    if gate.id in labels:
        what = f"gate.label names {gate.id!r}, the column that names the rows (gate.id): it is no label"
        yield Fault(("gate", "label"), what, "name the columns of the right answers")
    for name, metric in gate.metrics.items():
        at: At = ("gate", "metrics", name)
        for key, share, example in (("max_drop", metric.max_drop, "0.10"), ("floor", metric.floor, "0.70")):
            if not 0 < share < 1:
                never = (key == "max_drop") == (share == 0)
                what = f"gate.metrics.{name}.{key} is {share:g}: the gate would {'never' if never else 'always'} pass"
                yield Fault((*at, key), what, f"{key}: {example}")


def label_columns(gate: Gate) -> list[str]:
    """The columns that `gate.label` names, divided by commas or spaces."""
    return [name for name in re.split(r"[,\s]+", gate.label) if name]


def _serving(serving: Serving) -> Iterator[Fault]:
    wrong = list(_duration(serving.timeout, ("serving", "timeout"), HOUR))
    if serving.slower_than:
        wrong += _duration(serving.slower_than, ("serving", "slower_than"), HOUR)
    yield from wrong
    if not wrong and serving.slower_than and seconds(serving.slower_than) >= seconds(serving.timeout):
        what = f"serving.slower_than {serving.slower_than} is never reached: timeout is {serving.timeout}"
        yield Fault(("serving", "slower_than"), what, "make it shorter than timeout")


def _rollout(rollout: Rollout) -> Iterator[Fault]:
    yield from _steps(rollout.steps)
    durations = {"step_time": rollout.step_time, "max_duration": rollout.max_duration, "ttl": rollout.ttl}
    wrong = [one for key, text in durations.items() for one in _duration(text, ("rollout", key), 30 * DAY)]
    yield from wrong
    planned = 0.0 if wrong else len(rollout.steps) * seconds(rollout.step_time)
    if not wrong and planned > seconds(rollout.max_duration):
        what = f"the steps take {planned:g} s, longer than max_duration {rollout.max_duration}"
        yield Fault(("rollout", "max_duration"), what, f"max_duration: {planned:g}s")
    if not 0 < rollout.max_bad_increase < 1:
        what = f"rollout.max_bad_increase is {rollout.max_bad_increase:g}: it must be above 0 and below 1"
        yield Fault(("rollout", "max_bad_increase"), what, "max_bad_increase: 0.02")


def _steps(steps: Sequence[int]) -> Iterator[Fault]:
    what = ""
    if not steps or steps[0] > 10:
        what = "rollout.steps must begin with at most 10 (percent)"
    elif list(steps) != sorted(set(steps)):
        what = "rollout.steps must rise"
    elif steps[-1] > 95:
        what = "the last of rollout.steps must leave the stable model at least 5 percent"
    if what:
        yield Fault(("rollout", "steps"), what, "steps: [10, 25, 50]")


def _duration(text: str, at: At, most: float) -> Iterator[Fault]:
    name = ".".join(map(str, at))
    try:
        found = seconds(text)
    except ConfigError as error:
        yield Fault(at, f"{name}: {error.what}", error.fix)
        return
    if found < 0.001:
        yield Fault(
            at, f"{name} is {text}: it must be above 0", "write a number with ms, s, m or h, such as 90s"
        )
    elif found > most:
        yield Fault(
            at,
            f"{name} is {text}: more than {most / HOUR:g} h is no sense of it",
            f"at most {most / HOUR:g}h",
        )


def _secrets(secrets: Secrets) -> Iterator[Fault]:
    if secrets.approle and not _OBJECT.fullmatch(secrets.approle):
        what = f"secrets.approle {secrets.approle!r} cannot name a Kubernetes Secret"
        yield Fault(("secrets", "approle"), what, "approle: vault-approle")
    places = (("path", secrets.path, _PATH), ("mount", secrets.mount, "mount: secret"))
    for key, path, example in places:
        if not _STORE_PATH.fullmatch(path.replace("{env}", "env")) or {"..", "."} & set(path.split("/")):
            what = f"secrets.{key} {path!r} is no path of letters, digits and ._@-"
            yield Fault(("secrets", key), what, example)
    if secrets.keys and not secrets.path:
        what = "secrets.keys without secrets.path: where do they lie?"
        yield Fault(("secrets", "keys"), what, _PATH)
