"""Does the CI file name the environments of tagline.yaml? One that it forgets would never be promoted to.

GitLab and GitHub want the list of jobs before anything runs; Jenkins and `tagline ci` ask the plan.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml

from tagline.config import Config
from tagline.errors import ConfigError
from tagline.flow.report import StepReport, done, skipped

GITLAB = ".gitlab-ci.yml"
GITHUB = ".github/workflows"
_COMPONENT = re.compile(r"/tagline@[^/\s]+$")
_WORKFLOW = re.compile(r"(^|/)\.github/workflows/tagline\.yml(@\S+)?$")
_DEFAULT = ["prod"]
STEP = "CI file"


class Named(msgspec.Struct, frozen=True):
    """One call of tagline's component or workflow: its file, and the environments that get a job there."""

    file: str
    environments: list[str]


class _Loader(yaml.SafeLoader):
    """YAML as CI hosts write it: their own tags, such as `!reference`, are read as nothing."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: None)


def check_ci_file(root: Path, own: Config) -> StepReport:
    """Compare the environments of both files; raises `ConfigError` that names those which only one has."""
    calls = [*_gitlab(root / GITLAB), *_github(root / GITHUB)]
    if not calls:
        return skipped(STEP, "no file here lists environments for tagline's component or workflow")
    named = {env for call in calls for env in call.environments}
    files = ", ".join(sorted({call.file for call in calls}))
    forgotten = [env for env in own.environments if env not in named]
    if forgotten:
        raise ConfigError(
            f"no job of {files} promotes to {', '.join(forgotten)}, which tagline.yaml declares",
            where=files,
            fix=f"its input environments: {json.dumps(own.environments)}",
        )
    strange = sorted(named - set(own.environments))
    if strange:
        raise ConfigError(
            f"{files} has a job for {', '.join(strange)}, which tagline.yaml does not declare",
            where=files,
            fix=f"its input environments: {json.dumps(own.environments)}; or add it to tagline.yaml",
        )
    return done(STEP, f"{files} has a job for each environment")


def _gitlab(file: Path) -> Iterator[Named]:
    includes = _read(file).get("include")
    for one in includes if isinstance(includes, list) else [includes]:
        if isinstance(one, dict) and _COMPONENT.search(str(one.get("component", ""))):
            inputs = one.get("inputs")
            yield Named(file.name, _list(inputs.get("environments") if isinstance(inputs, dict) else None))


def _github(folder: Path) -> Iterator[Named]:
    for file in sorted([*folder.glob("*.yml"), *folder.glob("*.yaml")]):
        jobs = _read(file).get("jobs")
        for job in jobs.values() if isinstance(jobs, dict) else []:
            if isinstance(job, dict) and _WORKFLOW.search(str(job.get("uses", ""))):
                given = job.get("with")
                text = given.get("environments") if isinstance(given, dict) else None
                yield Named(f"{GITHUB}/{file.name}", _list(_parsed(text)))


def _read(file: Path) -> dict[str, Any]:
    """A YAML file as a mapping; empty where there is none, or none that the host itself could read."""
    if not file.is_file():
        return {}
    try:
        found = yaml.load(file.read_text(errors="replace"), _Loader)
    except yaml.YAMLError:
        return {}
    return found if isinstance(found, dict) else {}


def _parsed(text: object) -> object:
    """GitHub's inputs are texts: a list is written as JSON. An expression is known to GitHub alone."""
    try:
        return json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return None


def _list(found: object) -> list[str]:
    return [str(one) for one in found] if isinstance(found, list) else _DEFAULT
