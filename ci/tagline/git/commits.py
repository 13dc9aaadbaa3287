"""What a commit says and touches: the size of its change by Conventional Commits 1.0, and whom it affects."""

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from functools import lru_cache

import msgspec

UNAFFECTING = ("docs/", "*.md", "tests/", "Jenkinsfile", ".gitlab-ci.yml", ".github/")
RENEWED = ("docker/kubeflow_pipeline/pipeline.yaml", "pipeline.yaml")

_TYPES = "build|chore|ci|docs|feat|fix|perf|refactor|revert|style|test"
_HEADER = re.compile(r"(?P<type>[A-Za-z][A-Za-z0-9_-]*)(\([^()\r\n]+\))?(?P<bang>!)?: +\S")
_BODY_LINE = re.compile(rf"\s*(?:[-*] +)?(?P<type>{_TYPES})(\([^()\r\n]+\))?(?P<bang>!)?: +\S", re.IGNORECASE)
_BREAKING = re.compile(r"^BREAKING[ -]CHANGE(: | #)\S", re.MULTILINE)
_RELEASE_AS = re.compile(r"^release-as:[ \t]*(\S+)[ \t]*$", re.MULTILINE | re.IGNORECASE)
_REVERTS = re.compile(r"^This reverts commit ([0-9a-f]{7,64})\b", re.MULTILINE)


class Size(IntEnum):
    """How much of a version a change moves."""

    PATCH = 1
    MINOR = 2
    MAJOR = 3


class Commit(msgspec.Struct, frozen=True):
    """A commit: `files` are those that it changes, for a merge those that differ from every parent."""

    hash: str
    parents: tuple[str, ...]
    message: str
    files: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        return self.message.strip().partition("\n")[0]


def size_of(message: str) -> Size:
    """The size of a change by its message: the largest of its header, its footers and the lines of a squash.

    Conventional Commits 1.0.0 (conventionalcommits.org): `!` or a BREAKING CHANGE footer is major, feat is
    minor; anything else, conforming or not, is patch.
    """
    message = message.replace("\r\n", "\n").strip()
    header, _, body = message.partition("\n")
    found = [_HEADER.match(header), *(_BODY_LINE.match(line) for line in body.splitlines())]
    sizes = [_size(match) for match in found if match]
    if _BREAKING.search(message):
        return Size.MAJOR
    return max(sizes, default=Size.PATCH)


def _size(match: re.Match[str]) -> Size:
    if match["bang"]:
        return Size.MAJOR
    return Size.MINOR if match["type"].lower() == "feat" else Size.PATCH


def release_as(message: str) -> str:
    """The text of a `Release-As:` trailer, or ""."""
    found = _RELEASE_AS.search(message.replace("\r\n", "\n"))
    return found[1] if found else ""


def affects(commit: Commit, paths: Sequence[str]) -> bool:
    """Whether a commit changes a file of the pipeline; `paths` as declared, none for the default."""
    return any(concerns(file, paths) for file in commit.files)


def concerns(file: str, paths: Sequence[str]) -> bool:
    """Whether a file belongs to the pipeline: in `paths`, or, where none are declared, anything but
    documentation, tests and CI files. The pipeline.yaml that tagline renews never counts.

    A path is a file, a folder with all below it, or a pattern: `*` and `?` stay within one folder, `**` does
    not, and a pattern without `/` fits in any folder. With `!` before it, it takes out what others take in.
    """
    out = [path[1:] for path in paths if path.startswith("!")]
    if file in RENEWED or any(_pattern(path).fullmatch(file) for path in out):
        return False
    declared = [path for path in paths if not path.startswith("!")]
    if not declared:
        return not any(_pattern(path).fullmatch(file) for path in UNAFFECTING)
    return any(_pattern(path).fullmatch(file) for path in declared)


@lru_cache(maxsize=1024)
def _pattern(path: str) -> re.Pattern[str]:
    path = path.removeprefix("./").strip("/") if path not in ("", ".", "./") else "**"
    anywhere = "(?:.*/)?" if "/" not in path and "*" in path and path != "**" else ""
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", path)
    meaning = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    text = "".join(meaning.get(part) or re.escape(part) for part in parts)
    return re.compile(f"{anywhere}{text}(?:/.*)?", re.DOTALL)


def sizes(commits: Iterable[Commit], paths: Sequence[str]) -> dict[str, Size]:
    """The size of each commit that affects the pipeline, by hash; `commits` newest first.

    A commit that a later one of them reverts counts as patch. A merge's own message (often the title of a
    pull request) counts where something that it brought in affects the pipeline.
    """
    commits = list(commits)
    known = {commit.hash: commit for commit in commits}
    mine = {commit.hash for commit in commits if affects(commit, paths)}
    undone: set[str] = set()
    for commit in commits:
        if commit.hash not in undone:
            undone |= {full for short in _REVERTS.findall(commit.message) for full in _full(short, known)}
    found = {}
    for commit in commits:
        size = Size.PATCH if commit.hash in undone else size_of(commit.message)
        brings = len(commit.parents) > 1 and size > Size.PATCH and brought(commit, known) & mine
        if commit.hash in mine or brings:
            found[commit.hash] = size
    return found


def _full(short: str, known: Mapping[str, Commit]) -> list[str]:
    return [short] if short in known else [full for full in known if full.startswith(short)]


def brought(merge: Commit, known: Mapping[str, Commit]) -> set[str]:
    """The commits that a merge brought in: those behind its other parents that are not behind its first."""
    return _behind(merge.parents[1:], known) - _behind(merge.parents[:1], known)


def _behind(starts: Iterable[str], known: Mapping[str, Commit]) -> set[str]:
    seen: set[str] = set()
    waiting = list(starts)
    while waiting:
        commit = known.get(waiting.pop())
        if commit and commit.hash not in seen:
            seen.add(commit.hash)
            waiting.extend(commit.parents)
    return seen
