"""Versions and runs of pipelines on a Kubeflow installation, as the flow asks for them."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tagline.errors import BadWord, ConfigError, KfpNotThere
from tagline.kubeflow_keys import Kubeflow
from tagline.pipeline import compiled as compiled_file
from tagline.pipeline.compiled import Compiled
from tagline.pipeline.identity import digest_of
from tagline.platforms import ModelFacts, Run, RunRequest, TaskEvent, UploadedVersion
from tagline.platforms.kubeflow import gpus
from tagline.platforms.kubeflow.cluster import Cluster
from tagline.platforms.kubeflow.marks import Provenance
from tagline.platforms.kubeflow.runs import keys, orphans, retrying, rows, scheduled, starting, sweeping
from tagline.platforms.kubeflow.runs.caching import sent
from tagline.platforms.kubeflow.runs.following import Clock, Follower, Pace
from tagline.platforms.kubeflow.server.connection import Connection
from tagline.platforms.kubeflow.store import models as store_models
from tagline.platforms.kubeflow.store.objects import Objects
from tagline.platforms.kubeflow.versions import upload as uploading
from tagline.platforms.kubeflow.versions.upload import Held
from tagline.words import Release


class KubeflowPipelines:
    """Implements `platforms.Pipelines` on one server, as one repository; `folder` holds what was read from it."""

    detached = True

    def __init__(
        self,
        server: Connection,
        said: Kubeflow,
        owner: str,
        folder: Path,
        environ: Mapping[str, str],
    ) -> None:
        self.server, self.said, self.owner, self.folder = server, said, owner, folder
        self._environ = environ
        self.pace, self.clock = Pace(), Clock()
        self._found: dict[tuple[str, Release], tuple[Held, Provenance]] = {}

    def place(self, compiled: Path) -> None:
        """Write the platform file's GPU profile into the tasks that ask for one; raises `ConfigError` without it."""
        read = compiled_file.read(compiled)
        made = gpus.placed(read, self.said.gpu.get("training"))
        if made is not read:
            compiled.write_text(made.text())

    def upload(
        self, pipeline: str, release: Release, commit: str, compiled: Path, source: Path
    ) -> UploadedVersion:
        """Keep a version. The same content again is a no-op; other content raises `ContentDiffers`."""
        read = compiled_file.read(compiled)
        said = Provenance(self.owner, pipeline, str(release), commit, digest_of(read), image_of(read))
        held = uploading.upload(self.server, compiled, said)
        return self._kept(held, held.provenance or said)

    def version(self, pipeline: str, release: Release) -> UploadedVersion | None:
        """The uploaded version, or None; one that tagline has not uploaded from this repository is none."""
        known = self._known(pipeline, release)
        return self._kept(*known) if known else None

    def held(self, pipeline: str, release: Release) -> Held | None:
        """A version of ours as the server has it, asked for once: what is uploaded never changes."""
        known = self._known(pipeline, release)
        return known[0] if known else None

    def _known(self, pipeline: str, release: Release) -> tuple[Held, Provenance] | None:
        """A version of ours and where it comes from; one that is there is asked for once."""
        if (pipeline, release) not in self._found:
            there = uploading.find_pipeline(self.server, pipeline)
            held = uploading.find_version(self.server, there["pipeline_id"], str(release)) if there else None
            said = self._said(held, pipeline) if held else None
            if held is None or said is None:
                return None
            self._found[pipeline, release] = held, said
        return self._found[pipeline, release]

    def versions(self, pipeline: str) -> list[UploadedVersion]:
        """All versions of a pipeline that tagline has uploaded, oldest release first."""
        found = uploading.find_pipeline(self.server, pipeline)
        held = uploading.all_versions(self.server, found["pipeline_id"]) if found else ()
        made = [self._kept(one, said) for one in held if (said := self._said(one, pipeline))]
        return sorted(made, key=lambda one: one.release)

    def _said(self, held: Held, pipeline: str) -> Provenance | None:
        """Where a version comes from; None where it is not what its own description would make of it, or not ours.

        Anybody who may upload writes descriptions.
        """
        said = held.provenance
        ours = said and (said.owner, said.pipeline, said.release) == (self.owner, pipeline, held.name)
        return said if ours else None

    def _kept(self, held: Held, said: Provenance) -> UploadedVersion:
        """A version with its compiled file laid down here, as the server has it."""
        try:
            release = Release.parse(said.release)
        except BadWord as error:
            raise KfpNotThere(
                f"version {held.name} of {said.pipeline} says that it is release {said.release!r}",
                where=self.server.url,
            ) from error
        file = self.folder / "versions" / said.owner / said.pipeline / f"{held.id}.yaml"
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            draft = file.with_suffix(".draft")
            draft.write_text(held.content.text())
            draft.replace(file)
        return UploadedVersion(said.pipeline, release, said.commit, said.image, file, None, said.content)

    def start(self, request: RunRequest) -> Run:
        """Find the run of `request.owner`, or start it; it goes on by itself."""
        return rows.as_run(starting.start(self.server, self._wanted(request)))

    def run(self, request: RunRequest, told: Callable[[TaskEvent], None]) -> Run:
        """Find the run of `request.owner`, or start it, and follow it to its end; interrupted, it is cancelled.

        Nothing of it is taken from the server's cache, nor kept there: a run is not answered with a smoke run's result.
        """
        row = starting.start(self.server, self._wanted(request))
        if not row.state.ended:
            row = Follower(self.server, told, self.pace, self.clock).to_its_end(row, request.timeout)
        return rows.as_run(row)

    def sweep(self, pipeline: str) -> list[str]:
        """Remove old smoke runs, and second rows of a key, from the server; their owner keys.

        Where the platform file gives access to the cluster, Workflows without a row too, by their names.
        """
        now, said = time.time(), self.said.cluster
        swept = sweeping.sweep(self.server, pipeline, self.owner, now)
        if said is None:
            return swept
        cluster = Cluster(said, self.said.training, self._environ)
        return swept + orphans.sweep(self.server, cluster, pipeline, self.owner, now)

    def cancel(self, run: Run) -> None:
        """End a run that goes on there; of one that has ended nothing is left to end."""
        starting.cancel(self.server, rows.Row(run.id, run.owner, rows.State.RUNNING))

    def retry(self, run: Run) -> Run:
        """Let a run that failed go on where it failed; of one that goes on, or succeeded, nothing is asked."""
        return rows.as_run(retrying.retry(self.server, rows.Row(run.id, run.owner, rows.State.FAILED)))

    def runs(self, owner_prefix: str) -> list[Run]:
        """Runs whose owner key begins with the prefix, oldest first: of each key the one that counts."""
        found = [*starting.listed(self.server, owner_prefix, self.owner)]
        if owner_prefix.count("/") == 1:  # of a whole pipeline: those that its schedules started too
            root = keys.root_of(self._store().root, owner_prefix)
            found += scheduled.started(self.server, owner_prefix.rstrip("/"), root, self.owner)
        of_key: dict[str, list[rows.Row]] = {}
        for row in found:
            of_key.setdefault(row.owner, []).append(row)
        counted = [one for found in of_key.values() if (one := rows.chosen(found))]
        return [rows.as_run(one) for one in sorted(counted, key=lambda one: (one.created_at, one.id))]

    def facts(self, run: Run, models: list[str]) -> ModelFacts | None:
        """The model of a succeeded run: its facts file in the store, else its single system.Model output.

        Of a smoke run, which is of no version, only a facts file counts.
        """
        pipeline, release = _of(run.owner)
        kept = self.version(pipeline, release) if release else None
        if release and kept is None:
            raise KfpNotThere(
                f"version {release} of {pipeline}, which run {run.owner} is of, is gone from the server",
                where=self.server.url,
                fix="tagline ci uploads it again",
            )
        read = compiled_file.read(kept.compiled) if kept else Compiled({"root": {}})
        return store_models.model_facts(self._objects(), run, read, models)

    def _objects(self) -> Objects:
        return Objects(self._store(), self._environ, self.said.ca)

    def _store(self) -> Any:
        if self.said.store is None:
            raise ConfigError(
                "the platform file names no object store, where models are looked for",
                fix="store: {root: 's3://BUCKET/PREFIX', endpoint: 'https://…'}",
            )
        return self.said.store

    def _wanted(self, request: RunRequest) -> starting.Wanted:
        """What is sent: a version, or a smoke run's compiled file, always with the cache off."""
        held = self._version_of(request)
        compiled = held.content if held else compiled_file.read(request.compiled)
        what = sent(compiled, held.reference if held else None, cache=False)
        return starting.Wanted(
            owner=request.owner,
            repository=self.owner,
            root=keys.root_of(self._store().root, request.owner),
            parameters=request.parameters,
            version=what.get("pipeline_version_reference"),
            spec=what.get("pipeline_spec"),
            service_account=self.said.service_account,
        )

    def _version_of(self, request: RunRequest) -> Held | None:
        """The uploaded version that a run is of; None for a smoke run, whose key names no release."""
        pipeline, wanted = _of(request.owner)
        if wanted is None:
            return None
        return uploading.required(self.held(pipeline, wanted), self.server, pipeline, wanted)


def _of(owner: str) -> tuple[str, Release | None]:
    """The pipeline and release of an owner key; None for a smoke run, whose key names a digest."""
    pipeline, _, rest = owner.partition("/")
    try:
        return pipeline, Release.parse(rest.partition("/")[0])
    except BadWord:
        return pipeline, None


def image_of(compiled: Compiled) -> str:
    """The image that the tasks run in; "" where they name several."""
    images = {str(one.get("image", "")) for one in compiled.containers().values()}
    return images.pop() if len(images) == 1 else ""
