"""`tagline compile` and `tagline check --fix`: the pipeline's code is under the guards of its repository."""

import hashlib
import subprocess
from pathlib import Path

import pytest
from tagline.errors import PipelineError
from tagline.flow.checking.checks import check_work_tree
from tagline.flow.checking.work_tree import compile_work_tree

from tests.unit.sandbox.test_guards import mounts_allowed

LABELS = "id,x,t\n1,2,label-91c4\n"
POLICY = f"""pipeline: wine
gate:
  data: gate/frozen.csv
  sha256: {hashlib.sha256(LABELS.encode()).hexdigest()}
  id: id
  label: t
  metrics: {{error: {{max_drop: 0.1}}}}
"""
SPY = """from pathlib import Path
found = []
for place in PLACES:
    try:
        found.append(Path(place).read_text())
    except OSError as error:
        found.append(type(error).__name__)
raise ValueError(found)
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose pipelines look for the gate's data: in the tree that they run in, and in the work tree."""
    root = tmp_path / "repo"
    for folder in ("gate", "docker/kubeflow_pipeline", "other"):
        (root / folder).mkdir(parents=True)
    subprocess.run(["git", "init", "-q", root], check=True)
    (root / "gate/frozen.csv").write_text(LABELS)
    (root / "tagline.yaml").write_text(POLICY)
    for name in ("docker/kubeflow_pipeline/pipeline.py", "other/pipeline.py"):
        (root / name).write_text(
            SPY.replace("PLACES", repr(["gate/frozen.csv", str(root / "gate/frozen.csv")]))
        )
    monkeypatch.setenv("TAGLINE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    return root


def said_by(root: Path, file: Path | None) -> str:
    with pytest.raises(PipelineError, match="raised ValueError") as caught:
        compile_work_tree(root, file, root / "made.yaml")
    return caught.value.what


@pytest.mark.skipif(
    not mounts_allowed(), reason="not applicable here: this machine allows no mounts of one's own"
)
@pytest.mark.parametrize("file", ["docker/kubeflow_pipeline/pipeline.py", "other/pipeline.py", ""])
def test_a_compiled_pipeline_reads_nothing_of_the_gates_data(root: Path, file: str) -> None:
    assert "label-91c4" not in said_by(root, root / file if file else None)


@pytest.mark.skipif(
    not mounts_allowed(), reason="not applicable here: this machine allows no mounts of one's own"
)
def test_a_pipeline_that_is_renewed_reads_nothing_of_the_gates_data(root: Path) -> None:
    with pytest.raises(PipelineError, match="raised ValueError") as caught:
        check_work_tree(root, smoke=False, fix=True, told=lambda said: None)
    assert "label-91c4" not in caught.value.what
