"""Compiles one pipeline.py with kfp's own compiler: a script of its own, run in the sandbox.

    python -P compile_child.py JOBS

JOBS is a JSON list of [PIPELINE, OUT, REPORT, (SECRET, DELIVER)?]. Each writes OUT, or says in REPORT (JSON) why it
could not; what the pipeline prints goes where stdout goes. Each task is given the Kubernetes Secret SECRET, as DELIVER
says (`env` or `volume`). Of several each runs in a fork of its own, so that no pipeline's code meets another's.
"""

import importlib.util
import json
import os
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn


class _Refused(Exception):
    """The module is fine, but it is not clear which pipeline is meant."""


def _load(file: Path) -> ModuleType:
    sys.path.insert(0, str(file.parent))
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise _Refused(f"{file.name} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[file.stem] = module
    spec.loader.exec_module(module)
    return module


def _choose(module: ModuleType) -> Any:
    """The one pipeline (or, where there is none, the one component) that the module holds."""
    from kfp.dsl.base_component import BaseComponent
    from kfp.dsl.graph_component import GraphComponent

    found = {id(each): each for each in vars(module).values() if isinstance(each, BaseComponent)}
    pipelines = [each for each in found.values() if isinstance(each, GraphComponent)]
    components = [each for each in found.values() if not isinstance(each, GraphComponent)]
    names = ", ".join(repr(each.name) for each in pipelines or components)
    if not found:
        raise _Refused("it defines no pipeline")
    if len(pipelines or components) > 1:
        kind = "pipelines" if pipelines else "components and no pipeline"
        raise _Refused(f"it defines {len(pipelines or components)} {kind}: {names}")
    return (pipelines or components)[0]


def _theirs(error: BaseException, root: str) -> list[str]:
    """The traceback's lines that lie in their tree, newest last; files relative to it."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(root)]
    lines = [
        f"{frame.filename[len(root) + 1 :]}:{frame.lineno} in {frame.name}: {frame.line}" for frame in frames
    ]
    if isinstance(error, SyntaxError) and (error.filename or "").startswith(root):
        lines.append(f"{str(error.filename)[len(root) + 1 :]}:{error.lineno}: {(error.text or '').strip()}")
    return lines


def _report(to: Path, root: str, error: BaseException) -> NoReturn:
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    answer = {
        "refused": isinstance(error, _Refused),
        "what": str(getattr(error, "what", said)),
        "where": str(getattr(error, "where", "")),
        "fix": str(getattr(error, "fix", "")),
        "kind": type(error).__name__,
        "ours": hasattr(error, "exit_code"),
        "trace": _theirs(error, root),
    }
    to.write_text(json.dumps(answer))
    sys.exit(1)


def main(pipeline: Path, out: Path, report: Path, secret: list[str]) -> None:
    """Compile `pipeline` to `out`, as `kfp dsl compile` does, with the Secret for its tasks."""
    try:
        from kfp.compiler import Compiler

        chosen = _choose(_load(pipeline))
        if secret:
            from tagline.config import Deliver
            from tagline.pipeline.grant import grant

            grant(chosen, secret[0], Deliver(secret[1]))
        Compiler().compile(chosen, str(out))
    except (Exception, SystemExit) as error:
        _report(report, str(Path.cwd()), error)


def each(jobs: list[list[str]]) -> int:
    """Do the jobs one after another; the exit code is 1 where one of several failed."""
    if len(jobs) == 1:
        pipeline, out, report, *secret = jobs[0]
        main(Path(pipeline), Path(out), Path(report), secret)
        return 0
    import kfp.compiler  # noqa: F401  # loaded once, for all of them

    failed = 0
    for job in jobs:
        child = os.fork()
        if child == 0:
            os._exit(_forked(job))
        failed |= int(os.waitpid(child, 0)[1] != 0)
    return failed


def _forked(job: list[str]) -> int:
    code = 1
    try:
        code = each([job])
    except SystemExit:
        pass
    finally:
        sys.stdout.flush()
    return code


if __name__ == "__main__":
    sys.exit(each(json.loads(Path(sys.argv[1]).read_text())))
