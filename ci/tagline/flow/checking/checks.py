"""Everything that can be said about a tree before it is released."""

import hashlib
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tagline import config, temporary
from tagline.config import Config
from tagline.engines import Engine
from tagline.errors import ConfigError, GateDataChanged, NotYetSupported, PipelineNotCurrent, SecretExposed
from tagline.flow.checking import in_dagger, linting
from tagline.flow.checking.ci_file import check_ci_file
from tagline.flow.checking.testing import run_tests, still_there
from tagline.flow.report import Outcome, Report, Said, StepReport, Told, done, perform, skipped
from tagline.pipeline import compile as compiling
from tagline.pipeline import compiled as compiled_file
from tagline.pipeline import rules
from tagline.pipeline.lint.finding import Scope
from tagline.pipeline.project import Project, check_lock, copy_tree

if TYPE_CHECKING:
    from tagline.flow.world import World
    from tagline.secrets.sources import Names


class Bench(msgspec.Struct):
    """A tree on the bench: a copy without .git, what it says of one pipeline, and a folder for what the checks make."""

    project: Project
    own: Config
    work: Path
    engine: Engine
    told: Told

    @property
    def compiled(self) -> Path:
        return self.work / f"{self.own.pipeline if self.own.several else 'pipeline'}.yaml"


Checks = list[tuple[str, Callable[[], StepReport]]]


def benches(tree: Path, own: Config, work: Path, engine: Engine, told: Told) -> list[Bench]:
    """A bench for each pipeline of the tree; raises `PipelineError` where one has no file."""
    return [Bench(Project.find(tree, one), one, work, engine, told) for one in own.each()]


def checks(made: list[Bench]) -> Checks:
    """The checks in order: cheap ones first, each pipeline's own, then the tests."""
    first = made[0]
    begin: Checks = [
        ("lock", lambda: _lock(first)),
        ("CI file", lambda: check_ci_file(first.project.root, first.own)),
        ("secrets", lambda: _secrets(first)),
    ]
    return [
        *begin,
        *(check for bench in made for check in _own_checks(bench)),
        ("tests", lambda: run_tests(first)),
    ]


def _own_checks(bench: Bench) -> Checks:
    """The checks of one pipeline, which of several say its name."""
    found: Checks = [
        ("compile", lambda: _compile(bench)),
        ("rules", lambda: _rules(bench)),
        ("parameters", lambda: _parameters(bench)),
        ("pipeline.yaml", lambda: _current(bench)),
        ("gate data", lambda: _gate_data(bench)),
    ]
    if not bench.own.several:
        return found
    return [
        (f"{name} of {bench.own.pipeline}", partial(_named, check, bench.own.pipeline))
        for name, check in found
    ]


def _named(check: Callable[[], StepReport], pipeline: str) -> StepReport:
    made = check()
    return msgspec.structs.replace(made, step=f"{made.step} of {pipeline}")


def check_work_tree(folder: Path, *, smoke: bool, fix: bool, told: Told) -> Report:
    """`tagline check`: the checks on a copy of the work tree; needs no remote.

    `fix` renews the committed pipeline.yaml first; `smoke` adds smoke training.
    """
    import os

    from tagline.engines import sandbox
    from tagline.flow import platforms
    from tagline.flow.checking.work_tree import compile_work_tree, root_of
    from tagline.flow.opening import open_engine
    from tagline.flow.releasing import images
    from tagline.flow.world import default_name
    from tagline.platforms.local.home import tagline_home
    from tagline.secrets.sources import Names

    sandbox.protect_parent()
    home = tagline_home(os.environ)
    root = root_of(folder)
    own = platforms.of_work_tree(root, os.environ, default_name(root.name))
    engine = open_engine(home, os.environ, root, own)
    temporary.sweep(time.time())
    with temporary.folder(temporary.Kind.CHECK) as work:
        if fix:
            for made_anew in compile_work_tree(root, None, None):
                told(Said(f"renewed {made_anew}"))
            for line in images.pin_work_tree(root, own, os.environ):
                told(Said(line))
        tree = copy_tree(root, work / "tree")
        made = benches(tree, own, work, engine, told)
        steps = checks(made)
        if smoke:
            names = Names(os.environ, root, own)
            steps += [("smoke training", partial(_smoke, bench, home, names)) for bench in made]
        return perform(Report("check", "work tree"), told, steps)


def check_commit(
    world: "World", *, smoke: bool, image: bool = False, smokes: Sequence[str] = ()
) -> StepReport:
    """The checks on the commit that is checked out, as one step of `tagline ci`.

    `image` also builds its image, where there is an engine for it, and sends it nowhere. `smoke` trains it, of
    several pipelines those in `smokes`.
    """
    commit = world.facts.head
    if world.on_dagger and not in_dagger.has_image(world):
        passed = in_dagger.checked(world, smoke=smoke)
    else:
        passed = in_dagger.checked(world) if world.on_dagger else _checked(world)
        if image and world.images:
            passed.append(_image(world))
        if smoke:
            passed += [_smoke_commit(world.of(name)) for name in smokes or [world.policy.pipeline]]
    count = sum(one.outcome is Outcome.DONE for one in passed)
    return done("check", f"{count} checks passed at {commit[:12]}")


def _checked(world: "World") -> list[StepReport]:
    """The checks of HEAD but for its image and smoke training, told as they end."""
    commit = world.facts.head
    passed = []
    with world.work_folder() as work:
        tree = work / "tree"
        world.repo.export(commit, tree)
        made = benches(tree, world.own_config(commit, floors=True), work, world.engine, world.told)
        for _, check in checks(made):
            result = check()
            world.told(result)
            passed.append(result)
    return passed


def _smoke_commit(world: "World") -> StepReport:
    from tagline.errors import SecretMissing
    from tagline.flow.releasing.release import prepared

    shut = world.names.closed() if world.names else nullcontext()
    try:
        with shut, prepared(world, world.facts.head, push=False) as ready:
            result = ready.smoke(world)
    except SecretMissing as missing:
        result = skipped("smoke training", f"needs a secret, and a pull request gets none: {missing.what}")
    world.told(result)
    return result


def _image(world: "World") -> StepReport:
    from tagline.flow.releasing import images

    assert world.images
    own = world.own_config(world.facts.head)
    with world.work_folder() as work:
        tree = work / "tree"
        world.repo.export(world.facts.head, tree, exclude=own.held_out())
        result = images.step(world.images.make(images.source_of(tree, own), push=False))
    world.told(result)
    return result


def _smoke(bench: Bench, home: Path, names: "Names") -> StepReport:
    from tagline.flow.releasing import images
    from tagline.flow.releasing.training import Content, run_smoke
    from tagline.platforms.local import open_platform

    still_there(bench)
    source = copy_tree(bench.project.root, bench.work / f"smoke-{bench.own.pipeline}", bench.own.held_out())
    makes = images.chosen(bench.own, names, home, bench.told)
    if makes:
        made = makes.make(images.source_of(source, bench.own), push=False)
        bench.told(images.step(made))
        identity = made.reference
    else:
        identity = bench.engine.build(source, serving=bench.own.serving is not None).identity
    compiling.substitute_image(bench.compiled, identity)
    platform = open_platform(home, bench.engine, names, containers=makes.engine if makes else None)
    content = Content(bench.compiled, source, identity[-16:])
    return run_smoke(platform.pipelines, bench.told, bench.own, content)


def _lock(bench: Bench) -> StepReport:
    check_lock(bench.project.root)
    return done("lock", "every requirement is pinned with its hash")


def _secrets(bench: Bench) -> StepReport:
    if (bench.project.root / ".env").exists():  # a copy has what git tracks, or would
        what = ".env is tracked by git, or not ignored: its secrets are in the repository, or soon will be"
        fix = "git rm --cached .env; echo /.env >> .gitignore; then change every value in it"
        raise SecretExposed(what, where=".env", fix=fix)
    return done("secrets", "no .env in git")


def _compile(bench: Bench) -> StepReport:
    compiling.compile_file(bench.project.pipeline, bench.compiled, bench.engine.run)
    return done("compile", f"{bench.project.pipeline.relative_to(bench.project.root)} compiles")


def _rules(bench: Bench) -> StepReport:
    read = compiled_file.read(bench.compiled)
    missing = rules.unsupported(read.ir) if bench.own.platform == config.LOCAL else []
    if missing:
        raise NotYetSupported(
            f"this version of tagline does not run {', '.join(missing)} on the platform 'local'"
        )
    scope = Scope.LOCAL if bench.own.platform == config.LOCAL else Scope.PROJECT
    judged = linting.judged_project(bench.project, bench.compiled, dict(bench.own.lint.ignore), scope)
    linting.refuse(judged.findings, str(bench.project.pipeline.relative_to(bench.project.root)))
    for finding in judged.findings:
        bench.told(Said(str(finding)))
    let = f", {len(judged.silenced)} let stand" if judged.silenced else ""
    return done("rules", f"no error, {len(judged.findings)} warning(s){let}")


def _parameters(bench: Bench) -> StepReport:
    """What tagline.yaml gives to the pipeline, for full and for smoke training; each mistake at its place."""
    from tagline.platforms.local import spec

    own, read = bench.own, compiled_file.read(bench.compiled)
    for key, given in (("parameters", own.parameters), ("smoke", own.smoke)):
        for name, value in given.items():
            try:
                spec.check_parameter(read, name, value)
            except ConfigError as error:
                error.what = f"{key}.{name}: {error.what}"
                error.where = config.place(bench.project.root, key, name)
                raise
    spec.parameters(read, own.parameters)
    spec.parameters(read, {**own.parameters, **own.smoke})
    given_names = sorted({*own.parameters, *own.smoke})
    return done("parameters", f"{', '.join(given_names)} fit" if given_names else "the pipeline needs none")


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
    from tagline.model import judge_data

    gate = bench.own.gate
    if gate is None:
        return skipped("gate data", "tagline.yaml has no gate: no model of this pipeline can be promoted")
    file = bench.project.root / gate.data
    if not file.is_file():
        raise GateDataChanged(f"gate.data names {gate.data}, which is not there", where=config.FILE)
    content = file.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != gate.sha256:
        raise GateDataChanged(
            f"{gate.data} has the digest {found}, pinned is {gate.sha256}",
            where=config.FILE,
            fix="restore the file; a new frozen set needs its own digest in gate.sha256",
        )
    judge_data.freeze(gate, content)
    return done("gate data", f"{gate.data} is what its digest says")
