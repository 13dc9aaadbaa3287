"""The real components of the CI tests: where each lies, and the skip where one is absent."""

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".tools"


def tool(name: str) -> Path:
    """A program that `tools/ci-tools` installs; the test is skipped where it did not run."""
    path = TOOLS / "bin" / name
    if not path.exists():
        pytest.skip(f"{name} is not here; tools/ci-tools installs it")
    return path


def system_tool(name: str) -> Path:
    """A program of the system's packages; the test is skipped where it is absent."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not here; install the system's package")
    return Path(found)


def tools_path() -> str:
    """PATH with the installed tools first, and without the environment of this suite."""
    rest = [part for part in os.environ["PATH"].split(os.pathsep) if not part.startswith(str(ROOT / ".venv"))]
    return os.pathsep.join([str(TOOLS / "bin"), *rest])
