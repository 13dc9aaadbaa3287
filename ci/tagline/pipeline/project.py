"""Where things lie in a team's project, and how its tree is copied for its own code to run in."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote

import msgspec

from tagline import config, foreign
from tagline.config import Config
from tagline.errors import PipelineError
from tagline.git import process

PLACES = ("docker/kubeflow_pipeline/pipeline.py", "pipeline.py")
PLACES_OF_SEVERAL = ("docker/kubeflow_pipeline/{name}.py", "pipelines/{name}.py")
_ABOVE = 3  # folders above a pipeline's file in which its tagline.yaml may lie
REQUIREMENTS = "src/requirements.txt"
_OWN_FILE = "put the file itself there, or a link to a file of the tree"
_NEVER_COPIED = {".git", "__pycache__", ".venv", ".pytest_cache"}


class Project(msgspec.Struct, frozen=True):
    """The conventional tree: `pipeline` is pipeline.py, its compiled form lies beside it."""

    root: Path
    pipeline: Path

    @classmethod
    def find(cls, root: Path, own: Config | None = None) -> "Project":
        """The project in the folder `root`, with the file of the pipeline that `own` speaks of.

        Raises `PipelineError` that names the places looked at.
        """
        looked_at = places(own)
        for place in looked_at:
            if (root / place).is_file():
                return cls(root, root / place)
        raise PipelineError(
            f"no pipeline: {'neither ' if len(looked_at) > 1 else ''}{' nor '.join(looked_at)} is there",
            where=str(root),
            fix="run this in the project's root, say `file: PATH` of it in tagline.yaml, or make a project with "
            "`tagline init DIR`",
        )

    @classmethod
    def of_file(cls, pipeline: Path) -> "Project":
        """The project that a pipeline file belongs to: its conventional root, else its own folder."""
        pipeline = pipeline.absolute()
        if not pipeline.is_file():
            raise PipelineError(f"{pipeline.name} is not there", where=str(pipeline))
        roots = [pipeline.parents[2]] if len(pipeline.parents) > 2 else []
        at_home = [root for root in roots if root / PLACES[0] == pipeline]
        at_home += [root for root in pipeline.parents[:_ABOVE] if (root / config.FILE).is_file()]
        return cls(at_home[0] if at_home else pipeline.parent, pipeline)

    def own(self) -> Config | None:
        """What tagline.yaml says of this pipeline; None where there is no such file, or it names other pipelines.

        Raises `ConfigError` and its kind.
        """
        file = self.root / config.FILE
        if not file.is_file():
            return None
        of_it = config.parse(file.read_text(), default_name="pipeline").each()
        here = [one for one in of_it if self.pipeline in [self.root / place for place in places(one)]]
        return here[0] if here else None if of_it[0].several else of_it[0]

    @property
    def committed(self) -> Path:
        """The compiled pipeline that is kept in git."""
        return self.pipeline.with_suffix(".yaml")

    @property
    def requirements(self) -> Path:
        return self.root / REQUIREMENTS

    @property
    def tests(self) -> Path | None:
        """The folder of the project's own tests, or None."""
        folder = self.root / "tests"
        return folder if folder.is_dir() else None


def places(own: Config | None) -> tuple[str, ...]:
    """Where a pipeline's file may lie, relative to the project's root."""
    if own is None or not (own.several or own.file):
        return PLACES
    return _places(own.pipeline, own.file)


def siblings(own: Config) -> list[str]:
    """Where the files of the repository's other pipelines may lie."""
    others = [(name, member.file or "") for name, member in own.pipelines.items() if name != own.pipeline]
    return [place for name, file in others for place in _places(name, file)]


def _places(pipeline: str, file: str) -> tuple[str, ...]:
    return (file,) if file else tuple(one.format(name=pipeline) for one in PLACES_OF_SEVERAL)


def check_lock(root: Path) -> None:
    """Raise `LockMissing` at the first requirement (src/ or tests/) without a version and a hash."""
    from tagline.engines.locks import lock_of

    for name in (REQUIREMENTS, "tests/requirements.txt"):
        lock_of(root, name)


def copy_tree(tree: Path, to: Path, exclude: Sequence[str] = ()) -> Path:
    """Copy a work tree to the folder `to` (made here), without `.git`, and return `to`.

    In a git repository: the files that git tracks or would track; elsewhere all but caches. `exclude` names
    files and folders, relative to `tree`, to leave out. Links are copied as links; raises `PipelineError` at one
    that leads out of the tree, since what reads the copy would follow it.
    """
    left_out = [Path(name) for name in exclude]
    for name in listed(tree):
        if any(name.is_relative_to(other) for other in left_out):
            continue
        target = to / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(tree / name, target, follow_symlinks=False)
    to.mkdir(parents=True, exist_ok=True)
    if gone := foreign.astray(to):
        name = gone.relative_to(to)
        raise PipelineError(f"{name} is a link that leads out of the tree", where=str(name), fix=_OWN_FILE)
    return to


def listed(tree: Path) -> Iterator[Path]:
    """Files and links of the tree that count, relative to it: what git tracks or would track, else all but caches."""
    known = _git_files(tree)
    names = _walk(tree, tree) if known is None else map(Path, known)
    for name in names:
        path = tree / name
        if path.is_dir() and not path.is_symlink():  # a submodule: git lists its folder
            yield from _walk(path, tree)
        elif path.is_file() or path.is_symlink():
            yield name


def _walk(folder: Path, tree: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        links = [name for name in folders if Path(place, name).is_symlink()]
        folders[:] = sorted(set(folders) - _NEVER_COPIED - set(links))
        yield from (Path(place, name).relative_to(tree) for name in [*names, *links] if name != ".git")


def git_folders(tree: Path) -> list[Path]:
    """Where git keeps the history and settings of a work tree: what its own code must not see; may be none."""
    words = ["rev-parse", "--path-format=absolute", "--git-dir", "--git-common-dir"]
    said = (_git(tree, *words) or b"").splitlines()
    beside = [tree / ".git"] if (tree / ".git").is_dir() else []
    return sorted({path.resolve() for path in [*(Path(os.fsdecode(line)) for line in said), *beside]})


def remote_folders(tree: Path) -> list[Path]:
    """The remotes of a work tree that are folders of this disk: its own code could change their refs and hooks."""
    said = (_git(tree, "remote", "-v") or b"").decode(errors="surrogateescape").splitlines()
    urls = {line.partition("\t")[2].rpartition(" (")[0] for line in said}
    named = [folder for url in urls if url for folder in _places_of(tree, url) if folder.exists()]
    apart = [folder for place in named if (place / ".git").is_file() for folder in git_folders(place)]
    return sorted({folder.resolve() for folder in [*named, *apart]})


def _places_of(tree: Path, url: str) -> list[Path]:
    """Where git looks for a remote on this disk: URLs decoded, `~` expanded, with and without `.git` at the end."""
    path = url
    if url.startswith("file://"):
        path = "/" + unquote(url, errors="surrogateescape").removeprefix("file://").lstrip("/")
    folder = tree / os.path.expanduser(path)
    return [folder, folder.with_name(f"{folder.name}.git")] if folder.name else [folder]


def _git_files(tree: Path) -> list[str] | None:
    """What git tracks or would track below `tree`; None where that is nothing (no repository, ignored)."""
    out = _git(tree, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
    return [os.fsdecode(name) for name in (out or b"").split(b"\0") if name] or None


def _git(tree: Path, *words: str) -> bytes | None:
    """git's answer about a folder; None where there is no git, or it knows no repository there."""
    env = process.environment({})
    try:
        done = subprocess.run(
            ["git", *process.WORDS, *words],
            cwd=tree,
            capture_output=True,
            timeout=120.0,
            check=False,
            env=env,
        )
    except FileNotFoundError:
        return None
    except subprocess.TimeoutExpired as error:
        raise PipelineError(f"git {words[0]} did not answer within 120 s", where=str(tree)) from error
    return done.stdout if done.returncode == 0 else None
