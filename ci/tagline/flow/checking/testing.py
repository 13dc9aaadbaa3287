"""Runs the project's own tests in the sandbox, and tells how each of them ended."""

from typing import TYPE_CHECKING

from tagline import foreign
from tagline.engines import Command
from tagline.errors import TestsFailed
from tagline.flow.checking import testcases
from tagline.flow.report import Said, StepReport, done, skipped
from tagline.flow.results.results import Cases

if TYPE_CHECKING:
    from tagline.flow.checking.checks import Bench

TIMEOUT = 1800.0
LOG_LINES = 25
JUNIT = ".tagline-tests.xml"  # in the tree, which the command may write to


def run_tests(bench: "Bench") -> StepReport:
    """All tests under tests/, by pytest where it is pinned there, else by unittest; raises `TestsFailed`."""
    if bench.project.tests is None:
        return skipped("tests", "there is no folder tests/")
    bench.told(Said("making the environment of the tests (once for each lock)"))
    environment = bench.engine.build(bench.project.root, tests=True)
    with_pytest = (bench.project.root / "tests/requirements.txt").exists()
    junit = bench.project.root / JUNIT
    junit.unlink(missing_ok=True)
    report = ["-o", "junit_family=xunit1", f"--junit-xml={junit}"]
    runner = (
        ["-m", "pytest", "-q", "-p", "no:cacheprovider", *report, "tests"]
        if with_pytest
        else ["-m", "unittest", "discover", "-s", "tests"]
    )
    with foreign.nameless() as log:
        command = Command(
            argv=[str(environment.python), *runner],
            cwd=bench.project.root,
            log=foreign.named(log),
            env={"PYTHONPATH": "src", "PYTHONDONTWRITEBYTECODE": "1"},
            timeout=TIMEOUT,
        )
        code = bench.engine.run(command)
        tail = foreign.end_of(log).rstrip().splitlines()[-LOG_LINES:]
    still_there(bench)
    bench.told(Cases(testcases.read(junit)))
    none = not with_pytest and any(line.startswith("Ran 0 tests") for line in tail)
    if none:  # exit code 0, and 5 from Python 3.12 on
        return skipped(
            "tests", "tests/ holds none that unittest finds; for pytest, pin it in tests/requirements.txt"
        )
    if code != 0:
        raise TestsFailed(f"the project's tests failed (exit code {code})", where="\n" + "\n".join(tail))
    return done("tests", tail[-1].strip("= ") if tail else "passed")


def still_there(bench: "Bench") -> None:
    """Raise `TestsFailed` where code that ran on the bench put a link in the place of its tree."""
    try:
        foreign.make_folder(bench.project.root, bench.work.parent)  # it exists: no step to it is a link
    except OSError as error:
        raise TestsFailed(
            f"the project's own code put a link in the place of its tree: {error.strerror}",
            where=str(bench.project.root),
            fix="look at what the tests and pipeline.py do to the folder that they run in",
        ) from error
