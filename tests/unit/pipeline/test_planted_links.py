"""Links that a pipeline.py plants beside its compiled form: the parent neither tells nor copies what they name."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tagline.errors import PipelineError
from tagline.pipeline.compile import compile_file, substitute_image

from .conftest import SOUND

Write = Callable[[str], Path]
SECRET = "credential-7f3a"
PLANT = """
import os, sys
place = os.path.join(os.path.dirname(sys.argv[1]), "0", "NAME")
if os.path.lexists(place):
    os.unlink(place)
os.symlink("TARGET", place)
print("mine", flush=True)
os._exit(CODE)
"""
REPORT = {"what": SECRET, "kind": SECRET, "where": SECRET, "fix": SECRET, "trace": [SECRET]}


@pytest.mark.parametrize(
    ("name", "code", "text"),
    [("log", 3, SECRET), ("report.json", 3, json.dumps(REPORT)), ("pipeline.yaml", 0, SECRET)],
)
def test_a_link_that_the_pipeline_plants_is_not_followed(
    pipeline: Write, tmp_path: Path, name: str, code: int, text: str
) -> None:
    credential = tmp_path / "credential"
    credential.write_text(text)
    plant = PLANT.replace("NAME", name).replace("TARGET", str(credential)).replace("CODE", str(code))
    with pytest.raises(PipelineError, match="mine") as caught:
        compile_file(pipeline(plant), tmp_path / "out.yaml")
    assert SECRET not in str(caught.value)
    assert not (tmp_path / "out.yaml").exists()


def test_a_draft_of_the_compiled_file_is_no_way_to_write_elsewhere(pipeline: Write, tmp_path: Path) -> None:
    compiled = compile_file(pipeline(SOUND), tmp_path / "pipeline.yaml")
    (tmp_path / "profile").write_text("mine")
    (tmp_path / ".pipeline.yaml.image").symlink_to("profile")
    substitute_image(compiled, "other:2")
    assert (tmp_path / "profile").read_text() == "mine"
    assert '"other:2"' in compiled.read_text()
