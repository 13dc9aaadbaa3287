"""The Dagger engine that TAGLINE_REAL_DAGGER names, and what its containers need: made here, nothing pulled."""

import fcntl
import os
import subprocess
import sys

import pytest
from tagline.engines.dagger import runner
from tagline.flow.checking.in_dagger import BASE_VARIABLE

from tests.conftest import NOT_HERE
from tests.real import debian
from tests.real.engine import FOLDER, ROOT

REAL = "TAGLINE_REAL_DAGGER"
PACKAGES = (*debian.PYTHON, "git")
_SOURCES = ("TAGLINE_WHEELHOUSE", "TAGLINE_INDEX", "TAGLINE_LOCK", BASE_VARIABLE)
_PYTHON = (3, 11)  # of debian.RELEASE; wheels are made for one


def named() -> dict[str, str]:
    """The variables by which a client reaches the engine; empty where none is named."""
    cli, _, address = os.environ.get(REAL, "").partition(" ")
    return {runner.CLI_VARIABLE: cli, runner.RUNNER_VARIABLE: address} if address else {}


NEEDED = pytest.mark.skipif(not named(), reason=f"{NOT_HERE}{REAL} names no CLI and no engine's address")


def require() -> dict[str, str]:
    """The same, where an engine is named, which then must answer; else the test is skipped."""
    if not (reached := named()):
        pytest.skip(f"{NOT_HERE}{REAL} names no CLI and no engine's address")
    address = reached[runner.RUNNER_VARIABLE]
    assert runner.answers(address), f"{REAL} names {address}, and nothing answers there"
    return reached


def sources() -> dict[str, str]:
    """From where containers get tagline and their base: what the environment says, else made here, nothing pulled."""
    said = {name: os.environ[name] for name in _SOURCES if os.environ.get(name)}
    if BASE_VARIABLE not in said:
        said[BASE_VARIABLE] = str(debian.image_tar(debian.archive("dagger", PACKAGES)))
    if not said.keys() & {"TAGLINE_WHEELHOUSE", "TAGLINE_INDEX"}:
        said["TAGLINE_WHEELHOUSE"] = _wheelhouse()
    return said


def _wheelhouse() -> str:
    """This tree's tagline with its locked requirements, as tools/wheelhouse makes them."""
    assert sys.version_info[:2] == _PYTHON, f"name a wheelhouse: the base has Python {_PYTHON}, not this one"
    folder = FOLDER / "wheels"
    with (FOLDER / "wheels.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        environ = {**os.environ, "PYTHON": sys.executable}
        subprocess.run([ROOT / "tools/wheelhouse", folder], env=environ, check=True, timeout=600)
    return str(folder)
