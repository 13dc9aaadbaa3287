"""`tagline doctor` learns what it may push by pushing, says it, and leaves nothing behind."""

from pathlib import Path

import pytest
from tagline.flow.views.doctor_remote import examine_remote
from tagline.git import probe as probing
from tagline.git.probe import PROBES, Learnt, probe
from tagline.git.repo import Repo

from tests.fakes.repositories import Bare, Clone, git, linear


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Bare, Clone]:
    return linear(tmp_path)


def said(clone: Clone) -> dict[str, str]:
    """What doctor says of the remote: level by sentence."""
    return {what: level for level, what, _ in examine_remote(clone.path)}


def left(bare: Bare) -> list[str]:
    return [ref for ref in bare.refs() if ref.startswith(PROBES)]


def test_a_probe_is_pushed_as_one_and_deleted(pair: tuple[Bare, Clone], tmp_path: Path) -> None:
    bare, clone = pair
    log = tmp_path / "pushed"
    bare.hook(f'echo "$1 $3" >> {log}', "update")
    assert probe(Repo.open(clone.path)) == Learnt(atomic=True)
    lines = [line.split() for line in log.read_text().splitlines()]
    assert [ref.rpartition("/")[2] for ref, _ in lines] == ["a", "b", "a", "b"]
    assert all(ref.startswith(PROBES) for ref, _ in lines)
    assert left(bare) == []


def test_a_host_without_atomic_push_is_learnt_and_said_once(pair: tuple[Bare, Clone]) -> None:
    bare, clone = pair
    git(bare.path, "config", "receive.advertiseAtomic", "false")
    told = [what for what in said(clone) if "as one" in what]
    assert (len(told), said(clone)[told[0]], left(bare)) == (1, "note", [])


def test_a_host_that_refuses_other_refs_is_told_of_the_branch(pair: tuple[Bare, Clone]) -> None:
    bare, clone = pair
    git(bare.path, "config", "receive.hideRefs", "refs/tagline")
    found = [(level, fix) for level, what, fix in examine_remote(clone.path) if "hidden ref" in what]
    assert [level for level, _ in found] == ["missing"]
    assert "ledger: tagline-ledger" in found[0][1]
    assert left(bare) == []


def test_a_token_that_only_reads_is_a_note(pair: tuple[Bare, Clone]) -> None:
    bare, clone = pair
    bare.refuse_all("Permission denied: this token is read-only")
    assert [level for what, level in said(clone).items() if "may read and not push" in what] == ["note"]


def test_a_probe_that_a_killed_doctor_left_is_taken_away(pair: tuple[Bare, Clone]) -> None:
    bare, clone = pair
    clone.push(f"HEAD:{PROBES}0123456789abcdef/a")
    probe(Repo.open(clone.path))
    assert left(bare) == []


def test_an_interrupt_between_push_and_delete_leaves_no_probe(
    pair: tuple[Bare, Clone], monkeypatch: pytest.MonkeyPatch
) -> None:
    bare, clone = pair
    push = probing._push

    def interrupted(*args: object) -> tuple[bool, str]:
        push(*args)  # type: ignore[arg-type]
        assert len(left(bare)) == 2
        raise KeyboardInterrupt

    monkeypatch.setattr(probing, "_push", interrupted)
    with pytest.raises(KeyboardInterrupt):
        probe(Repo.open(clone.path))
    assert left(bare) == []


def test_a_host_that_forbids_deleting_is_named_with_the_command(pair: tuple[Bare, Clone]) -> None:
    bare, clone = pair
    bare.hook('case "$3" in 0000*) echo "deletion prohibited" >&2; exit 1;; esac', "update")
    found = {what: (level, fix) for level, what, fix in examine_remote(clone.path)}
    level, fix = found["the host does not let the probe be deleted"]
    assert level == "missing"
    assert fix == f"git push --delete origin {' '.join(sorted(left(bare)))}"


def test_the_right_to_push_tags_is_said_to_be_unchecked(pair: tuple[Bare, Clone]) -> None:
    assert any(what.startswith("not checked: the right to push tags") for what in said(pair[1]))
