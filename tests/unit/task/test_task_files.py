"""Digests and whole writes."""

import hashlib
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tagline_task import digest
from tagline_task.errors import OutputError
from tagline_task.files import write_json, write_text

BY_HAND = "find . -type f -printf '%P\\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum"


def test_the_digest_of_a_file_is_its_sha256(tmp_path):
    (tmp_path / "m").write_bytes(b"model")
    assert digest(tmp_path / "m") == hashlib.sha256(b"model").hexdigest()


def test_the_digest_of_a_folder_is_what_the_documented_command_gives(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "empty").mkdir()
    for name, text in [("a b", "1"), ("b/c", "2"), ("b/ä", "3"), ("Z", ""), ("b.d", "5")]:
        (tmp_path / name).write_text(text)
    by_hand = subprocess.run(BY_HAND, shell=True, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert digest(tmp_path) == by_hand.stdout.split()[0]


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), st.binary(max_size=5), min_size=1, max_size=4))
def test_the_digest_of_a_folder_changes_with_any_name_or_content(tmp_path_factory, files):
    folder = tmp_path_factory.mktemp("model")
    for name, content in files.items():
        (folder / name).write_bytes(content)
    before = digest(folder)
    name = sorted(files)[0]
    (folder / name).write_bytes(files[name] + b"!")
    changed = digest(folder)
    (folder / name).write_bytes(files[name])
    (folder / name).rename(folder / "other")
    assert len({before, changed, digest(folder)}) == 3


def test_a_folder_without_a_file_has_no_digest(tmp_path):
    with pytest.raises(OutputError, match="folder without a file"):
        digest(tmp_path)


def test_a_link_in_a_model_folder_is_refused(tmp_path):
    (tmp_path / "real").write_text("x")
    (tmp_path / "link").symlink_to("real")
    with pytest.raises(OutputError, match="is a link"):
        digest(tmp_path)


def test_a_file_whose_writing_fails_is_not_there_and_leaves_nothing(tmp_path):
    with pytest.raises(ValueError, match="Out of range"):
        write_json(str(tmp_path / "out.json"), {"a": float("nan")})
    with pytest.raises(UnicodeEncodeError):
        write_text(str(tmp_path / "out.txt"), "\ud800")
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_whole(tmp_path):
    path = str(tmp_path / "deep/out.txt")
    write_text(path, "first, longer")
    write_text(path, "second")
    assert [each.name for each in (tmp_path / "deep").iterdir()] == ["out.txt"]
    assert (tmp_path / "deep/out.txt").read_text() == "second"
