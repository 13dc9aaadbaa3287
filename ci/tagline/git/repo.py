"""A clone on this machine: where it is, what is checked out, and its commits as files."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from tagline import foreign, temporary
from tagline.errors import DirtyTree, NoRemote, NoRepository, RepositoryError, ShallowClone
from tagline.git import process

ORIGIN = "refs/tagline/origin/"
LEDGER_REF = "refs/tagline/ledger"
LOST_LEDGER = "refs/tagline/lost-ledger"


class Repo(msgspec.Struct, frozen=True):
    """A repository with a work tree: `root` its top folder, `store` the git directory all work trees share.

    `retries` are the waits in seconds before the remote is asked again after a failure of the network.
    """

    root: Path
    store: Path
    shallow: bool = False
    retries: tuple[float, ...] = (0.5, 2.0)

    @classmethod
    def open(cls, path: Path) -> "Repo":
        """The repository that `path` lies in; raises `NoRepository` where there is none with a work tree."""
        if not path.is_dir():
            raise NoRepository(f"there is no folder {path}", fix="give a folder inside a git repository")
        asked = ("--show-toplevel", "--git-common-dir", "--is-shallow-repository")
        answer = process.run(("rev-parse", "--path-format=absolute", *asked), cwd=path)
        if answer.code != 0:
            raise _no_repository(path, answer.err)
        root, store, shallow = os.fsdecode(answer.out).splitlines()
        return cls(Path(root), Path(store), shallow == "true")

    def ask(
        self,
        *args: str,
        stdin: bytes = b"",
        timeout: float = process.LOCAL_TIMEOUT,
        env: Mapping[str, str] | None = None,
    ) -> process.Answer:
        """Run git here and return its answer, whatever it is."""
        return process.run(args, cwd=self.root, stdin=stdin, timeout=timeout, env=env)

    def git(
        self,
        *args: str,
        stdin: bytes = b"",
        timeout: float = process.LOCAL_TIMEOUT,
        env: Mapping[str, str] | None = None,
    ) -> bytes:
        """Run git here and return its stdout; raises `RepositoryError` with git's words where it fails."""
        answer = self.ask(*args, stdin=stdin, timeout=timeout, env=env)
        if answer.code != 0:
            said = answer.err or f"exit code {answer.code}"
            raise RepositoryError(f"git {process.verb(args)} failed: {said}", where=str(self.root))
        return answer.out

    def text(self, *args: str, stdin: bytes = b"") -> str:
        """The stdout of git as one stripped text."""
        return self.git(*args, stdin=stdin).decode("utf-8", "replace").strip()

    def head(self) -> str:
        """The hash of the commit checked out; raises `RepositoryError` before the first commit."""
        answer = self.ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        if answer.code != 0:
            raise RepositoryError(
                "the repository has no commit yet",
                where=str(self.root),
                fix='git add . && git commit -m "feat: begin"',
            )
        return answer.out.decode().strip()

    def branch(self) -> str | None:
        """The name of the branch checked out, or None where HEAD is detached."""
        answer = self.ask("symbolic-ref", "--quiet", "HEAD")
        name = answer.out.decode("utf-8", "replace").strip()
        return name.removeprefix("refs/heads/") if answer.code == 0 else None

    def commit(self, revision: str) -> str:
        """The hash of the commit that a revision names; raises `RepositoryError` where it names none."""
        answer = self.ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        if answer.code != 0:
            raise RepositoryError(
                f"{revision!r} names no commit here", where=str(self.root), fix="git fetch --tags"
            )
        return answer.out.decode().strip()

    def has(self, commit: str) -> bool:
        """Whether a commit is in this clone."""
        return self.ask("cat-file", "-e", f"{commit}^{{commit}}").code == 0

    def contains(self, commit: str, ancestor: str) -> bool:
        """Whether a commit is `ancestor` or descends from it; False also where `ancestor` is not here."""
        return self.ask("merge-base", "--is-ancestor", ancestor, commit).code == 0

    def existing(self, commits: Iterable[str]) -> set[str]:
        """Those of the commits that this clone has; nothing is fetched for the answer."""
        asked = "".join(f"{commit}\n" for commit in sorted(set(commits)))
        options = ("--no-walk=unsorted", "--ignore-missing", "--missing=allow-any", "--stdin")
        return set(self.text("rev-list", *options, stdin=asked.encode()).split()) if asked else set()

    def remote(self) -> str:
        """The remote's name: origin, or the only one; raises `NoRemote` otherwise."""
        names = self.text("remote").split()
        if "origin" in names:
            return "origin"
        if len(names) == 1:
            return names[0]
        if names:
            raise NoRemote(
                f"none of the remotes is named origin: {', '.join(names)}",
                where=str(self.root),
                fix=f"git remote rename {names[0]} origin",
            )
        raise NoRemote("the repository has no remote", where=str(self.root), fix="git remote add origin URL")

    def url(self) -> str:
        """The remote's address without credentials, for people to read."""
        return process.mask(self.text("remote", "get-url", self.remote()))

    def dirty_files(self, *, untracked: bool = True) -> list[str]:
        """Paths that differ from HEAD; with `untracked` also files that git neither knows nor ignores."""
        mode = "normal" if untracked else "no"
        out = self.git("status", "--porcelain=v1", "-z", "--no-renames", f"--untracked-files={mode}")
        return [os.fsdecode(entry[3:]) for entry in out.split(b"\0") if entry]

    def is_clean(self) -> bool:
        """Whether the work tree is exactly HEAD."""
        return not self.dirty_files()

    def require_clean(self, *, untracked: bool = True) -> None:
        """Raise `DirtyTree` that names the files where the work tree differs from HEAD."""
        files = self.dirty_files(untracked=untracked)
        if not files:
            return
        shown = ", ".join(files[:5]) + (f" and {len(files) - 5} more" if len(files) > 5 else "")
        raise DirtyTree(
            f"the work tree differs from HEAD: {shown}",
            where=str(self.root),
            fix="git commit -a, or git stash -u; files that should never be committed belong in .gitignore",
        )

    def require_whole(self) -> None:
        """Raise `ShallowClone` where history is cut off."""
        if self.shallow:
            raise ShallowClone(
                "this clone is shallow: versions cannot be computed from part of the history",
                where=str(self.root),
                fix="git fetch --unshallow (in CI: fetch-depth 0, GIT_DEPTH 0, no shallow clone)",
            )

    def show(self, commit: str, path: str) -> bytes | None:
        """The bytes of a file in a commit, or None where the commit has no such file."""
        out = self.git("cat-file", "--batch", stdin=f"{commit}:{path}\n".encode())
        header, _, rest = out.partition(b"\n")
        parts = header.split(b" ")
        if len(parts) != 3 or parts[1] != b"blob":
            return None
        return rest[: int(parts[2])]

    def _fill(self, commit: str) -> None:
        """Bring, in one go, the contents that a deepened clone has left at its remote."""
        if self.ask("config", "--get-regexp", r"^remote\..*\.promisor$").code != 0:
            return
        listing = self.text(
            "rev-list", "--objects", "--no-object-names", "--missing=print", f"{commit}^{{tree}}"
        )
        missing = [line[1:] for line in listing.splitlines() if line.startswith("?")]
        if missing:
            options = ("--no-tags", "--no-write-fetch-head", "--filter=blob:none", "--quiet", "--stdin")
            asked = "".join(f"{one}\n" for one in missing).encode()
            noop = ("-c", "fetch.negotiationAlgorithm=noop")
            self.git(*noop, "fetch", *options, self.remote(), stdin=asked, timeout=600.0)

    def export(self, commit: str, dest: Path, exclude: Sequence[str] = ()) -> None:
        """Write the tree of a commit under `dest` (missing or empty): every file, its mode kept, no .git.

        `export-ignore` drops nothing, and the user's line-ending settings change nothing. `exclude` names
        files and folders to leave out. Raises `RepositoryError` where `dest` holds something already, and where
        a link leads out of the tree: what reads it here would follow it.
        """
        self._fill(commit)
        dest.mkdir(parents=True, exist_ok=True)
        if any(dest.iterdir()):
            raise RepositoryError(f"{dest} is not empty", where=str(dest), fix="give an empty folder")
        with temporary.folder(temporary.Kind.INDEX) as folder:
            env = {
                "GIT_INDEX_FILE": str(folder / "index"),
                "GIT_DIR": str(self.store),
                "GIT_WORK_TREE": str(dest),
            }
            settings = (
                "core.autocrlf=false",
                "core.eol=lf",
                "core.bare=false",
                "core.attributesFile=/dev/null",
            )
            config = tuple(part for setting in settings for part in ("-c", setting))
            self.git("read-tree", commit, env=env)
            listed = self.git("ls-files", "-z", "--cached", "--full-name", env=env).split(b"\0")
            wanted = [name for name in listed if name and not _under(os.fsdecode(name), exclude)]
            answer = process.run(
                (*config, "checkout-index", "--force", "-z", "--stdin"),
                cwd=dest,
                stdin=b"".join(name + b"\0" for name in wanted),
                timeout=600.0,
                env=env,
            )
        if answer.code != 0:
            raise RepositoryError(f"git checkout-index failed: {answer.err}", where=str(self.root))
        if gone := foreign.astray(dest):
            what = f"{gone.relative_to(dest)} is a link that leads out of the tree"
            fix = "put the file itself there, or a link to a file of the tree, and commit it"
            raise RepositoryError(what, where=f"{commit[:12]}:{gone.relative_to(dest)}", fix=fix)


def _under(path: str, folders: Sequence[str]) -> bool:
    return any(path == folder.rstrip("/") or path.startswith(f"{folder.rstrip('/')}/") for folder in folders)


def _no_repository(path: Path, said: str) -> NoRepository:
    if "dubious ownership" in said:
        return NoRepository(
            f"{path} belongs to another user, and git refuses to read it",
            where=str(path),
            fix=f"git config --global --add safe.directory {path}",
        )
    if "must be run in a work tree" in said:
        return NoRepository(
            f"{path} is a bare repository", where=str(path), fix="git clone it, and work in the clone"
        )
    return NoRepository(
        f"{path} is in no git repository", where=str(path), fix="git init && git add . && git commit"
    )
