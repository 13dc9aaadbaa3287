"""The supervisor: keeps what should serve on disk, and makes it so, whatever dies."""

import asyncio
import logging
import os
import signal
import time

import aiohttp

from tagline import __version__
from tagline.errors import PlatformError, PlatformUnavailable
from tagline.platforms.local.serving import admin, files, jobs, launch, ports, procs, records, wire
from tagline.platforms.local.serving.keeper import Keeper
from tagline.platforms.local.serving.paths import Paths
from tagline.platforms.local.serving.records import State
from tagline.platforms.local.serving.watchdog import Watchdog

ACKNOWLEDGE = 8.0
log = logging.getLogger("supervisor")


class Supervisor:
    """One per home. Everything runs in one event loop, so each change of the state is whole."""

    def __init__(self, paths: Paths, state: State, client: aiohttp.ClientSession) -> None:
        self.paths = paths
        self.state = state
        self.failures: dict[str, str] = {}
        self._client = client
        self._keepers: dict[str, Keeper] = {}
        self._leaving: dict[str, asyncio.Task[None]] = {}
        self._left = files.read(paths.processes, launch.Processes) or launch.Processes()
        self._watchdog = Watchdog(paths.home, self._say)
        self._said = ""
        self._keeps_files = True
        job = jobs.router(paths, state.port, client)
        self._router = Keeper(job, self._left.router, self._moved)

    async def begin(self) -> None:
        """Take over what an earlier supervisor left, end what nobody knows, and start what is missing."""
        known = {
            one.pid for one in (*self._left.servers.values(), self._left.router) if one and procs.alive(one)
        }
        for stray in procs.strays(self.paths.home, known):
            log.warning("ending stray process %s", stray.pid)
            procs.send(stray, signal.SIGKILL)
        running = await jobs.applied(self.paths)
        if self._left.router and (running is None or running.revision > self.state.revision):
            procs.send(self._left.router, signal.SIGKILL)
        if not procs.alive(
            self._left.router
        ):  # nothing is routed yet: no request for a canary that nobody watches
            for one in self._watchdog.abandoned(time.monotonic()):
                self.state = records.taken_back(self.state, one.env, one.model, one.canary)
                one.note()
        self._write()
        self._router.begin()
        self._reconcile()

    def hello(self) -> wire.Hello:
        return wire.Hello(wire.PROTOCOL, __version__, os.getpid(), self.state.port)

    def status(self) -> wire.Status:
        own = wire.ProcessStatus("supervisor", wire.Phase.READY, os.getpid())
        rest = [keeper.status() for keeper in (self._router, *self._keepers.values())]
        return wire.Status(self.hello(), [own, *rest], self.failures)

    def change(self, state: State) -> None:
        """Make this the state: on disk first, then in the processes."""
        if state == self.state:
            return
        self.state = state
        self._write()
        self._reconcile()

    async def push(self) -> wire.Applied:
        """Have the router use the state now. Raises `PlatformUnavailable` if it does not within 8 seconds."""
        wanted = self.state.revision
        deadline = time.monotonic() + ACKNOWLEDGE
        while True:
            try:
                table = records.table(self.state)
                answer = await asyncio.to_thread(
                    admin.ask, self.paths.control, "/apply", wire.Applied, body=table, timeout=ACKNOWLEDGE
                )
                if answer.revision >= wanted:
                    return answer
            except PlatformUnavailable:
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(0.05)

    async def deploy(self, asked: wire.Deploy) -> None:
        """Have a version warm; the caller follows its status until it is ready or failed."""
        name = records.key(asked.env, asked.spec)
        self.failures.pop(name, None)
        await self._stay(name)
        keeper = self._keepers.get(name)
        if keeper and keeper.phase in {wire.Phase.WAITING, wire.Phase.SILENT}:
            await keeper.stop()
            self._keepers.pop(name)
        port = ports.free_port()
        self.change(records.deployed(self.state, asked.env, asked.spec, port=port, limit=asked.limit))
        self._reconcile()
        await self.push()

    async def weigh(self, asked: wire.Weigh) -> wire.Applied:
        """Set weights; returns when the router uses them. A version that is not ready cannot gain."""
        weights = dict(asked.weights)
        route = self.state.route(asked.env, asked.model)
        for arm in route.arms if route else []:
            name = records.key(asked.env, arm.spec)
            if weights.get(arm.spec.version, 0) > arm.weight and not self._ready(name):
                raise PlatformUnavailable(
                    f"{name} is not ready, so it can take no more requests",
                    fix="look at it: tagline local logs",
                )
        self.change(records.weighted(self.state, asked.env, asked.model, weights))
        return await self.push()

    def remove(self, asked: wire.Remove) -> None:
        """Begin to drain a version; raises `PlatformError` while it has weight."""
        route = self.state.route(asked.env, asked.model)
        arm = route.arm(asked.version) if route else None
        if arm is None:
            return
        name = records.key(asked.env, arm.spec)
        if arm.weight:
            raise PlatformError(f"{name} still takes {arm.weight} percent", fix="set its weight to 0 first")
        self.change(records.changed_arm(self.state, name, leaving=True))

    async def tick(self) -> None:
        """What is due: a keeper that fell, an abandoned canary back to 0."""
        for keeper in (self._router, *self._keepers.values()):
            keeper.go_on()
        for one in self._watchdog.abandoned(time.monotonic()):
            self.change(records.taken_back(self.state, one.env, one.model, one.canary))
            await self.push()
            one.note()

    async def stop(self, *, clear: bool) -> None:
        """End the router, then every server; `clear` removes what only a running platform needs.

        Without `clear` the home is no longer ours: nothing is written or removed there.
        """
        self._keeps_files = clear
        for task in self._leaving.values():
            task.cancel()
        await self._router.stop()
        await asyncio.gather(*(keeper.stop() for keeper in self._keepers.values()))
        if clear:
            self.paths.clear()

    def _ready(self, name: str) -> bool:
        keeper = self._keepers.get(name)
        return keeper is not None and keeper.phase is wire.Phase.READY

    def _write(self) -> None:
        if not self._keeps_files:
            return
        files.write(self.paths.state, self.state)
        files.write(self.paths.table, records.table(self.state))

    def _reconcile(self) -> None:
        """A keeper for each server of the state, a drain for each that is to leave."""
        for name, (_, arm) in records.servers(self.state).items():
            if name not in self._keepers:
                self._keep(name, arm)
            if arm.leaving and name not in self._leaving:
                self._leaving[name] = asyncio.get_running_loop().create_task(self._leave(name))
        self._record()

    def _keep(self, name: str, arm: records.ArmRecord) -> None:
        found = self._left.servers.get(name)
        if not procs.alive(found) and not ports.is_free(arm.port):
            self.state = records.changed_arm(self.state, name, port=ports.free_port())
            self._write()
            arm = records.servers(self.state)[name][1]
        keeper = Keeper(jobs.server(self.paths, name, arm, self._client), found, self._moved)
        self._keepers[name] = keeper
        keeper.begin()

    def _moved(self, keeper: Keeper) -> None:
        """A server's phase changed: remember that it loaded, or give it up."""
        name = keeper.job.name
        log.info("%s: %s %s", name, keeper.phase, keeper.note)
        if keeper.phase is wire.Phase.READY and keeper is not self._router:
            self.change(records.changed_arm(self.state, name, loaded=True))
        if keeper.phase is wire.Phase.FAILED:
            self.failures[name] = keeper.last_words()
            self._keepers.pop(name, None)
            self.change(records.without(self.state, name))
        self._record()

    async def _leave(self, name: str) -> None:
        """Two phases: the router drains it and forgets it; only then the server stops."""
        found = records.servers(self.state).get(name)
        if found is None:
            return
        route, arm = found
        await self.push()
        deadline = time.monotonic() + arm.spec.timeout + 5
        while time.monotonic() < deadline and await self._inflight(route, arm):
            await asyncio.sleep(0.05)
        self.change(records.without(self.state, name))
        await self.push()
        if name in self._keepers:
            await self._keepers[name].stop()
            self._keepers.pop(name)
        self._leaving.pop(name, None)
        self._record()

    async def _stay(self, name: str) -> None:
        """A version that drains is kept after all; one that is past that has to stop before it starts anew."""
        task = self._leaving.get(name)
        if task is None:
            return
        if name in records.servers(self.state):
            task.cancel()
        await asyncio.wait([task])
        self._leaving.pop(name, None)

    async def _inflight(self, route: records.RouteRecord, arm: records.ArmRecord) -> bool:
        what = f"/counts/{route.name}"
        try:
            counts = await asyncio.to_thread(admin.ask, self.paths.control, what, wire.RouteCounts)
        except PlatformUnavailable:
            return False  # a router that is gone holds no request
        return counts.inflight.get(str(arm.spec.version), 0) > 0

    def _record(self) -> None:
        if not self._keeps_files:
            return
        running = {name: keeper.identity for name, keeper in self._keepers.items() if keeper.identity}
        record = launch.Processes(
            port=self.state.port,
            supervisor=procs.identify(os.getpid()),
            router=self._router.identity,
            servers=running,
        )
        files.write(self.paths.processes, record)

    def _say(self, text: str) -> None:
        if text != self._said:
            log.error(text)
        self._said = text
