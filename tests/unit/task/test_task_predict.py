"""The table of features, instances as rows, and a predictor of the repository's own: no package is needed."""

import subprocess
import sys

import pytest
import tagline_task
from hypothesis import given
from hypothesis import strategies as st
from tagline_task import digest, predictor
from tagline_task.errors import BadFeatures, BadInput, DigestMismatch, ModelDoesNotLoad, PredictionFailed
from tagline_task.predict import read_features
from tagline_task.predictor.rows import model_file, rows

SERVE = """
import json
class Model:
    def load(self, path):
        self.limit = json.load(open(path))["limit"]
    def predict(self, instances):
        return [int((each["x"] or 0) > self.limit) for each in instances]
"""


@pytest.fixture
def project(tmp_path):
    """A source tree with a custom predictor, its model and four rows."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src/serve.py").write_text(SERVE)
    (tmp_path / "model").write_text('{"limit": 2}')
    (tmp_path / "features.csv").write_text("row_id,x\na,1\nb,3\nc,\nd,2.5\n")
    return tmp_path


def command(project, **changed):
    """`python -m tagline_task.predict` in the project's folder."""
    given = {"predictor": "custom:src/serve.py", "model": "model", "sha256": digest(project / "model")}
    given |= {"features": "features.csv", "id": "row_id", "out": "p.csv", **changed}
    words = [word for name, value in given.items() for word in (f"--{name}", value)]
    program = [sys.executable, "-m", "tagline_task.predict", *words]
    return subprocess.run(program, cwd=project, capture_output=True, text=True, timeout=60, check=False)


def test_one_prediction_is_written_for_each_row_in_its_order(project):
    assert command(project).returncode == 0
    assert (project / "p.csv").read_text() == "row_id,prediction\na,0\nb,1\nc,0\nd,1\n"


@pytest.mark.parametrize(
    "changed, code, said",
    [
        ({"sha256": "0" * 64}, 5, "has the digest"),
        ({"model": "none"}, 6, "no model at none"),
        ({"predictor": "custom:src/none.py"}, 6, "no predictor at"),
        ({"predictor": "torch"}, 6, "unknown predictor 'torch': it is sklearn, xgboost or custom:PATH"),
        ({"features": "none.csv"}, 8, "none.csv cannot be read"),
        ({"id": "row"}, 8, "has no column 'row', it has row_id, x"),
    ],
)
def test_each_failure_has_its_own_exit_code_and_one_sentence(project, changed, code, said):
    ended = command(project, **changed)
    last = ended.stderr.splitlines()[-1]
    assert (ended.returncode, (project / "p.csv").exists()) == (code, False)
    assert last.startswith("error: tagline_task.predict: ") and said in last


def test_an_exception_of_the_model_shows_its_traceback_and_exits_7(project):
    (project / "features.csv").write_text("row_id,y\na,1\n")
    ended = command(project)
    assert ended.returncode == 7
    assert 'File "' in ended.stderr and "error: tagline_task.predict: KeyError: 'x'" in ended.stderr


def test_a_predictor_that_does_not_load_shows_why_and_exits_6(project):
    (project / "src/serve.py").write_text("import no_such_package")
    ended = command(project)
    assert ended.returncode == 6
    assert "ModuleNotFoundError: No module named 'no_such_package'" in ended.stderr.splitlines()[-1]


def test_a_predictor_may_import_what_lies_beside_it_and_in_src(project):
    (project / "src/lib").mkdir()
    (project / "src/lib/limits.py").write_text("LIMIT = 9")
    (project / "src/beside.py").write_text("from lib.limits import LIMIT")
    (project / "src/serve.py").write_text(
        "from beside import LIMIT\nclass Model:\n    def load(self, path): pass\n"
        "    def predict(self, instances): return [LIMIT for each in instances]\n"
    )
    assert command(project).returncode == 0
    assert (project / "p.csv").read_text().splitlines()[1] == "a,9"


def table(tmp_path, text):
    (tmp_path / "f.csv").write_text(text)
    return read_features(str(tmp_path / "f.csv"), "id")


def test_columns_are_typed_as_a_whole_and_empty_cells_are_missing(tmp_path):
    text = "id,n,f,b,t,e\n1,1,1,True,1,\n2,,2.5,false,x,\n3,-3,1e3,,,\n"
    names, instances = table(tmp_path, text)
    assert names == ["1", "2", "3"]
    assert [list(each.values()) for each in instances] == [
        [1, 1.0, True, "1", None],
        [None, 2.5, False, "x", None],
        [-3, 1000.0, None, None, None],
    ]


def test_text_that_python_alone_takes_for_a_number_stays_text(tmp_path):
    _, instances = table(tmp_path, "id,a\n1,1_000\n2,2\n")
    assert instances == [{"a": "1_000"}, {"a": "2"}]


@pytest.mark.parametrize(
    "text, said",
    [
        ("", "has no row"),
        ("id,a\n", "has no row"),
        ("id,a\n1,2,3\n", "has 3 cells in row 1, its header has 2"),
        ("id,a,a\n1,2,3\n", "has two columns of one name"),
        ("id,a\n1,2\n1,3\n", "has the id '1' twice"),
        ('id,a\n1,"2\n', "cannot be read"),
    ],
)
def test_a_table_that_is_none_is_named(tmp_path, text, said):
    with pytest.raises(BadFeatures, match=said):
        table(tmp_path, text)


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers() | st.text(max_size=2), min_size=1))
def test_a_row_by_name_is_the_row_by_position_whatever_the_order_of_its_fields(instance):
    columns = sorted(instance)
    turned = dict(reversed(instance.items()))
    by_position = [instance[name] for name in columns]
    assert rows([turned], columns) == rows([by_position], columns) == [by_position]


def test_a_missing_field_and_a_null_are_nan_and_an_unknown_field_is_left_out():
    [row] = rows([{"b": 1, "c": None, "z": 5}], ["a", "b", "c"])
    assert row[1] == 1 and row[0] != row[0] and row[2] != row[2]


@pytest.mark.parametrize(
    "instance, columns, said",
    [
        ({"z": 1}, ["a", "b"], r"instance 0 has none of the model's columns \(a, b\)"),
        ([1], ["a", "b"], r"instance 0 wants 2 values \(a, b\), got 1"),
        ({"a": 1}, None, "the model was trained without: send a list of values"),
        ({"a": [1]}, ["a"], "instance 0 has a value that is no number, text or bool"),
        ("text", ["a"], "instance 0 wants a mapping or a list, got 'text'"),
        (3, None, "instance 0 wants a mapping or a list, got 3"),
    ],
)
def test_an_instance_that_no_model_can_take_is_the_clients_mistake(instance, columns, said):
    with pytest.raises(BadInput, match=said):
        rows([instance], columns)


class Answers:
    """A predictor that gives what it was made with."""

    named = True

    def __init__(self, answers):
        self.answers = answers

    def predict(self, instances):
        return self.answers


@pytest.mark.parametrize("answers", [[], [1, 2], 5, None, "x", {"a": 1}, [object()]])
def test_another_number_of_predictions_or_something_else_is_a_failure(answers):
    with pytest.raises(PredictionFailed):
        predictor.predict(Answers(answers), [{"x": 1}])


def test_no_instances_have_no_predictions():
    assert predictor.predict(Answers(["never asked"]), []) == []


def test_a_model_that_tries_to_leave_the_process_only_fails():
    class Leaves(Answers):
        def predict(self, instances):
            raise SystemExit(0)

    with pytest.raises(PredictionFailed, match="SystemExit"):
        predictor.predict(Leaves([]), [1])


def test_the_digest_is_checked_before_the_model_is_loaded(project):
    (project / "src/serve.py").write_text("raise RuntimeError('loaded')")
    with pytest.raises(DigestMismatch):
        predictor.load(f"custom:{project}/src/serve.py", str(project / "model"), "0" * 64)


@pytest.mark.parametrize(
    "names, said", [([], "it holds none"), (["a.pkl", "b.joblib"], "it holds a.pkl, b.joblib")]
)
def test_a_model_folder_must_hold_exactly_one_model(tmp_path, names, said):
    for name in names:
        (tmp_path / name).write_text("")
    with pytest.raises(ModelDoesNotLoad, match=said):
        model_file(str(tmp_path), (".joblib", ".pkl"))


def test_the_only_model_of_a_folder_is_found_beside_other_files(tmp_path):
    for name in ("a.joblib", "README.md"):
        (tmp_path / name).write_text("")
    assert model_file(str(tmp_path), (".joblib", ".pkl")) == str(tmp_path / "a.joblib")


def test_importing_the_package_does_not_import_the_server():
    code = "import sys, tagline_task.serve; print('kserve' in sys.modules, sys.argv)"
    done = subprocess.run(
        [sys.executable, "-c", code, "--p", "1"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False ['-c', '--p', '1']\n"
    assert tagline_task.__doc__
