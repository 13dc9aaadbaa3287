"""The contest with real children: who predicts, who scores, and what comes out."""

from itertools import pairwise
from pathlib import Path

import pytest
from tagline.config import Metric
from tagline.errors import GateError, ScorerMismatch
from tagline.model.contest import Limits
from tagline.model.gate import Outcome
from tagline.model.judge_data import freeze

from .gate_world import PREDICTOR, World, scorer


def test_a_candidate_that_loses_nothing_passes(world: World) -> None:
    verdict = world.judge(world.release("new", wrong=[]))
    assert verdict.outcome is Outcome.PASS
    assert (verdict.counts.worse, verdict.counts.better) == (0, 1)
    assert (verdict.scorer, verdict.data_sha256) == ("served", world.gate.sha256)


def test_a_candidate_that_is_worse_is_refused(world: World) -> None:
    verdict = world.judge(world.release("new", wrong=[0, *range(20, 30)]))
    assert verdict.outcome is Outcome.REFUSED
    assert verdict.counts.worse == 10


def test_a_candidate_that_trades_losses_for_gains_is_inconclusive(world: World) -> None:
    world.served = world.release("traded", wrong=[1, 2, 3, 4])
    verdict = world.judge(world.release("new", wrong=[5, 6, 7, 8]))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.rows_needed == 89


def test_the_verdict_names_the_scorers_slices(world: World) -> None:
    slices = world.judge(world.release("new", wrong=[0, 40])).slices
    assert (slices["big"].rows, slices["big"].worse) == (30, 1)
    assert (slices["small"].rows, slices["small"].worse) == (31, 0)


def test_a_first_model_is_held_to_the_floor_by_its_own_scorer(world: World) -> None:
    world.served, world.metric = None, Metric(floor=0.80)
    verdict = world.judge(world.release("new", wrong=[1, 2, 3]))
    assert (verdict.outcome, verdict.first, verdict.scorer) == (Outcome.PASS, True, "candidate")


def test_a_first_model_below_the_floor_is_refused(world: World) -> None:
    world.served, world.metric = None, Metric(floor=0.80)
    assert world.judge(world.release("new", wrong=list(range(25)))).outcome is Outcome.REFUSED


def test_the_served_scorer_judges_both_and_a_generous_new_one_does_not(world: World) -> None:
    generous = world.release("new", wrong=list(range(30)), scores=scorer("0"))
    verdict = world.judge(generous)
    assert (verdict.outcome, verdict.scorer) == (Outcome.REFUSED, "served")


def test_a_served_scorer_that_no_longer_fits_names_the_override(world: World) -> None:
    world.served = world.release("stale", wrong=[0], scores=scorer('int(answer != truth[row]["colour"])'))
    candidate = world.release("new", wrong=[])
    with pytest.raises(ScorerMismatch) as caught:
        world.judge(candidate)
    assert "Override: scorer" in caught.value.fix
    assert "KeyError: 'colour'" in caught.value.what
    assert world.judge(candidate, candidate_scores=True).scorer == "candidate"


def test_a_scorer_of_errors_to_one_side_does_not_let_a_constant_model_pass(world: World) -> None:
    lines = world.data.read_text().splitlines()
    classes = [",".join([*line.split(",")[:3], str(n % 3), "big"]) for n, line in enumerate(lines[1:])]
    world.freeze("\n".join([lines[0], *classes]) + "\n")
    world.served = None
    constant = PREDICTOR.replace("return [", "return ['0' for each in instances] or [")
    above = scorer('int(float(answer) > float(truth[row]["kind"]))')
    with pytest.raises(GateError, match=r"predictions that are another label as right, such as '0' where"):
        world.judge(world.release("new", wrong=[], predictor=constant, scores=above))


def test_features_come_in_an_order_that_does_not_follow_the_labels(world: World) -> None:
    text = world.data.read_text()
    header, *lines = text.splitlines()
    world.freeze("\n".join([header, *sorted(lines, key=lambda line: line.split(",")[3])]) + "\n")
    kinds = list(freeze(world.gate, world.data.read_bytes()).truth().values())
    assert sum(a != b for a, b in pairwise(kinds)) > 15


def test_a_predictor_sees_no_label_wherever_it_looks(world: World) -> None:
    (world.folder / "repo").mkdir()
    (world.folder / "repo/holdout.csv").write_text(world.data.read_text())
    world.limits = Limits(hide=[world.folder / "repo", world.data])
    spy = world.release("spy", wrong=[], predictor=SPY.replace("FOLDER", str(world.folder)))
    with pytest.raises(GateError, match="SEEN") as caught:
        world.judge(spy)
    names = {Path(name).name for name in caught.value.what.split("SEEN:")[1].split()}
    assert names == {"features.csv"}


SPY = """
import os, sys
class Model:
    def load(self, path):
        words = "\\0".join([*sys.argv, *os.environ, *os.environ.values()])
        found = ["words"] if "odd,small" in words or "policy.csv" in words else []
        for top in (os.getcwd(), "FOLDER"):
            for folder, _, files in os.walk(top):
                paths = [os.path.join(folder, name) for name in files]
                found += [path for path in paths if readable(path)]
        print("SEEN:" + " ".join(name for name in found if name.endswith(".csv") or name == "words"))
        sys.stdout.flush()
        os._exit(9)
    def predict(self, instances):
        return []
def readable(path):
    try:
        return bool(open(path).read())
    except (OSError, ValueError):
        return False
"""


def test_no_copy_of_the_frozen_data_is_in_the_tree_a_predictor_runs_in(world: World) -> None:
    predictor = PREDICTOR + (
        "\nimport os, sys\nfound = [f for _, _, files in os.walk('.') for f in files if f.endswith('.csv')]\n"
        "sys.exit('csv: ' + ' '.join(found)) if found else None\n"
    )
    candidate = world.release("new", wrong=[], predictor=predictor)
    for place in ("data/holdout.csv", "src/sly.csv"):
        (candidate.source / place).parent.mkdir(exist_ok=True)
        (candidate.source / place).write_text(world.data.read_text())
    assert world.judge(candidate).outcome is Outcome.PASS


def test_the_gate_may_be_asked_again_and_says_the_same(world: World) -> None:
    candidate = world.release("new", wrong=[3])
    assert world.judge(candidate) == world.judge(candidate)
