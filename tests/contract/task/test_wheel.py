"""tagline_task as a wheel of its own, and the standard library alone under it."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import tagline_task

PROJECT = Path(tagline_task.__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("wheel")
    words = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(PROJECT)]
    subprocess.run([sys.executable, *words], check=True, capture_output=True, timeout=120)
    return next(out.glob("tagline_task-*.whl"))


def test_the_wheel_runs_a_task_with_nothing_installed(wheel, tmp_path):
    code = (
        f"import sys; sys.path.insert(0, {str(wheel)!r})\n"
        "from tagline_task import Dataset, Output, run\n"
        "def task(made: Output[Dataset], n: int = 2) -> int:\n"
        "    open(made.path, 'w').close()\n"
        "    return n\n"
        "run(task, ['--n', '5'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-I", "-c", code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == f"output = 5\nmade: {tmp_path}/out/made\n"


def test_the_wheel_needs_no_other_package(wheel):
    with zipfile.ZipFile(wheel) as packed:
        [name] = [name for name in packed.namelist() if name.endswith("METADATA")]
        metadata = packed.read(name).decode()
    assert "Name: tagline-task" in metadata
    needed = [line for line in metadata.splitlines() if line.startswith("Requires-Dist")]
    assert needed and all("; extra == " in each for each in needed)


def test_the_connector_is_imported_with_nothing_installed_and_says_what_it_lacks(wheel, tmp_path):
    code = (
        f"import sys; sys.path.insert(0, {str(wheel)!r})\n"
        "from tagline_task import run\n"
        "from tagline_task.connectors import VaultConnector\n"
        "def task() -> None:\n"
        "    VaultConnector().set_secrets_as_envvars('wine/prod')\n"
        "run(task, [])\n"
    )
    env = {"VAULT_ADDR": "http://127.0.0.1:1", "VAULT_ROLE_ID": "r", "VAULT_SECRET_ID": "s"}
    words = [sys.executable, "-S", "-I", "-c", code]
    done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 10
    assert done.stderr.startswith("error: task task: hvac is not installed: add hvac to src/requirements.in")
