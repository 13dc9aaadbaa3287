"""The world a command acts in: the repository, its policy, the platform, and who acts."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
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
    from tagline.git.ledger import Appended, Author, Batch, Ledger
    from tagline.git.repo import Repo
    from tagline.git.state import State
    from tagline.images.making import Maker
    from tagline.platforms import Platform

ACTOR_VARIABLE = "TAGLINE_ACTOR"


@dataclass
class World:
    """Everything that the flow's functions need; `policy` is tagline.yaml at the default branch's head.

    `images` makes the images that tasks run in; None on engine `process`, where an environment stands for them.
    """

    repo: "Repo"
    facts: "Facts"
    policy: Config
    platform: "Platform"
    engine: "Engine"
    home: Path
    author: "Author"
    told: Told
    images: "Maker | None" = None

    def ledger(self) -> "Ledger":
        """The events as last seen, and their sum; raises `LedgerMissing`, `LedgerError`."""
        from tagline.git import ledger

        return ledger.read(self.repo, self.facts)

    def state(self) -> "State":
        """The sum of the ledger's events as last seen."""
        return self.ledger().state

    def refresh(self) -> None:
        """Look at the remote again."""
        from tagline.git import facts as git_facts

        self.facts = git_facts.read(self.repo)

    def append(self, make: "Callable[[State], Batch]", *, may_be_missing: bool = False) -> "Appended":
        """Add to the ledger by compare-and-swap, and see it in the facts from now on."""
        from tagline.git import ledger

        added = ledger.append(
            self.repo, self.facts, make, self.author, may_be_missing=may_be_missing, seen=self._see
        )
        self.facts = added.facts
        return added

    def _see(self, facts: "Facts") -> None:
        self.facts = facts

    def own_config(self, commit: str) -> Config:
        """tagline.yaml as a commit has it: what it says of its own pipeline and serving."""
        text = self.repo.show(commit, config.FILE)
        name = default_name(self.repo.url())
        return config.parse(
            (text or b"").decode(), where=f"{config.FILE} at {commit[:12]}", default_name=name
        )

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
    from tagline.flow import images
    from tagline.git import facts as git_facts
    from tagline.git.ledger import Author
    from tagline.git.objects import identity
    from tagline.git.repo import Repo
    from tagline.platforms.local import open_platform
    from tagline.platforms.local.home import tagline_home

    environ = os.environ if environ is None else environ
    sandbox.protect_parent()
    repo = Repo.open(path)
    facts = git_facts.read(repo)
    home = tagline_home(environ)
    place = f"{facts.default_branch}:{config.FILE}"
    policy = config.parse(facts.policy or "", where=place, default_name=default_name(repo.url()))
    engine = open_engine(home, environ, repo.root, policy)
    makes = images.chosen(policy, environ, home, told)
    platform = open_platform(home, engine, containers=makes is not None)
    author = Author(environ.get(ACTOR_VARIABLE) or identity(repo)[0], platform.machine)
    return World(repo, facts, policy, platform, engine, home, author, told, makes)


def open_engine(home: Path, environ: Mapping[str, str], root: Path, own: Config | None = None) -> "Engine":
    """The engine whose commands see neither git's folders nor the gate's data of the work tree `root`, and
    can change nothing of the home but their own run or work folder."""
    from tagline.engines.process import ProcessEngine
    from tagline.pipeline.project import git_folders
    from tagline.platforms.local.home import guards, venvs_folder

    data = [root / own.gate.data] if own and own.gate else []
    return ProcessEngine(venvs_folder(home, environ), environ, guards(home, [*git_folders(root), *data]))


def default_name(url: str) -> str:
    """A pipeline's name where tagline.yaml gives none: from the repository's own name."""
    base = re.split(r"[/:\\]", url.rstrip("/").removesuffix("/.git").removesuffix(".git"))[-1].lower()
    name = re.sub(r"[^a-z0-9]+", "-", base).strip("-")[:NAME_LIMIT].strip("-")
    return name if name[:1].isalpha() else "pipeline"
