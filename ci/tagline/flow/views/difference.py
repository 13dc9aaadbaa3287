"""`tagline diff`: what changed in the pipeline between two releases, commits or files."""

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tagline import config, temporary
from tagline.errors import BadWord, PipelineError
from tagline.pipeline import compiled as compiled_file
from tagline.pipeline.compiled import Compiled
from tagline.pipeline.diff.change import Change
from tagline.pipeline.diff.compare import compare
from tagline.pipeline.project import Project, places
from tagline.words import Release, ReleaseTag

if TYPE_CHECKING:
    from tagline.git.repo import Repo


class Difference(msgspec.Struct, frozen=True):
    """What changed from one pipeline to another; `before` and `after` as they were asked for."""

    before: str
    after: str
    changes: list[Change]
    sentences: list[str]


def difference(folder: Path, before: str, after: str, pipeline: str = "") -> Difference:
    """Compare two pipelines: each a file, a release (`1.3.0`, `v1.3.0`, `fraud@v1.3.0`) or a commit of the repository.

    `pipeline` says which, where the repository holds several; a release's tag says so itself, for both sides. Raises
    `PipelineError` where there is no pipeline, and what git says of a revision that there is not.
    """
    pipeline = pipeline or _revision(before)[1] or _revision(after)[1]
    changes = compare(_read(folder, before, pipeline), _read(folder, after, pipeline))
    return Difference(before, after, changes, [str(each) for each in changes])


def _read(folder: Path, named: str, pipeline: str) -> Compiled:
    file = folder / named
    if file.is_file():
        return _compiled(file) if file.suffix == ".py" else compiled_file.read(file)
    from tagline.git.repo import Repo

    repo = Repo.open(folder)
    revision, of_tag = _revision(named)
    commit = repo.commit(revision)
    own = _policy(repo, commit, of_tag or pipeline)
    for place in places(own):
        kept = str(Path(place).with_suffix(".yaml"))
        if (content := repo.show(commit, kept)) is not None:
            try:
                return compiled_file.parse(content.decode(), f"{named}:{kept}")
            except UnicodeDecodeError as error:
                raise PipelineError("the compiled pipeline is no text", where=f"{named}:{kept}") from error
    with temporary.folder(temporary.Kind.COMPILE) as work:
        tree = work / "tree"
        repo.export(commit, tree)
        return _compiled(Project.find(tree, own).pipeline, repo.root)


def _policy(repo: "Repo", commit: str, pipeline: str) -> config.Config:
    """What a commit says of the pipeline; raises `BadWord` where it holds several and none is named."""
    text = (repo.show(commit, config.FILE) or b"").decode("utf-8", "replace")
    own = config.parse(text, where=f"{config.FILE} at {commit[:12]}", default_name="pipeline")
    if own.several and not pipeline:
        raise BadWord(
            f"{commit[:12]} holds several pipelines: {own.title}", fix=f"--pipeline {min(own.pipelines)}"
        )
    return own.of(pipeline)


def _revision(named: str) -> tuple[str, str]:
    """A release's tag and the pipeline that it names; anything else is git's to understand."""
    tag = ReleaseTag.read(named)
    if tag:
        return f"refs/tags/{tag}", tag.pipeline
    try:
        return f"refs/tags/{Release.parse(named).tag}", ""
    except BadWord:
        return named, ""


def _compiled(pipeline: Path, root: Path | None = None) -> Compiled:
    """Compile a pipeline file in the sandboxed child, under the guards of its repository."""
    from tagline.flow.checking.work_tree import guarded, root_of
    from tagline.pipeline.compile import compile_file

    _, engine = guarded(root or root_of(pipeline.absolute().parent))
    with temporary.folder(temporary.Kind.COMPILE) as work:
        return compiled_file.read(compile_file(pipeline, work / "pipeline.yaml", engine.run))
