"""The facts file, read back the way the line reads it."""

import msgspec
import numpy
import pytest
from tagline.platforms import ModelFacts, Signature
from tagline_task import Artifact, Dataset, Metrics, Model, digest, signature_of, write_facts
from tagline_task.errors import ContractError


class Frame:
    """Something with pandas' dtypes."""

    def __init__(self, **types):
        self.dtypes = {name: numpy.dtype(kind) for name, kind in types.items()}


@pytest.fixture
def model(tmp_path):
    (tmp_path / "model").write_text("weights")
    return Model(tmp_path / "model", uri="s3://bucket/model")


@pytest.fixture
def facts(tmp_path):
    return Artifact(tmp_path / "facts")


def read(facts):
    with open(facts.path, "rb") as stream:
        return msgspec.json.Decoder(ModelFacts, strict=True).decode(stream.read())


def test_the_facts_are_read_back_as_model_facts(tmp_path, facts, model):
    (tmp_path / "train.csv").write_text("1\n")
    signature = {"inputs": [{"name": "ash", "type": "float"}], "output": "int", "classes": [0, 1]}
    data = Dataset(tmp_path / "train.csv")
    write_facts(facts, model=model, data=data, metrics={"acc": 0.9, "rows": 3}, signature=signature)
    assert read(facts) == ModelFacts(
        uri="s3://bucket/model",
        sha256=digest(model.path),
        metrics={"acc": 0.9, "rows": 3},
        data_sha256=digest(data.path),
        signature=Signature(**signature),
    )


def test_every_field_of_model_facts_is_written(facts, model):
    write_facts(facts, model=model)
    with open(facts.path, "rb") as stream:
        written = msgspec.json.decode(stream.read())
    assert set(written) == {field.name for field in msgspec.structs.fields(ModelFacts)}
    assert set(written["signature"]) == {field.name for field in msgspec.structs.fields(Signature)}


def test_metrics_that_are_not_finite_are_left_out_with_a_warning(facts, model, capsys):
    metrics = Metrics("m", metadata={"loss": "NaN", "acc": 0.5, "odd": float("inf")})
    write_facts(facts, model=model, metrics=metrics)
    assert read(facts).metrics == {"acc": 0.5}
    warned = [f"warning: metric {name} is not finite; left out of the facts" for name in ("loss", "odd")]
    assert capsys.readouterr().err.splitlines() == warned


def test_the_signature_comes_with_the_model_where_none_is_given(facts, model):
    class Estimator:
        classes_ = numpy.array([0, 1, 2])

    given = signature_of(Frame(ash="float64", n="int32", ok="bool", kind="object"), Estimator())
    model.metadata["signature"] = given | {"classes": [0.0, 1.0, 2.0]}
    write_facts(facts, model=model)
    types = {"ash": "float", "n": "int", "ok": "bool", "kind": "str"}
    inputs = [{"name": name, "type": kind} for name, kind in types.items()]
    assert read(facts).signature == Signature(inputs=inputs, output="int", classes=[0, 1, 2])


def test_a_regressor_gives_floats():
    assert signature_of(Frame(a="float32"), object()) == {
        "inputs": [{"name": "a", "type": "float"}],
        "output": "float",
        "classes": [],
    }


@pytest.mark.parametrize(
    "signature, said",
    [
        ({"input": []}, "unknown field 'input'"),
        ({"inputs": ["ash"]}, "signature.inputs wants"),
        ({"inputs": [{"name": "ash", "type": 3}]}, "signature.inputs wants"),
        ({"output": 3}, "signature.output wants str, got 3"),
    ],
)
def test_a_wrong_signature_is_named(facts, model, signature, said):
    with pytest.raises(ContractError, match=said):
        write_facts(facts, model=model, signature=signature)


def test_a_model_that_is_not_there_is_named(tmp_path, facts):
    with pytest.raises(ContractError, match="which is not there"):
        write_facts(facts, model=Model(tmp_path / "none"))


def test_a_metric_that_is_no_number_is_named(facts, model):
    with pytest.raises(ContractError, match="metric 'acc' wants a number, got 'high'"):
        write_facts(facts, model=model, metrics={"acc": "high"})
