"""The local platform's pipelines: versions in folders, runs by owner key, each at most once at a time."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from tagline_task import masking

from tagline.config_keys import EngineName
from tagline.engines import Engine
from tagline.errors import NotYetSupported, PlatformUnavailable
from tagline.pipeline.compiled import Compiled
from tagline.platforms import (
    ModelFacts,
    Run,
    RunRequest,
    RunState,
    TaskEvent,
    UploadedVersion,
)
from tagline.platforms.local import locks, outputs, secrets, spec, versions
from tagline.platforms.local.store import Ending, Store
from tagline.secrets.sources import Names, Source
from tagline.words import Release

WAIT_STEP = 0.2
WAIT_MARGIN = 3600.0  # what the other process may need to make the environment first
Listener = Callable[[TaskEvent], None]


class LocalPipelines:
    """Implements `platforms.Pipelines` under `home`; `source` is where tasks' secrets come from.

    With `containers` the tasks of a file whose images are real run in them, in that engine.
    """

    detached = False

    def __init__(
        self,
        home: Path,
        engine: Engine,
        source: Source | None = None,
        *,
        containers: EngineName | None = None,
    ) -> None:
        self.home, self.engine, self._containers = home, engine, containers
        self._source = Names(os.environ) if source is None else source
        self._store = Store(home)

    def place(self, compiled: Path) -> None:
        """Every task runs on this machine: nothing is to be said of it."""

    def upload(
        self, pipeline: str, release: Release, commit: str, compiled: Path, source: Path
    ) -> UploadedVersion:
        """Keep a version. The same content again is a no-op; other content raises `ContentDiffers`."""
        given = UploadedVersion(pipeline, release, commit, "", compiled, source, "")
        return versions.upload(self._store, given)

    def version(self, pipeline: str, release: Release) -> UploadedVersion | None:
        """The uploaded version, or None."""
        return self._store.version(pipeline, release)

    def versions(self, pipeline: str) -> list[UploadedVersion]:
        """All uploaded versions of a pipeline, oldest release first."""
        return self._store.versions(pipeline)

    def run(self, request: RunRequest, told: Listener) -> Run:
        """Find the run of `request.owner`, or start it, and follow it to its end.

        An ended run is returned as it is, an interrupted one started again in a folder of its own. Where
        another process runs the same owner, this one waits for it. `Run.problem()` is the error of a
        failure. Before anything runs it raises `NotYetSupported`, `ConfigError` (parameters),
        `SecretMissing`, and what `Engine.build` raises.
        """
        file = self._lock_file(request.owner)
        deadline = time.monotonic() + request.timeout + WAIT_MARGIN
        waiting = False
        while time.monotonic() < deadline:
            with locks.try_lock(file) as lock:
                if lock:
                    return self._found(request.owner) or self._start(request, lock, told)
            if not waiting:
                told(TaskEvent(request.owner, "waiting for the process that runs it"))
            waiting = True
            time.sleep(WAIT_STEP)
        raise PlatformUnavailable(
            f"another process still runs {request.owner}", where=str(file), fix="wait for it, or end it"
        )

    def start(self, request: RunRequest) -> Run:
        """Never called: a run of this platform is this process's own."""
        raise NotImplementedError("runs of the local platform are followed")

    def sweep(self, pipeline: str) -> list[str]:
        """Runs of this platform are folders of its home, which stay."""
        return []

    def cancel(self, run: Run) -> None:
        """Never called: a run of this platform ends with the process that follows it."""
        raise NotImplementedError("runs of the local platform are followed")

    def retry(self, run: Run) -> Run:
        """Never called: what failed on this platform is started anew."""
        raise NotImplementedError("runs of the local platform are started anew")

    def runs(self, owner_prefix: str) -> list[Run]:
        """Runs whose owner key begins with the prefix, oldest first."""
        found = self._store.runs(owner_prefix)
        return [self._settled(run) if run.state is RunState.RUNNING else run for run in found]

    def facts(self, run: Run, models: list[str]) -> ModelFacts | None:
        """The model of a succeeded run: its facts file, else its single system.Model output.

        `models` (`task.output`) chooses among several, else `NoModel`; None where there is no model.
        """
        return outputs.model_facts(run.outputs, models)

    def _lock_file(self, owner: str) -> Path:
        return locks.lock_file(self.home, "run", owner)

    def _settled(self, run: Run) -> Run:
        """A run that is marked running: interrupted, if nobody holds its lock."""
        with locks.try_lock(self._lock_file(run.owner)) as lock:
            return self._interrupted(run) if lock else run

    def _interrupted(self, run: Run) -> Run:
        return self._store.end(run, RunState.INTERRUPTED, Ending("its process vanished"))

    def _found(self, owner: str) -> Run | None:
        """The ended run of an owner whose lock we hold; one marked running lost its process."""
        run = self._store.run_of(owner)
        if run and run.state is RunState.RUNNING:
            self._interrupted(run)
            return None
        return run

    def _start(self, request: RunRequest, lock: IO[str], told: Listener) -> Run:
        import yaml

        from tagline.platforms.local import child
        from tagline.platforms.local.executor import Job, containers_of

        compiled = spec.read_pipeline(request.compiled)
        _check_supported(compiled)
        parameters = spec.parameters(compiled, request.parameters)
        hidden = secrets.resolve(spec.secret_uses(compiled, parameters), self._source)
        masking.hide(secrets.values(hidden))
        limits = spec.time_limits(compiled)
        contained = self._containers if _has_images(compiled) else None
        python = "" if contained else self.engine.build(request.tree, serving=request.serving).python
        run = self._store.begin(request.owner, request.pipeline)
        run.outputs.mkdir(parents=True, exist_ok=True)
        places = (str(run.outputs), str(request.tree.absolute()), str(python))
        given = (yaml.safe_dump(compiled.ir), parameters, *places, os.getpid(), request.timeout)
        asked = spec.limits(compiled) if contained else {}
        job = Job(*given, limits, hidden, self.engine.guards, contained, asked, str(self.home))
        try:
            ended = child.follow(job, lock, told)
        except BaseException:
            self._store.end(run, RunState.INTERRUPTED, Ending("interrupted"))
            raise
        finally:
            if contained:  # what a killed child left running is the engine's, and outlives it
                containers_of(contained).sweep(job.folder, os.environ)
        if ended is None:
            log = str(run.outputs / child.LOG)
            vanished = Ending("the orchestrating process vanished", log=log)
            return self._store.end(run, RunState.INTERRUPTED, vanished)
        state = RunState.FAILED if ended.error else RunState.SUCCEEDED
        return self._store.end(run, state, Ending(ended.error, ended.kind, ended.task, ended.log))


def _has_images(compiled: Compiled) -> bool:
    """Whether the tasks name images; on engine `process` an environment's identity stands in their place."""
    from tagline.pipeline.identity import PREFIX

    return not any(one.get("image", "").startswith(PREFIX) for one in compiled.containers().values())


def _check_supported(compiled: Compiled) -> None:
    """Raise `NotYetSupported` naming the constructs that this platform does not run."""
    from tagline.pipeline.rules import unsupported

    if found := unsupported(compiled.ir):
        raise NotYetSupported(f"the local platform does not run {', '.join(map(str, found))} yet")
