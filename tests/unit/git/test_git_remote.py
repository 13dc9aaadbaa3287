"""What git and its remote answer, told apart by their words; credentials and time."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tagline.errors import MissingTool, RepositoryError
from tagline.git import process
from tagline.git.remote import Pushed, Trouble, judge, trouble
from tagline.git.repo import Repo

from tests.fakes.repositories import Clone

LEDGER, TAG = "refs/tagline/ledger", "refs/tags/v0.1.0"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("fatal: the receiving end does not support --atomic push", Trouble.NO_ATOMIC),
        (
            "git@host: Permission denied (publickey).\nfatal: Could not read from remote repository.",
            Trouble.RIGHTS,
        ),
        ("fatal: unable to access 'https://x/': The requested URL returned error: 403", Trouble.RIGHTS),
        ("fatal: could not read Username for 'https://x': terminal prompts disabled", Trouble.RIGHTS),
        ("remote: HTTP Basic: Access denied\nfatal: Authentication failed for 'https://x/'", Trouble.RIGHTS),
        ("fatal: unable to access 'https://x/': Could not resolve host: x", Trouble.NETWORK),
        ("ssh: connect to host x port 22: Connection refused", Trouble.NETWORK),
        ("fatal: unable to access 'https://x/': The requested URL returned error: 503", Trouble.NETWORK),
        ("git fetch gave no answer in 600 s", Trouble.NETWORK),
        ("fatal: '/x' does not appear to be a git repository", Trouble.GONE),
        ("remote: Repository not found.", Trouble.GONE),
        ("error: cannot lock ref 'refs/x': Unable to create '/x.lock': File exists.", Trouble.CONTENTION),
        ("something new", Trouble.OTHER),
    ],
)
def test_a_failure_is_told_apart_by_gits_words(said: str, kind: Trouble) -> None:
    assert trouble(said) is kind


def answer(*lines: tuple[str, str, str]) -> str:
    body = "".join(f"{flag}\tabc:{ref}\t{why}\n" for flag, ref, why in lines)
    return f"To /remote\n{body}Done\n"


@pytest.mark.parametrize(
    ("lines", "outcome", "reason"),
    [
        ([("*", LEDGER, "[new reference]"), ("*", TAG, "[new tag]")], Pushed.DONE, ""),
        ([(" ", LEDGER, "a..b"), ("*", TAG, "[new tag]")], Pushed.DONE, ""),
        ([("=", LEDGER, "[up to date]"), ("=", TAG, "[up to date]")], Pushed.LOST, ""),
        ([(" ", LEDGER, "a..b"), ("=", TAG, "[up to date]")], Pushed.LOST, ""),
        (
            [("!", LEDGER, "[rejected] (stale info)"), ("!", TAG, "[rejected] (atomic push failed)")],
            Pushed.LOST,
            "",
        ),
        (
            [("!", LEDGER, "[remote rejected] (failed to update ref)"), ("*", TAG, "[new tag]")],
            Pushed.LOST,
            "",
        ),
        ([("!", LEDGER, "[remote rejected] (incorrect old value provided)")], Pushed.LOST, ""),
        (
            [
                ("!", LEDGER, "[remote rejected] (atomic push failure)"),
                ("!", TAG, "[remote rejected] (hook declined)"),
            ],
            None,
            "[remote rejected] (hook declined)",
        ),
        ([("*", LEDGER, "[new reference]")], None, "no answer"),
        ([], None, "no answer"),
    ],
)
def test_a_pushs_answer_is_done_lost_or_refused(
    lines: list[tuple[str, str, str]], outcome: Pushed | None, reason: str
) -> None:
    wanted = [LEDGER] if len(lines) == 1 and "old value" in lines[0][2] else [LEDGER, TAG]
    assert judge(answer(*lines), wanted) == (outcome, reason)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("https://user:tok@en@host/x", "https://***@host/x"),
        ("see https://ghp_abc@host/x and http://host/y", "see https://***@host/x and http://host/y"),
        ("ssh://git@host/x", "ssh://git@host/x"),
        ("ssh://git:pass@host/x", "ssh://git:***@host/x"),
        ("https://host/x?private_token=abc&a=b", "https://host/x?private_token=***&a=b"),
        ("git@host:team/x.git", "git@host:team/x.git"),
    ],
)
def test_credentials_in_addresses_are_masked(text: str, masked: str) -> None:
    assert process.mask(text) == masked


@given(st.text("abcXYZ0189:@%-_.", min_size=1, max_size=30))
def test_no_password_survives_the_mask_whatever_it_is_made_of(password: str) -> None:
    secret = f"<{password}>"
    assert secret not in process.mask(f"fatal: unable to access 'https://bot:{secret}@host.example/x.git/'")


def test_a_git_that_hangs_is_ended_with_all_its_children(
    clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = clone.path.parent / "bin"
    folder.mkdir()
    marker = clone.path.parent / "outlived"
    (folder / "git").write_text(f"#!/bin/sh\n(sleep 3; touch {marker}) &\nsleep 60\n")
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    begun = time.monotonic()
    answer = process.run(("-c", "a.b=c", "fetch"), cwd=clone.path, timeout=0.5)
    assert (answer.code, answer.err) == (124, "git fetch gave no answer in 0.5 s")
    assert time.monotonic() - begun < 3
    time.sleep(max(0.0, begun + 4 - time.monotonic()))
    assert not marker.exists()


def test_without_git_the_error_says_how_to_install_it(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(clone.path))
    with pytest.raises(MissingTool, match="git is not installed"):
        process.run(("version",), cwd=clone.path)


def test_a_failing_git_is_an_error_with_its_words(repo: Repo) -> None:
    with pytest.raises(RepositoryError, match=r"git cat-file failed: fatal: .*nothing"):
        repo.git("cat-file", "blob", "nothing")


def test_a_folder_that_went_away_is_not_a_missing_git(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="is gone"):
        process.run(("version",), cwd=tmp_path / "gone")
