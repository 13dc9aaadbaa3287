"""The supervisor acts on its watchdog: with a real router, and model servers that do not start."""

import asyncio
from pathlib import Path

import aiohttp
from tagline.platforms import ServerSpec
from tagline.platforms.local.rollouts import LocalRollouts
from tagline.platforms.local.serving import ports, records
from tagline.platforms.local.serving.paths import Paths
from tagline.platforms.local.serving.records import State
from tagline.platforms.local.serving.supervisor import Supervisor
from tagline.words import ModelVersion

V1, V2 = ModelVersion.parse("0.1.0-r1"), ModelVersion.parse("0.2.0-r1")


def canaried(folder: Path) -> State:
    """A state in which V1 took everything, and V2 now takes a quarter."""
    state = State(port=ports.free_port())
    for version in (V1, V2):
        nowhere = folder / "nowhere"
        spec = ServerSpec("wine", version, "sklearn", nowhere, "a" * 64, nowhere, nowhere)
        state = records.deployed(state, "prod", spec, port=ports.free_port(), limit=60)
        state = records.changed_arm(state, records.key("prod", spec), loaded=True)
        if version == V1:
            state = records.weighted(state, "prod", "wine", {V1: 100})
    return records.weighted(state, "prod", "wine", {V1: 75, V2: 25})


async def weights_after_a_tick(home: Path, state: State) -> dict[ModelVersion, int]:
    paths = Paths(home)
    paths.make()
    async with aiohttp.ClientSession() as client:
        supervisor = Supervisor(paths, state, client)
        await supervisor.begin()
        try:
            await supervisor.tick()
        finally:
            await supervisor.stop(clear=True)
    return {arm.spec.version: arm.weight for arm in supervisor.state.routes[0].arms}


def test_a_rollout_that_nobody_continued_is_at_weight_0_after_the_supervisors_next_tick(
    tmp_path: Path,
) -> None:
    rollouts = LocalRollouts(tmp_path / "home")
    rollouts.save("prod", "wine", b"step 1", canary=V2, ttl=-1)
    weights = asyncio.run(weights_after_a_tick(tmp_path / "home", canaried(tmp_path)))
    assert weights == {V1: 100, V2: 0}
    assert "nobody continued the rollout of 0.2.0-r1" in (rollouts.paused("prod", "wine") or "")


def test_a_rollout_that_was_saved_in_time_keeps_its_weights_at_a_tick(tmp_path: Path) -> None:
    LocalRollouts(tmp_path / "home").save("prod", "wine", b"step 1", canary=V2, ttl=60)
    weights = asyncio.run(weights_after_a_tick(tmp_path / "home", canaried(tmp_path)))
    assert weights == {V1: 75, V2: 25}
