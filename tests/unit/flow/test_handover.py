"""Planning for other agents in a world under real git: what a plan needs, depends on, and leaves alone."""

import os
from pathlib import Path
from textwrap import dedent

import pytest
from kfp import compiler, dsl
from tagline.errors import VersionTwice
from tagline.flow.agents.handover import save_plan
from tagline.flow.agents.needs import wants_of
from tagline.flow.agents.saved import Saved
from tagline.flow.known import plan_event
from tagline.flow.opening import open_world
from tagline.flow.releasing.images import ENGINE_VARIABLE
from tagline.git.repo import LEDGER_REF

from tests.unit.flow.world import POLICY, THREE, TWO, Stage, stage

PIPELINE = "docker/kubeflow_pipeline/pipeline"


@pytest.fixture
def on(tmp_path: Path) -> Stage:
    return stage(tmp_path)


def pushed(on: Stage, files: dict[str, str], message: str = "fix: more") -> None:
    on.clone.commit(message, files)
    on.clone.push()
    on.world.refresh()


def compiled(folder: Path, *, gpu: bool) -> str:
    """What kfp's own compiler makes of a pipeline with one task."""

    @dsl.container_component
    def train() -> dsl.ContainerSpec:
        return dsl.ContainerSpec(image="base:1", command=["python", "task.py"])

    @dsl.pipeline(name="wine")
    def wine() -> None:
        task = train()
        if gpu:
            task.set_accelerator_type("nvidia.com/gpu").set_accelerator_limit(1)

    compiler.Compiler().compile(wine, str(folder / "compiled.yaml"))
    return (folder / "compiled.yaml").read_text()


@pytest.mark.parametrize("gpu", [True, False])
def test_a_pipeline_that_asks_for_an_accelerator_needs_an_agent_with_one(
    on: Stage, tmp_path: Path, gpu: bool
) -> None:
    pushed(on, {f"{PIPELINE}.py": "", f"{PIPELINE}.yaml": compiled(tmp_path, gpu=gpu)})
    assert wants_of(on.world, on.world.facts.head).gpu is gpu


def test_a_number_of_gpus_in_tagline_yaml_needs_an_agent_with_one(on: Stage) -> None:
    pushed(on, {"tagline.yaml": POLICY + "gpu: 2\n"})
    assert wants_of(on.world, on.world.facts.head).gpu


@pytest.mark.parametrize(("engine", "docker"), [("process", False), ("docker", True), ("dagger", True)])
def test_an_engine_of_containers_needs_an_agent_with_docker(
    on: Stage, engine: str, docker: bool, tmp_path: Path
) -> None:
    pushed(on, {"tagline.yaml": POLICY})
    world = open_world(
        on.world.repo.root,
        print,
        {**os.environ, ENGINE_VARIABLE: engine, "TAGLINE_HOME": str(tmp_path / "home")},
    )
    assert wants_of(world, world.facts.head).docker is docker


def test_a_broken_pipeline_yaml_asks_for_nothing_the_check_will_say_what_is_wrong(on: Stage) -> None:
    pushed(on, {f"{PIPELINE}.py": "", f"{PIPELINE}.yaml": "a: [\n"})
    assert not wants_of(on.world, on.world.facts.head).gpu


def merge(on: Stage) -> Saved:
    on.world.refresh()
    return save_plan(on.world, "merge", None)


def schedule(on: Stage, env: str = "prod") -> Saved:
    on.world.refresh()
    return save_plan(on.world, "schedule", None, env)


def test_what_is_decided_in_an_environment_leaves_a_merges_plan_as_it_is(on: Stage) -> None:
    pushed(on, {"src/train.py": "more = 1\n"})
    before = merge(on)
    on.rollback(str(TWO))
    assert merge(on).refs == before.refs


def test_a_release_elsewhere_leaves_a_promotions_plan_as_it_is(on: Stage) -> None:
    on.ask(4, TWO)
    before = schedule(on)
    assert [name for name in before.refs if name != LEDGER_REF] == ["refs/tags/promote/prod/wine/4"]
    on.clone.tag("v0.9.0")
    assert schedule(on).refs == before.refs


def test_a_decision_in_its_environment_changes_a_promotions_plan(on: Stage) -> None:
    on.ask(4, TWO)
    before = schedule(on)
    on.rollback(str(TWO))
    assert schedule(on).refs != before.refs


def test_a_call_for_one_environment_does_not_mind_what_is_wrong_in_another(on: Stage) -> None:
    policy = POLICY + "environments: [prod, staging]\n"
    pushed(on, {"tagline.yaml": policy})
    on.world.policy = on.world.own_config(on.world.facts.head)
    for name in ("promote/staging/wine/1", "wine#staging#1"):
        on.clone.tag(name, message=dedent(f"Promote\n\nModel-Version: {THREE}\n"))
    on.ask(4, TWO)
    with pytest.raises(VersionTwice):
        plan_event(on.world, "schedule", None)
    made = plan_event(on.world, "schedule", None, env="prod")
    assert [type(step).__name__ for step in made.steps] == ["Promote"]
