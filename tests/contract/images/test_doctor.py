"""`tagline doctor` names what is missing for images, with the command that mends it; a real engine, real registries."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from tagline.config import Config, EngineName, Image
from tagline.flow.views.doctor_images import examine_images
from tagline.images import wire

from tests.contract.images.conftest import Bench
from tests.contract.images.test_registry import environ_of
from tests.fakes.registry import fake_registry
from tests.fakes.repositories import git
from tests.real.registry import Registry, free_port, registry

NOWHERE = {"TAGLINE_DOCKER_HOST": "unix:///nowhere/docker.sock"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "PAUSES", (0.0, 0.0, 0.0))


def config(repository: str = "", engine: EngineName = EngineName.DOCKER) -> Config:
    return Config(pipeline="wine", engine=engine, image=Image(repository=repository))


def found(own: Config, environ: Mapping[str, str], word: str) -> tuple[str, str]:
    """Level and remedy of the one finding whose sentence has the word."""
    lines = list(examine_images(own, environ))
    (one,) = [(level, fix) for level, what, fix in lines if word in what]
    return one


def test_where_everything_is_there_all_is_well_and_nothing_is_left_at_the_registry(
    environ: dict[str, str], plain: Registry
) -> None:
    lines = list(examine_images(config(f"{plain.host}/team/looked-at"), environ))
    assert [level for level, _, _ in lines] == ["ok", "ok", "ok"]
    place = plain.log.parent / "data/docker/registry/v2/repositories/team/looked-at"
    assert [path.name for path in place.iterdir()] == ["_uploads"]
    assert list(place.rglob("startedat")) == []  # what marks an upload that is open


def test_without_an_engine_it_says_where_it_looked_and_how_to_go_on(environ: dict[str, str]) -> None:
    level, fix = found(config(), environ | NOWHERE, "no Docker engine answers (unix:///nowhere/docker.sock)")
    assert level == "missing"
    assert "TAGLINE_DOCKER_HOST" in fix


def test_without_the_docker_command_it_names_the_package(environ: dict[str, str], tmp_path: Path) -> None:
    level, fix = found(config(), environ | {"PATH": str(tmp_path)}, "the command docker is not here")
    assert (level, fix) == ("missing", "apt-get install docker.io")


def test_without_buildx_it_names_the_package(environ: dict[str, str], tmp_path: Path) -> None:
    if any(
        Path(place, "docker/cli-plugins/docker-buildx").exists() for place in ("/usr/lib", "/usr/libexec")
    ):
        pytest.skip("not applicable here: buildx is installed for everybody")
    given = environ | {"DOCKER_CONFIG": str(tmp_path), "HOME": str(tmp_path)}
    level, fix = found(config(), given, "docker buildx is not here")
    assert level == "missing"
    assert fix.startswith("apt-get install docker-buildx")


def test_a_registry_that_does_not_answer_is_missing(environ: dict[str, str]) -> None:
    level, _ = found(config(f"127.0.0.1:{free_port()}/wine"), environ, "did not do its work in 4 tries")
    assert level == "missing"


def test_a_registry_that_asks_for_a_login_is_missing_until_there_is_one(
    environ: dict[str, str], tmp_path: Path
) -> None:
    with registry(tmp_path / "registry", password=True, tls=True) as locked:
        own = config(f"{locked.host}/team/wine")
        given = environ | {"TAGLINE_REGISTRY_CA": locked.ca}
        level, fix = found(own, given, "nobody: no login is known")
        assert (level, fix) == ("missing", f"docker login {locked.host}")
        given |= environ_of(tmp_path, locked.host, ca=locked.ca)
        assert found(own, given, "lets this machine push")[0] == "ok"


def test_a_machine_that_may_only_pull_is_told_so_and_lacks_nothing(environ: dict[str, str]) -> None:
    with fake_registry() as server:
        server.trouble = [404, 403]
        level, fix = found(config(f"{server.host}/wine"), environ, "may pull from")
    assert level == "note"
    assert fix == f"docker login {server.host}; or leave releases to CI"


def test_nothing_is_asked_where_tagline_yaml_has_no_image() -> None:
    assert list(examine_images(Config(pipeline="wine"), NOWHERE)) == []


@pytest.mark.parametrize(
    ("engine", "word"),
    [
        (EngineName.AUTO, "engine auto takes host processes"),
        (EngineName.PROCESS, "engine process makes none"),
    ],
)
def test_an_image_that_the_engine_does_not_use_is_a_note(engine: EngineName, word: str) -> None:
    assert found(config("127.0.0.1:9/wine", engine), NOWHERE, word)[0] == "note"


def test_a_dagger_engine_that_is_not_named_is_missing() -> None:
    assert found(config(engine=EngineName.DAGGER), NOWHERE, "no Dagger engine is named")[0] == "missing"


def test_the_command_says_it_and_ends_with_26(bench: Bench) -> None:
    text = f"pipeline: wine\nengine: docker\nimage: {{repository: 127.0.0.1:{free_port()}/wine}}\n"
    (bench.tree / "tagline.yaml").write_text(text)
    git(bench.tree, "init", "--quiet")
    command = [str(Path(sys.executable).with_name("tagline")), "doctor"]
    env = {
        **os.environ,
        **NOWHERE,
        "PATH": os.path.dirname(shutil.which("git") or ""),
        "TAGLINE_HOME": str(bench.logs),
    }
    done = subprocess.run(
        command, cwd=bench.tree, env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 26, done.stderr
    assert "no Docker engine answers" in done.stdout
    assert "did not do its work in 4 tries" in done.stdout
