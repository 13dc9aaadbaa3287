"""The same compiled file walked by us and by kfp's own local orchestrator: the same tasks give the same values."""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from . import graphs
from .conftest import World

BY_KFP = Path(__file__).parent / "by_kfp.py"


def results(folder: Path) -> Counter[tuple[str, str]]:
    """Output and text of all that tasks wrote in the one run below a folder; kfp writes whole numbers as `4.0`."""
    return Counter(
        (file.name, re.sub(r"\b([0-9]+)\.0\b", r"\1", file.read_text()))
        for file in folder.rglob("*")
        if file.is_file() and file.name != "executor_output.json"
    )


@pytest.mark.parametrize(
    ("pipeline", "given"),
    [
        (graphs.nested, {"n": 4}),
        (graphs.branched, {"n": 11}),
        (graphs.branched, {"n": 3, "word": "b"}),
        (graphs.branched, {"n": 4}),
        (graphs.skipped, {"flag": True}),
        (graphs.numbers, {}),
    ],
)
def test_the_same_tasks_give_the_same_values(world: World, pipeline: Any, given: dict[str, Any]) -> None:
    request = world.request(pipeline, **given)
    theirs = world.folder / "theirs"
    words = [request.compiled, world.source, theirs, json.dumps(given)]
    done = subprocess.run(
        [sys.executable, str(BY_KFP), *words], cwd=world.folder, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    run = world.run(pipeline, **given)
    ours = results(run.outputs / "outputs")
    assert ours
    assert ours == results(theirs)
