"""What the supervisor keeps alive: the router, and a KServe server for each version."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import aiohttp

from tagline import __version__
from tagline.errors import PlatformError
from tagline.platforms.local.serving import admin, guarding, launch, procs
from tagline.platforms.local.serving.keeper import Job
from tagline.platforms.local.serving.paths import Paths
from tagline.platforms.local.serving.ports import HOST
from tagline.platforms.local.serving.records import ArmRecord
from tagline.platforms.local.serving.wire import Applied

PROBE = 5.0
ROUTER = "router"


async def applied(paths: Paths) -> Applied | None:
    """Which table the router uses, or None where none of our version answers."""
    try:
        answer = await asyncio.to_thread(admin.ask, paths.control, "/applied", Applied, timeout=PROBE)
    except PlatformError:
        return None
    return answer if answer.version == __version__ else None


def router(paths: Paths, port: int, client: aiohttp.ClientSession) -> Job:
    """The router: ready when the one that answers on the port is the one on our socket."""

    async def ready() -> bool:
        ours = await applied(paths)
        body = await _get(client, port, "/") if ours else None
        return bool(ours and body and json.loads(body).get("router") == ours.boot)

    return Job(ROUTER, launch.own(paths, "router", "router", port), ready, f"http://{HOST}:{port}/", port)


def server(paths: Paths, name: str, arm: ArmRecord, client: aiohttp.ClientSession) -> Job:
    """A model server, in the sandbox: ready when KServe says that this model is."""
    spec = arm.spec
    path = f"/v1/models/{spec.model_name}"
    own_home = paths.server_home(name)
    own_home.mkdir(parents=True, exist_ok=True, mode=0o700)
    argv = [
        str(spec.python),
        *("-m", "tagline_task.serve"),
        *("--predictor", spec.predictor),
        *("--model", str(spec.model)),
        *("--sha256", spec.sha256),
        *("--name", spec.model_name),
        *("--http_port", str(arm.port)),
    ]
    env = {procs.MARK: str(paths.home), "PYTHONDONTWRITEBYTECODE": "1"}
    log = paths.log(name.replace("/", "."))
    return Job(
        name=name,
        launch=procs.Launch(
            argv, spec.source, env, log, own_home, guarding.server_guards(paths, spec), [spec.model]
        ),
        ready=_asks(client, arm.port, path),
        waits_for=f"http://{HOST}:{arm.port}{path}",
        port=arm.port,
        limit=arm.limit,
        once=not arm.loaded,
    )


def _asks(client: aiohttp.ClientSession, port: int, path: str) -> Callable[[], Awaitable[bool]]:
    async def ready() -> bool:
        return await _get(client, port, path) is not None

    return ready


async def _get(client: aiohttp.ClientSession, port: int, path: str) -> bytes | None:
    """The body of a 200, or None."""
    limit = aiohttp.ClientTimeout(total=PROBE)
    try:
        async with client.get(f"http://{HOST}:{port}{path}", timeout=limit) as response:
            body = await response.read()
            return body if response.status == 200 else None
    except (aiohttp.ClientError, TimeoutError, ConnectionError):
        return None
