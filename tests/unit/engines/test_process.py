"""Environments of engine `process`: made once, whatever happens, by the real pip from wheels made here."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tagline.engines import Command, installs, venvs
from tagline.engines.process import ProcessEngine
from tagline.errors import EnvironmentConflict, InstallFailed, LockMissing

from .wheels import make_wheel

BUILD = """
import os, sys
from pathlib import Path
from tagline.engines.process import ProcessEngine
print(ProcessEngine(Path(sys.argv[1])).build(Path(sys.argv[2])).python, flush=True)
"""


def source_with(folder: Path, requirements: str, tests: str = "") -> Path:
    source = folder / "source"
    (source / "src").mkdir(parents=True, exist_ok=True)
    (source / "src/requirements.txt").write_text(requirements)
    if tests:
        (source / "tests").mkdir(exist_ok=True)
        (source / "tests/requirements.txt").write_text(tests)
    return source


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProcessEngine:
    settings = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path / "wheels"), "PIP_NO_CACHE_DIR": "1"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return ProcessEngine(tmp_path / "venvs")


def answer(engine: ProcessEngine, python: Path, code: str, folder: Path) -> str:
    log = folder / "answer.log"
    log.unlink(missing_ok=True)
    assert engine.run(Command([str(python), "-c", code], folder, log)) == 0, log.read_text()
    return log.read_text().strip()


def test_a_locked_package_and_tagline_task_can_be_imported(engine: ProcessEngine, tmp_path: Path) -> None:
    source = source_with(tmp_path, make_wheel(tmp_path / "wheels", "alpha", "1.2"))
    made = engine.build(source)
    assert answer(engine, made.python, "import alpha, tagline_task; print(alpha.VERSION)", tmp_path) == "1.2"
    assert made.identity.startswith("env:sha256:")


def test_without_requirements_an_environment_takes_no_pip_and_a_moment(
    engine: ProcessEngine, tmp_path: Path
) -> None:
    began = time.monotonic()
    made = engine.build(tmp_path)
    assert time.monotonic() - began < 5.0
    assert list(engine.folder.glob("*.log")) == []
    assert answer(engine, made.python, "import tagline_task; print('ok')", tmp_path) == "ok"


def test_the_same_lock_is_the_same_environment_whatever_the_source(
    engine: ProcessEngine, tmp_path: Path
) -> None:
    line = make_wheel(tmp_path / "wheels", "alpha", "1.2")
    first = engine.build(source_with(tmp_path / "a", line))
    second = engine.build(source_with(tmp_path / "b", "# comment\n" + line))
    assert first.python == second.python


def test_tests_add_their_packages_in_an_environment_of_their_own(
    engine: ProcessEngine, tmp_path: Path
) -> None:
    wheels = tmp_path / "wheels"
    source = source_with(
        tmp_path,
        make_wheel(wheels, "alpha", "1.2"),
        make_wheel(wheels, "beta", "3.0") + make_wheel(wheels, "alpha", "9.9"),
    )
    plain, tested = engine.build(source), engine.build(source, tests=True)
    assert plain.python != tested.python
    code = "import alpha, beta; print(alpha.VERSION, beta.VERSION)"
    assert answer(engine, tested.python, code, tmp_path) == "1.2 3.0"


def test_an_unpinned_line_is_an_error_before_anything_is_made(engine: ProcessEngine, tmp_path: Path) -> None:
    with pytest.raises(LockMissing, match="'pandas' is not locked"):
        engine.build(source_with(tmp_path, "pandas\n"))
    assert not engine.folder.exists()


def test_packages_that_do_not_fit_are_named_with_their_versions(
    engine: ProcessEngine, tmp_path: Path
) -> None:
    wheels = tmp_path / "wheels"
    lines = make_wheel(wheels, "alpha", "1.2", needs="beta>=2") + make_wheel(wheels, "beta", "1.0")
    with pytest.raises(EnvironmentConflict, match=r"alpha 1\.2 needs beta>=2, the lock has beta 1\.0"):
        engine.build(source_with(tmp_path, lines))
    with pytest.raises(EnvironmentConflict):
        engine.build(source_with(tmp_path, lines))


def test_a_package_that_the_lock_lacks_is_named(engine: ProcessEngine, tmp_path: Path) -> None:
    line = make_wheel(tmp_path / "wheels", "alpha", "1.2", needs="gamma")
    with pytest.raises(EnvironmentConflict, match=r"alpha 1\.2 needs gamma, the lock lacks it"):
        engine.build(source_with(tmp_path, line))


@pytest.mark.parametrize("place", [".config/pip/pip.conf", ".pip/pip.conf"])
def test_what_the_users_pip_conf_says_holds_for_an_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    user = tmp_path / "user"
    (user / place).parent.mkdir(parents=True)
    (user / place).with_name("password").write_text("hunter2")
    line = make_wheel(user / "wheels", "alpha", "1.2")
    (user / place).write_text(
        f"[global]\nno-index = true\nfind-links =\n    {user}/none\n    {user}/wheels\n"
    )
    for name in [name for name in os.environ if name.startswith(("PIP_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(user))
    engine = ProcessEngine(tmp_path / "venvs")
    made = engine.build(source_with(tmp_path, line))
    assert answer(engine, made.python, "import alpha; print(alpha.VERSION)", tmp_path) == "1.2"


def test_a_package_with_another_content_than_its_hash_is_not_installed(
    engine: ProcessEngine, tmp_path: Path
) -> None:
    line = make_wheel(tmp_path / "wheels", "alpha", "1.2")
    make_wheel(tmp_path / "wheels", "alpha", "1.2", body="raise SystemExit('not what was locked')\n")
    with pytest.raises(InstallFailed, match="DO NOT MATCH THE HASHES") as caught:
        engine.build(source_with(tmp_path, line))
    assert "alpha" in Path(caught.value.where).read_text()


def test_a_package_that_no_index_has_is_an_error_with_pip_s_own_words(
    engine: ProcessEngine, tmp_path: Path
) -> None:
    with pytest.raises(InstallFailed, match="alpha==7"):
        engine.build(source_with(tmp_path, f"alpha==7 --hash=sha256:{'0' * 64}\n"))


def test_killed_while_it_is_made_an_environment_is_made_anew(engine: ProcessEngine, tmp_path: Path) -> None:
    line = make_wheel(tmp_path / "wheels", "alpha", "1.2")
    source = source_with(tmp_path, line)
    words = [sys.executable, "-c", BUILD, str(engine.folder), str(source)]
    for delay in (0.3, 0.6, 1.0):
        child = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    made = engine.build(source)
    assert answer(engine, made.python, "import alpha; print(alpha.VERSION)", tmp_path) == "1.2"


def test_a_half_made_environment_is_never_used(engine: ProcessEngine, tmp_path: Path) -> None:
    made = engine.build(tmp_path)
    place = made.python.parent.parent
    (place / venvs.COMPLETE).unlink()
    (place / "bin/python").unlink()
    again = engine.build(tmp_path)
    assert again == made
    assert answer(engine, again.python, "print('ok')", tmp_path) == "ok"


def test_what_stands_in_the_interpreters_place_is_never_run_by_the_parent(
    engine: ProcessEngine, tmp_path: Path
) -> None:
    made = engine.build(tmp_path)
    made.python.unlink()
    made.python.write_text(f'#!/bin/sh\nenv > {tmp_path}/stolen\nexec {sys.executable} "$@"\n')
    made.python.chmod(0o755)
    (tmp_path / "tree").mkdir()
    engine.build(tmp_path / "tree")
    assert not (tmp_path / "stolen").exists()


def test_two_processes_at_once_make_one_environment(engine: ProcessEngine, tmp_path: Path) -> None:
    source = source_with(tmp_path, make_wheel(tmp_path / "wheels", "alpha", "1.2"))
    words = [sys.executable, "-c", BUILD, str(engine.folder), str(source)]
    children = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    places = {child.communicate(timeout=60)[0] for child in children}
    assert len(places) == 1
    assert len(list(engine.folder.glob("*/complete"))) == 1
    log = next(iter(places)).strip().removesuffix("/bin/python") + ".log"
    assert Path(log).read_text().count("Successfully installed alpha-1.2") == 1


def test_pip_gets_the_machine_s_settings_and_no_other_variable(tmp_path: Path) -> None:
    (tmp_path / ".config/pip").mkdir(parents=True)
    (tmp_path / ".config/pip/pip.conf").write_text("")
    outer = {"HOME": str(tmp_path), "PIP_INDEX_URL": "u", "HTTPS_PROXY": "p", "AWS_SECRET_ACCESS_KEY": "s"}
    assert installs.pip_environment(outer) == {
        "PIP_INDEX_URL": "u",
        "HTTPS_PROXY": "p",
        "PIP_CONFIG_FILE": str(tmp_path / ".config/pip/pip.conf"),
        "PIP_CACHE_DIR": str(tmp_path / ".cache/pip"),
    }


def test_a_lock_that_leads_out_of_the_source_is_refused_and_not_repeated(
    engine: ProcessEngine, tmp_path: Path
) -> None:
    source = source_with(tmp_path, "")
    (tmp_path / "credentials").write_text("credential>=1\n")
    (source / "src/requirements.txt").unlink()
    (source / "src/requirements.txt").symlink_to(tmp_path / "credentials")
    with pytest.raises(LockMissing, match="it is a link that leaves the tree") as caught:
        engine.build(source)
    assert "credential>" not in str(caught.value)
