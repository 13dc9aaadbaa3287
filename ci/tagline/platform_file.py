"""A platform file: what a company says once for all its repositories, and how tagline.yaml is read under it."""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from tagline import config, floors
from tagline.config import Config, Version
from tagline.errors import ConfigError, WrongVersion
from tagline.floors import Floors
from tagline.kubeflow_keys import Access, Cluster, Endpoints, Gpu, Kubeflow, Store
from tagline.words import check_name

NAME = "platform.yaml"
KUBEFLOW = "kubeflow"
KINDS = (config.LOCAL, KUBEFLOW)
# what is a repository's own to say, and no company's for all of them
OWN = ("pipeline", "paths", "models", "platform", "tagline", "serving", "gate")
LATER = {
    **floors.LATER,
    "registries": "registries",
    "images": "images",
}


class PlatformFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of a platform file. `name` is what tagline.yaml calls it, `kind` what it runs on: `local` or `kubeflow`.

    `tagline` is the one version that may act for its repositories, `defaults` are keys of tagline.yaml, used
    where a repository does not write them, `floors` what it may tighten and not loosen. The keys below them
    are for `kind: kubeflow`, which needs `endpoints` and `namespaces`: `namespaces` and `gpu` have a key
    `training`, and one for each environment with its own; `ca` is the file of a private authority,
    `time_zone` the zone that the server's schedule controller runs in, `service_account` the ServiceAccount of
    namespace `training` that runs and schedules act as, `cluster` the Kubernetes API where tagline may ask it.
    """

    name: str
    kind: str = config.LOCAL
    tagline: Version = ""
    defaults: dict[str, Any] = {}
    floors: Floors = Floors()
    endpoints: Endpoints | None = None
    namespaces: dict[str, str] | None = None
    access: Access | None = None
    ca: str | None = None
    time_zone: str | None = None
    store: Store | None = None
    gpu: dict[str, Gpu] | None = None
    service_account: str | None = None
    cluster: Cluster | None = None

    def kubeflow(self) -> Kubeflow | None:
        """The Kubeflow installation that it describes; None where its environments run elsewhere."""
        if self.kind != KUBEFLOW or self.endpoints is None or self.namespaces is None:
            return None
        said = {key: getattr(self, key) for key in Kubeflow.__struct_fields__}
        return Kubeflow(**{key: value for key, value in said.items() if value is not None})


class Found(msgspec.Struct, frozen=True):
    """A platform file as it was found: what it says, where it lay, the SHA-256 (hex) of its text, the text."""

    file: PlatformFile
    where: str
    digest: str
    text: str = ""


def parse(text: str, where: str) -> Found:
    """Read a platform file; raises `ConfigError` (file, line, column, nearest known key), `NotYetSupported`
    (what a later version brings, by name), `BadWord`. Its own defaults must be within its floors."""
    from tagline import strict_yaml

    data, marks = strict_yaml.load(text, where)
    if not isinstance(data, dict):
        raise ConfigError("a platform file must be a mapping", where=where, fix="name: my-company")
    strict_yaml.check_keys(data, PlatformFile, marks, where, LATER)
    try:
        file = msgspec.convert(data, PlatformFile)
    except msgspec.ValidationError as error:
        raise strict_yaml.translate(error, marks, where) from error
    _check(file, where)
    _check_kubeflow(file, marks, where)
    _check_defaults(file, _below(marks, "defaults"), where)
    return Found(file, where, hashlib.sha256(text.encode()).hexdigest(), text)


def _check(file: PlatformFile, where: str) -> None:
    check_name(file.name, "platform")
    if file.kind not in KINDS:
        raise ConfigError(f"kind {file.kind!r} is not one of {', '.join(KINDS)}", where=where)
    for duration in (file.floors.step_time, file.floors.ttl):
        config.seconds(duration or "1s")


def _check_kubeflow(file: PlatformFile, marks: Any, where: str) -> None:
    """Raise `ConfigError` for what a Kubeflow platform lacks, has wrong, or another kind has too much of."""
    from tagline import kubeflow_rules, strict_yaml

    said = [key for key in Kubeflow.__struct_fields__ if getattr(file, key) is not None]
    if file.kind != KUBEFLOW and said:
        line, column = marks[(said[0],)].key_at
        what = f"{said[0]} is for kind {KUBEFLOW!r}, and this platform's is {file.kind!r}"
        raise ConfigError(what, where=f"{where}:{line}:{column}", fix=f"kind: {KUBEFLOW}")
    if file.kind != KUBEFLOW:
        return
    kubeflow = file.kubeflow()
    if kubeflow is None:
        missing = next(key for key in ("endpoints", "namespaces") if key not in said)
        fix = {"endpoints": f"endpoints: {{{kubeflow_rules.EXAMPLE}}}"}.get(
            missing, "namespaces: {training: my-team}"
        )
        raise ConfigError(f"a platform of kind {KUBEFLOW} needs {missing}", where=where, fix=fix)
    for fault in kubeflow_rules.faults(kubeflow):
        raise fault.kind(fault.what, where=strict_yaml.place(marks, fault.at, where), fix=fault.fix)


def _check_defaults(file: PlatformFile, marks: Any, where: str) -> None:
    from tagline import strict_yaml

    for key in OWN:
        if key in file.defaults:
            line, column = marks[(key,)].key_at
            raise ConfigError(
                f"defaults.{key}: that is for each repository to say", where=f"{where}:{line}:{column}"
            )
    strict_yaml.check_keys(file.defaults, Config, marks, where, config.LATER)
    made = config.build(file.defaults, marks, where, "any")
    floors.require(made, marks, file.floors, where, file.name)


def _below(marks: Any, key: str) -> Any:
    """The marks of the values under a key, as if they were a file of their own."""
    inner = {path[1:]: mark for path, mark in marks.items() if path[:1] == (key,)}
    return {(): marks[()], **inner}


def read(text: str, where: str, default_name: str, platform: Found | None) -> Config:
    """Read tagline.yaml under a platform file: its defaults, then its floors.

    Raises what `config.parse` raises, and `ConfigError` that names key, floor, value and place where the file
    loosens a floor.
    """
    data, marks = config.load(text, where)
    if platform is None:
        return config.build(data, marks, where, default_name)
    merged = with_defaults(data, platform.file.defaults)
    made = config.build(merged, marks, where, default_name)
    for one in floors.require(made, marks, platform.file.floors, where, platform.file.name):
        merged = floors.tightened(merged, one)
    return config.build(merged, marks, where, default_name)


def without_floors(found: Found) -> Found:
    """The same platform file with its defaults alone."""
    file = msgspec.structs.replace(found.file, floors=Floors())
    return msgspec.structs.replace(found, file=file)


def with_defaults(data: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """What a repository writes, and the defaults where it writes nothing; a mapping is filled up key by key."""
    made = {**defaults, **data}
    for key, value in defaults.items():
        if isinstance(value, dict) and isinstance(data.get(key), dict):
            made[key] = {**value, **data[key]}
    return made


def require_version(text: str, where: str, platform: Found | None, running: str) -> None:
    """Raise `WrongVersion` where the policy is for another version of tagline than the one that runs.

    Only the keys that say so are read: a policy of a later version may have others that this one does not know.
    """
    from tagline import strict_yaml

    data, marks = strict_yaml.load(text, where)
    wanted = data.get("tagline") if isinstance(data, dict) else None
    if isinstance(wanted, str) and config.VERSION.fullmatch(wanted):
        line, column = marks[("tagline",)].at
        _require_new_enough(wanted, f"{where}:{line}:{column}", platform, ConfigError)
        _require_same(wanted, f"{where}:{line}:{column}", running)
    elif platform:
        _require_new_enough(running, platform.where, platform, WrongVersion)
        if platform.file.tagline:
            _require_same(platform.file.tagline, platform.where, running)


def _require_same(wanted: str, where: str, running: str) -> None:
    if wanted != running:
        raise WrongVersion(
            f"this is tagline {running}, and the policy is for {wanted}", where=where, fix=_install(wanted)
        )


def _require_new_enough(
    version: str, where: str, platform: Found | None, kind: type[ConfigError] | type[WrongVersion]
) -> None:
    oldest = platform.file.floors.tagline if platform else ""
    if platform and oldest and _order(version) < _order(oldest):
        raise kind(
            f"tagline is {version}, and the platform {platform.file.name!r} allows at least {oldest} (floors.tagline)",
            where=where,
            fix=_install(oldest),
        )


def _order(version: str) -> tuple[tuple[int, ...], bool, str]:
    """What orders versions: the numbers, then a pre-release (`1.2.0rc1`) before its release, by its own text."""
    import re

    numbers = re.match(r"[0-9.]+", version)
    said = numbers[0] if numbers else ""
    return tuple(int(part) for part in said.split(".") if part), said == version, version[len(said) :]


def _install(version: str) -> str:
    return (
        f"python -m pip install --index-url YOUR_INDEX 'tagline=={version}', or name it where CI installs it"
    )
