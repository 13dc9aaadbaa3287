"""`tagline manifests`: a release as Kubernetes objects, for the store that Argo CD or kubectl fills."""

from pathlib import Path

import click

from tagline.cli.shared import as_json, finish, open_heard_world


@click.command()
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="The folder to write into."
)
@click.option("--release", "release_", default="", help="Which release; default: the newest.")
@click.option("--pipeline", default="", help="Which pipeline, where the repository holds several.")
@as_json
def command(output: Path, release_: str, pipeline: str, json_: bool) -> int:
    """Write a release as Pipeline and PipelineVersion manifests, one file that never changes.

    For Kubeflow Pipelines with its Kubernetes-native store, where Argo CD or kubectl applies what git holds.

    \b
    Examples:
      tagline manifests -o deploy/pipelines
      tagline manifests -o deploy/pipelines --release 1.4.0 && kubectl apply --server-side -f deploy/pipelines
    """
    from tagline.errors import NotReleased
    from tagline.flow.releasing.manifests import write_manifests
    from tagline.words import Release

    world, _ = open_heard_world(json_)
    part = world.one(pipeline)
    known = [release for name, release in part.state().releases if name == part.policy.pipeline]
    wanted = Release.parse(release_.removeprefix("v")) if release_ else max(known, default=None)
    if wanted is None or wanted not in known:
        raise NotReleased(f"there is no release {wanted or ''}".rstrip(), fix="tagline release")
    return finish(write_manifests(part, wanted, output), json_)
