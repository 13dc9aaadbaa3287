"""Requirements files: what counts as locked, and how two locks become one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tagline.engines.locks import Lock, read_lock
from tagline.engines.process import serving_lock
from tagline.errors import LockMissing

HASH = "--hash=sha256:" + "a" * 64


def test_a_lock_of_uv_is_read_with_its_continued_lines_and_comments() -> None:
    marked = "NumPy==2.1.0 ; python_version >= '3.11'"
    text = f"# made by uv\n{marked} \\\n    {HASH} \\\n    {HASH}\n    # via x\nb==1 {HASH}\n"
    lock = read_lock(text, "src/requirements.txt")
    assert [(pin.name, pin.version) for pin in lock.pins] == [("numpy", "2.1.0"), ("b", "1")]


@pytest.mark.parametrize(
    ("line", "lack"),
    [
        ("numpy", "pinned version"),
        ("numpy>=2", "pinned version"),
        ("numpy==2.*", "pinned version"),
        (f"numpy>=2 {HASH}", "pinned version"),
        ("numpy==2.1.0", "hash"),
        ("-r other.txt", "pinned version"),
        ("-e .", "pinned version"),
        ("./local.whl", "pinned version"),
    ],
)
def test_a_line_that_is_not_locked_is_named_with_its_place_and_the_command(line: str, lack: str) -> None:
    with pytest.raises(LockMissing, match=f"it has no {lack}") as caught:
        read_lock(f"a==1 {HASH}\n\n{line}\n", "src/requirements.txt")
    assert caught.value.where == "src/requirements.txt:3"
    assert "uv pip compile --generate-hashes" in caught.value.fix


def test_pip_s_own_lines_are_kept() -> None:
    lock = read_lock(f"--extra-index-url https://example.org/simple\na==1 {HASH}\n", "x")
    assert lock.text == f"--extra-index-url https://example.org/simple\na==1 {HASH}\n"


def test_the_project_s_pins_win_over_those_of_serving() -> None:
    project = read_lock(f"Aiohttp==1.0 {HASH}\n", "x")
    both = project.beside(serving_lock())
    assert [pin.version for pin in both.pins if pin.name == "aiohttp"] == ["1.0"]
    assert "kserve" in both.names
    assert len(both.pins) == len(serving_lock().pins)


names = st.lists(st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True), unique=True, max_size=8)


@given(names)
def test_a_lock_printed_and_read_again_is_the_same(found: list[str]) -> None:
    lock = read_lock("".join(f"{name}==1.0 {HASH}\n" for name in found), "x")
    assert read_lock(lock.text, "x") == lock
    assert lock.beside(lock) == lock
    assert Lock().beside(lock) == lock


@pytest.mark.parametrize("line", ["https://bob:ghp_credential@example.org", "TOKEN=credential", "-----KEY"])
def test_a_line_that_is_no_requirement_is_not_repeated(line: str) -> None:
    with pytest.raises(LockMissing) as caught:
        read_lock(f"{line}\n", "src/requirements.txt")
    assert "credential" not in str(caught.value) and "KEY" not in str(caught.value)
    assert caught.value.where == "src/requirements.txt:1"
