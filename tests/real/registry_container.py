"""Debian's docker-registry in a container of the test engine, through testcontainers, without its Ryuk image."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.real import debian
from tests.real.registry import Registry, free_port, settings, wait_for

IMAGE = "tagline-test/registry:1"


@contextmanager
def registry_container(folder: Path, base: str, environ: Mapping[str, str]) -> Iterator[Registry]:
    """A registry with passwords in a container; we remove it ourselves, since Ryuk's image cannot be pulled."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DOCKER_HOST", "DOCKER_CONFIG"):
            patch.setenv(name, environ[name])
        patch.setenv("TESTCONTAINERS_RYUK_DISABLED", "true")
        from testcontainers.core.config import testcontainers_config
        from testcontainers.core.container import DockerContainer

        patch.setattr(testcontainers_config, "ryuk_disabled", True)
        _build(folder, base, environ)
        port = free_port()
        settings(folder, f"127.0.0.1:{port}", Path("/data"), password=True)
        container = DockerContainer(IMAGE, network_mode="host").with_command("serve /data/config.yml")
        with container.with_volume_mapping(str(folder), "/data", "rw") as running:
            wait_for(port, lambda: running.get_wrapped_container().status == "exited", folder / "log")
            yield Registry(f"127.0.0.1:{port}", folder / "log")


def _build(folder: Path, base: str, environ: Mapping[str, str]) -> None:
    """An image of the machine's own docker-registry on our Debian base."""
    context = folder / "context"
    context.mkdir(parents=True)
    binary = shutil.which("docker-registry")
    assert binary
    shutil.copy2(binary, context / "docker-registry")
    (context / "Dockerfile").write_text(
        f'FROM {base}\nCOPY docker-registry /usr/bin/\nUSER 1000\nENTRYPOINT ["docker-registry"]\n'
    )
    debian.docker(environ, "buildx", "build", "--load", f"--tag={IMAGE}", str(context))
