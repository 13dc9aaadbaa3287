"""Everything that can be said about a tree before it is released."""

import hashlib
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import msgspec

from tagline import config
from tagline.config import Config
from tagline.engines import Command, Engine
from tagline.errors import GateDataChanged, NotYetSupported, PipelineNotCurrent, TestsFailed
from tagline.flow.report import Outcome, Report, Said, StepReport, Told, done, perform, skipped
from tagline.pipeline import compile as compiling
from tagline.pipeline import compiled as compiled_file
from tagline.pipeline import rules
from tagline.pipeline.project import Project, check_lock, copy_tree

if TYPE_CHECKING:
    from tagline.flow.world import World

TESTS_TIMEOUT = 1800.0
LOG_LINES = 25


class Bench(msgspec.Struct):
    """A tree on the bench: a copy without .git, its config, and a folder for what the checks make."""

    project: Project
    own: Config
    work: Path
    engine: Engine
    told: Told

    @property
    def compiled(self) -> Path:
        return self.work / "pipeline.yaml"


def checks(bench: Bench) -> list[tuple[str, Callable[[], StepReport]]]:
    """The checks in order: cheap ones first."""
    return [
        ("lock", lambda: _lock(bench)),
        ("compile", lambda: _compile(bench)),
        ("rules", lambda: _rules(bench)),
        ("pipeline.yaml", lambda: _current(bench)),
        ("gate data", lambda: _gate_data(bench)),
        ("tests", lambda: _tests(bench)),
    ]


def check_work_tree(folder: Path, *, smoke: bool, fix: bool, told: Told) -> Report:
    """`tagline check`: the checks on a copy of the work tree; needs no remote.

    `fix` renews the committed pipeline.yaml first; `smoke` adds smoke training.
    """
    import os

    from tagline.engines import sandbox
    from tagline.flow import images
    from tagline.flow.world import default_name, open_engine
    from tagline.platforms.local.home import tagline_home

    sandbox.protect_parent()
    home = tagline_home(os.environ)
    root = project_root(folder)
    text = (root / config.FILE).read_text() if (root / config.FILE).exists() else ""
    own = config.parse(text, default_name=default_name(root.name))
    engine = open_engine(home, os.environ, root, own)
    with TemporaryDirectory(prefix="tagline-check-") as work:
        if fix:
            told(Said(f"renewed {compile_work_tree(root, None, None)}"))
            for line in images.pin_work_tree(root, own, os.environ):
                told(Said(line))
        tree = copy_tree(root, Path(work) / "tree")
        bench = Bench(Project.find(tree), own, Path(work), engine, told)
        steps = checks(bench)
        if smoke:
            steps.append(("smoke training", lambda: _smoke(bench, home)))
        return perform(Report("check", "work tree"), told, steps)


def check_commit(world: "World", *, smoke: bool, image: bool = False) -> StepReport:
    """The checks on the commit that is checked out, as one step of `tagline ci`.

    `image` also builds its image, where there is an engine for it, and sends it nowhere.
    """
    commit = world.facts.head
    with ExitStack() as stack:
        work = stack.enter_context(world.work_folder())
        tree = work / "tree"
        world.repo.export(commit, tree)
        bench = Bench(Project.find(tree), world.own_config(commit), work, world.engine, world.told)
        passed = []
        for _, check in checks(bench):
            result = check()
            world.told(result)
            passed.append(result)
    if image and world.images:
        passed.append(_image(world))
    if smoke:
        passed.append(_smoke_commit(world))
    count = sum(one.outcome is Outcome.DONE for one in passed)
    return done("check", f"{count} checks passed at {commit[:12]}")


def _smoke_commit(world: "World") -> StepReport:
    from tagline.errors import SecretMissing
    from tagline.flow.release import prepared

    try:
        with prepared(world, world.facts.head, push=False) as ready:
            result = ready.smoke(world)
    except SecretMissing as missing:
        result = skipped("smoke training", f"needs a secret: {missing.what}")
    world.told(result)
    return result


def _image(world: "World") -> StepReport:
    from tagline.flow import images

    assert world.images
    own = world.own_config(world.facts.head)
    with world.work_folder() as work:
        tree = work / "tree"
        world.repo.export(world.facts.head, tree, exclude=[own.gate.data] if own.gate else [])
        result = images.step(world.images.make(images.source_of(tree, own), push=False))
    world.told(result)
    return result


def _smoke(bench: Bench, home: Path) -> StepReport:
    import os

    from tagline.flow import images
    from tagline.flow.training import Content, run_smoke
    from tagline.platforms.local import open_platform

    source = copy_tree(
        bench.project.root, bench.work / "smoke", [bench.own.gate.data] if bench.own.gate else []
    )
    makes = images.chosen(bench.own, os.environ, home, bench.told)
    if makes:
        made = makes.make(images.source_of(source, bench.own), push=False)
        bench.told(images.step(made))
        identity = made.reference
    else:
        identity = bench.engine.build(source, serving=bench.own.serving is not None).identity
    compiling.substitute_image(bench.compiled, identity)
    platform = open_platform(home, bench.engine, containers=makes is not None)
    content = Content(bench.compiled, source, identity[-16:])
    return run_smoke(platform.pipelines, bench.told, bench.own, content)


def compile_work_tree(folder: Path, file: Path | None, output: Path | None) -> Path:
    """`tagline compile`: compile a pipeline file to `output`, by default beside it; returns where."""
    import os

    from tagline.engines import sandbox
    from tagline.flow.world import open_engine
    from tagline.platforms.local.home import tagline_home

    sandbox.protect_parent()
    project = Project.of_file(file) if file else Project.find(project_root(folder))
    engine = open_engine(tagline_home(os.environ), os.environ, project.root)
    return compiling.compile_file(project.pipeline, output or project.committed, engine.run)


def project_root(folder: Path) -> Path:
    """The top folder of the repository that the folder lies in, or the folder itself."""
    from tagline.errors import NoRepository
    from tagline.git.repo import Repo

    try:
        return Repo.open(folder).root
    except NoRepository:
        return folder


def _lock(bench: Bench) -> StepReport:
    check_lock(bench.project.root)
    return done("lock", "every requirement is pinned with its hash")


def _compile(bench: Bench) -> StepReport:
    compiling.compile_file(bench.project.pipeline, bench.compiled, bench.engine.run)
    return done("compile", f"{bench.project.pipeline.relative_to(bench.project.root)} compiles")


def _rules(bench: Bench) -> StepReport:
    read = compiled_file.read(bench.compiled)
    missing = rules.unsupported(read.ir)
    if missing:
        raise NotYetSupported(
            f"this version of tagline does not run {', '.join(missing)} on the platform 'local'"
        )
    found = rules.check(read)
    rules.refuse(found, str(bench.project.pipeline.relative_to(bench.project.root)))
    for finding in found:
        bench.told(Said(str(finding)))
    return done("rules", f"no error, {len(found)} warning(s)")


def _current(bench: Bench) -> StepReport:
    if not compiling.is_current(bench.project.committed, bench.compiled):
        name = bench.project.committed.relative_to(bench.project.root)
        raise PipelineNotCurrent(
            f"{name} is not what pipeline.py compiles to",
            where=str(name),
            fix="tagline check --fix, then commit it",
        )
    return done("pipeline.yaml", "the committed file is current")


def _gate_data(bench: Bench) -> StepReport:
    gate = bench.own.gate
    if gate is None:
        return skipped("gate data", "tagline.yaml has no gate: no model of this pipeline can be promoted")
    file = bench.project.root / gate.data
    if not file.is_file():
        raise GateDataChanged(f"gate.data names {gate.data}, which is not there", where=config.FILE)
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    if found != gate.sha256:
        raise GateDataChanged(
            f"{gate.data} has the digest {found}, pinned is {gate.sha256}",
            where=config.FILE,
            fix="restore the file; a new frozen set needs its own digest in gate.sha256",
        )
    return done("gate data", f"{gate.data} is what its digest says")


def _tests(bench: Bench) -> StepReport:
    if bench.project.tests is None:
        return skipped("tests", "there is no folder tests/")
    bench.told(Said("making the environment of the tests (once for each lock)"))
    environment = bench.engine.build(bench.project.root, tests=True)
    with_pytest = (bench.project.root / "tests/requirements.txt").exists()
    runner = (
        ["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
        if with_pytest
        else ["-m", "unittest", "discover", "-s", "tests"]
    )
    log = bench.work / "tests.log"
    command = Command(
        argv=[str(environment.python), *runner],
        cwd=bench.project.root,
        log=log,
        env={"PYTHONPATH": "src", "PYTHONDONTWRITEBYTECODE": "1"},
        timeout=TESTS_TIMEOUT,
    )
    code = bench.engine.run(command)
    tail = log.read_text(errors="replace").rstrip().splitlines()[-LOG_LINES:]
    if code != 0:
        raise TestsFailed(f"the project's tests failed (exit code {code})", where="\n" + "\n".join(tail))
    if not with_pytest and any(line.startswith("Ran 0 tests") for line in tail):
        raise TestsFailed(
            "tests/ holds no test that unittest finds",
            where="tests/",
            fix="pin pytest in tests/requirements.txt",
        )
    return done("tests", tail[-1].strip("= ") if tail else "passed")
