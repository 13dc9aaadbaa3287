"""The supervisor's process: one per home by its lock, with a socket where the commands ask."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp
import msgspec
from aiohttp import web

from tagline.engines import sandbox
from tagline.errors import PlatformError, TaglineError
from tagline.platforms.local.serving import files, logfiles, wire
from tagline.platforms.local.serving.paths import Paths
from tagline.platforms.local.serving.records import State
from tagline.platforms.local.serving.supervisor import Supervisor

TICK = 0.25
LOGS_EVERY = 5.0
log = logging.getLogger("supervisor")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def _answer(body: msgspec.Struct, status: int = 200) -> web.Response:
    return web.Response(status=status, body=files.encode(body), content_type="application/json")


@web.middleware
async def _refuse(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Our own errors travel as data; anything else is a bug, and in the log."""
    try:
        return await handler(request)
    except TaglineError as error:
        return _answer(wire.Refusal(type(error).__name__, error.what, error.where, error.fix), 409)
    except msgspec.DecodeError as error:
        return _answer(wire.Refusal(PlatformError.__name__, f"not understood: {error}", "", ""), 400)


def desk(supervisor: Supervisor, leave: "asyncio.Future[wire.End]") -> web.Application:
    """What commands can ask of the supervisor. Every call may be repeated."""

    async def status(_: web.Request) -> web.Response:
        return _answer(supervisor.status())

    async def deploy(request: web.Request) -> web.Response:
        await supervisor.deploy(files.decode(await request.read(), wire.Deploy))
        return _answer(supervisor.status())

    async def weigh(request: web.Request) -> web.Response:
        return _answer(await supervisor.weigh(files.decode(await request.read(), wire.Weigh)))

    async def remove(request: web.Request) -> web.Response:
        supervisor.remove(files.decode(await request.read(), wire.Remove))
        return _answer(supervisor.status())

    async def end(request: web.Request) -> web.Response:
        _decide(leave, files.decode(await request.read(), wire.End))
        return _answer(supervisor.hello())

    application = web.Application(middlewares=[_refuse])
    posts = {"/deploy": deploy, "/weights": weigh, "/remove": remove, "/end": end}
    application.add_routes(
        [web.get("/status", status), *(web.post(path, one) for path, one in posts.items())]
    )
    return application


def _decide(leave: "asyncio.Future[wire.End]", how: wire.End) -> None:
    if not leave.done():
        leave.set_result(how)


async def _tick(supervisor: Supervisor) -> None:
    """Look at what is due, for ever; an error is in the log, and the next look comes all the same."""
    while True:
        try:
            await supervisor.tick()
        except Exception:
            log.exception("a look at what is due failed")
        await asyncio.sleep(TICK)


async def _bound_logs(paths: Paths) -> None:
    while True:
        await asyncio.to_thread(logfiles.bound, paths.logs)
        await asyncio.sleep(LOGS_EVERY)


async def _until_deleted(lock: int, paths: Paths, leave: "asyncio.Future[wire.End]") -> None:
    """Leave once the lock's file is gone: somebody deleted the home under a running platform."""
    while files.lies_at(paths.lock, lock):
        await asyncio.sleep(TICK)
    log.error("the home was deleted: %s", paths.home)
    _decide(leave, wire.End(stop=True))


async def serve(paths: Paths, port: int, lock: int) -> None:
    """Supervise until asked to leave, SIGTERM, or the home is deleted; `lock` is the held lock's descriptor."""
    loop = asyncio.get_running_loop()
    leave: asyncio.Future[wire.End] = loop.create_future()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _decide, leave, wire.End(stop=True))
    state = msgspec.structs.replace(files.read(paths.state, State) or State(), port=port)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as client:
        supervisor = Supervisor(paths, state, client)
        await supervisor.begin()
        runner = web.AppRunner(desk(supervisor, leave), access_log=None, shutdown_timeout=1)
        await runner.setup()
        paths.admin.unlink(missing_ok=True)
        os.umask(0o177)
        await web.UnixSite(runner, paths.admin).start()
        os.umask(0o077)
        watches = (_tick(supervisor), _bound_logs(paths), _until_deleted(lock, paths, leave))
        tasks = [loop.create_task(one) for one in watches]
        how = await leave
        for task in tasks:
            task.cancel()
        await runner.cleanup()
        if how.stop:
            await supervisor.stop(clear=files.lies_at(paths.lock, lock))


def main() -> int:
    """`python -m … --home HOME --port PORT`; 0 also where another supervisor has this home already."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    sandbox.protect_parent()
    logging.basicConfig(format="%(asctime)s %(name)s: %(message)s", level=logging.INFO, stream=sys.stderr)
    paths = Paths(arguments.home)
    lock = files.hold(paths.lock)
    if not isinstance(lock, bytes):
        try:
            asyncio.run(serve(paths, arguments.port, lock))
        except TaglineError as error:
            log.error("%s", error)
            return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
