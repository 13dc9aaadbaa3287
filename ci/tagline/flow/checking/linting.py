"""`tagline lint`: rules over compiled files and sources, as they lie there; nothing is run, nothing is asked."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

import msgspec

from tagline import config
from tagline.errors import CheckFailed, ConfigError, PipelineError
from tagline.pipeline import compiled as compiled_file
from tagline.pipeline.component import STEPS
from tagline.pipeline.lint import fix, names, registry, source, suppress
from tagline.pipeline.lint.finding import Finding, Level, Scope
from tagline.pipeline.lint.images import requirement_name
from tagline.pipeline.project import REQUIREMENTS, Project

_OWN = ("", "src")


class Lint(msgspec.Struct, frozen=True):
    """What a lint has seen: findings, what was let stand and why, and the files that `--fix` wrote."""

    files: list[str]
    findings: list[Finding]
    silenced: list[tuple[Finding, str]]
    fixed: list[str] = []

    @property
    def errors(self) -> int:
        return sum(finding.level is Level.ERROR for finding in self.findings)


class Job(msgspec.Struct, frozen=True):
    """What is to be linted: `root` is the project's folder, where tagline.yaml and the lock are looked for."""

    root: Path
    files: list[Path]
    ignored: dict[str, str] = {}
    scope: Scope = Scope.FILE


def of_folder(folder: Path, files: Sequence[Path], scope: Scope = Scope.FILE) -> Job:
    """The job for a folder: the named files, else its pipeline.py, its tasks and its committed pipeline.yaml.

    Raises `ConfigError` for a tagline.yaml that silences a rule that there is not, `PipelineError` where there
    is no pipeline.
    """
    policy = folder / config.FILE
    own = config.parse(policy.read_text(), default_name="pipeline") if policy.is_file() else None
    ignored = dict(own.lint.ignore) if own else {}
    check_ignored(ignored, folder)
    projects = [] if files else [Project.find(folder, one) for one in (own.each() if own else [None])]
    found = [file for project in projects for file in project_files(project)]
    return Job(folder, list(files) or list(dict.fromkeys(found)), ignored, scope)


def check_ignored(ignored: Iterable[str], root: Path) -> None:
    """Raise `ConfigError`, at its line, for the first rule under `lint.ignore` that there is not."""
    for rule in ignored:
        if rule not in registry.BY_ID:
            near = get_close_matches(rule, registry.BY_ID, n=1, cutoff=0)
            raise ConfigError(
                f"lint.ignore: no rule is called {rule!r}",
                where=config.place(root, "lint", "ignore", rule),
                fix=f"did you mean {near[0]!r}? docs/reference/lint-rules.md lists the rules",
            )


def project_files(project: Project) -> list[Path]:
    """The sources of a project that the rules read, and its compiled file where one is kept."""
    tasks = sorted((project.root / STEPS).glob("*/task.py"))
    kept = [project.committed] if project.committed.is_file() else []
    return [project.pipeline, *tasks, *kept]


def lint(job: Job, *, mend: bool = False) -> Lint:
    """Lint every file of a job; with `mend` what has one right answer is written first.

    Raises `PipelineError` for a file that is missing or neither Python nor a compiled pipeline.
    """
    fixed = [str(file) for file in job.files if mend and _is_source(file) and _rewrite(file)]
    judged = _judged(job)
    if mend:
        dropped = [file for file in job.files if _is_source(file) and _drop_unused(file, judged.unused)]
        if dropped:
            fixed += [str(file) for file in dropped]
            judged = _judged(job)
    return Lint([str(file) for file in job.files], judged.findings, judged.silenced, sorted(set(fixed)))


def judged_project(
    project: Project, compiled: Path, ignored: dict[str, str], scope: Scope
) -> suppress.Judged:
    """The rules over a project's sources and what they have just compiled to, for `tagline check`."""
    check_ignored(ignored, project.root)
    own = [file for file in project_files(project) if _is_source(file)]
    return _judged(Job(project.root, [*own, compiled], ignored, scope))


def refuse(findings: Sequence[Finding], where: str) -> None:
    """Raise `CheckFailed` that names every error among the findings; warnings alone pass."""
    errors = [finding for finding in findings if finding.level is Level.ERROR]
    if errors:
        said = "".join(f"\n    {finding}" for finding in errors)
        raise CheckFailed(f"{len(errors)} error(s) in the compiled pipeline:{said}", where=where)


def _is_source(file: Path) -> bool:
    return file.suffix == ".py"


def _judged(job: Job) -> suppress.Judged:
    found: list[Finding] = []
    comments: dict[str, list[suppress.Suppression]] = {}
    named: list[tuple[str, str]] = []
    for file in job.files:
        if _is_source(file):
            read = source.read(file, _locked(job.root, file), _packages(job.root))
            found += registry.source_findings(read)
            comments[str(file)] = suppress.in_source(read.text, str(file))
        else:
            compiled = compiled_file.read(file)
            found += registry.compiled_findings(compiled, job.scope, str(file))
            named.append((str(file), str(compiled.ir.get("pipelineInfo", {}).get("name", ""))))
            beside = file.with_suffix(".py")
            if beside.is_file() and str(beside) not in comments:
                comments[str(beside)] = suppress.in_source(source.read(beside).text, str(beside))
    if job.scope is not Scope.LOCAL:
        found += names.collisions(named)
    every = [each for some in comments.values() for each in some]
    return suppress.judge(found, every, job.ignored, str(job.root / config.FILE))


def _locked(root: Path, file: Path) -> frozenset[str] | None:
    """The packages that a task's lock names, and the project's own modules; None where the file is no task of it."""
    packages = _packages(root)
    if packages is None or not file.absolute().is_relative_to(root.absolute() / STEPS):
        return None
    folders = [*(root / name for name in _OWN), root / STEPS, file.parent]
    own = {each.stem for folder in folders for each in folder.iterdir() if each.suffix in ("", ".py")}
    return packages | {requirement_name(each) for each in own}


def _packages(root: Path) -> frozenset[str] | None:
    """The packages that a project's lock names; None where it has none."""
    lock = root / REQUIREMENTS
    if not lock.is_file():
        return None
    required = re.findall(r"^([A-Za-z0-9][\w.\-\[\]]*) *(?:[=@]=?|;|$)", lock.read_text(), re.MULTILINE)
    return frozenset(map(requirement_name, required))


def _rewrite(file: Path) -> bool:
    read = source.read(file)
    return not read.kfp_1 and _write(file, read.text, fix.without_v2(read.text))


def _drop_unused(file: Path, unused: Sequence[suppress.Suppression]) -> bool:
    text = source.read(file).text
    return _write(file, text, fix.without_unused(text, [each for each in unused if each.file == str(file)]))


def _write(file: Path, old: str, new: str) -> bool:
    if new == old:
        return False
    try:
        file.write_text(new)
    except OSError as error:
        raise PipelineError(f"it cannot be written: {error}", where=str(file)) from error
    return True
