"""The gate as a promotion asks it: on the default branch's data, which no predictor can read labels from."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace
from tagline.engines import Command, Environment
from tagline.engines.process import ProcessEngine
from tagline.errors import GateError
from tagline.flow.opening import open_world
from tagline.flow.promoting.gating import hold_contest
from tagline.model.gate import Outcome

from tests.fakes.repositories import Bare

from . import gate_world
from .gate_world import DATA, PREDICTOR

POLICY = "gate:\n  data: {}\n  sha256: {}\n  label: kind,size\n  metrics:\n    wrong: {{floor: 0.9}}\n"
LOOK = """
import glob, sys
for path in glob.glob("HOME/**", recursive=True):
    try:
        found = (b"odd," + b"small") in open(path, "rb").read()
    except OSError:
        continue
    sys.exit("LABELS: " + path) if found else None
"""


class NoMounts:
    """An engine on a machine that forbids mounts: what should be hidden is not."""

    name = "process"

    def __init__(self, folder: Path) -> None:
        self._engine = ProcessEngine(folder)

    def build(self, source: Path, *, serving: bool = False, tests: bool = False) -> Environment:
        return self._engine.build(source, serving=serving, tests=tests)

    def run(self, command: Command) -> int:
        nothing: Sequence[Path] = ()
        return self._engine.run(replace(command, hide=nothing))


@pytest.fixture
def flow(world: gate_world.World, monkeypatch: pytest.MonkeyPatch):
    """Opens the command's world on a repository with this policy for `data`, and an engine without mounts."""

    def opened(data: str = DATA):
        monkeypatch.setenv("TAGLINE_HOME", str(world.folder / "home"))
        clone = Bare(world.folder / "bare").clone(world.folder / "clone")
        policy = POLICY.format(data, world.gate.sha256)
        clone.commit("feat: a gate", {"tagline.yaml": policy, DATA: world.data.read_text()})
        clone.git("push", "--quiet", "origin", "HEAD:main")
        there = open_world(clone.path, lambda told: None)
        there.engine = NoMounts(world.folder / "venvs")
        return there

    return opened


def test_where_mounts_are_forbidden_no_file_of_the_gate_has_labels_while_a_predictor_runs(
    world: gate_world.World, flow
) -> None:
    spy = PREDICTOR + LOOK.replace("HOME", str(world.folder / "home"))
    verdict = hold_contest(flow(), world.release("new", wrong=[], predictor=spy), None, "")
    assert verdict.outcome is Outcome.PASS


def test_a_default_branch_without_the_frozen_data_is_an_error(world: gate_world.World, flow) -> None:
    with pytest.raises(GateError, match=r"has no file data/none\.csv"):
        hold_contest(flow("data/none.csv"), world.release("new", wrong=[]), None, "")
