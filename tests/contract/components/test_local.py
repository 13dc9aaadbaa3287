"""The pipeline of the how-to page on tagline's local platform: from a table in a real store to a model's facts."""

import os
from pathlib import Path

import pytest
from pyarrow import parquet
from sklearn.datasets import load_wine
from tagline.engines.process import ProcessEngine
from tagline.pipeline.compile import compile_file
from tagline.platforms import RunRequest
from tagline.platforms.local.pipelines import LocalPipelines
from tagline_task import digest

from tests.components import page
from tests.servers.s3 import ACCESS, S3, SECRET

PACKAGES = """
aiobotocore aiohappyeyeballs aiohttp aioitertools aiosignal attrs botocore cloudpickle frozenlist fsspec idna jmespath
joblib multidict narwhals numpy pandas propcache pyarrow python-dateutil s3fs scikit-learn scipy six threadpoolctl
typing-extensions urllib3 wrapt yarl
"""
ENVIRON = {
    "TAGLINE_SECRET_S3_KEYS_AWS_ACCESS_KEY_ID": ACCESS,
    "TAGLINE_SECRET_S3_KEYS_AWS_SECRET_ACCESS_KEY": SECRET,
}


@pytest.mark.timeout(600)
def test_the_pipeline_of_the_page_gives_a_model_with_its_metrics_and_signature(
    s3: S3, tmp_path: Path
) -> None:
    wine = load_wine(as_frame=True).frame.rename(columns={"target": "cultivar"})
    wine.insert(0, "row_id", [f"wine-{row:03d}" for row in range(len(wine))])
    wine.to_parquet(s3.folder / "models/wine.parquet", index=False)
    source = tmp_path / "source"
    compiled = compile_file(page.project(source), tmp_path / "wine.yaml")
    (source / "src/requirements.txt").write_text(page.locked(PACKAGES))
    platform = LocalPipelines(
        tmp_path / "home", ProcessEngine(Path(os.environ["TAGLINE_VENVS"]), dict(os.environ)), ENVIRON
    )
    given = {"endpoint": s3.address}
    request = RunRequest("wine/full/1", "wine", compiled, source, given, 300.0)
    (tmp_path / "home").mkdir()
    run = platform.run(request, lambda event: None)
    facts = platform.facts(run, [])
    assert facts is not None
    assert facts.sha256 == digest(facts.uri)
    assert facts.metrics["rows"] == 35 and facts.metrics["accuracy"] > 0.6
    assert [each["name"] for each in facts.signature.inputs] == ["alcohol", "ash", "malic_acid"]
    assert facts.signature.output == "int"
    outputs = {path.name: path for path in run.outputs.rglob("predictions") if path.is_file()}
    assert parquet.read_table(outputs["predictions"]).column_names == ["row_id", "cultivar", "prediction"]
