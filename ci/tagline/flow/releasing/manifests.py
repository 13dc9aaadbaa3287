"""`tagline manifests`: the uploaded releases as files for Argo CD or kubectl, from git and the ledger alone."""

from pathlib import Path

from tagline.errors import ContentDiffers, NotYetSupported
from tagline.flow.releasing.release import prepared
from tagline.flow.report import Report, StepReport, done, nothing, perform
from tagline.flow.world import World
from tagline.pipeline import compiled as compiled_file
from tagline.pipeline.identity import digest_of
from tagline.platforms.kubeflow.marks import Provenance, owner_of
from tagline.platforms.kubeflow.versions import manifests
from tagline.words import Release


def write_manifests(world: World, release: Release, folder: Path) -> Report:
    """Write the file of a claimed release of this pipeline into `folder`; the same again changes nothing.

    Raises `NotYetSupported` on a platform that is no Kubeflow, `ContentDiffers` where the file stands with other
    content (one never changes: Argo CD would be refused), `KfpRefused`, and the errors of compiling.
    """
    said = world.platform_file.file.kubeflow() if world.platform_file else None
    if said is None:
        raise NotYetSupported(
            "manifests are for a platform of kind kubeflow",
            fix="platform: NAME of a platform file with kind: kubeflow",
        )
    namespace = said.training
    report = Report("manifests", world.facts.head)
    return perform(report, world.told, [("manifest", lambda: _write(world, release, folder, namespace))])


def _write(world: World, release: Release, folder: Path, namespace: str) -> StepReport:
    pipeline = world.policy.pipeline
    claimed = world.state().releases[pipeline, release]
    with prepared(world, claimed.commit, known=claimed.identity) as ready:
        read = compiled_file.read(ready.compiled)
    owner = owner_of(world.repo.url())
    known = Provenance(owner, pipeline, str(release), claimed.commit, digest_of(read), claimed.identity)
    file, text = folder / manifests.file_name(known), manifests.written(read, known, namespace)
    if file.exists() and file.read_text() == text:
        return nothing("manifest", f"{file} is as it is to be")
    if file.exists():
        raise ContentDiffers(
            f"{file} stands there with other content, and the file of a release never changes",
            where=str(file),
            fix=f"git checkout {file}, or remove it where it was never applied",
        )
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return done("manifest", f"wrote {file}", file=str(file))
