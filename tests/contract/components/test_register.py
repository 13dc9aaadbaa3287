"""The register component: facts that tagline reads as it registers, in every way that it runs."""

from pathlib import Path

import msgspec
import pyarrow
import pytest
from pyarrow import parquet
from tagline.platforms import ModelFacts, Signature
from tagline_task import digest
from tagline_task.errors import BadTable, ContractError

from .conftest import Bench, Ended

WINE = pyarrow.table(
    {
        "ash": [2.4, 2.1],
        "year": [2024, 2025],
        "sweet": [True, False],
        "cellar": pyarrow.array(["north", "south"]).dictionary_encode(),
        "grape": ["barolo", "barbera"],
    }
)
SIGNATURE = Signature(
    inputs=[
        {"name": "ash", "type": "float"},
        {"name": "year", "type": "int"},
        {"name": "sweet", "type": "bool"},
        {"name": "cellar", "type": "str"},
    ],
    output="str",
    classes=["barbera", "barolo"],
)
CLASSES = ["barbera", "barolo"]


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Path]:
    parquet.write_table(WINE, tmp_path / "train")
    (tmp_path / "model").write_text("weights")
    (tmp_path / "metrics").write_text('{"accuracy": 0.9}')
    return {"model": tmp_path / "model", "data": tmp_path / "train", "metrics": tmp_path / "metrics"}


SCORED = {"metrics": {"accuracy": 0.9}}


def facts(ended: Ended) -> ModelFacts:
    assert ended.code == 0, ended.said
    return msgspec.json.Decoder(ModelFacts, strict=True).decode(Path(ended.path("facts")).read_bytes())


def test_the_facts_are_what_tagline_registers_a_model_by(run: Bench, inputs: dict[str, Path]) -> None:
    assert facts(run("register", inputs, metadata=SCORED, label="grape", classes=CLASSES)) == ModelFacts(
        uri=str(inputs["model"]),
        sha256=digest(inputs["model"]),
        metrics={"accuracy": 0.9},
        data_sha256=digest(inputs["data"]),
        signature=SIGNATURE,
    )


def test_the_signature_that_the_models_task_left_is_taken_and_then_the_data_may_be_anything(
    once: Bench, inputs: dict[str, Path]
) -> None:
    inputs["data"].write_text("ash\n2.4\n")
    left = {"signature": {"inputs": [{"name": "ash", "type": "float"}], "output": "int", "classes": [0, 1]}}
    made = facts(once("register", inputs, metadata=SCORED | {"model": left}))
    assert made.signature == msgspec.convert(left["signature"], Signature)
    assert facts(once("register", inputs)).signature == Signature()


def test_the_features_that_are_named_are_the_inputs(once: Bench, inputs: dict[str, Path]) -> None:
    made = facts(once("register", inputs, label="ash", features=["year"]))
    assert made.signature == Signature(inputs=[{"name": "year", "type": "int"}], output="float", classes=[])


@pytest.mark.parametrize(
    "given, error, said",
    [
        ({"label": "grapes"}, BadTable, "has no column grapes"),
        ({"label": "grape", "features": ["ask"]}, BadTable, "has no column ask"),
        ({"label": "many"}, BadTable, "the column many holds list"),
        ({"features": ["ash"]}, ContractError, "give label too"),
        ({"classes": ["a"]}, ContractError, "give label too"),
    ],
)
def test_what_makes_no_signature_is_told(once: Bench, inputs: dict[str, Path], given, error, said) -> None:
    parquet.write_table(WINE.append_column("many", [[[1], [2]]]), inputs["data"])
    ended = once("register", inputs, **given)
    assert (ended.code, said in ended.said) == (error.exit_code, True), ended.said
