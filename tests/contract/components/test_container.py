"""Common components in a real container: in the image that tagline builds of a project's lock."""

# the fixtures of images are taken over by their names
# ruff: noqa: F401, F811

import os
import subprocess
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from tests.components import page
from tests.contract.images.conftest import Bench as Images
from tests.contract.images.conftest import base, bench, environ, plain
from tests.servers.s3 import S3

from .conftest import Asked, Ended

WINE = pyarrow.table({"ash": [float(row) for row in range(20)], "grape": ["barolo", "barbera"] * 10})


STORE = """
aiobotocore aiohappyeyeballs aiohttp aioitertools aiosignal attrs botocore frozenlist fsspec idna jmespath multidict
propcache pyarrow python-dateutil s3fs six typing-extensions urllib3 wrapt yarl
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
def test_a_table_is_read_split_and_written_in_containers(
    image: str,
    bench: Images,
    s3: S3,
    tmp_path: Path,
) -> None:
    parquet.write_table(WINE, s3.folder / "models/wine.parquet")
    folders = [tmp_path / name for name in ("read", "split", "written")]
    for folder in folders:
        folder.mkdir()
    store = {"endpoint": s3.address}
    given = store | {"uri": "s3://models/wine.parquet"}
    read = contained(image, bench.environ, Asked("read_parquet", {}, given, folders[0], s3.environ()))
    assert (read.code, read.parameters) == (0, {"rows": 20}), read.said
    data = {"data": Path(read.path("data"))}
    split = contained(image, bench.environ, Asked("split", data, {"stratify": "grape"}, folders[1]))
    assert split.metadata["metrics"] == {"train_rows": 14, "validation_rows": 2, "test_rows": 4}, split.said
    train = {"data": Path(split.path("train"))}
    given = store | {"uri": "s3://models/train.parquet"}
    there = contained(image, bench.environ, Asked("write_parquet", train, given, folders[2], s3.environ()))
    assert there.code == 0, there.said
    assert parquet.read_table(s3.folder / "models/train.parquet").num_rows == 14


@pytest.mark.timeout(600)
def test_an_image_without_the_packages_says_which_to_lock(bench: Images, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    bare = bench.make(push=False).reference
    (tmp_path / "data").write_text("")
    asked = Asked("split", {"data": tmp_path / "data"}, {}, tmp_path / "out")
    ended = contained(bare, bench.environ, asked)
    assert ended.code == 17, ended.said
    assert "pyarrow is not installed: add pyarrow to src/requirements.in and lock it" in ended.said
