"""The same chains on a real engine, of Dagger 0.21, named by TAGLINE_REAL_DAGGER="CLI ADDRESS"; nothing is pulled.

    TAGLINE_REAL_DAGGER="/usr/local/bin/dagger unix:///run/dagger/engine.sock" .venv/bin/python -m pytest -n 0 \\
        tests/contract/dagger tests/contract/images/test_on_dagger.py

The base of the containers is a Debian made by mmdebstrap (tools/docker installs it, root runs it), handed to the engine
as a tar; tagline comes from a wheelhouse that tools/wheelhouse makes. TAGLINE_DAGGER_BASE, TAGLINE_WHEELHOUSE or
TAGLINE_INDEX name others. Images are pushed to a registry on loopback, so that the engine must share this machine's
network.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tagline.engines.dagger import client
from tagline_pipeline import TaglinePipeline

from tests.fakes.machine import ROOT, Machine
from tests.real import dagger_engine

TINY = f"""set -e
git init -q --bare -b main remote.git && git clone -q remote.git work
cp -r {ROOT}/tests/projects/tiny/. work && cd work && git switch -q -c main
git add -A && git commit -q -m 'feat: first' && git push -q -u origin main && git switch -q -c topic
git commit -q --allow-empty -m 'fix: nothing' && git push -q -u origin topic"""


@pytest.fixture
def engine() -> dict[str, str]:
    """The variables that reach the engine, and from where its containers get what they need."""
    return dagger_engine.require() | dagger_engine.sources()


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
            base=client.base_of(engine.get("TAGLINE_DAGGER_BASE", "")),
            wheelhouse=dag.host().directory(wheels) if wheels else None,
            index=dag.secret("env://TAGLINE_INDEX") if index else None,
        )
        return await module.compile(dag.host().directory(str(project))).contents()

    (committed,) = project.rglob("pipeline.yaml")
    assert asked(compiled) == committed.read_text()
