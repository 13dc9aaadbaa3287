"""The world a command acts in: the repository, its policy, the platform, and who acts."""

import getpass
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tagline import config
from tagline.config import Config
from tagline.flow.report import Told
from tagline.words import NAME_LIMIT

if TYPE_CHECKING:
    from tagline.engines import Engine
    from tagline.git.facts import Facts
    from tagline.git.ledger import State
    from tagline.git.repo import Repo
    from tagline.platforms import Platform


@dataclass
class World:
    """Everything that the flow's functions need; `policy` is tagline.yaml at the default branch's head."""

    repo: "Repo"
    facts: "Facts"
    policy: Config
    platform: "Platform"
    engine: "Engine"
    home: Path
    actor: str
    told: Told

    def state(self) -> "State":
        """What the ledger, as last fetched, says: folded anew at each call."""
        from tagline.git.ledger import read_state

        return read_state(self.repo, self.facts)

    def own_config(self, commit: str) -> Config:
        """tagline.yaml as a commit has it: what it says of its own pipeline and serving."""
        text = self.repo.show(commit, config.FILE)
        name = default_name(self.repo.remote_url)
        return config.parse((text or b"").decode(), where=f"{config.FILE} at {commit[:12]}", default_name=name)

    @contextmanager
    def work_folder(self) -> Iterator[Path]:
        """A folder for one step, gone after it; in the home, so that a tree in it is on the same disk."""
        parent = self.home / "work"
        parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=parent, ignore_cleanup_errors=True) as folder:
            yield Path(folder)


def open_world(path: Path, told: Told, environ: Mapping[str, str] | None = None) -> World:
    """Open the repository at `path`, fetch its remote, read the policy, open the local platform.

    Raises the errors of the repository (10–19), of the configuration (20–29) and of the home.
    """
    from tagline.engines import sandbox
    from tagline.engines.process import ProcessEngine
    from tagline.git import facts as git_facts
    from tagline.git.repo import Repo
    from tagline.platforms.local import open_platform
    from tagline.platforms.local.home import tagline_home, venvs_folder

    environ = os.environ if environ is None else environ
    sandbox.protect_parent()
    repo = Repo.open(path)
    facts = git_facts.read(repo)
    home = tagline_home(environ)
    engine = ProcessEngine(venvs_folder(home, environ))
    text = repo.show(facts.default_head, config.FILE) if facts.default_head else None
    policy = config.parse((text or b"").decode(), default_name=default_name(repo.remote_url))
    return World(repo, facts, policy, open_platform(home, engine), engine, home, actor(environ), told)


def actor(environ: Mapping[str, str]) -> str:
    """Who acts, for the ledger: git's author name where it is set, else the user."""
    return environ.get("TAGLINE_ACTOR") or environ.get("GIT_AUTHOR_NAME") or _user()


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"uid {os.getuid()}"


def default_name(url: str) -> str:
    """A pipeline's name where tagline.yaml gives none: from the repository's own name."""
    base = re.split(r"[/:\\]", url.rstrip("/").removesuffix("/.git").removesuffix(".git"))[-1].lower()
    name = re.sub(r"[^a-z0-9]+", "-", base).strip("-")[:NAME_LIMIT].strip("-")
    return name if name[:1].isalpha() else "pipeline"
