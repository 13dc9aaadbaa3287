"""A release's identity: the same content gives the same digest anywhere, any other content another one."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tagline.pipeline.identity import content_digest, environment_identity, interpreter, tree_digest

from .conftest import PLAIN_KFP

COMPILED = PLAIN_KFP / "docker/kubeflow_pipeline/pipeline.yaml"
Change = Callable[[Path], object]
NAMES = st.text(alphabet="abc", min_size=1, max_size=3)


def make(root: Path) -> Path:
    (root / "src/lib").mkdir(parents=True)
    (root / "src/requirements.txt").write_text("a==1 --hash=sha256:00\n")
    (root / "src/lib/config.py").write_text("X = 1\n")
    (root / "src/run.sh").write_text("exit\n")
    (root / "src/run.sh").chmod(0o755)
    (root / "src/link").symlink_to("run.sh")
    return root


def test_the_digest_of_a_tree_is_what_the_docstring_says(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("two")
    (tmp_path / "a").mkdir()
    (tmp_path / "a/x").write_text("one")
    (tmp_path / "a/x").chmod(0o700)
    one, two = (hashlib.sha256(text).hexdigest() for text in (b"one", b"two"))
    expected = hashlib.sha256(f"100755 {one} a/x\x00100644 {two} b\x00".encode()).hexdigest()
    assert tree_digest(tmp_path) == expected


def test_the_identity_stands_where_an_image_would(tmp_path: Path) -> None:
    prefix, kind, digest = environment_identity(make(tmp_path / "a")).split(":")
    assert (prefix, kind, len(digest)) == ("env", "sha256", 64)


def test_two_copies_have_one_identity(tmp_path: Path) -> None:
    one, other = make(tmp_path / "a"), make(tmp_path / "b")
    assert environment_identity(one) == environment_identity(other)


@pytest.mark.parametrize(
    "change",
    [
        lambda root: os.utime(root / "src/run.sh", (1, 1)),
        lambda root: (root / "src/run.sh").chmod(0o700),
        lambda root: (root / "empty").mkdir(),
        lambda root: (root / ".git").write_text("gitdir: elsewhere"),
        lambda root: ((root / "src/__pycache__").mkdir(), (root / "src/__pycache__/x.pyc").write_text("")),
    ],
    ids=["time", "mode for others", "empty folder", ".git", "caches"],
)
def test_what_git_does_not_keep_does_not_count(tmp_path: Path, change: Change) -> None:
    root = make(tmp_path)
    before = tree_digest(root)
    change(root)
    assert tree_digest(root) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "src/lib/config.py").write_text("X = 2\n"),
        lambda root: (root / "src/lib/config.py").rename(root / "src/lib/other.py"),
        lambda root: (root / "src/run.sh").chmod(0o644),
        lambda root: (root / "new").write_text(""),
        lambda root: ((root / "src/link").unlink(), (root / "src/link").symlink_to("lib")),
        lambda root: ((root / "src/link").unlink(), (root / "src/link").write_text("run.sh")),
        lambda root: (root / "src/requirements.txt").write_text("a==2 --hash=sha256:00\n"),
    ],
    ids=["content", "name", "mode", "new file", "link's target", "link or file", "lock"],
)
def test_any_change_of_the_source_is_another_identity(tmp_path: Path, change: Change) -> None:
    root = make(tmp_path)
    before = environment_identity(root)
    change(root)
    assert environment_identity(root) != before


def test_another_interpreter_is_another_identity(tmp_path: Path) -> None:
    root = make(tmp_path / "a")
    assert environment_identity(root) != environment_identity(root, "cpython 3.12.0 linux-aarch64")


def test_the_interpreter_is_named_as_it_names_itself() -> None:
    code = "import sys, sysconfig; print(sys.implementation.name, sys.version.split()[0], sysconfig.get_platform())"
    said = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True
    )
    assert interpreter() == said.stdout.strip()


@given(st.dictionaries(NAMES, st.binary(max_size=3), min_size=1, max_size=5))
def test_the_order_in_which_files_were_made_does_not_count(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    digests = set()
    for names in (sorted(files), sorted(files, reverse=True)):
        root = tmp_path_factory.mktemp("tree")
        for name in names:
            (root / name).write_bytes(files[name])
        digests.add(tree_digest(root))
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("# PIPELINE DEFINITION\n", "", True),
        ("sdkVersion: kfp-2.", "sdkVersion: kfp-9.", True),
        ("base:dev", "base@sha256:00", False),
        ("seals.measured", "seals.other", False),
        ("seals-warehouse", "seals-lake", False),
    ],
)
def test_the_content_of_a_compiled_file_is_all_but_kfps_version(
    tmp_path: Path, old: str, new: str, same: bool
) -> None:
    other = tmp_path / "pipeline.yaml"
    other.write_text(COMPILED.read_text().replace(old, new))
    assert other.read_text() != COMPILED.read_text()
    assert (content_digest(other) == content_digest(COMPILED)) is same
