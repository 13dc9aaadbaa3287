"""The images of templates/images, built on a base that stands in for upstream, and started as Kubeflow starts them."""

import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tagline import config
from tagline.engines.docker.builder import DockerBuilder
from tagline.engines.venvs import task_package
from tagline.images.making import Made, Maker, Source

from tests.real import debian
from tests.real.engine import ROOT

UPSTREAM = "tagline-test/upstream:1"
_PACKAGES = (
    "python3",
    "python-is-python3",
    "python3-pip",
    "ca-certificates",
    "jupyter-server",
    "s6",
    "execline",
)


def upstream(host: str, environ: Mapping[str, str]) -> str:
    """The stand-in for Kubeflow's notebook image in the registry `host`, by digest."""
    debian.imported("tagline-test/notebook:1", debian.archive("notebook", _PACKAGES), environ)
    folder = ROOT / "tests/images"
    words = ("--network=host", f"--file={folder / 'upstream.Dockerfile'}", f"--tag={UPSTREAM}", str(folder))
    debian.docker(environ, "buildx", "build", "--load", *words)
    return debian.pushed(UPSTREAM, f"{host}/upstream", environ)


def built(name: str, base: str, repository: str, environ: Mapping[str, str], logs: Path) -> Made:
    """One of templates/images on a base of ours, pushed to `repository`."""
    tree = ROOT / "templates/images" / name
    files = sorted(path.relative_to(tree) for path in tree.rglob("*") if path.is_file())
    image = config.Image(repository=repository, dockerfile="Dockerfile", args={"BASE": base})
    source = Source(tree, files, config.Config(pipeline=name, image=image), task_package())
    return Maker(lambda: DockerBuilder(environ), environ, logs, dict).make(source, push=True)


@contextmanager
def started(reference: str, environ: Mapping[str, str], *words: str) -> Iterator[str]:
    """A container of an image, gone with the block; its id."""
    debian.docker(environ, "pull", "--quiet", reference)
    container = debian.docker(environ, "run", "--detach", "--network=host", *words, reference)
    try:
        yield container
    finally:
        debian.docker(environ, "rm", "--force", container)


def answer(path: str, limit: float = 60.0) -> tuple[int, str]:
    """The status and text at port 8888 of this machine, once it answers."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:8888{path}", timeout=10) as got:
                return got.status, got.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, ""
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"nothing answers at 8888 within {limit:g} s")


def port_is_free(port: int = 8888) -> bool:
    """Whether nothing listens there: containers use the host's network here."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0
