"""The same chains on a real engine: TAGLINE_REAL_DAGGER="CLI ADDRESS", and a source of tagline as for `ci`."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tagline.engines.dagger import chains, runner
from tagline_pipeline import TaglinePipeline

from tests.conftest import NOT_HERE
from tests.fakes.machine import ROOT, Machine

REAL = "TAGLINE_REAL_DAGGER"
SOURCES = ("TAGLINE_WHEELHOUSE", "TAGLINE_INDEX", "TAGLINE_LOCK", "TAGLINE_DAGGER_BASE")
TINY = f"""set -e
git init -q --bare -b main remote.git && git clone -q remote.git work
cp -r {ROOT}/tests/projects/tiny/. work && cd work && git switch -q -c main
git add -A && git commit -q -m 'feat: first' && git push -q -u origin main && git switch -q -c topic
git commit -q --allow-empty -m 'fix: nothing' && git push -q -u origin topic"""


@pytest.fixture
def engine() -> dict[str, str]:
    """The variables that reach the engine."""
    cli, _, address = os.environ.get(REAL, "").partition(" ")
    if not address:
        pytest.skip(f"{NOT_HERE}{REAL} names no CLI and no engine's address")
    assert runner.answers(address), f"{REAL} names {address}, and nothing answers there"
    named = {name: os.environ[name] for name in SOURCES if name in os.environ}
    assert named.keys() & {"TAGLINE_WHEELHOUSE", "TAGLINE_INDEX"}, "set one of them: tagline comes from there"
    return {**named, runner.CLI_VARIABLE: cli, runner.RUNNER_VARIABLE: address}


def asked(ask: Callable[[], Awaitable[Any]]) -> Any:
    """The answer of an engine, within five minutes."""
    import dagger

    async def session() -> Any:
        async with dagger.connection(dagger.Config()):
            return await ask()

    return asyncio.run(asyncio.wait_for(session(), 300))


@pytest.mark.timeout(600)
def test_a_pull_request_ends_alike_on_engine_and_host(engine: dict[str, str], machine: Machine) -> None:
    made = machine.shell(TINY)
    assert made.code == 0, made.out
    here = machine.shell("cd work && tagline ci --json")
    machine.env.update(engine)
    there = machine.shell("cd work && tagline ci --engine dagger --json 2>/dev/null")
    assert (there.code, here.code) == (0, 0), there.out
    one, other = (json.loads(done.out[done.out.index("{") :]) for done in (here, there))
    assert [(step["step"], step["outcome"]) for step in one["steps"]] == [
        (step["step"], step["outcome"]) for step in other["steps"]
    ]


@pytest.mark.timeout(600)
def test_the_modules_chain_compiles_the_committed_bytes(
    engine: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dagger import dag

    for name, value in engine.items():
        monkeypatch.setenv(name, value)
    project = ROOT / "tests/projects/tiny"
    wheels, index = engine.get("TAGLINE_WHEELHOUSE"), engine.get("TAGLINE_INDEX")

    async def compiled() -> str:
        module = TaglinePipeline(
            base=engine.get("TAGLINE_DAGGER_BASE", chains.BASE),
            wheelhouse=dag.host().directory(wheels) if wheels else None,
            index=dag.secret("env://TAGLINE_INDEX") if index else None,
        )
        return await module.compile(dag.host().directory(str(project))).contents()

    (committed,) = project.rglob("pipeline.yaml")
    assert asked(compiled) == committed.read_text()
