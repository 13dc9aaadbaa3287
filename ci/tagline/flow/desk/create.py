"""`tagline init`: a team's project from the template, in a folder that may hold other files already."""

import os
import re
import shutil
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

import tagline
from tagline import temporary
from tagline.errors import BadWord, MissingTool, RepositoryError, TaglineError, TargetExists
from tagline.flow.desk import origin
from tagline.git import process
from tagline.words import NAME_LIMIT, check_name

CHECKOUT = Path(tagline.__file__).resolve().parents[2] / "project-template"
DEFAULT_NAME = "wine"
BRANCH = "v1"
CI_FILES = {"jenkins": "Jenkinsfile", "gitlab": ".gitlab-ci.yml", "github": ".github/workflows/tagline.yml"}
_COMMIT = re.compile(r"[0-9a-f]{40}")
_PROJECT = re.compile(r"[A-Za-z0-9][\w./-]*/[A-Za-z0-9][\w.-]*")


class Made(msgspec.Struct, frozen=True):
    """What was made: `files` as paths below `folder` (its last name), sorted; the model's `name`; the `ci`, and
    its file ("" for none); the `repository` that holds it, and whether that was begun now."""

    files: list[str]
    folder: str
    name: str
    ci: str
    ci_file: str
    repository: str
    begun: bool


def create(target: Path, *, answers: Mapping[str, Any], defaults: bool) -> Made:
    """Make a project in `target` and tell what was made.

    `answers` are the template's questions answered in advance (`name`, `ci`, `library`), and `ref`, the branch
    or commit of tagline that the CI file names; with `defaults` nothing is asked and the folder's name, where
    it is one, names the model. A file that is there with the same content is left alone, so the same again
    makes nothing. Where no repository holds the folder (or the one around it ignores it), one is begun on
    branch `main`. Raises `TargetExists` (nothing is written then), `BadWord` (a name against its grammar, a
    commit or a library that is none, a library that GitHub's file needs and nobody can be asked for).
    """
    check_answers(answers, defaults)
    target = Path(os.path.abspath(target.expanduser()))
    with temporary.folder(temporary.Kind.INIT) as folder:
        made = folder / "project"
        said = render(template(), made, answers, _named_after(target), defaults)
        new = _new_files(made, target)
        for name in new:
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(made / name, target / name)
        new += _record(made, said, target)
    begun = _begin_repository(target)
    top = process.run(["rev-parse", "--show-toplevel"], cwd=target).out.decode().strip()
    ci = str(said["ci"])
    return Made(sorted(new), target.name, str(said["name"]), ci, CI_FILES.get(ci, ""), top, begun)


def check_answers(answers: Mapping[str, Any], defaults: bool) -> None:
    """Raise `BadWord` for an answer against its grammar, or a needed one that nobody can be asked for."""
    if "name" in answers:
        check_name(str(answers["name"]), "model")
    ref, library = str(answers.get("ref", BRANCH)), str(answers.get("library", "platform/tagline"))
    if ref != BRANCH and not _COMMIT.fullmatch(ref):
        raise BadWord(f"{ref!r} is no commit of tagline", fix="all 40 digits of it: git ls-remote URL v1")
    if defaults and answers.get("ci") == "github" and "library" not in answers:
        raise BadWord(
            "GitHub's file must name your repository that holds tagline: it gets a right to push",
            fix="tagline init DIRECTORY --ci github --library YOUR-ORG/tagline",
        )
    if answers.get("fork_comments") and answers.get("ci") != "github":
        raise BadWord(
            f"comments for forks are a workflow of GitHub's, and the CI named is {answers.get('ci', 'none')}",
            fix="tagline init DIRECTORY --ci github --library YOUR-ORG/tagline --fork-comments",
        )
    if not _PROJECT.fullmatch(library):
        raise BadWord(f"{library!r} is no project that holds tagline", fix="group/project, as in its address")


def template() -> Path:
    """The template's folder: beside a checkout of tagline, else inside the installed package."""
    packed = Path(str(resources.files("tagline"))) / "project_template"
    for place in (CHECKOUT, packed):
        if (place / "copier.yml").is_file():
            return place
    raise MissingTool("the project template is missing", where=str(packed), fix="install tagline again")


def _named_after(target: Path) -> str:
    """The folder's name as a model's name, such as `fraud-score` for `Fraud_Score`."""
    name = re.sub(r"[^a-z0-9]+", "-", target.name.lower())[:NAME_LIMIT].strip("-")
    try:
        return check_name(name)
    except BadWord:
        return DEFAULT_NAME


def render(
    source: Path, made: Path, answers: Mapping[str, Any], name: str, defaults: bool
) -> Mapping[str, Any]:
    """Write the project to `made`; returns every question's answer."""
    import copier
    from copier.errors import CopierError

    try:
        done = copier.run_copy(
            str(source),
            made,
            data=dict(answers),
            user_defaults={"name": name},
            defaults=defaults,
            quiet=True,
            unsafe=False,
            skip_tasks=True,
        )
    except CopierError as error:
        raise TaglineError(
            f"the project template could not be filled in: {error}", where=str(source)
        ) from error
    said: Mapping[str, Any] = done.answers.combined
    return said


def _new_files(made: Path, target: Path) -> list[str]:
    """The rendered files that `target` lacks; raises `TargetExists` for those that would be written over."""
    if target.exists() and not target.is_dir():
        raise TargetExists(f"{target.name} is a file", where=str(target), fix="name a folder")
    names = sorted(str(path.relative_to(made)) for path in made.rglob("*") if path.is_file())
    there = [name for name in names if (target / name).exists() or (target / name).is_symlink()]
    differ = [name for name in there if not _same(made / name, target / name)]
    if differ:
        more = f" and {len(differ) - 3} more" if len(differ) > 3 else ""
        raise TargetExists(
            f"{', '.join(differ[:3])}{more} would be written over",
            where=str(target),
            fix="name another folder, or move these files away; a later template: tagline init --update",
        )
    return [name for name in names if name not in there]


def _record(made: Path, said: Mapping[str, Any], target: Path) -> list[str]:
    """Write down what the template was, unless it is written already; returns the paths that were written."""
    now, file = origin.of(made, said), target / origin.FILE
    if file.is_file() and origin.read(target) == now:
        return []
    file.write_text(origin.text(now))
    return [origin.FILE]


def _same(ours: Path, theirs: Path) -> bool:
    return theirs.is_file() and ours.read_bytes() == theirs.read_bytes()


def _begin_repository(target: Path) -> bool:
    """Begin a repository, unless one holds the folder already; one that ignores it does not hold it."""
    inside = process.run(["rev-parse", "--is-inside-work-tree"], cwd=target).code == 0
    if inside and process.run(["check-ignore", "--quiet", "."], cwd=target).code != 0:
        return False
    begun = process.run(["init", "--quiet", "--initial-branch=main"], cwd=target)
    if begun.code != 0:
        raise RepositoryError(f"git init failed: {begun.err}", where=str(target))
    return True
