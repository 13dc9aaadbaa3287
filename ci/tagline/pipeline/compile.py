"""From pipeline.py to the compiled pipeline.yaml: kfp's own bytes, made in a sandboxed child."""

import json
import re
import shutil
import site
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import yaml

from tagline import config, foreign, temporary
from tagline.engines import Command, sandbox
from tagline.errors import PipelineError, TaskTimedOut
from tagline.pipeline import compiled as compiled_file
from tagline.pipeline.project import Project, copy_tree, git_folders

TIMEOUT = 120.0
_CHILD = Path(__file__).with_name("compile_child.py")
_LINES = 12
_LARGEST = 64 * 2**20


def compile_file(
    pipeline: Path, out: Path, run: Callable[[Command], int] = sandbox.run, *, timeout: float = TIMEOUT
) -> Path:
    """Compile a pipeline file to `out` and return it: the bytes that `kfp dsl compile` gives.

    Where the project's tagline.yaml names a Secret for its tasks (`secrets.approle`), each is given it.

    `run` runs its code, as an engine does, in a copy of its project's tree without the gate's data, with its own
    folder first on `sys.path`. `timeout` in seconds. Raises `PipelineError` (with the lines of the project's own code)
    where it raises, defines no or several pipelines, hangs, or ends the process.
    """
    return compile_projects([Project.of_file(pipeline)], [out], run, timeout=timeout)[0]


def compile_projects(
    projects: Sequence[Project],
    outs: Sequence[Path],
    run: Callable[[Command], int] = sandbox.run,
    *,
    timeout: float = TIMEOUT,
) -> list[Path]:
    """Compile several pipelines of one project's tree, each to its own file, as `compile_file` does one.

    One child loads kfp once; each pipeline's code runs in a process of its own that is forked from it. Raises what
    `compile_file` raises, for the first that fails; nothing is written then.
    """
    root = projects[0].root
    with temporary.folder(temporary.Kind.COMPILE) as folder, foreign.nameless() as log:
        place = folder.resolve()
        tree = copy_tree(root, place / "tree")
        _leave_out_gate_data(root, tree)
        jobs = [_job(project, tree, place / str(number)) for number, project in enumerate(projects)]
        (place / "jobs.json").write_text(json.dumps([job.argv for job in jobs]))
        argv = [sys.executable, "-P", str(_CHILD), str(place / "jobs.json")]
        env = {"PYTHONUSERBASE": site.getuserbase()}
        command = Command(argv, tree, foreign.named(log), env, timeout, git_folders(root), [place])
        try:
            code = run(command)
        except TaskTimedOut as error:
            names = ", ".join(project.pipeline.name for project in projects)
            what = f"{names} did not compile within {timeout:g} s and was stopped{_printed(log)}"
            raise PipelineError(what, where=str(projects[0].pipeline)) from error
        contents = [_written(job.made) for job in jobs]
        for job, content in zip(jobs, contents, strict=True):
            if content is None or (code != 0 and len(jobs) == 1):
                raise _failure(job.project, code, _written(job.report), _printed(log))
    for out, content in zip(outs, contents, strict=True):
        assert content is not None
        out.parent.mkdir(parents=True, exist_ok=True)
        foreign.replace(out, content, out.parent)
    return list(outs)


class _Job(NamedTuple):
    """One pipeline of a child: what it writes where, and its words."""

    project: Project
    made: Path
    report: Path
    argv: list[str]


def _job(project: Project, tree: Path, place: Path) -> _Job:
    place.mkdir()
    inner = tree / project.pipeline.relative_to(project.root)
    if not inner.exists():  # git ignores it
        inner.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(project.pipeline, inner)
    made, report = place / "pipeline.yaml", place / "report.json"
    return _Job(project, made, report, [str(inner), str(made), str(report), *_secret(project)])


def _leave_out_gate_data(root: Path, tree: Path) -> None:
    """Remove the gate's data from the copy: the pipeline's code would read the labels that it is judged by."""
    file = root / config.FILE
    said = config.parse(file.read_text(), default_name="pipeline") if file.is_file() else None
    for data in said.held_out() if said else []:
        if (tree / data).parent.resolve().is_relative_to(tree):
            (tree / data).unlink(missing_ok=True)


def _secret(project: Project) -> list[str]:
    """The Secret that tagline.yaml gives to each task, and how; empty where it gives none."""
    own = project.own()
    return [own.secrets.approle, own.secrets.deliver] if own and own.secrets and own.secrets.approle else []


def _written(file: Path) -> bytes | None:
    """What the child wrote to a plain file; None for anything else that it left there, or nothing."""
    try:
        return foreign.read(file, _LARGEST, file.parent)
    except (OSError, ValueError):
        return None


def _printed(log: BinaryIO) -> str:
    return "".join(f"\n    {line}" for line in foreign.end_of(log).rstrip().splitlines()[-_LINES:])


def _failure(project: Project, code: int, report: bytes | None, printed: str) -> PipelineError:
    name = project.pipeline.relative_to(project.root)
    try:
        said: dict[str, Any] = json.loads(report or b"")
        trace = [str(line) for line in said["trace"]][-_LINES:]
        what, kind, where, fix = (str(said[key]) for key in ("what", "kind", "where", "fix"))
    except (ValueError, KeyError, TypeError):
        return PipelineError(
            f"{name} ended the process (exit code {code}) before it was compiled{printed}",
            where=str(project.pipeline),
        )
    if said.get("refused"):
        what = f"{name} cannot be compiled: {what}"
        return PipelineError(what, where=str(project.pipeline), fix="one @dsl.pipeline function in the file")
    if said.get("ours"):
        return PipelineError(what, where=where or str(name), fix=fix)
    lines = "".join(f"\n    {line}" for line in trace)
    found = re.match(r".*?:[0-9]+", trace[-1]) if trace else None
    place = found[0] if found else str(name)
    return PipelineError(f"{name} raised {kind}: {what}{lines}", where=place, fix="mend it there")


def is_current(committed: Path, compiled: Path) -> bool:
    """Whether the committed file says what the pipeline compiles to, whatever the images and the SDK are.

    A committed file that is missing or cannot be read is not current.
    """
    try:
        return _masked(compiled_file.read(committed)) == _masked(compiled_file.read(compiled))
    except PipelineError:
        return False


def same(one: str, other: str) -> bool:
    """Whether two compiled files' texts say the same, images and SDK aside; raises `PipelineError`."""
    return _masked(compiled_file.parse(one, "one")) == _masked(compiled_file.parse(other, "the other"))


def _masked(read: compiled_file.Compiled) -> compiled_file.Compiled:
    read.ir.pop("sdkVersion", None)
    for container in read.containers().values():
        container["image"] = ""
    return read


def substitute_image(compiled: Path, identity: str) -> None:
    """Put `identity` in the place of every container's image in a compiled file; nothing else changes.

    Again with the same identity is a no-op.
    """
    text = compiled.read_text()
    compiled_file.parse(text, str(compiled))
    spans = sorted(_image_spans(text), reverse=True)
    for start, end in spans:
        text = f"{text[:start]}{json.dumps(identity)}{text[end:]}"
    foreign.replace(compiled, text.encode(), compiled.parent)


def _image_spans(text: str) -> list[tuple[int, int]]:
    """First and last index of each image in the text."""
    found = []
    for document in yaml.compose_all(text, Loader=yaml.SafeLoader):
        for _, executor in _entries(_at(document, "deploymentSpec", "executors")):
            image = _at(executor, "container", "image")
            if image is not None:
                found.append((image.start_mark.index, image.end_mark.index))
    return found


def _entries(node: yaml.Node | None) -> list[tuple[str, yaml.Node]]:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return [(str(key.value), value) for key, value in pairs]


def _at(node: yaml.Node | None, *keys: str) -> yaml.Node | None:
    for key in keys:
        node = dict(_entries(node)).get(key)
    return node
