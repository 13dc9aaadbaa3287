"""A repository with a tagline.yaml, and the command `tagline` run in it as a person would."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

TAGLINE = Path(sys.executable).with_name("tagline")


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass
class Desk:
    """A git repository; `env` is all that its commands see."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)

    def write(self, name: str, text: str) -> None:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def tagline(self, *words: str, given: str = "", **more: str) -> Done:
        done = subprocess.run(
            [str(TAGLINE), *words], cwd=self.root, env={**self.env, **more}, input=given, capture_output=True,
            text=True, timeout=120,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    def git(self, *words: str) -> None:
        subprocess.run(["git", *words], cwd=self.root, env=self.env, check=True, capture_output=True)


def make_desk(folder: Path, **env: str) -> Desk:
    """A repository with an ignored .env, made in `folder`."""
    root = folder / "wine"
    root.mkdir()
    (folder / "home").mkdir()
    base = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder / "home"),
        "TAGLINE_HOME": str(folder / "platform"),
    }
    desk = Desk(root, base | env)
    desk.git("init", "-q", "-b", "main")
    desk.write(".gitignore", "/.env\n")
    return desk
