"""bootstrap.sh on a bare agent: one exact tagline, from a wheelhouse or a named index, made once."""

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import tagline

from tests.ci.components import ROOT, system_tool
from tests.fakes.package_index import PASSWORD, a_package_index

SCRIPT = ROOT / "templates/bootstrap.sh"
PYTHON = str(Path(sys.base_prefix) / "bin/python3")
SHELL_FILES = [
    "templates/bootstrap.sh",
    "templates/jenkins/resources/tagline/run.sh",
    "tools/wheelhouse",
    "tools/ci-tools",
    "tools/install",
]
# what `tagline --version` imports: an environment of seconds
SMALL = {"tagline", "click", "msgspec", "pyyaml"}


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


def start(cache: Path, script: Path = SCRIPT, cwd: str = "/", **variables: str) -> "subprocess.Popen[str]":
    """Start bootstrap with nothing but these variables; every proxy is a closed port, so no network answers."""
    closed = dict.fromkeys(["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"], "http://127.0.0.1:9")
    environ = {
        "PATH": "/usr/bin:/bin",
        "TAGLINE_CACHE": str(cache),
        "TAGLINE_PYTHON": PYTHON,
        "no_proxy": "127.0.0.1",
        **closed,
        **variables,
    }
    pipe = subprocess.PIPE
    return subprocess.Popen(
        ["sh", str(script)],
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=pipe,
        stderr=pipe,
        text=True,
        start_new_session=True,
        cwd=cwd,
    )


def finish(child: "subprocess.Popen[str]") -> Done:
    out, err = child.communicate(timeout=200)
    return Done(child.returncode, out, err)


def bootstrap(cache: Path, script: Path = SCRIPT, cwd: str = "/", **variables: str) -> Done:
    return finish(start(cache, script, cwd, **variables))


@pytest.fixture(scope="module")
def wheelhouse() -> Path:
    """This tree's tagline and its locked requirements; made again only where they changed."""
    house = ROOT / ".tools/wheelhouse"
    made = subprocess.run(
        ["tools/wheelhouse", str(house)],
        cwd=ROOT,
        env=os.environ | {"PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=280,
    )
    if made.returncode and "No matching distribution" in made.stderr:
        pytest.skip("no package index answers, and no wheelhouse was made before")
    assert made.returncode == 0, made.stderr
    return house


@pytest.fixture(scope="module")
def small_lock(wheelhouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lock of the few wheels that `tagline --version` needs."""
    lines = (wheelhouse / "tagline.lock").read_text().splitlines(keepends=True)
    lock = tmp_path_factory.mktemp("lock") / "small.lock"
    lock.write_text("".join(line for line in lines if line.split("==")[0].lower() in SMALL))
    return lock


@pytest.fixture(scope="module")
def two_at_once(wheelhouse: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Done]]:
    """Two jobs that start at the same time on an agent that has nothing yet."""
    cache = tmp_path_factory.mktemp("agent")
    jobs = [start(cache, TAGLINE_WHEELHOUSE=str(wheelhouse)) for _ in range(2)]
    return cache, [finish(job) for job in jobs]


def test_it_prints_the_path_of_the_tagline_it_made_and_nothing_else(
    two_at_once: tuple[Path, list[Done]],
) -> None:
    done = two_at_once[1][0]
    assert (done.code, done.out.count("\n")) == (0, 1), done
    version = subprocess.run([done.out.strip(), "--version"], capture_output=True, text=True, timeout=60)
    assert version.stdout == f"tagline {tagline.__version__}\n"


def test_two_jobs_at_once_get_one_environment(two_at_once: tuple[Path, list[Done]]) -> None:
    cache, jobs = two_at_once
    assert len({job.out for job in jobs}) == 1
    assert sum("making tagline" in job.err for job in jobs) == 1
    assert len([path for path in (cache / "cli").iterdir() if path.is_dir()]) == 1


def test_the_whole_command_is_there(two_at_once: tuple[Path, list[Done]], tmp_path: Path) -> None:
    made = two_at_once[1][0].out.strip()
    done = subprocess.run(
        [made, "init", str(tmp_path / "wine"), "--defaults"], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "wine/tagline.yaml").exists()


def test_the_second_time_nothing_is_made_and_it_takes_no_time(
    two_at_once: tuple[Path, list[Done]], wheelhouse: Path
) -> None:
    begun = time.monotonic()
    done = bootstrap(two_at_once[0], TAGLINE_WHEELHOUSE=str(wheelhouse))
    assert (done.out, done.err) == (two_at_once[1][0].out, "")
    assert time.monotonic() - begun < 3


def test_a_job_killed_in_the_middle_leaves_nothing_that_is_taken_for_whole(
    wheelhouse: Path, small_lock: Path, tmp_path: Path
) -> None:
    named = {"TAGLINE_WHEELHOUSE": str(wheelhouse), "TAGLINE_LOCK": str(small_lock)}
    job = start(tmp_path, **named)
    until = time.monotonic() + 60
    while not list(tmp_path.glob("cli/*/bin/python")) and time.monotonic() < until:
        time.sleep(0.02)
    os.killpg(job.pid, signal.SIGKILL)
    job.communicate(timeout=60)
    done = bootstrap(tmp_path, **named)
    assert (done.code, "making tagline" in done.err) == (0, True), done
    assert Path(done.out.strip()).exists()


def test_a_wheel_that_differs_from_the_lock_is_not_installed(
    wheelhouse: Path, small_lock: Path, tmp_path: Path
) -> None:
    forged = tmp_path / "house"
    forged.mkdir()
    for wheel in wheelhouse.glob("*.whl"):
        (forged / wheel.name).symlink_to(wheel)
    (click,) = forged.glob("click-*.whl")
    content = click.read_bytes()
    click.unlink()
    click.write_bytes(content + b" ")
    done = bootstrap(tmp_path / "agent", TAGLINE_WHEELHOUSE=str(forged), TAGLINE_LOCK=str(small_lock))
    assert (done.code, done.out) == (1, "")
    assert "DO NOT MATCH THE HASHES" in done.err
    assert list(tmp_path.glob("agent/cli/*/.complete")) == []


def test_a_tagline_that_does_not_run_is_said_in_one_line_and_not_kept(
    wheelhouse: Path, small_lock: Path, tmp_path: Path
) -> None:
    lock = tmp_path / "lock"
    lock.write_text("".join(line for line in small_lock.read_text().splitlines(True) if "click" not in line))
    done = bootstrap(tmp_path / "agent", TAGLINE_WHEELHOUSE=str(wheelhouse), TAGLINE_LOCK=str(lock))
    assert (done.code, done.out) == (1, "")
    assert done.err.splitlines()[1:] == [
        f"tagline bootstrap: tagline {tagline.__version__} was installed and does not run: "
        "ModuleNotFoundError: No module named 'click'"
    ]
    assert [path for path in tmp_path.glob("agent/cli/*") if path.is_dir()] == []


def test_a_named_index_serves_it_and_its_password_is_not_said(
    wheelhouse: Path, small_lock: Path, tmp_path: Path
) -> None:
    with a_package_index(wheelhouse) as index, a_package_index(wheelhouse) as stranger:
        done = bootstrap(
            tmp_path,
            TAGLINE_INDEX=index.url,
            TAGLINE_LOCK=str(small_lock),
            PIP_EXTRA_INDEX_URL=stranger.url,
        )
    assert done.code == 0, done
    assert any(path.endswith(".whl") and "tagline" in path for path in index.asked)
    assert stranger.asked == []
    assert PASSWORD not in done.out + done.err


def test_no_index_is_asked_that_was_not_named(tmp_path: Path) -> None:
    done = bootstrap(tmp_path)
    assert (done.code, done.out) == (1, "")
    assert "set TAGLINE_WHEELHOUSE or TAGLINE_INDEX" in done.err


def test_what_lies_in_the_job_s_folder_is_never_run(
    small_lock: Path, wheelhouse: Path, tmp_path: Path
) -> None:
    """A job starts in the project's folder, or in one that a fork's job left: its files are not Python's modules."""
    for name in {"sitecustomize", "usercustomize", "pip", "_virtualenv", *sys.stdlib_module_names}:
        (tmp_path / f"{name}.py").write_text(f"import os\nos.write(1, b'ran {name}')\nos._exit(9)\n")
    done = bootstrap(
        tmp_path / "agent",
        cwd=str(tmp_path),
        TAGLINE_WHEELHOUSE=str(wheelhouse),
        TAGLINE_LOCK=str(small_lock),
    )
    assert (done.code, done.out.startswith(str(tmp_path / "agent/cli/"))) == (0, True), done


def test_another_version_than_the_one_asked_for_is_an_error(wheelhouse: Path, tmp_path: Path) -> None:
    done = bootstrap(tmp_path, TAGLINE_WHEELHOUSE=str(wheelhouse), TAGLINE_VERSION="9.9.9")
    assert (done.code, done.out) == (1, "")
    assert "TAGLINE_VERSION asks for 9.9.9" in done.err


def test_a_lock_without_a_version_of_tagline_is_an_error(wheelhouse: Path, tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("click==8.1.0 --hash=sha256:00\n")
    named = {"TAGLINE_WHEELHOUSE": str(wheelhouse), "TAGLINE_LOCK": str(tmp_path / "lock")}
    done = bootstrap(tmp_path, **named)
    assert (done.code, "must name one exact version" in done.err) == (1, True)


def test_a_tagline_that_is_there_already_is_taken(tmp_path: Path) -> None:
    mine = str(Path(sys.executable).with_name("tagline"))
    assert bootstrap(tmp_path, TAGLINE_BIN=mine) == Done(0, f"{mine}\n", "")
    assert list(tmp_path.iterdir()) == []


def test_a_tagline_that_is_there_in_another_version_is_an_error(tmp_path: Path) -> None:
    mine = str(Path(sys.executable).with_name("tagline"))
    done = bootstrap(tmp_path, TAGLINE_BIN=mine, TAGLINE_VERSION="9.9.9")
    assert (done.code, done.out) == (1, "")
    assert f"is version {tagline.__version__}" in done.err


def test_the_lock_beside_it_has_the_requirements_of_this_tree_each_with_hashes() -> None:
    lock = (ROOT / "templates/bootstrap.lock").read_text()
    own = re.search(
        rf"^tagline=={re.escape(tagline.__version__)} \\\n    --hash=sha256:[0-9a-f]{{64}}\n", lock, re.M
    )
    assert own
    assert lock.replace(own[0], "") == (ROOT / "requirements/tagline.txt").read_text()
    assert "://" not in lock


@pytest.mark.parametrize("file", SHELL_FILES)
def test_the_shell_is_posix_and_clean(file: str) -> None:
    done = subprocess.run(
        [str(system_tool("shellcheck")), "-s", "sh", file],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout
