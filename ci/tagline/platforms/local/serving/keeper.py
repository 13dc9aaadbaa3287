"""Keeps one process alive: starts or finds it, waits until it is ready, starts it again when it died."""

import asyncio
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable

import msgspec

from tagline.platforms.local.serving import logfiles, procs
from tagline.platforms.local.serving.wire import Phase, ProcessStatus

POLL = 0.1
HEALTH_EVERY = 2.0
STEADY = 60.0
GRACE = 10.0
LONGEST_PAUSE = 30.0


class Job(msgspec.Struct, frozen=True):
    """What a keeper keeps: how to start it, how to ask whether it is ready, and how long that may take.

    `waits_for` names the answer it waits for. With `once`, a process that was never ready is not tried again.
    """

    name: str
    launch: procs.Launch
    ready: Callable[[], Awaitable[bool]]
    waits_for: str
    port: int = 0
    limit: float = 30.0
    once: bool = False


class Keeper:
    """One process, its history; `found` is one that an earlier supervisor left, `told` hears of changes."""

    def __init__(self, job: Job, found: procs.Identity | None, told: Callable[["Keeper"], None]) -> None:
        self.job = job
        self.identity = found if procs.alive(found) else None
        self.phase = Phase.STARTING
        self.note = ""
        self.restarts = 0
        self._told = told
        self._child: subprocess.Popen[bytes] | None = None
        self._deaths = 0
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name=self.job.name)

    def go_on(self) -> None:
        """Keep on where an error of ours (a full disk) had ended the keeping."""
        if self._task and self._task.done() and not self._task.cancelled() and self.phase is not Phase.FAILED:
            self.note = f"was left alone: {self._task.exception()}"
            self.begin()

    async def stop(self, grace: float = GRACE) -> None:
        """End the process: asked, and after `grace` seconds killed; then nothing of its group is left."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._end(grace)

    def status(self) -> ProcessStatus:
        pid = self.identity.pid if self.identity else 0
        return ProcessStatus(self.job.name, self.phase, pid, self.job.port, self.restarts, self.note)

    async def _run(self) -> None:
        while True:
            if not self._lives():
                self._start()
            if await self._becomes_ready():
                await self._until_dead()
            elif self.job.once and not self.restarts:
                self._move(Phase.FAILED, self.note)
                return
            self.restarts += 1
            await self._pause()

    def _lives(self) -> bool:
        if self._child:
            return self._child.poll() is None
        return procs.alive(self.identity)

    def _start(self) -> None:
        try:
            self._child = procs.start(self.job.launch)
            self.identity = procs.identify(self._child.pid)
        except (OSError, ValueError) as error:
            self._child, self.identity = None, None
            self.note = f"cannot be started: {error}"
        self._move(Phase.STARTING, self.note)

    async def _becomes_ready(self) -> bool:
        began = time.monotonic()
        while self._lives():
            if await self.job.ready():
                self._move(Phase.READY, "")
                return True
            if time.monotonic() - began > self.job.limit:
                await self._end(1.0)
                self.note = f"not ready within {self.job.limit:g} s (waited for {self.job.waits_for})"
                return False
            await asyncio.sleep(POLL)
        self.note = self._death()
        return False

    async def _until_dead(self) -> None:
        began = checked = time.monotonic()
        missed = 0
        while self._lives():
            await asyncio.sleep(POLL)
            if time.monotonic() - checked < HEALTH_EVERY:
                continue
            missed = 0 if await self.job.ready() else missed + 1
            checked = time.monotonic()
            phase = Phase.SILENT if missed > 1 else Phase.READY
            if phase is not self.phase:
                self._move(phase, "" if phase is Phase.READY else f"no answer from {self.job.waits_for}")
        if time.monotonic() - began > STEADY:
            self._deaths = 0
        self.note = self._death()

    def _death(self) -> str:
        if self._child is None:
            return self.note or "died"
        code = self._child.returncode
        return f"ended with signal {-code}" if code and code < 0 else f"ended with exit code {code}"

    async def _pause(self) -> None:
        """At once after the first death, then after twice as long each time."""
        wait = 0.0 if self._deaths == 0 else min(LONGEST_PAUSE, 0.5 * 2**self._deaths)
        self._deaths += 1
        again = f"; died {self.restarts} times, starts again in {wait:g} s" if wait else ""
        self._move(Phase.WAITING, self.note + again)
        await asyncio.sleep(wait)

    async def _end(self, grace: float) -> None:
        deadline = time.monotonic() + grace
        if self.identity:
            procs.send(self.identity, signal.SIGTERM)
        while self._lives() and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        if self.identity and self._lives():
            procs.send(self.identity, signal.SIGKILL)
        while self._lives() and time.monotonic() < deadline + 5:
            await asyncio.sleep(0.02)
        self.identity = None

    def _move(self, phase: Phase, note: str) -> None:
        self.phase, self.note = phase, note
        self._told(self)

    def last_words(self) -> str:
        """Why it is not ready, with the end of its log."""
        return f"{self.note}\n{logfiles.tail(self.job.launch.log)}".rstrip()
