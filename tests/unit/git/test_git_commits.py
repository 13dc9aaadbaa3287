"""Conventional Commits and paths: the size of a change, and whether it concerns the pipeline."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tagline.git.commits import Commit, Size, concerns, release_as, size_of, sizes

PATCH, MINOR, MAJOR = Size.PATCH, Size.MINOR, Size.MAJOR


@pytest.mark.parametrize(
    ("message", "size"),
    [
        ("feat: allow a config", MINOR),
        ("feat(lang): polish", MINOR),
        ("FEAT: shouting", MINOR),
        ("fix: a bug", PATCH),
        ("docs: spelling", PATCH),
        ("anything: at all", PATCH),
        ("feat!: send an email", MAJOR),
        ("chore(api)!: drop Node 6", MAJOR),
        ("wow!: custom type", MAJOR),
        ("fix: x\n\nBREAKING CHANGE: it is gone", MAJOR),
        ("fix: x\n\nBREAKING-CHANGE: it is gone", MAJOR),
        ("fix: x\n\nbody\n\nReviewed-by: Z\nBREAKING CHANGE: late", MAJOR),
        ("not conforming\n\nBREAKING CHANGE: still", MAJOR),
        ("fix: x\n\nbreaking change: lower case is none", PATCH),
        ("not conforming", PATCH),
        ("feat:no space", PATCH),
        ("feat : space before", PATCH),
        ("feat:", PATCH),
        ("", PATCH),
        ('Revert "feat: x"\n\nThis reverts commit 1234567.', PATCH),
        ("revert: feat!: x", PATCH),
        ("Merge branch 'x'", PATCH),
        ("Merge pull request #3 from a/b\n\nfeat: the title", MINOR),
        ("Squashed (#12)\n\n* fix: one\n* feat: two\n* docs: three", MINOR),
        ("Squashed (#12)\r\n\r\n- fix: one\r\n- refactor(core)!: two\r\n", MAJOR),
        ("fix: x\n\nfeature: of the day", PATCH),
        ("fix: x\n\nNote!: not a type, so prose", PATCH),
    ],
)
def test_the_size_of_a_change_by_its_message(message: str, size: Size) -> None:
    assert size_of(message) is size


@given(st.sampled_from(["feat", "fix", "docs"]), st.booleans(), st.text(max_size=50), st.text(max_size=100))
def test_no_body_makes_a_change_smaller_than_its_header(
    kind: str, bang: bool, subject: str, body: str
) -> None:
    header = f"{kind}{'!' if bang else ''}: x{subject.splitlines()[0] if subject.splitlines() else ''}"
    assert size_of(f"{header}\n\n{body}") >= size_of(header)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("x\n\nRelease-As: 1.0.0", "1.0.0"),
        ("x\n\nrelease-as: 1.0.0\r\nA: b", "1.0.0"),
        ("Release as 1.0.0", ""),
    ],
)
def test_the_release_that_a_trailer_asks_for(message: str, text: str) -> None:
    assert release_as(message) == text


@pytest.mark.parametrize(
    "file", ["src/a.py", "tagline.yaml", "docker/kubeflow_pipeline/pipeline.py", "tests.py", "a.mdx"]
)
def test_by_default_everything_concerns_the_pipeline(file: str) -> None:
    assert concerns(file, [])


@pytest.mark.parametrize(
    "file",
    [
        "docs/a.txt",
        "README.md",
        "src/deep/note.md",
        "tests/test_a.py",
        "Jenkinsfile",
        ".gitlab-ci.yml",
        ".github/workflows/x.yml",
        "docker/kubeflow_pipeline/pipeline.yaml",
        "pipeline.yaml",
    ],
)
def test_by_default_documentation_tests_ci_and_the_renewed_file_do_not(file: str) -> None:
    assert not concerns(file, [])


@pytest.mark.parametrize(
    ("path", "file", "answer"),
    [
        ("src/", "src/a/b.py", True),
        ("src", "src/a.py", True),
        ("./src", "src/a.py", True),
        ("src", "src2/a.py", False),
        ("src", "lib/src/a.py", False),
        ("src/*.py", "src/a.py", True),
        ("src/*.py", "src/a/b.py", False),
        ("src/**/*.py", "src/a/b/c.py", True),
        ("src/**/*.py", "src/c.py", True),
        ("*.py", "deep/down/a.py", True),
        ("a?.py", "ab.py", True),
        ("a.b", "axb", False),
        (".", "anything/at.all", True),
        ("docker/", "docker/kubeflow_pipeline/pipeline.yaml", False),
    ],
)
def test_declared_paths_are_files_folders_and_patterns(path: str, file: str, answer: bool) -> None:
    assert concerns(file, [path]) is answer


def commit(name: str, message: str, *parents: str, files: tuple[str, ...] = ("src/a.py",)) -> Commit:
    return Commit(name * 40, tuple(parent * 40 for parent in parents), message, files)


def test_a_commit_that_touches_nothing_of_the_pipeline_has_no_size() -> None:
    assert sizes([commit("a", "feat!: docs", files=("docs/x.md",))], []) == {}


def test_a_feature_and_its_revert_come_down_to_a_patch() -> None:
    revert = commit("b", f'Revert "feat: x"\n\nThis reverts commit {"a" * 40}.', "a")
    assert set(sizes([revert, commit("a", "feat: x")], []).values()) == {PATCH}


def test_a_revert_that_is_reverted_leaves_the_feature_a_feature() -> None:
    first = commit("b", f"Revert\n\nThis reverts commit {'a' * 40}.", "a")
    second = commit("c", f"Revert\n\nThis reverts commit {'b' * 40}.", "b")
    assert sizes([second, first, commit("a", "feat: x")], [])["a" * 40] is MINOR


def test_a_merge_titled_as_a_feature_lifts_commits_that_say_nothing() -> None:
    merge = commit("d", "Merge pull request #1\n\nfeat: title", "b", "c", files=())
    found = sizes([merge, commit("c", "wip", "a"), commit("b", "fix: y", "a")], [])
    assert found["d" * 40] is MINOR


def test_a_merge_that_brought_in_only_documentation_does_not_count() -> None:
    merge = commit("d", "Merge pull request #1\n\nfeat!: title", "b", "c", files=())
    docs = commit("c", "wip", "a", files=("docs/x",))
    assert sizes([merge, docs, commit("b", "fix: y", "a")], []) == {"b" * 40: PATCH}
