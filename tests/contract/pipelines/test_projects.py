"""A project written the plain kfp way, just as it is committed, on the local platform."""

import shutil
from pathlib import Path

from tagline.platforms import RunRequest, RunState

from .conftest import World

PLAIN = Path(__file__).parents[2] / "projects/plain_kfp"


def test_a_plain_kfp_project_trains_from_its_committed_file_and_gives_its_model(world: World) -> None:
    source = world.folder / "plain"
    shutil.copytree(PLAIN, source)
    world.environ = {"WAREHOUSE_TOKEN": "t0ken"}
    compiled = source / "docker/kubeflow_pipeline/pipeline.yaml"
    run = world.pipelines.run(RunRequest("seals/smoke/1", "seals", compiled, source), world.told.append)
    assert (run.state, run.error) == (RunState.SUCCEEDED, "")
    facts = world.pipelines.facts(run, [])
    assert facts is not None
    assert Path(facts.uri).exists()
    assert facts.metrics
    tasks = [event.task for event in world.told if event.state == "succeeded"]
    assert tasks == ["download-data", "prepare-data", "train-model", "evaluate"]
