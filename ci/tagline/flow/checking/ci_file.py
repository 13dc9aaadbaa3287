"""Does the CI file name the environments of tagline.yaml? One that it forgets would never be promoted to.

GitLab and GitHub want the list of jobs before anything runs. Jenkins and `tagline ci` ask the plan; a Jenkinsfile names
only the environments that have credentials, and one that there is not would leave another without its own.
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml

from tagline.config import Config
from tagline.errors import ConfigError
from tagline.flow.report import StepReport, done, skipped

GITLAB = ".gitlab-ci.yml"
GITHUB = ".github/workflows"
JENKINS = "Jenkinsfile"
_COMPONENT = re.compile(r"/tagline@[^/\s]+$")
_WORKFLOW = re.compile(r"(^|/)\.github/workflows/tagline\.yml(@\S+)?$")
_DEFAULT = ["prod"]
# Groovy without what only looks like it: comments and texts, one pass over both
_COMMENT_OR_TEXT = re.compile(r"""//[^\n]*|/\*.*?\*/|('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")""", re.DOTALL)
_CREDENTIALS = re.compile(r"\bcredentials\s*:\s*\[")
_NAME = re.compile(r"""['"][\w-]+['"]""")
_KEY = re.compile(r"[\[,]\s*(?:([A-Za-z_]\w*)|'([^'\n]*)'|\"([^\"\n]*)\")\s*:")
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
    bound = jenkins_credentials(root / JENKINS)
    _require_declared(JENKINS, "credentials", bound, own)
    if not calls and bound:
        return done(STEP, f"{JENKINS} has credentials for {', '.join(bound)}, each in tagline.yaml")
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
    _require_declared(files, "a job", named, own)
    return done(STEP, f"{files} has a job for each environment")


def _require_declared(files: str, what: str, named: Iterable[str], own: Config) -> None:
    strange = sorted(set(named) - set(own.environments))
    if strange:
        raise ConfigError(
            f"{files} has {what} for {', '.join(strange)}, which tagline.yaml does not declare",
            where=files,
            fix=f"its environments are {json.dumps(own.environments)}; name one of them, or add it to tagline.yaml",
        )


def jenkins_credentials(file: Path) -> list[str]:
    """The environments that a Jenkinsfile's call gives credentials, in its order, as far as they are written out."""
    if not file.is_file():
        return []
    text = file.read_text(errors="replace")
    text = _COMMENT_OR_TEXT.sub(_without_words, text)
    begun = _CREDENTIALS.search(text)
    return [] if begun is None else _keys(_balanced(text, begun.end() - 1))


def _without_words(found: re.Match[str]) -> str:
    """Nothing for a comment; a text only where it may be the name of an environment."""
    said = found[1] or ""
    return said if _NAME.fullmatch(said) else "''" if said else " "


def _balanced(text: str, at: int) -> str:
    """The map that opens at `at`, what is inside of its values left out."""
    kept, depth = "", 0
    for char in text[at:]:
        depth -= char in ")]}"
        kept += char if depth <= 1 and char not in ")]}" else ""
        depth += char in "([{"
        if depth == 0:
            break
    return kept


def _keys(text: str) -> list[str]:
    return [bare or single or double for bare, single, double in _KEY.findall(text)]


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
