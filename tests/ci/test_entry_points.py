"""What callers wrote once keeps working: no entry point and no name of one goes away without a tombstone."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ci.components import ROOT

LIST = "templates/entry-points.txt"
TOMBSTONE = re.compile(r"tombstone: use (\S+)")


def entries(text: str) -> dict[str, set[str]]:
    """Each entry point's path, and the names that callers write."""
    lines = [line.partition(":") for line in text.splitlines() if line and not line.startswith("#")]
    return {path: set(names.split()) for path, _, names in lines}


def names_in(path: str, text: str) -> set[str]:
    """The names that an entry point understands."""
    read: dict[str, Callable[[str], set[str]]] = {
        "action.yml": lambda text: set(yaml.safe_load(text)["inputs"]),
        ".github/workflows/tagline.yml": lambda text: _called(yaml.safe_load(text)[True]["workflow_call"]),
        "templates/jenkins/vars/tagline.groovy": lambda text: set(
            re.findall(r"'(\w+)'", text.partition("options.keySet() - [")[2].partition("]")[0])
        ),
        "templates/tagline/template.yml": lambda text: set(next(yaml.safe_load_all(text))["spec"]["inputs"]),
    }
    if path.startswith("modules/"):  # Dagger: functions, and their and the constructor's arguments
        return set(re.findall(r"def ([a-z]\w*)\(", text)) | set(re.findall(r"(\w+): Annotated", text))
    return read.get(path, lambda text: set(re.findall(r"[A-Z][A-Z_]+", text)))(text)


def _called(call: dict[str, Any]) -> set[str]:
    return {*call["inputs"], *call["secrets"]}


def broken(root: Path, listed: dict[str, set[str]]) -> list[str]:
    """What callers would miss: a sentence for each entry point that is gone or no longer takes a name."""
    return [words for path, names in listed.items() if (words := _broken(root, listed, path, names))]


def _broken(root: Path, listed: dict[str, set[str]], path: str, names: set[str]) -> str:
    if not (root / path).is_file():
        return f"{path} is gone, and nothing says where to go"
    text = (root / path).read_text()
    if dead := TOMBSTONE.search(text):
        heir = root / dead[1]
        alive = dead[1] in listed and heir.is_file() and not TOMBSTONE.search(heir.read_text())
        if not alive:
            return f"{path} sends its callers to {dead[1]}, which is no living entry point"
        return "" if "exit 1" in text else f"{path} is a tombstone that does not fail"
    missing = names - names_in(path, text)
    return f"{path} no longer takes {', '.join(sorted(missing))}" if missing else ""


def test_every_entry_point_is_there_and_takes_the_names_of_its_callers() -> None:
    assert broken(ROOT, entries((ROOT / LIST).read_text())) == []


def test_nothing_was_ever_taken_from_the_list() -> None:
    log = ["git", "log", "--format=%H", "--", LIST]
    commits = subprocess.run(log, cwd=ROOT, capture_output=True, text=True, timeout=60).stdout.split()
    now = entries((ROOT / LIST).read_text())
    for commit in commits:
        shown = ["git", "show", f"{commit}:{LIST}"]
        then = entries(subprocess.run(shown, cwd=ROOT, capture_output=True, text=True, timeout=60).stdout)
        assert {path: names - now.get(path, set()) for path, names in then.items()} == {
            key: set() for key in then
        }


def test_a_file_of_the_library_that_callers_name_is_on_the_list() -> None:
    shipped = {
        "action.yml",
        *(f".github/workflows/{one.name}" for one in (ROOT / ".github/workflows").iterdir()),
        *(
            str(one.relative_to(ROOT))
            for one in (ROOT / "modules").glob("*/src/*/main.py")
            if "examples" not in str(one)
        ),
    }
    shipped |= {str(one.relative_to(ROOT)) for one in (ROOT / "templates").glob("*/template.yml")}
    for pattern in ("*.sh", "jenkins/vars/*.groovy"):
        shipped |= {str(one.relative_to(ROOT)) for one in (ROOT / "templates").glob(pattern)}
    assert shipped <= set(entries((ROOT / LIST).read_text()))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "old.sh is gone, and nothing says where to go"),
        ("echo 'use the new one'; exit 1", "old.sh no longer takes OLD_NAME"),
        ("# tombstone: use nowhere.sh\nexit 1", "old.sh sends its callers to nowhere.sh"),
        ("# tombstone: use old.sh\nexit 1", "old.sh sends its callers to old.sh"),
        ("# tombstone: use new.sh\nexit 0", "old.sh is a tombstone that does not fail"),
    ],
)
def test_an_entry_point_that_ends_without_a_sound_tombstone_is_found(
    tmp_path: Path, text: str | None, said: str
) -> None:
    (tmp_path / "new.sh").write_text("echo NEW_NAME")
    if text is not None:
        (tmp_path / "old.sh").write_text(text)
    (found,) = broken(tmp_path, entries("new.sh: NEW_NAME\nold.sh: OLD_NAME\n"))
    assert found.startswith(said)


def test_a_tombstone_that_fails_and_says_where_to_go_is_sound(tmp_path: Path) -> None:
    (tmp_path / "new.sh").write_text("echo NEW_NAME")
    (tmp_path / "old.sh").write_text("# tombstone: use new.sh\necho 'use new.sh' >&2\nexit 1\n")
    assert broken(tmp_path, entries("new.sh: NEW_NAME\nold.sh: OLD_NAME\n")) == []
