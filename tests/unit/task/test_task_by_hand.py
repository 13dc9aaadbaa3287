"""A task as a command that a person types."""

import json
from pathlib import Path

import pytest

BODY = '''
def prepare(data: Input[Dataset], train: Output[Dataset], metrics: Output[Metrics], test_size: float = 0.2,
            shuffle: bool = False, names: list | None = None) -> int:
    """Split the rows.

    At 100 % nothing is left."""
    open(train.path, "w").write(f"{test_size} {shuffle} {names}")
    metrics.log("size", test_size)
    return 3
'''


@pytest.fixture
def prepare(task):
    (task.folder / "wine.csv").write_text("rows")
    task.write(BODY, "prepare")
    return task


def test_options_have_dashes_or_underscores(prepare):
    for option in ("--test-size", "--test_size"):
        assert prepare.run("--data", "wine.csv", option, "0.3", "--names", '["a"]').code == 0
        assert (prepare.folder / "out/train").read_text() == "0.3 False ['a']"


def test_the_outputs_and_the_return_value_are_printed(prepare):
    out = prepare.folder / "out"
    lines = prepare.run("--data", "wine.csv").out.splitlines()
    assert lines == ["output = 3", f"train: {out}/train", f'metrics: {out}/metrics {{"size": 0.2}}']


def test_an_output_goes_where_it_is_told(prepare):
    prepare.run("--data", "wine.csv", "--train", "deep/here.csv")
    assert (prepare.folder / "deep/here.csv").read_text() == "0.2 False None"


@pytest.mark.parametrize("words, read", [(["--shuffle"], True), (["--shuffle", "false"], False), ([], False)])
def test_a_bool_is_a_flag_or_a_word(prepare, words, read):
    prepare.run("--data", "wine.csv", *words)
    assert (prepare.folder / "out/train").read_text() == f"0.2 {read} None"


@pytest.mark.parametrize(
    "words, said",
    [
        ([], "argument --data is missing: wants Dataset, a file or folder, got nothing"),
        (
            ["--data", "no.csv"],
            "argument --data wants Dataset, a file or folder, got 'no.csv', which does not exist",
        ),
        (["--data", "wine.csv", "--test-size", "big"], "argument --test-size wants float, got 'big'"),
        (["--data", "wine.csv", "--shuffle", "maybe"], "argument --shuffle wants bool, got 'maybe'"),
        (["--data", "wine.csv", "--names", "{}"], "argument --names wants list, got {}"),
        (["--data", "wine.csv", "--names", "[1"], "argument --names wants list, got '[1'"),
        (["--tset-size", "0.3"], "unknown argument '--tset-size': did you mean --test-size?"),
        (["--data"], "argument --data: expected one argument; see --help"),
        (["--executor_input"], "--executor_input is missing its value: wants JSON, got nothing"),
    ],
)
def test_what_does_not_fit_is_one_sentence(prepare, words, said):
    ended = prepare.run(*words)
    assert (ended.code, ended.err) == (2, f"error: task prepare: {said}\n")


def test_help_names_each_argument_its_default_and_the_docstring(prepare):
    out = prepare.run("--help").out
    assert "Split the rows." in out and "At 100 % nothing is left." in out
    assert "--test-size FLOAT" in out and "default 0.2" in out and "default out/train" in out


def test_the_metrics_of_one_task_are_the_input_of_the_next(task):
    task.write("def task(metrics: Input[Metrics]) -> float:\n    return metrics.metadata['acc']")
    (task.folder / "metrics").write_text('{"acc": 0.5}')
    assert task.run("--metrics", "metrics").out == "output = 0.5\n"


def test_metrics_that_are_no_json_object_are_one_sentence(task):
    task.write("def task(metrics: Input[Metrics]) -> None:\n    pass")
    (task.folder / "metrics").write_text("acc 0.5")
    said = "argument --metrics wants Metrics, a JSON object of numbers by name, got 'metrics'"
    assert task.run("--metrics", "metrics").err == f"error: task task: {said}\n"


def test_an_output_that_is_not_written_is_an_error_by_hand_too(task):
    task.write("def task(model: Output[Model]) -> None:\n    pass")
    ended = task.run()
    assert ended.code == 4
    assert "declared but not written: model (Model," in ended.err


def test_a_value_without_a_declared_type_is_a_warning(task):
    task.write("def task():\n    return 3")
    ended = task.run()
    assert (ended.code, ended.err) == (0, "warning: task task returns a value but declares none\n")


@pytest.mark.parametrize(
    "signature, said",
    [
        ("data", "argument data has no type; write int, float"),
        ("data: bytes", "argument data has the type bytes; write int"),
        ("data: Dataset", "argument data has the type Dataset; write int"),
        (
            "data: Input[int]",
            "argument data has the type Input or Output of int; Input and Output hold Artifact",
        ),
        ("data: Input[list[Dataset]]", "Input and Output hold Artifact, Dataset, Model, Metrics"),
        ("data: Input[Dataset] = None", "argument data is an artifact and takes no default"),
        ("*names: str", "argument names is variadic or positional-only"),
        ("n: int = 'x'", "argument n (its default) wants int, got 'x'"),
        ("n: int = None", "argument n wants int, its default is None; write int | None"),
        ("n: int | str", "argument n has the type int | str; write int"),
        ("n: 'Nowhere'", "a type in the signature of task is not imported: name 'Nowhere' is not defined"),
        (
            "executor_input: str",
            "argument executor_input has a name that tagline_task uses itself; rename it",
        ),
        ("output: int) -> int:\n    return 1\ndef unused(", "output output has the name of another argument"),
    ],
)
def test_a_wrong_signature_is_one_sentence_with_its_place(task, signature, said):
    task.write(f"def task({signature}):\n    pass")
    ended = task.run()
    lines = ended.err.splitlines()
    assert (ended.code, len(lines)) == (2, 1)
    assert lines[0].startswith("error: task task: ") and said in lines[0] and "(task.py:2)" in lines[0]


def test_something_that_is_no_function_is_one_sentence(task):
    task.write("task = 3")
    ended = task.run()
    assert (ended.code, ended.err) == (2, "error: task ?: run() wants a function, got 3\n")


def test_annotations_that_are_postponed_are_read_too(task):
    text = "from __future__ import annotations\nfrom tagline_task import run\n"
    body = "def task(n: int = 2) -> int:\n    return n\nrun(task)\n"
    (task.folder / "task.py").write_text(text + body)
    assert task.run("--n", "5").out == "output = 5\n"


def test_in_a_unit_test_a_task_is_a_plain_function(tmp_path):
    from tagline_task import Dataset, Input, Metrics, Output

    def count(data: Input[Dataset], metrics: Output[Metrics]) -> int:
        rows = len(Path(data.path).read_text().splitlines())
        metrics.log("rows", rows)
        return rows

    (tmp_path / "wine.csv").write_text("a\nb\n")
    metrics = Metrics(tmp_path / "metrics")
    assert count(Dataset(tmp_path / "wine.csv"), metrics) == 2
    assert metrics.metadata == {"rows": 2}


def test_large_values_are_cut_in_messages(task):
    task.write("def task(n: int) -> None:\n    pass")
    ended = task.under_kfp(task.executor_input({"n": "x" * 1000}))
    assert len(ended.err) < 200 and json.dumps("x" * 1000) not in ended.err
