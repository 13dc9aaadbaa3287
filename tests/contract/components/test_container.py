"""Common components in a real container: in the image that tagline builds of a project's lock."""

# the fixtures of images are taken over by their names
# ruff: noqa: F401, F811

import json
import os
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet
from tagline_task import digest

from tests.components import page
from tests.contract.images.conftest import Bench as Images
from tests.contract.images.conftest import base, bench, environ, plain
from tests.servers.s3 import S3

from .conftest import Asked, Ended

WINE = pyarrow.table({"ash": [float(row) for row in range(20)], "grape": ["barbera"] * 10 + ["barolo"] * 10})
PREDICTOR = """
class Model:
    def load(self, path):
        self.limit = float(open(path).read())
    def predict(self, instances):
        return ["barolo" if each["ash"] > self.limit else "barbera" for each in instances]
"""


STORE = """
aiobotocore aiohappyeyeballs aiohttp aioitertools aiosignal attrs botocore frozenlist fsspec idna jmespath multidict
propcache pyarrow python-dateutil s3fs six sqlalchemy typing-extensions urllib3 wrapt yarl
"""


@pytest.fixture
def image(bench: Images) -> str:
    """An image with what the store and Parquet need, built of locked packages."""
    (bench.tree / "src/requirements.txt").write_text(page.locked(STORE))
    return bench.make(push=False).reference


def contained(image: str, env: dict[str, str], asked: Asked) -> Ended:
    """A component run by the engine, its folder mounted where it is."""
    words = ["docker", "run", "--rm", "--network=host", f"--user={os.getuid()}"]
    words += [f"--volume={asked.folder.parent}:{asked.folder.parent}"]
    words += [f"--env={name}={value}" for name, value in asked.env.items()]
    words += [image, "python", "-m", asked.module, "--executor_input", asked.executor_input()]
    return asked.answered(subprocess.run(words, env=env, capture_output=True, text=True, timeout=120))


@pytest.mark.timeout(600)
def test_a_table_goes_through_every_component_in_containers(
    image: str, bench: Images, s3: S3, tmp_path: Path
) -> None:
    """From a database and a store to a model's facts, each step in a container that sees the step before it."""

    def step(
        name: str, inputs: dict[str, str], env: dict[str, str] | None = None, **parameters: Any
    ) -> Ended:
        folder = tmp_path / f"of-{name}"
        folder.mkdir()
        paths = {each: Path(path) for each, path in inputs.items()}
        ended = contained(image, bench.environ, Asked(name, paths, parameters, folder, env or {}))
        assert ended.code == 0, ended.said
        return ended

    def left(ended: Ended, name: str = "data") -> str:
        return ended.path(name)

    with sqlite3.connect(tmp_path / "wine.db") as made:
        made.execute("CREATE TABLE wines (ash REAL, grape TEXT)")
        made.executemany("INSERT INTO wines VALUES (?, ?)", zip(*WINE.to_pydict().values(), strict=True))
    (tmp_path / "serve.py").write_text(PREDICTOR)
    (tmp_path / "model").write_text("9.5")
    store: dict[str, Any] = {
        "endpoint": s3.address,
        "env": s3.environ(),
        "uri": "s3://models/contained.parquet",
    }
    rows = step("read_sql", {}, database=f"sqlite:///{tmp_path}/wine.db", query="SELECT * FROM wines")
    assert step("write_parquet", {"data": left(rows)}, **store).parameters["rows"] == 20
    read = step("read_parquet", {}, **store)
    assert parquet.read_table(left(read)).equals(WINE)
    parts = step("split", {"data": left(read)}, stratify="grape")
    assert parts.metadata["metrics"] == {"train_rows": 14, "validation_rows": 2, "test_rows": 4}
    given = {"model": str(tmp_path / "model"), "data": left(parts, "test")}
    said = step(
        "batch_predict",
        given,
        predictor=f"custom:{tmp_path}/serve.py",
        keep=["ash", "grape"],
        features=["ash"],
    )
    judged = step("evaluate_classification", {"predictions": left(said, "predictions")}, label="grape")
    assert judged.metadata["metrics"]["accuracy"] == 1
    step("evaluate_regression", {"predictions": left(said, "predictions")}, label="ash", prediction="ash")
    given = {"model": given["model"], "data": left(parts, "train"), "metrics": left(judged, "metrics")}
    facts = json.loads(Path(left(step("register", given, label="grape"), "facts")).read_text())
    assert facts["sha256"] == digest(tmp_path / "model")


@pytest.mark.timeout(600)
def test_an_image_without_the_packages_says_which_to_lock(bench: Images, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    bare = bench.make(push=False).reference
    (tmp_path / "data").write_text("")
    asked = Asked("split", {"data": tmp_path / "data"}, {}, tmp_path / "out")
    ended = contained(bare, bench.environ, asked)
    assert ended.code == 17, ended.said
    assert "pyarrow is not installed: add pyarrow to src/requirements.in and lock it" in ended.said
