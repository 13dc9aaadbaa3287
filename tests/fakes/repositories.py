"""Tiny real repositories: a bare remote and clones of it, made in a few milliseconds each."""

import os
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path

_QUIET = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "LC_ALL": "C",
}


def git(cwd: Path, *args: str, stdin: str = "", env: Mapping[str, str] | None = None) -> str:
    """Run git as a person would; raises with its words where it fails."""
    done = subprocess.run(
        ["git", *args],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | _QUIET | dict(env or {}),
        check=False,
    )
    if done.returncode:
        raise AssertionError(f"git {' '.join(args)}: {done.stderr}")
    return done.stdout.strip()


class Bare:
    """A bare remote, as a host keeps it."""

    def __init__(self, path: Path, branch: str = "main") -> None:
        self.path = path
        git(path.parent, "init", "--quiet", "--bare", f"--initial-branch={branch}", str(path))

    def refs(self) -> dict[str, str]:
        """Every ref of the remote with its value."""
        lines = git(self.path, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return dict(line.split(" ") for line in lines)

    def hook(self, script: str, name: str = "pre-receive") -> None:
        """Install a hook, such as one that refuses every push."""
        path = self.path / "hooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def refuse_all(self, words: str = "protected: you need the maintainer role") -> None:
        """Refuse every push, as a host does for a read-only token or a protected tag."""
        self.hook(f'echo "{words}" >&2; exit 1')

    def clone(self, path: Path) -> "Clone":
        """A clone with an identity of its own."""
        git(path.parent, "clone", "--quiet", str(self.path), str(path))
        return Clone(path)


class Clone:
    """A clone that somebody works in."""

    def __init__(self, path: Path) -> None:
        self.path = path
        config = "[user]\n\tname = Ada\n\temail = ada@example.org\n"
        with (path / ".git" / "config").open("a") as file:
            file.write(config)

    def git(self, *args: str, stdin: str = "", env: Mapping[str, str] | None = None) -> str:
        """Run git in the clone."""
        return git(self.path, *args, stdin=stdin, env=env)

    def write(self, files: Mapping[str, str]) -> None:
        """Write files, folders made."""
        for name, text in files.items():
            (self.path / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).write_text(text)

    def commit(self, message: str, files: Mapping[str, str] | None = None) -> str:
        """Commit all that is there, or an empty commit; returns its hash."""
        self.write(files or {})
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--file=-", stdin=message)
        return self.head()

    def head(self) -> str:
        """The hash of HEAD."""
        return self.git("rev-parse", "HEAD")

    def push(self, *refs: str) -> None:
        """Push refs to origin; by default the branch checked out."""
        self.git("push", "--quiet", "origin", *(refs or ("HEAD",)))

    def tag(self, name: str, commit: str = "HEAD", message: str = "", *, push: bool = True) -> str:
        """Make a tag (annotated where it has a message) and push it; returns what the ref holds."""
        if message:
            self.git("tag", "--annotate", "--cleanup=verbatim", "--file=-", name, commit, stdin=message)
        else:
            self.git("tag", name, commit)
        if push:
            self.push(f"refs/tags/{name}")
        return self.git("rev-parse", f"refs/tags/{name}")

    def refs(self) -> dict[str, str]:
        """Every ref here but tagline's private ones."""
        lines = self.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        pairs = dict(line.split(" ") for line in lines)
        return {name: value for name, value in pairs.items() if not name.startswith("refs/tagline/")}


def linear(folder: Path, *messages: str) -> tuple[Bare, Clone]:
    """A remote and a clone whose main has one pushed commit a message, each changing src/train.py."""
    bare = Bare(folder / "remote.git")
    clone = bare.clone(folder / "work")
    for number, message in enumerate(messages or ("feat: begin",)):
        clone.commit(message, {"src/train.py": f"step = {number}\n"})
    clone.push()
    return bare, clone


def many_tags(clone: Clone, count: int) -> None:
    """Push `count` annotated promotion tags on HEAD in a few processes (numbers 1 to count)."""
    head = clone.head()
    person = "Ada <ada@example.org> 1700000000 +0000"
    stream = []
    for n in range(1, count + 1):
        text = f"Promote wine in prod\n\nModel-Version: 0.1.0-r{n}\n"
        stream.append(f"tag promote/prod/wine/{n}\nfrom {head}\ntagger {person}\ndata {len(text)}\n{text}\n")
    clone.git("fast-import", "--quiet", stdin="".join(stream))
    clone.git("push", "--quiet", "origin", "refs/tags/*:refs/tags/*")
