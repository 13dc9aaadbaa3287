"""The page on hosting tagline is run: a bare repository is the company's host, its branch v1 serves an agent."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import tagline

from tests.docs.test_docs import ROOT, blocks
from tests.fakes.machine import Done, Machine, a_machine

PAGE = ROOT / "docs/how-to/host-tagline.md"
HOUSE = ROOT / ".tools/wheelhouse"
CI_PAGES = ("jenkins", "gitlab", "github", "any-ci")
# what `tagline --version` imports: an environment of seconds
SMALL = ("tagline", "click", "msgspec", "pyyaml")


def small(lock: Path) -> str:
    """A script that writes a lock of the few wheels that `tagline --version` needs, of the wheelhouse's."""
    return f"grep -iE '^({'|'.join(SMALL)})==' /srv/tagline-wheels/tagline.lock > {lock}"


def upstream(folder: Path) -> None:
    """This tree as a repository of one commit: what a company clones."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Machine, Done]]:
    """A clone of tagline in which the page's commands ran, as they stand there."""
    folder = tmp_path_factory.mktemp("hosted")
    upstream(folder / "clone")
    if HOUSE.is_dir():  # the requirements' wheels need not be fetched again
        shutil.copytree(HOUSE, folder / "wheels", copy_function=os.link)
    with a_machine(folder, {"TAGLINE_CACHE": str(folder / "agent")}) as machine:
        script = "\n".join([*blocks(PAGE, "sh")[:-1], small(folder / "lock"), blocks(PAGE, "sh")[-1]])
        script = script.replace("https://git.example.org/platform/tagline.git", f"{folder}/host.git")
        script = script.replace("/srv/tagline-wheels", f"{folder}/wheels")
        begun = machine.shell(
            "set -eu\ngit init --quiet --bare --initial-branch=main host.git\ncd clone\ngit init --quiet\n"
            f"git add --all\ngit commit --quiet -m all\nln -s {sys.prefix} .venv\n"
            f"export TAGLINE_LOCK={folder}/lock\n{script}",
            timeout=280,
        )
        yield machine, begun


def test_the_commands_of_the_page_end_in_a_tagline_on_an_agent(hosted: tuple[Machine, Done]) -> None:
    machine, done = hosted
    if done.code and "No matching distribution" in done.out:
        pytest.skip("no package index answers, and no wheelhouse was made before")
    assert done.code == 0, done.out
    assert done.out.endswith(f"tagline {tagline.__version__}\n")
    assert str(machine.folder / "agent") in done.out


def test_the_wheel_to_upload_is_the_one_that_the_branch_v1_locks(hosted: tuple[Machine, Done]) -> None:
    machine, _ = hosted
    (wheel,) = (machine.folder / "clone/dist").glob("tagline-*.whl")
    locked = machine.shell("git -C host.git show v1:templates/bootstrap.lock").out
    assert f"--hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n" in locked


def test_the_lock_of_the_branch_v1_is_checked_and_the_same_for_jenkins(hosted: tuple[Machine, Done]) -> None:
    machine, _ = hosted
    checked = machine.shell(
        "set -e\ngit clone --quiet --branch v1 host.git again\nln -s ../clone/.venv again/.venv\ncd again\n"
        "tools/release-lock --check\ncmp templates/bootstrap.lock templates/jenkins/resources/tagline/bootstrap.lock"
    )
    assert checked.code == 0, checked.out


@pytest.mark.parametrize("name", CI_PAGES)
def test_a_page_on_a_ci_names_this_one_in_its_first_lines(name: str) -> None:
    text = (ROOT / f"docs/how-to/{name}.md").read_text()
    assert "[host tagline](host-tagline.md)" in text[:1000]


def test_the_readme_names_this_page_first_in_its_table_for_ci() -> None:
    (table,) = re.findall(r"^\| in your CI \|.*?\n\n", (ROOT / "README.md").read_text(), re.M | re.DOTALL)
    assert "docs/how-to/host-tagline.md" in table.splitlines()[2]
