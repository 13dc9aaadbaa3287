"""Runs of compiled pipelines: order, outputs, exit codes and limits, as the tasks really had them."""

import hashlib
import time
from pathlib import Path

import pytest
from tagline.errors import (
    ConfigError,
    NoModel,
    NotYetSupported,
    SecretMissing,
    TaskContractBroken,
    TaskFailed,
    TaskTimedOut,
)
from tagline.platforms import RunState
from tagline.platforms.local.home import guards

from . import projects
from .conftest import World, alive


def test_a_fan_out_is_joined_and_gives_a_model_with_metrics(world: World) -> None:
    run = world.run(projects.fan, left="hello", right="world")
    assert (run.state, run.error) == (RunState.SUCCEEDED, "")
    facts = world.pipelines.facts(run, [])
    assert facts is not None
    assert Path(facts.uri).read_text() == "hello world"
    assert facts.metrics == {"acc": 0.9}
    assert facts.sha256 == "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"


def test_each_task_is_told_when_it_begins_and_ends_with_its_seconds_and_log(world: World) -> None:
    world.run(projects.fan)
    ends = [event for event in world.told if event.state == "succeeded"]
    assert sorted(event.task for event in ends) == ["count", "join", "measure", "write", "write-2"]
    assert all(
        event.seconds is not None and event.seconds > 0 and Path(event.log).is_file() for event in ends
    )
    assert [event.state for event in world.told][:2] == ["began", "succeeded"]


def test_a_task_is_under_the_guards_of_the_engine(world: World) -> None:
    (world.folder / ".git-config").write_text("token")
    (world.home / "runs").mkdir()
    (world.home / "blocks.json").write_text("blocks")
    world.guards = guards(world.home, [world.folder / ".git-config"])
    own = "echo own > $(find ../../outputs -type d -name do)/own"
    script = f"cat {world.folder}/.git-config; echo > {world.home}/blocks.json; {own}"
    run = world.run(projects.chain, verb="shell", argument=script, after=str(world.folder / "after"))
    assert run.state is RunState.SUCCEEDED
    assert "token" not in (run.outputs / "logs/do.log").read_text()
    assert (world.home / "blocks.json").read_text() == "blocks"
    assert [path.read_text() for path in run.outputs.glob("outputs/*/do/own")] == ["own\n"]


def test_a_task_that_exits_1_fails_the_run_and_what_follows_does_not_start(world: World) -> None:
    after = world.folder / "after"
    run = world.run(projects.chain, after=str(after))
    assert (run.state, run.failed_task) == (RunState.FAILED, "do")
    assert run.error == "task 'do' ended with exit code 1: about to fail"
    assert isinstance(run.problem(), TaskFailed)
    assert run.problem().where == str(run.outputs / "logs/do.log")  # type: ignore[union-attr]
    assert not after.exists()
    assert world.pipelines.facts(run, []) is None


def test_a_killed_task_is_no_success(world: World) -> None:
    run = world.run(projects.chain, argument="137", after=str(world.folder / "after"))
    assert run.state is RunState.FAILED
    assert "137" in run.error


def test_a_task_past_its_own_limit_is_stopped_with_all_it_started(world: World) -> None:
    pids = world.folder / "pids"
    began = time.monotonic()
    run = world.run(projects.limited, argument=str(pids))
    assert time.monotonic() - began < 120
    assert isinstance(run.problem(), TaskTimedOut)
    assert "limit of 1 s" in run.error
    assert not alive(pids)


def test_a_run_past_its_limit_is_stopped(world: World) -> None:
    pids = world.folder / "pids"
    run = world.run(projects.one, timeout=6.0, verb="hang", argument=str(pids))
    assert isinstance(run.problem(), TaskTimedOut)
    assert not alive(pids)


def test_a_failing_task_is_retried_as_the_pipeline_says_and_starts_clean(world: World) -> None:
    run = world.run(projects.retried, counter=str(world.folder / "counter"))
    assert run.state is RunState.SUCCEEDED
    assert (world.folder / "counter").read_text() == "xxx"
    assert [event.state for event in world.told] == [
        "began",
        "failed",
        "began",
        "failed",
        "began",
        "succeeded",
    ]


def test_an_output_parameter_that_was_not_written_is_an_error_that_names_it(world: World) -> None:
    run = world.run(projects.forgets)
    assert isinstance(run.problem(), TaskContractBroken)
    assert "did not write its output 'rows'" in run.error


def test_a_declared_artifact_that_was_not_written_is_a_warning(world: World) -> None:
    run = world.run(projects.careless_one)
    assert run.state is RunState.SUCCEEDED
    assert "warning: declared output 'out' was not written" in [event.state for event in world.told]


def test_an_executor_output_with_an_unknown_key_is_refused_as_the_backend_refuses_it(world: World) -> None:
    run = world.run(projects.garbage_one)
    assert isinstance(run.problem(), TaskContractBroken)
    assert "surprise" in run.error


def test_the_run_keeps_its_outputs_and_nobody_elses_folder_is_removed(world: World) -> None:
    keepsake = world.home / "keepsake"
    keepsake.write_text("x")
    run = world.run(projects.fan)
    assert keepsake.exists()
    assert len(list(run.outputs.glob("outputs/*/*"))) == 5
    assert not list(run.outputs.glob("work/*"))


def test_a_pipeline_named_like_one_of_its_tasks_runs_all_of_them(world: World) -> None:
    run = world.run(projects.whereabouts)
    assert (run.state, run.error) == (RunState.SUCCEEDED, "")
    assert [event.task for event in world.told if event.state == "succeeded"] == ["where-2", "where"]


def test_each_task_gets_its_own_copy_of_the_tree_and_the_image_s_environment(world: World) -> None:
    run = world.run(projects.whereabouts)
    for task in ("where", "where-2"):
        log = (run.outputs / f"logs/{task}.log").read_text()
        tree = run.outputs / "work" / task
        assert f"cwd {tree} venv {world.folder}/venvs/" in log
        assert f"path {tree}/src/lib" in log
        assert "['docker', 'left-behind', 'src']" in log
    assert not (world.source / "left-behind").exists()


def test_facts_that_a_task_wrote_are_the_model(world: World) -> None:
    run = world.run(projects.with_facts, sha=hashlib.sha256(b"m m").hexdigest())
    facts = world.pipelines.facts(run, [])
    assert facts is not None
    assert (Path(facts.uri).read_text(), facts.metrics) == ("m m", {"acc": 0.5})


def test_facts_of_another_model_than_the_one_that_is_there_are_refused(world: World) -> None:
    run = world.run(projects.with_facts, sha="0" * 64)
    with pytest.raises(TaskContractBroken, match="another digest"):
        world.pipelines.facts(run, [])


def test_a_run_without_any_model_has_no_facts(world: World) -> None:
    run = world.run(projects.careless_one)
    assert world.pipelines.facts(run, []) is None


def test_two_models_are_an_error_unless_one_is_named(world: World) -> None:
    run = world.run(projects.two_models)
    with pytest.raises(NoModel, match=r"join-2\.model, join\.model|join\.model, join-2\.model"):
        world.pipelines.facts(run, [])
    facts = world.pipelines.facts(run, ["join-2.model"])
    assert facts is not None
    assert Path(facts.uri).read_text() == "b b"
    with pytest.raises(NoModel, match=r"asked for train\.model"):
        world.pipelines.facts(run, ["train.model"])


def test_a_missing_secret_is_named_before_anything_runs(world: World) -> None:
    with pytest.raises(SecretMissing, match="'role-id' of secret 'vault'") as caught:
        world.run(projects.secret)
    assert "TAGLINE_SECRET_VAULT_ROLE_ID (or VAULT_ID)" in caught.value.fix
    assert world.pipelines.runs("") == []


def test_a_secret_reaches_its_task_alone_and_no_file_of_the_platform(world: World) -> None:
    world.environ = {"TAGLINE_SECRET_VAULT_ROLE_ID": "s3cr3t-value", "SSH_AUTH_SOCK": "/tmp/agent"}
    run = world.run(projects.secret)
    log = (run.outputs / "logs/show.log").read_text()
    assert log.startswith("{'VAULT_ID': '***', 'TAGLINE_SECRET_VAULT_ROLE_ID': None, 'X': 'y'")
    kept = [path for path in world.home.rglob("*") if path.is_file()]
    assert not [path for path in kept if b"s3cr3t-value" in path.read_bytes()]


@pytest.mark.parametrize("pipeline", [projects.lightweight, projects.volume])
def test_what_this_platform_cannot_run_is_refused_by_name_before_anything_runs(
    world: World, pipeline: object
) -> None:
    with pytest.raises(NotYetSupported):
        world.run(pipeline)
    assert world.pipelines.runs("") == []


def test_a_parameter_too_large_for_one_argument_is_refused_by_its_name(world: World) -> None:
    run = world.run(projects.one, argument="x" * 140_000)
    assert isinstance(run.problem(), TaskFailed)
    assert "parameter 'argument' has 140000 bytes" in run.error


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"lefd": "x"}, "unknown parameter of the pipeline 'lefd'"),
        ({"left": 3}, "parameter 'left' is 3, the pipeline wants STRING"),
    ],
)
def test_parameters_are_checked_before_anything_runs(
    world: World, given: dict[str, object], words: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        world.run(projects.fan, **given)
    assert words in str(caught.value)
    assert world.pipelines.runs("") == []


def test_a_whole_number_does_where_the_pipeline_wants_any_number(world: World) -> None:
    assert world.run(projects.weighed, share=30).state is RunState.SUCCEEDED
