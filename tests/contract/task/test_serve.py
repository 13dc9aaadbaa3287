"""The predictor and its two commands on real KServe, scikit-learn and XGBoost."""

import csv
import json
import os
import subprocess
from pathlib import Path

import pytest
import tagline_task

from . import servers

# the first run installs KServe; one worker holds the servers
pytestmark = [pytest.mark.timeout(1200), pytest.mark.xdist_group("task-serve")]


def predicted(python, folder, predictor, model):
    """The answers of `tagline_task.predict`, as text."""
    words = ["--predictor", predictor, "--model", model, "--sha256", tagline_task.digest(folder / model)]
    words += ["--features", "features.csv", "--id", "row_id", "--out", "p.csv"]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(servers.SOURCE)}
    subprocess.run(
        [python, "-m", "tagline_task.predict", *words], cwd=folder, env=env, check=True, timeout=120
    )
    with open(folder / "p.csv") as stream:
        return [row["prediction"] for row in csv.DictReader(stream)]


@pytest.mark.parametrize(
    "predictor, model, answers",
    [
        ("sklearn", "good.joblib", ["0", "1", "2"]),
        ("sklearn", "nameless.joblib", ["class 0", "class 1", "class 2"]),
        ("xgboost", "classifier.json", ["0", "1", "2"]),
    ],
)
def test_the_gate_gets_the_predictions_of_each_runtime(kserve_python, folder, predictor, model, answers):
    assert predicted(kserve_python, folder, predictor, model) == answers


def test_an_xgboost_regressor_gives_numbers(kserve_python, folder):
    answers = [float(each) for each in predicted(kserve_python, folder, "xgboost", "regressor.ubj")]
    assert [round(each) for each in answers] == [0, 1, 2]


def test_served_predictions_are_those_of_the_gate(good, kserve_python, folder, rows):
    status, answer = good.predict(*rows)
    served = [str(each) for each in answer["predictions"]]
    assert (status, served) == (200, predicted(kserve_python, folder, "sklearn", "good.joblib"))


def test_the_order_of_the_fields_does_not_matter(good, rows):
    turned = [dict(reversed(row.items())) for row in rows]
    assert good.predict(*turned) == (200, {"predictions": [0, 1, 2]})


def test_values_may_come_without_names_in_the_order_of_training(good, rows):
    assert good.predict(*[list(row.values()) for row in rows]) == (200, {"predictions": [0, 1, 2]})


@pytest.mark.parametrize("change", [lambda row: row.pop("ash"), lambda row: row.update(ash=None)])
def test_a_missing_field_reaches_a_model_that_handles_it(good, rows, change):
    row = dict(rows[0])
    change(row)
    assert good.predict(row) == (200, {"predictions": [0]})


def test_no_instances_have_no_predictions(good):
    assert good.predict() == (200, {"predictions": []})


@pytest.mark.parametrize(
    "body, said",
    [
        ("{", "Unrecognized request format"),
        ([1], 'the body wants {"instances": [...]}'),
        ({"rows": []}, 'the body wants {"instances": [...]}'),
        ({"instances": [[1, 2]]}, "instance 0 wants 13 values"),
        ({"instances": [{"colour": 3}]}, "instance 0 has none of the model's columns"),
        ({"instances": [{"ash": {}}]}, "instance 0 has a value that is no number, text or bool"),
        ({"instances": ["red"]}, "instance 0 wants a mapping or a list"),
    ],
)
def test_what_no_model_can_take_is_a_400_with_the_reason(good, body, said):
    connection = good.connection()
    connection.request("POST", "/v1/models/wine:predict", body if isinstance(body, str) else json.dumps(body))
    answer = connection.getresponse()
    assert answer.status == 400
    assert said in json.loads(answer.read())["error"]


def test_a_body_is_read_as_json_whatever_its_content_type_says(good, rows):
    connection = good.connection()
    for body, status in ((json.dumps({"instances": rows}), 200), ("{", 400)):
        connection.request("POST", "/v1/models/wine:predict", body, {"Content-Type": "text/plain"})
        answer = connection.getresponse()
        assert answer.status == status, answer.read()
        answer.read()


def test_a_request_that_is_answered_leaves_no_line_in_the_log(good, rows):
    good.predict(*rows)
    before = good.log.read_text()
    for _ in range(5):
        good.predict(*rows)
        good.ask("/v2/health/ready")
    assert good.log.read_text() == before


def test_another_model_is_a_404(good):
    assert good.ask("/v1/models/beer:predict", {"instances": []})[0] == 404


def infer(server, *inputs):
    """A v2 inference with tensors (name, shape, data)."""
    tensors = [
        {"name": name, "shape": shape, "datatype": "FP64", "data": data} for name, shape, data in inputs
    ]
    status, answer = server.ask("/v2/models/wine/infer", {"inputs": tensors})
    return status, answer["outputs"][0]["data"] if status == 200 else answer["error"]


def test_the_v2_protocol_takes_one_tensor_of_all_columns(good, rows):
    data = [value for row in rows for value in row.values()]
    assert infer(good, ("rows", [3, 13], data)) == (200, [0, 1, 2])


def test_the_v2_protocol_takes_a_tensor_for_each_column_and_lacks_what_is_missing(good, rows):
    columns = [(name, [3, 1], [row[name] for row in rows]) for name in reversed(rows[0]) if name != "ash"]
    assert infer(good, *columns) == (200, [0, 1, 2])


@pytest.mark.parametrize(
    "inputs, said",
    [
        ([("ash", [2], [1, 2]), ("hue", [1], [1])], "the inputs have different lengths"),
        ([("ash", [1, 2], [1, 2]), ("hue", [1], [1])], "input ash wants the shape [n] or [n, 1]"),
        ([("ash", [2, 13], [1, 2])], "input ash has other data than its shape and datatype say"),
    ],
)
def test_tensors_that_make_no_rows_are_a_400(good, inputs, said):
    status, answer = infer(good, *inputs)
    assert status == 400 and said in answer


def test_the_server_listens_on_loopback_only(good):
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    lines += [line.split() for line in Path("/proc/net/tcp6").read_text().splitlines()[1:]]
    listening = {
        line[1].split(":")[0] for line in lines if line[1].endswith(f":{good.port:04X}") and line[3] == "0A"
    }
    assert listening == {"0100007F"}
