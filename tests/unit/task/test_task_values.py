"""Values: what a type takes, what JSON holds, and the import that needs nothing."""

import json
import math
import subprocess
import sys

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tagline_task import Metrics
from tagline_task.artifacts import local_path
from tagline_task.errors import ContractError
from tagline_task.values import TYPES, fit, parse, shown, to_json

from tests.unit.task.conftest import SOURCE

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
OF_KIND = {
    "int": st.integers(-(2**53), 2**53),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "str": st.text(),
    "bool": st.booleans(),
    "list": st.lists(JSON, max_size=3),
    "dict": st.dictionaries(st.text(max_size=3), JSON, max_size=3),
}
TYPED = st.sampled_from(sorted(TYPES)).flatmap(lambda kind: st.tuples(st.just(kind), OF_KIND[kind]))


def test_the_package_is_imported_from_the_standard_library_alone():
    code = (
        f"import sys; sys.path.insert(0, {str(SOURCE)!r}); before = set(sys.modules);"
        "import tagline_task, tagline_task.predict, tagline_task.serve, tagline_task.predictor;"
        "new = {name.split('.')[0] for name in set(sys.modules) - before} - {'tagline_task'};"
        "print(sorted(new - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-I", "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


@given(TYPED)
def test_a_value_of_its_type_survives_kubeflow_and_the_command_line(typed):
    kind, value = typed
    text = value if kind == "str" else json.dumps(value)
    assert fit(kind, json.loads(json.dumps(value)), "argument x") == value
    assert parse(kind, text, "argument x") == value


@given(st.sampled_from(sorted(TYPES)), JSON)
def test_a_value_either_fits_its_type_or_is_refused_by_name(kind, value):
    try:
        fitted = fit(kind, value, "argument x")
    except ContractError as error:
        assert str(error) == f"argument x wants {kind}, got {shown(value)}"
    else:
        assert type(fitted) is TYPES[kind] and fitted == value


@pytest.mark.parametrize("text", ["1_000", "٣", "0x10", "1.0", "", " "])
def test_an_int_is_written_in_plain_digits(text):
    with pytest.raises(ContractError, match="wants int"):
        parse("int", text, "argument n")


@given(JSON)
def test_what_json_holds_is_left_as_it_is(value):
    mapped: list[str] = []
    assert to_json(value, "here", mapped) == value
    assert mapped == []


@given(st.lists(st.floats(), max_size=5))
def test_every_number_that_json_cannot_hold_is_named(values):
    mapped: list[str] = []
    json.dumps(to_json(values, "loss", mapped), allow_nan=False)
    assert mapped == [f"loss[{index}]" for index, value in enumerate(values) if not math.isfinite(value)]


def test_numpy_scalars_are_numbers():
    given = {"a": numpy.float32(0.5), "b": numpy.int64(3), "c": (numpy.float64("nan"),)}
    assert to_json(given, "m", []) == {"a": 0.5, "b": 3, "c": ["NaN"]}


@pytest.mark.parametrize("value", [object(), {1: 2}, {"a": b"x"}, numpy.zeros(2)])
def test_what_is_no_json_at_all_is_an_error_that_names_its_place(value):
    with pytest.raises(ContractError, match=r"^m"):
        to_json(value, "m", [])


@pytest.mark.parametrize("value", ["0.9", None, True, [1]])
def test_a_metric_is_a_number(value):
    with pytest.raises(ContractError, match="metric 'acc' wants a number"):
        Metrics("m").log("acc", value)


@pytest.mark.parametrize(
    "uri",
    ["/data/x", "s3://b/x y", "gs://b/x", "minio://b/x", "oci://reg/x/y:1", "https://host/x", "relative/x"],
)
@pytest.mark.parametrize("metadata", [{}, {"_kfp_workspace": True}, {"_kfp_workspace": "true"}])
def test_a_uri_lies_where_kfp_says(uri, metadata):
    from kfp.dsl import Artifact

    assert local_path(uri, metadata) == Artifact(uri=uri, metadata=metadata).path
