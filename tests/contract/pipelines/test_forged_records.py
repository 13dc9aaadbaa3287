"""A task changes its own outputs and its own tree: what other tasks of its run gave stays as they gave it."""

import pytest
from kfp import dsl
from tagline.platforms import RunState
from tagline.platforms.local import outputs

from tests.unit.sandbox.test_guards import mounts_allowed

from .conftest import World
from .projects import do, spec

pytestmark = pytest.mark.skipif(
    not mounts_allowed(), reason="not applicable here: this machine allows no mounts of one's own"
)


@dsl.container_component
def train(script: str, model: dsl.Output[dsl.Model]):
    return spec("shell", script)


@dsl.container_component
def forge(script: str, scores: dsl.Output[dsl.Metrics]):
    return spec("shell", script)


@dsl.pipeline(name="forged")
def forged(first: str, second: str):
    forge(script=second).after(train(script=first))


@dsl.pipeline(name="prepared")
def prepared(first: str, second: str):
    train(script=second).after(do(verb="shell", argument=first))


def script(*lines: str) -> str:
    """A task's script: $O is the folder of the model's task, $F of the forging one, $R the run's."""
    begin = ["R=$(realpath ../..)", 'O=$(find "$R/outputs" -type d -name train)']
    return "\n".join([*begin, 'F=$(find "$R/outputs" -type d -name forge)', *lines])


@pytest.mark.parametrize(
    "attack",
    [
        'echo forged > "$O/model"',
        'rm "$O/model"; echo forged > "$O/model"',
        'mv "$O" "$O-old"; mkdir "$O"; echo forged > "$O/model"',
        'mv "$R/outputs" "$R/old"; cp -r "$R/old" "$R/outputs"; echo forged > "$O/model"',
        'echo "[]" > "$R/records/train.json"',
        'rm "$R/records/train.json"',
        'mv "$R/records" "$R/old"',
        'echo "{}" > "$O/executor_output.json"',
        'echo forged > "$R/logs/train.log"',
        'umount "$O"; umount -l "$R"; echo forged > "$O/model"',
    ],
)
def test_what_a_task_gave_no_later_task_changes(world: World, attack: str) -> None:
    first = script('echo honest > "$O/model"', "echo mine")
    run = world.run(forged, first=first, second=script(attack, 'echo own > "$F/scores"'))
    assert run.state is RunState.SUCCEEDED, run
    facts = outputs.model_facts(run.outputs, [])
    assert facts is not None
    with open(facts.uri) as model:
        assert model.read() == "honest\n"
    assert [item.key for item in outputs.recorded(run.outputs)] == ["forge.scores", "train.model"]
    assert (run.outputs / "logs/train.log").read_text() == "mine\n"


def test_an_earlier_task_prepares_nothing_for_a_later_one(world: World) -> None:
    planted = (
        'mkdir -p "$R/records" "$R/work/train"; echo forged > "$R/records/other.json"; echo x > "$R/work/x"'
    )
    run = world.run(
        prepared, first=script(planted, "true"), second=script('echo honest > "$O/model"', "ls ..")
    )
    assert run.state is RunState.SUCCEEDED, run
    assert [item.key for item in outputs.recorded(run.outputs)] == ["train.model"]
    assert "x" not in (run.outputs / "logs/train.log").read_text().splitlines()
