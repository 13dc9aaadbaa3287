"""The router's process: the data plane on its port, a control socket, and an eye on the supervisor."""

import argparse
import asyncio
import os
import secrets
import signal
import sys
from pathlib import Path

from aiohttp import web

from tagline import __version__
from tagline.engines import sandbox
from tagline.errors import StateBroken
from tagline.platforms import Counts
from tagline.platforms.local.serving import files, launch, ports, procs
from tagline.platforms.local.serving.paths import Paths
from tagline.platforms.local.serving.proxy import Router, server
from tagline.platforms.local.serving.table import Table
from tagline.platforms.local.serving.tally import RouteTally
from tagline.platforms.local.serving.upstream import Upstream
from tagline.platforms.local.serving.wire import Applied, RouteCounts

DRAIN = 10.0
WATCH = 1.0


def _counts(router: Router, tally: RouteTally) -> RouteCounts:
    at = asyncio.get_running_loop().time()
    arms = {version: arm.counts() for version, arm in tally.arms.items()}
    generation = f"{router.boot}.{tally.route.revision}"
    return RouteCounts(
        counts=Counts(generation, at, arms, tally.client_bad, tally.requests),
        drawn={version: arm.drawn for version, arm in tally.arms.items()},
        inflight={version: arm.inflight for version, arm in tally.arms.items()},
    )


def _applied(router: Router) -> Applied:
    return Applied(router.boot, router.revision, __version__, os.getpid())


def control(router: Router) -> web.Application:
    """The supervisor's and the commands' side: take a table, give the counters."""

    async def apply(request: web.Request) -> web.Response:
        router.apply(files.decode(await request.read(), Table))
        return web.Response(body=files.encode(_applied(router)))

    async def applied(_: web.Request) -> web.Response:
        return web.Response(body=files.encode(_applied(router)))

    async def counts(request: web.Request) -> web.Response:
        tally = router.routes.get(f"{request.match_info['env']}/{request.match_info['model']}")
        if tally is None:
            empty = RouteCounts(Counts(f"{router.boot}.0", asyncio.get_running_loop().time(), {}), {}, {})
            return web.Response(body=files.encode(empty))
        return web.Response(body=files.encode(_counts(router, tally)))

    application = web.Application(client_max_size=64 * 1024 * 1024)
    application.add_routes(
        [web.post("/apply", apply), web.get("/applied", applied), web.get("/counts/{env}/{model}", counts)]
    )
    return application


async def watch_supervisor(paths: Paths) -> None:
    """Start a new supervisor when the recorded one is gone twice in a row; its lock lets only one live.

    One that does not stay is started again after ever longer waits, up to a minute.
    """
    missed, wait = 0, WATCH
    while True:
        await asyncio.sleep(wait)
        recorded = _recorded(paths)
        if recorded is None or procs.alive(recorded.supervisor):
            missed, wait = 0, WATCH
            continue
        missed += 1
        if missed > 1:
            await asyncio.to_thread(launch.start_supervisor, paths, recorded.port)
            wait = min(60.0, 2 * wait)


def _recorded(paths: Paths) -> launch.Processes | None:
    """What the record says; None where there is none, or none that can be read."""
    try:
        return files.read(paths.processes, launch.Processes)
    except StateBroken:
        return None


async def serve(paths: Paths, port: int) -> None:
    """Serve until SIGTERM; what is in flight then gets 10 seconds."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Upstream() as upstream:
        router = Router(upstream, secrets.token_hex(4))
        router.apply(files.read(paths.table, Table) or Table())
        front = web.ServerRunner(server(router), shutdown_timeout=DRAIN)
        back = web.AppRunner(control(router), access_log=None, shutdown_timeout=1)
        await front.setup()
        await back.setup()
        await web.TCPSite(front, ports.HOST, port, backlog=1024).start()
        paths.control.unlink(missing_ok=True)
        previous = os.umask(0o177)
        await web.UnixSite(back, paths.control).start()
        os.umask(previous)
        watching = asyncio.create_task(watch_supervisor(paths))
        await stop.wait()
        watching.cancel()
        await front.cleanup()
        await back.cleanup()


def main() -> int:
    """`python -m … --home HOME --port PORT`; 1 where the port is taken."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    sandbox.protect_parent()
    if not ports.is_free(arguments.port):
        print(f"router: {ports.taken(arguments.port).what}", file=sys.stderr)
        return 1
    asyncio.run(serve(Paths(arguments.home), arguments.port))
    return 0


if __name__ == "__main__":
    sys.exit(main())
