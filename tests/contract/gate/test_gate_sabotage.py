"""Sabotage of the gate, with real children: each way past it ends in an error or a refusal, never a pass."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace
from tagline.config import Metric
from tagline.errors import GateDataChanged, GateError, NotYetSupported, ScorerMismatch
from tagline.model.contest import Limits
from tagline.model.gate import Outcome
from tagline.model.judge_data import digest

from .gate_world import LOSS, PREDICTOR, World, frozen_text, scorer

ABOVE = 'int(answer > truth[row]["kind"])'
ROWS_WRITTEN = 'csv.writer(file).writerows([["row_id", "slice", "wrong"], *table])'
RUN = "    run(evaluate)"
LINK = (
    "    import os\n    os.rename(rows.path, rows.path + 'x')\n    os.symlink(rows.path + 'x', rows.path)\n"
)
SCORERS = {
    "its sign turned round": (scorer("-" + LOSS), NotYetSupported, "only 0 and 1"),
    "right and wrong exchanged": (scorer(f"1 - {LOSS}"), GateError, "the label itself as wrong"),
    "a loss that is always 0": (scorer("0"), GateError, "61 of 61 .* another label as right"),
    "errors to one side only": (scorer(ABOVE), GateError, "30 of 61 .* 'even' where the label is 'odd'"),
    "one row always right": (scorer(f'int({LOSS} and row != "r7")'), GateError, "1 of 61 predictions"),
    "a loss that is always 1": (scorer("1"), GateError, "the label itself as wrong"),
    "a loss that is always negative": (scorer("-1"), NotYetSupported, "only 0 and 1"),
    "NaN for what is wrong": (scorer(f'"nan" if {LOSS} else 0'), GateError, "not a number"),
    "infinity": (scorer('"inf"'), GateError, "not a number"),
    "words for losses": (scorer('"fine"'), GateError, "'fine', not a number"),
    "losses between 0 and 1": (scorer(f"{LOSS} / 2"), NotYetSupported, "only 0 and 1"),
    "a row left out": (scorer(replace=("*table]", "*table[1:]]")), GateError, "lack row"),
    "a row too many": (scorer(replace=("*table]", '*table, ["r99", "", 0]]')), GateError, "unknown row"),
    "a row twice": (scorer(replace=("*table]", "*table, table[0]]")), GateError, "two losses"),
    "no row at all": (scorer(replace=(", *table]", "]")), GateError, "lack row"),
    "no loss column": (scorer(replace=('"wrong"]', '"loss"]')), GateError, "no column 'wrong'"),
    "no row ids": (scorer(replace=('["row_id",', '["row",')), GateError, "no column 'row_id'"),
    "a ragged table": (scorer(replace=("*table]", '*table, ["r1"]]')), GateError, "cells in row"),
    "an empty file": (scorer(replace=(ROWS_WRITTEN, "pass")), GateError, "rows is empty"),
    "no file": (scorer(replace=("open(rows.path,", 'open("elsewhere",')), GateError, "exit code"),
    "a link": (
        scorer(replace=("    metrics.log", LINK + "    metrics.log")),
        GateError,
        "no plain file",
    ),
    "success printed, then exit 1": (
        scorer(replace=(RUN, RUN + '; print("success"); raise SystemExit(1)')),
        GateError,
        "exit code 1.*success",
    ),
    "death by a signal": (
        scorer(replace=(RUN, RUN + "; import os; os.kill(os.getpid(), 9)")),
        GateError,
        "exit code -9",
    ),
    "a syntax error": ("def evaluate(:", GateError, "SyntaxError"),
}  # fmt: skip


@pytest.mark.parametrize("name", SCORERS)
def test_a_first_model_with_a_scorer_that_is_sabotaged_never_passes(world: World, name: str) -> None:
    text, error, message = SCORERS[name]
    world.served, world.metric = None, Metric(floor=0.01)
    with pytest.raises(error, match=f"(?s){message}"):
        world.judge(world.release("new", wrong=list(range(20)), scores=text))


@pytest.mark.parametrize(
    "name",
    [
        "right and wrong exchanged",
        "a row left out",
        "success printed, then exit 1",
        "a loss that is always 0",
    ],
)
def test_a_served_scorer_that_is_sabotaged_is_a_mismatch_that_names_the_way_out(
    world: World, name: str
) -> None:
    world.served = world.release("sly", wrong=[], scores=SCORERS[name][0])
    with pytest.raises(ScorerMismatch) as caught:
        world.judge(world.release("new", wrong=list(range(20))))
    assert "Override: scorer" in caught.value.fix


def answering(expression: str) -> str:
    """A predictor whose answers are changed by an expression of `answers` and `instances`."""
    return PREDICTOR.replace("return [", "answers = [").rstrip() + f"\n        return {expression}\n"


PREDICTORS = {
    "NaN as a prediction": (answering('[float("nan"), *answers[1:]]'), "predicted 'nan'"),
    "nothing as a prediction": (answering("[None, *answers[1:]]"), "predicted ''"),
    "a prediction too few": (answering("answers[1:]"), "wanted a list of 61"),
    "a prediction too many": (answering("[*answers, 'odd']"), "wanted a list of 61"),
    "the label asked for": (answering('[each["kind"] for each in instances]'), "KeyError: 'kind'"),
    "the label's file opened": (answering('open("data/holdout.csv").read()'), "FileNotFoundError"),
    "an exception": (answering("1 / 0"), "ZeroDivisionError"),
    "exit 0 before anything is written": (answering("__import__('os')._exit(0)"), "was not written"),
    "success, then exit 3": (answering("print('fine', flush=True) or __import__('os')._exit(3)"), "code 3"),
}  # fmt: skip


@pytest.mark.parametrize("name", PREDICTORS)
def test_a_predictor_that_is_sabotaged_never_passes(world: World, name: str) -> None:
    text, message = PREDICTORS[name]
    with pytest.raises(GateError, match=f"(?s){message}"):
        world.judge(world.release("new", wrong=[], predictor=text))


@pytest.mark.parametrize("place", ["../log", "../predictions.csv"])
def test_a_link_that_a_predictor_plants_is_not_told(world: World, place: str) -> None:
    credential = world.folder / "credential"
    credential.write_text("row_id,prediction\ncredential-7f3a,1\n")
    plant = f"""
import os
if os.path.lexists("{place}"):
    os.unlink("{place}")
os.symlink("{credential}", "{place}")
print("mine", flush=True)
os._exit({3 if place == "../log" else 0})
"""
    with pytest.raises(GateError) as caught:
        world.judge(world.release("new", wrong=[], predictor=plant))
    assert "credential-7f3a" not in str(caught.value)
    assert ("mine" if place == "../log" else "no plain file") in str(caught.value)


WRITES = """
import atexit, csv, sys
def tamper():
    path = sys.argv[sys.argv.index("--out") + 1]
    rows = list(csv.reader(open(path)))
    csv.writer(open(path, "w")).writerows(CHANGE)
atexit.register(tamper)
"""
TABLES = {
    "a row left out": ("rows[:-1]", "lack row"),
    "an unknown row": ("[*rows, ['r99', 'odd']]", "unknown row 'r99'"),
    "a row twice": ("[*rows, rows[-1]]", "twice"),
    "another column": ("[['row_id', 'answer'], *rows[1:]]", "not row_id,prediction"),
    "nothing": ("[]", "is empty"),
}


@pytest.mark.parametrize("name", TABLES)
def test_predictions_that_are_tampered_with_never_pass(world: World, name: str) -> None:
    change, message = TABLES[name]
    with pytest.raises(GateError, match=message):
        world.judge(world.release("new", wrong=[], predictor=PREDICTOR + WRITES.replace("CHANGE", change)))


def test_other_data_than_the_pinned_names_both_digests(world: World) -> None:
    candidate = world.release("new", wrong=[])
    world.data.write_text(frozen_text(60))
    with pytest.raises(GateDataChanged) as caught:
        world.judge(candidate)
    assert world.gate.sha256 in caught.value.what
    assert digest(world.data.read_bytes()) in caught.value.what


DATA: dict[str, tuple[Callable[[str], str], str]] = {
    "no rows": (lambda text: text.splitlines()[0] + "\n", "no rows"),
    "nothing": (lambda text: "", "empty"),
    "a row twice": (lambda text: text + text.splitlines()[-1] + "\n", "'r60' twice"),
    "a row without id": (lambda text: text.replace("r60,", ",", 1), "row id ''"),
    "a ragged row": (lambda text: text + "r61,1\n", "2 cells"),
    "a column twice": (lambda text: text.replace("half", "x", 1), "column twice"),
    "no label column": (lambda text: text.replace("kind", "sort", 1), "no column 'kind'"),
    "no id column": (lambda text: text.replace("row_id", "row", 1), "no column 'row_id'"),
    "a feature that is the label": (
        lambda text: "".join(
            f"{line},{line.split(',')[3].replace('kind', 'kind2')}\n" for line in text.splitlines()
        ),
        "'kind2' of the frozen data .* is the label",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DATA)
def test_frozen_data_that_cannot_judge_is_an_error(world: World, name: str) -> None:
    change, message = DATA[name]
    candidate = world.release("new", wrong=[])
    world.freeze(change(frozen_text()))
    with pytest.raises(GateError, match=message):
        world.judge(candidate)


def test_a_model_whose_file_was_changed_is_an_error(world: World) -> None:
    candidate = world.release("new", wrong=[])
    candidate.model.write_text("[1]")
    with pytest.raises(GateError, match="digest"):
        world.judge(candidate)


def test_a_served_model_whose_file_was_changed_is_an_error_too(world: World) -> None:
    assert world.served is not None
    world.served.model.write_text(str(list(range(61))))
    with pytest.raises(GateError, match="the served model's predictor"):
        world.judge(world.release("new", wrong=[]))


def test_predictions_left_by_an_earlier_run_are_never_read(world: World) -> None:
    candidate = world.release("new", wrong=[], predictor=PREDICTORS["exit 0 before anything is written"][0])
    stale = "row_id,prediction\n" + "".join(f"{row['row_id']},{row['kind']}\n" for row in world.rows())
    for place in ("new/predictions.csv", "new/src/predictions.csv", "predictions.csv"):
        (world.folder / place).write_text(stale)
    with pytest.raises(GateError, match="was not written"):
        world.judge(candidate)


def test_the_served_model_is_asked_anew_each_time(world: World) -> None:
    candidate = world.release("new", wrong=[0])
    assert world.judge(candidate).outcome is Outcome.PASS
    world.served = world.release("better", wrong=[])
    assert world.judge(candidate).counts.worse == 1


@pytest.mark.parametrize("missing", ["source", "python", "evaluate"])
def test_what_is_missing_is_an_error(world: World, missing: str) -> None:
    world.served, candidate = None, world.release("new", wrong=[])
    nowhere = world.folder / "nowhere"
    if missing == "evaluate":
        (candidate.source / "src/pipeline_steps/evaluate/task.py").unlink()
    else:
        candidate = replace(candidate, **{missing: nowhere})
    with pytest.raises(GateError, match=r"missing|exit code"):
        world.judge(candidate)


def test_a_predictor_that_hangs_is_stopped(world: World) -> None:
    world.limits = Limits(predict=1.5)
    slow = world.release("new", wrong=[], predictor=answering("__import__('time').sleep(60)"))
    with pytest.raises(GateError, match=r"did not end within 1\.5 s"):
        world.judge(slow)


def test_a_scorer_that_hangs_is_stopped(world: World) -> None:
    world.served, world.limits = None, Limits(score=1.5)
    slow = scorer(replace=("    run(evaluate)", "    import time\n    time.sleep(60)"))
    with pytest.raises(GateError, match=r"did not end within 1\.5 s"):
        world.judge(world.release("new", wrong=[], scores=slow))


def test_a_candidate_cannot_make_the_served_model_look_worse(world: World) -> None:
    sly = (
        PREDICTOR
        + "\nimport glob\nfor path in glob.glob('../../*/predictions.csv'): open(path, 'w').write('')\n"
    )
    verdict = world.judge(world.release("new", wrong=list(range(1, 30)), predictor=sly))
    assert verdict.outcome is Outcome.REFUSED
