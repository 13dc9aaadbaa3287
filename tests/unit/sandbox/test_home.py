"""A person's home is an empty place to a command, but for what the command needs of it."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from tagline.engines import Command, gaps, places, sandbox
from tagline.engines.process import ProcessEngine
from tagline.flow.opening import open_engine

from .test_guards import mounts_allowed

pytestmark = pytest.mark.skipif(
    not mounts_allowed(), reason="not applicable here: this machine allows no mounts of one's own"
)
TRY = """
import json, os, sys
from pathlib import Path
from tagline.engines import Command, sandbox
folder, log = Path(sys.argv[1]), Path(sys.argv[2])
script = "import os, json; print(os.path.isdir(os.environ['USER_HOME']) and os.listdir(os.environ['USER_HOME']))"
env = {"USER_HOME": os.environ["HOME"]}
sys.exit(sandbox.run(Command([sys.executable, "-I", "-S", "-c", script], folder, log, env, timeout=30.0)))
"""


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a secret that is on nobody's list."""
    home = tmp_path / "user"
    home.mkdir()
    (home / "secret").write_text("secret")
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.fixture
def engine(user: Path) -> ProcessEngine:
    """The engine of a platform that lies in the home, as it does by default."""
    made = open_engine(user / ".local/share/tagline", {}, user / "project")
    assert isinstance(made, ProcessEngine)
    return made


def test_a_platform_in_the_home_runs_its_commands_there(engine: ProcessEngine, user: Path) -> None:
    run = user / ".local/share/tagline/runs/wine-1"
    run.mkdir(parents=True)
    python = engine.build(run).python
    script = (
        f"{python} -c 'import tagline_task; print(1 + 1)'; cat {user}/secret; echo made > model; ls -A {user}"
    )
    log = user.parent / "log"
    assert engine.run(Command(["sh", "-c", script], run, log, timeout=60.0)) == 0
    assert log.read_text().splitlines()[0] == "2"
    assert log.read_text().splitlines()[-1] == ".local"
    assert "secret\n" not in log.read_text()
    assert (run / "model").read_text() == "made\n"


def test_an_interpreter_in_the_home_is_found_through_all_its_links(user: Path, tmp_path: Path) -> None:
    (user / "pythons").mkdir()
    (user / "bin").mkdir()
    (user / "bin/python").symlink_to("../pythons/python")
    (user / "pythons/python").symlink_to(os.path.realpath(sys.executable))
    python = user / "venv/bin/python"
    subprocess.run([user / "bin/python", "-m", "venv", "--without-pip", python.parents[1]], check=True)
    python.unlink()
    python.symlink_to("../../bin/python")
    (tmp_path / "tree").mkdir()
    paths = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [python, "-c", TRY, str(tmp_path / "tree"), str(tmp_path / "log")],
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    said = (tmp_path / "log").read_text()
    assert done.returncode == 0, said + done.stderr
    assert sorted(said.strip()[1:-1].replace("'", "").split(", ")) == ["bin", "pythons", "venv"]


def test_what_a_command_says_that_it_needs_it_sees(user: Path, tmp_path: Path) -> None:
    (user / "needed").write_text("needed")
    log = tmp_path / "log"
    script = f"cat {user}/needed; ls {user}"
    sandbox.run(Command(["sh", "-c", script], tmp_path, log, timeout=30.0, see=[user / "needed"]))
    assert log.read_text() == "neededneeded\n"


@pytest.mark.parametrize("linked", [False, True])
def test_of_a_folder_of_credentials_a_command_sees_no_more_than_what_it_needs(
    user: Path, tmp_path: Path, linked: bool
) -> None:
    (user / ".config/pip").mkdir(parents=True)
    (user / ".config/pip/password").write_text("hunter2")
    (user / "dotfiles").mkdir()
    (user / "dotfiles/pip.conf").write_text("needed")
    needed = user / ".config/pip/pip.conf"
    needed.symlink_to("../../dotfiles/pip.conf") if linked else needed.write_text("needed")
    log = tmp_path / "log"
    script = f"cat {needed}; ls {needed.parent}; cat {needed.parent}/password"
    sandbox.run(Command(["sh", "-c", script], tmp_path, log, timeout=30.0, see=[needed]))
    assert log.read_text().startswith("neededpip.conf\n") and "hunter2" not in log.read_text()


def test_with_the_doors_shut_there_is_no_gap(engine: ProcessEngine) -> None:
    assert gaps.gaps(engine.guards) == []


def test_doors_that_are_not_shut_are_named(
    user: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (user / ".bashrc").touch()
    (tmp_path / "key").write_text("secret")
    monkeypatch.setenv("DEPLOY_KEY", str(tmp_path / "key"))
    nothing = SimpleNamespace(
        interpreter=list,
        homes=lambda outer: [],
        shown=lambda outer: [],
        secrets=lambda outer: [],
        temporary=list,
    )
    monkeypatch.setattr(sandbox, "places", nothing)
    said = gaps.gaps()
    assert f"{tmp_path}/key can be reached" in said
    assert f"{user} can be written" in said
    assert f"{user}/.bashrc can be written" in said
    assert any("files and folders of your home can be read, such as " in one for one in said)
    writable = [path for path in places.interpreter() if os.access(path, os.W_OK)]
    assert all(f"{path} can be written" in said for path in writable)


@pytest.mark.parametrize("name", ["AWS_CA_BUNDLE", "GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS"])
def test_the_systems_certificates_stay_readable_whichever_variable_names_them(
    name: str, user: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task that lost them could speak to nothing over TLS, an object store least of all."""
    system = "/etc/ssl/certs/ca-certificates.crt"
    (tmp_path / "tree").mkdir()
    monkeypatch.setenv(name, system)
    monkeypatch.setenv("OF_A_HOST", str(user / "secret"))
    words = [sys.executable, "-c", f"print(len(open({system!r}).read()) > 0)"]
    assert sandbox.run(Command(words, tmp_path / "tree", tmp_path / "log", {}, 30.0)) == 0
    assert (tmp_path / "log").read_text() == "True\n"
    assert not places.names_secret(name, system)
    assert places.names_secret("OF_A_HOST", str(user / "secret"))
