"""Every trap of the executor contract, met by a real process."""

import json

import pytest

COPY = """
def task(data: Input[Dataset], copy: Output[Dataset], size: float = 0.5) -> None:
    open(copy.path, "w").write(open(data.path).read())
"""
LOGS = """
def task(metrics: Output[Metrics], value: float = 0.9) -> None:
    metrics.log("acc", value)
"""


def one_sentence(err: str) -> str:
    """The error of a run that ended without a traceback: exactly one line."""
    lines = err.strip().splitlines()
    assert len(lines) == 1, err
    return lines[0]


def test_folders_that_nobody_made_are_made(task):
    (task.folder / "data").write_text("rows")
    task.write(COPY)
    given = task.executor_input(inputs={"data": "Dataset"}, outputs={"copy": "Dataset"})
    assert task.under_kfp(given).code == 0
    assert (task.folder / "root/deep/made/copy").read_text() == "rows"


def test_an_artifact_without_metadata_is_still_listed_in_the_output(task):
    (task.folder / "data").write_text("rows")
    task.write(COPY)
    task.under_kfp(task.executor_input(inputs={"data": "Dataset"}, outputs={"copy": "Dataset"}))
    uri = str(task.folder / "root/deep/made/copy")
    assert task.output() == {
        "artifacts": {"copy": {"artifacts": [{"name": "copy", "uri": uri, "metadata": {}}]}}
    }


def test_a_declared_artifact_that_was_not_written_is_an_error_that_names_it(task):
    task.write(
        "def task(copy: Output[Dataset], other: Output[Model]) -> None:\n    open(other.path, 'w').close()"
    )
    ended = task.under_kfp(task.executor_input(outputs={"copy": "Dataset", "other": "Model"}))
    place = task.folder / "root/deep/made/copy"
    assert (ended.code, one_sentence(ended.err)) == (
        4,
        f"error: task task: declared but not written: copy (Dataset, {place})",
    )


def test_nothing_is_handed_over_when_an_output_is_missing(task):
    task.write("def task(copy: Output[Dataset]) -> None:\n    pass")
    task.under_kfp(task.executor_input(outputs={"copy": "Dataset"}))
    assert not (task.folder / "root/deep/executor_output.json").exists()


@pytest.mark.parametrize("value, text", [("nan", "NaN"), ("inf", "Infinity"), ("-inf", "-Infinity")])
def test_a_metric_that_is_not_finite_becomes_a_string_and_a_warning(task, value, text):
    task.write(f"def task(metrics: Output[Metrics]) -> None:\n    metrics.log('loss', float({value!r}))")
    ended = task.under_kfp(task.executor_input(outputs={"metrics": "Metrics"}))
    logged = task.output()["artifacts"]["metrics"]["artifacts"][0]["metadata"]
    assert (ended.code, logged) == (0, {"loss": text})
    assert ended.err == "warning: metrics.loss is not finite; written as a string\n"


def test_nothing_in_the_output_file_is_a_bare_nan(task):
    body = "def task(m: Output[Model]) -> None:\n    m.metadata['deep'] = {'a': [1, {'b': float('nan')}]}"
    task.write(body)
    task.under_kfp(task.executor_input(outputs={"m": "Model"}))
    text = (task.folder / "root/deep/executor_output.json").read_text()

    def refuse(constant):
        raise AssertionError(constant)

    written = json.loads(text, parse_constant=refuse)
    assert written["artifacts"]["m"]["artifacts"][0]["metadata"] == {"deep": {"a": [1, {"b": "NaN"}]}}


def test_metrics_are_a_json_file_too(task):
    task.write(LOGS)
    task.under_kfp(task.executor_input({"value": 0.75}, outputs={"metrics": "Metrics"}))
    assert json.loads((task.folder / "root/deep/made/metrics").read_text()) == {"acc": 0.75}


def test_metrics_that_the_task_wrote_itself_are_left_alone(task):
    body = LOGS + "    open(metrics.path, 'w').write('mine')"
    task.write(body)
    task.under_kfp(task.executor_input(outputs={"metrics": "Metrics"}))
    assert (task.folder / "root/deep/made/metrics").read_text() == "mine"


def test_a_retry_writes_its_own_metrics_over_those_of_the_first_try(task):
    task.write(LOGS)
    task.under_kfp(task.executor_input({"value": 0.1}, outputs={"metrics": "Metrics"}))
    task.under_kfp(task.executor_input({"value": 0.2}, outputs={"metrics": "Metrics"}))
    assert json.loads((task.folder / "root/deep/made/metrics").read_text()) == {"acc": 0.2}


def test_metadata_that_the_pipeline_gave_is_kept_beside_the_tasks_own(task):
    task.write(LOGS)
    given = task.executor_input(outputs={"metrics": "Metrics"})
    given["outputs"]["artifacts"]["metrics"]["artifacts"][0]["metadata"] = {"team": "wine", "acc": 0}
    task.under_kfp(given)
    assert task.output()["artifacts"]["metrics"]["artifacts"][0]["metadata"] == {"team": "wine", "acc": 0.9}


def test_an_artifact_that_lies_elsewhere_counts_as_written(task):
    task.write("def task(model: Output[Model]) -> None:\n    model.uri = 's3://bucket/model'")
    assert task.under_kfp(task.executor_input(outputs={"model": "Model"})).code == 0
    assert task.output()["artifacts"]["model"]["artifacts"][0]["uri"] == "s3://bucket/model"


def test_a_folder_is_an_artifact_too(task):
    task.write("import os\ndef task(model: Output[Model]) -> None:\n    os.makedirs(model.path)")
    assert task.under_kfp(task.executor_input(outputs={"model": "Model"})).code == 0


def test_a_number_that_kubeflow_made_a_double_is_an_int_again(task):
    task.write("def task(n: int) -> str:\n    return repr(n)")
    task.under_kfp(task.executor_input({"n": 3.0}, returned=["output"]))
    assert task.output() == {"parameterValues": {"output": "3"}}


@pytest.mark.parametrize(
    "kind, value, shown",
    [
        ("int", 2.5, "2.5"),
        ("int", "3", "'3'"),
        ("int", True, "True"),
        ("float", "0.5", "'0.5'"),
        ("str", 3, "3"),
        ("bool", 1, "1"),
        ("list", {"a": 1}, "{'a': 1}"),
        ("dict", [1], "[1]"),
        ("int", None, "None"),
    ],
)
def test_a_value_of_another_type_is_one_sentence(task, kind, value, shown):
    task.write(f"def task(size: {kind}) -> None:\n    pass")
    ended = task.under_kfp(task.executor_input({"size": value}))
    assert (ended.code, one_sentence(ended.err)) == (
        2,
        f"error: task task: argument size wants {kind}, got {shown}",
    )


def test_a_missing_parameter_is_one_sentence(task):
    task.write("def task(size: float) -> None:\n    pass")
    ended = task.under_kfp(task.executor_input())
    wanted = "error: task task: argument size is missing: wants float, got nothing"
    assert (ended.code, one_sentence(ended.err)) == (2, wanted)


def test_a_missing_artifact_is_one_sentence(task):
    task.write(COPY)
    ended = task.under_kfp(task.executor_input(outputs={"copy": "Dataset"}))
    wanted = "error: task task: argument data is missing: wants input Dataset, got nothing"
    assert (ended.code, one_sentence(ended.err)) == (2, wanted)


@pytest.mark.parametrize(
    "given, named",
    [
        ({"parameters": {"sise": 1}}, "parameter 'sise'"),
        ({"inputs": {"more": "Dataset"}}, "input artifact 'more'"),
        ({"outputs": {"more": "Dataset"}}, "output artifact 'more'"),
        ({"returned": ["more"]}, "output parameter 'more'"),
    ],
)
def test_what_the_task_does_not_take_is_one_sentence(task, given, named):
    task.write("def task() -> None:\n    pass")
    ended = task.under_kfp(task.executor_input(**given))
    assert ended.code == 2
    assert one_sentence(ended.err).startswith(f"error: task task: the pipeline gives {named}, which the task")


@pytest.mark.parametrize("text", ["{", "[]", '{"inputs": 3}', '{"outputs": {}}', "12"])
def test_an_executor_input_that_is_none_is_one_sentence(task, text):
    task.write("def task() -> None:\n    pass")
    ended = task.run("--executor_input", text)
    assert ended.code == 2
    assert one_sentence(ended.err).startswith("error: task task: --executor_input")


def test_the_flag_takes_its_value_after_an_equals_sign_too(task):
    task.write("def task() -> int:\n    return 1")
    ended = task.run("--executor_input=" + json.dumps(task.executor_input(returned=["output"])))
    assert (ended.code, task.output()) == (0, {"parameterValues": {"output": 1}})


def test_an_exception_of_the_task_keeps_its_traceback(task):
    task.write("def task() -> None:\n    raise KeyError('no such column')")
    ended = task.under_kfp(task.executor_input())
    assert ended.code == 1
    assert "line 3, in task" in ended.err and "KeyError: 'no such column'" in ended.err


def test_the_exit_code_of_the_task_itself_passes_through(task):
    task.write("import sys\ndef task() -> None:\n    sys.exit(17)")
    assert task.under_kfp(task.executor_input()).code == 17


def test_a_task_that_leaves_by_exit_0_is_not_a_success(task):
    task.write("import sys\ndef task(model: Output[Model]) -> None:\n    sys.exit(0)")
    ended = task.under_kfp(task.executor_input(outputs={"model": "Model"}))
    assert ended.code == 4
    assert "left by sys.exit(0)" in one_sentence(ended.err)


def test_optional_parameters_are_none_where_the_pipeline_gives_nothing(task):
    task.write("def task(a: int | None = None, b: dict | None = None) -> str:\n    return f'{a} {b}'")
    task.under_kfp(task.executor_input({"b": None}, returned=["output"]))
    assert task.output()["parameterValues"]["output"] == "None None"


def test_an_argument_may_be_as_large_as_linux_lets_it_be(task):
    task.write("def task(names: list) -> int:\n    return len(names)")
    given = task.executor_input({"names": ["x" * 10] * 8000}, returned=["output"])
    assert 100_000 < len(json.dumps(given)) < 131_072
    assert task.under_kfp(given).code == 0
    assert task.output() == {"parameterValues": {"output": 8000}}
