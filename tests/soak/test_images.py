"""`make soak-images`: the images of templates/images that the suite leaves out, built and started."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real import debian, engine, notebooks
from tests.real.registry import registry

pytestmark = [pytest.mark.soak, pytest.mark.images]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, str], str, str]]:
    """The engine's environment, a registry's host, and the base that stands in for upstream."""
    if lack := engine.lacks():
        pytest.skip(lack)
    with engine.docker_environ() as environ, registry(tmp_path_factory.mktemp("registry")) as running:
        yield environ, running.host, notebooks.upstream(running.host, environ)


@pytest.mark.parametrize("name", ["pytorch-full", "pytorch-cuda-full"])
def test_a_pytorch_notebook_is_built_and_answers(
    place: tuple[dict[str, str], str, str], name: str, tmp_path: Path
) -> None:
    environ, host, upstream = place
    made = notebooks.built(name, upstream, f"{host}/{name}", environ, tmp_path)
    with notebooks.started(made.reference, environ, "--env=NB_PREFIX=/notebook/team/ada") as container:
        assert notebooks.answer("/notebook/team/ada/api")[0] == 200
        assert debian.docker(environ, "exec", container, "id", "-un") == "jovyan"
