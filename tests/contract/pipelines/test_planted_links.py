"""Links that a task plants for the process that runs it: it neither reads, nor appends, nor writes through one."""

from pathlib import Path

import pytest
from kfp import dsl
from tagline.errors import TaskContractBroken
from tagline.platforms import Run, RunState

from .conftest import World
from .projects import do, spec

SECRET = "credential-7f3a"
ANSWER = '\'{"parameterValues": {"x": "PWNED"}}\''


@dsl.container_component
def tell(script: str, said: dsl.OutputPath(str)):
    return spec("shell", script)


@dsl.container_component
def model(script: str, model: dsl.Output[dsl.Model], facts: dsl.Output[dsl.Artifact]):
    return spec("shell", script)


@dsl.container_component
def show(script: str):
    return dsl.ContainerSpec(image="dev:1", command=["sh", "-c"], args=[script])


@dsl.pipeline(name="moved")
def moved(first: str, second: str):
    show(script=second).after(do(verb="shell", argument=first))


@dsl.pipeline(name="planted")
def planted(first: str, second: str = "echo PWNED"):
    do(verb="shell", argument=second).after(tell(script=first))


@dsl.pipeline(name="told")
def told(first: str):
    do(verb="show", argument=tell(script=first).outputs["said"])


@dsl.pipeline(name="modelled")
def modelled(script: str):
    model(script=script)


@pytest.fixture
def profile(world: World) -> Path:
    """A file of the user's, in a folder of the user's, that no task is told to touch itself."""
    file = world.folder / "user/profile"
    file.parent.mkdir()
    file.write_text(SECRET)
    return file


def script(*lines: str) -> str:
    """A task's script: $O is the folder of its outputs, $R the run's."""
    begin = [
        "set -e",
        "R=$(realpath ../..)",
        'O=$(find "$R/outputs" -type d \\( -name tell -o -name model \\))',
    ]
    return "\n".join([*begin, *lines])


def untouched(profile: Path, run: Run) -> bool:
    logs = "".join(
        path.read_text() for path in run.outputs.rglob("*.log") if not path.is_symlink() and path.is_file()
    )
    assert SECRET not in logs + run.error
    return profile.read_text() == SECRET and [each.name for each in profile.parent.iterdir()] == ["profile"]


@pytest.mark.parametrize(
    "plant",
    [
        'ln -s "{profile}" "$R/logs/do.log"',
        'mkfifo "$R/logs/do.log"',
        'mv "$R/logs" "$R/old"; ln -s "{folder}" "$R/logs"',
        'mv "$R/work" "$R/old"; ln -s "{folder}" "$R/work"',
        'ln -s "{folder}" "$R/records"',
        'mkdir "$R/records"; ln -s "{folder}" "$R/records/tell.json"; rm "$O/said"; ln -s "{profile}" "$O/said"',
        'ln -s "{profile}" "$O/executor_output.json"',
        'mkfifo "$O/executor_output.json"',
        'mkdir "{run}/x"; mv "$O" "{run}/x"; ln -s "{folder}" "$O"',
    ],
)
def test_a_link_that_tagline_would_follow_cannot_be_planted_or_breaks_the_contract(
    world: World, profile: Path, plant: str
) -> None:
    words = {"profile": profile, "folder": profile.parent, "run": "$R"}
    run = world.run(planted, first=script('echo x > "$O/said"', plant.format(**words)))
    shut = "Read-only file system" in run.error or "busy" in run.error
    assert shut or isinstance(run.problem(), TaskContractBroken), run
    assert run.failed_task == "tell" if shut else run.state is RunState.FAILED
    assert untouched(profile, run)


def test_the_draft_of_an_answer_is_no_way_to_write_elsewhere(world: World, profile: Path) -> None:
    link = f'ln -s "{profile}" "$O/.executor_output.json.new"'
    run = world.run(
        planted, first=script('echo x > "$O/said"', link, f'echo {ANSWER} > "$O/executor_output.json"')
    )
    assert untouched(profile, run)


def test_a_log_that_its_own_task_replaced_is_not_told(world: World, profile: Path) -> None:
    run = world.run(
        planted, first=script(f'ln -sf "{profile}" "$R/logs/tell.log" || true', "echo mine", "exit 3")
    )
    assert run.error == "task 'tell' ended with exit code 3: mine"


def test_an_output_parameter_that_is_a_link_reaches_no_other_task(world: World, profile: Path) -> None:
    run = world.run(told, first=script(f'ln -s "{profile}" "$O/said"'))
    assert isinstance(run.problem(), TaskContractBroken)
    assert run.failed_task == "tell"
    assert untouched(profile, run)


@pytest.mark.parametrize(
    "plant",
    [
        'ln -s "{profile}" "$O/model"',
        'mkdir "$O/model"; ln -s "{profile}" "$O/model/weights"',
        'mkdir "$O/model"; mkfifo "$O/model/weights"',
        'echo m > "$O/model"; ln -s "{profile}" "$O/facts"',
    ],
)
def test_an_artifact_may_not_lead_out_of_itself(world: World, profile: Path, plant: str) -> None:
    run = world.run(modelled, script=script(plant.format(profile=profile)))
    assert isinstance(run.problem(), TaskContractBroken)
    assert untouched(profile, run)


def test_an_artifact_may_hold_links_that_stay_in_it(world: World) -> None:
    lines = ['mkdir "$O/model"', 'echo m > "$O/model/one"', 'ln -s one "$O/model/two"']
    run = world.run(modelled, script=script(*lines))
    assert run.state is RunState.SUCCEEDED
    with pytest.raises(TaskContractBroken, match="no digest"):  # a model alone may hold none at all
        world.pipelines.facts(run, [])


def test_a_source_that_a_task_replaces_by_a_link_reaches_no_other_task(world: World, profile: Path) -> None:
    source = world.source
    first = f'mv "{source}" "{source}-old" && ln -s "{profile.parent}" "{source}"; true'
    run = world.run(moved, first=first, second="ls; cat profile || true")
    assert run.state is RunState.SUCCEEDED
    assert untouched(profile, run)
    assert "profile" not in (run.outputs / "logs/show.log").read_text().splitlines()
