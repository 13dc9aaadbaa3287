"""The world a command acts in: the repository, its policy, the platform, and who acts."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tagline import config, platform_file
from tagline.config import Config, EngineName
from tagline.errors import BadWord
from tagline.flow.report import Told
from tagline.words import NAME_LIMIT, one_of

if TYPE_CHECKING:
    from tagline.engines import Engine
    from tagline.git.facts import Facts
    from tagline.git.ledger import Appended, Author, Batch, Ledger
    from tagline.git.releases import Scope
    from tagline.git.repo import Repo
    from tagline.git.state import State
    from tagline.images.making import Maker
    from tagline.platform_file import Found
    from tagline.platforms import Platform
    from tagline.secrets.sources import Names


@dataclass
class Sight:
    """What was last seen of the repository: its facts, and the ledger as read from them."""

    facts: "Facts"
    ledger: "tuple[Facts, Ledger] | None" = None


@dataclass
class World:
    """Everything that the flow's functions need.

    `policy` is tagline.yaml at the default branch's head, read under the platform file where there is one. Of
    several pipelines each has a world of its own (`parts`), with what the policy says of it; they see the same.
    `images` makes the images that tasks run in; None on engine `process`, where an environment stands for them.
    `offline`: the remote did not answer, and what is known of it is as it was last seen. `environ` holds the
    variables of the process, and with them what its CI host says. `names` is where the platform's tasks get
    their secrets.
    """

    repo: "Repo"
    sight: Sight
    policy: Config
    platform: "Platform"
    engine: "Engine"
    home: Path
    author: "Author"
    told: Told
    platform_file: "Found | None" = None
    offline: bool = False
    environ: Mapping[str, str] = field(default_factory=dict)
    names: "Names | None" = None
    images: "Maker | None" = None

    @property
    def facts(self) -> "Facts":
        """What was last seen of the repository."""
        return self.sight.facts

    @facts.setter
    def facts(self, facts: "Facts") -> None:
        self.sight.facts = facts

    @property
    def on_dagger(self) -> bool:
        """Whether the repository's code runs in containers of a Dagger engine."""
        return self.images is not None and self.images.engine is EngineName.DAGGER

    def of(self, pipeline: str) -> "World":
        """The world of one of several pipelines; the same world where there is one, or it is one's already.

        Raises `UnknownName` that names the nearest.
        """
        if self.policy.pipeline or not self.policy.several:
            return self
        return replace(self, policy=self.policy.of(pipeline))

    def one(self, pipeline: str) -> "World":
        """The world of the pipeline that a command names, or of the only one.

        Raises `UnknownName`, and `BadWord` where several are there and none is named.
        """
        if self.policy.several and not pipeline:
            raise BadWord(
                f"this repository holds several pipelines: {self.policy.title}",
                fix=f"--pipeline {min(self.policy.pipelines)}",
            )
        if pipeline and not self.policy.several:
            one_of(pipeline, [self.policy.pipeline], "pipeline")
        return self.of(pipeline)

    def parts(self) -> "list[World]":
        """The world of each pipeline."""
        return [replace(self, policy=own) for own in self.policy.each()]

    def of_model(self, model: str) -> "World":
        """The world of the pipeline that makes a model; the world itself where none does."""
        made_by = self.policy.maker(model)
        return self.of(made_by) if made_by else self

    def scope(self) -> "Scope":
        """What of the repository is this pipeline's: its paths and its own file; without paths, all but its siblings'
        files."""
        from tagline.git.releases import Scope
        from tagline.pipeline.project import places, siblings

        policy = self.policy
        theirs = [] if policy.paths else siblings(policy)
        own = places(policy) if policy.paths else ()
        renewed = [str(Path(place).with_suffix(".yaml")) for place in [*places(policy), *theirs]]
        paths = (*policy.paths, *own, *(f"!{place}" for place in [*theirs, *renewed]))
        return Scope(policy.pipeline, paths, policy.several)

    def ledger(self) -> "Ledger":
        """The events as last seen, and their sum; raises `LedgerMissing`, `LedgerError`."""
        from tagline.git import ledger

        if self.sight.ledger is None or self.sight.ledger[0] is not self.facts:
            self.sight.ledger = (self.facts, ledger.read(self.repo, self.facts))
        return self.sight.ledger[1]

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

    def own_config(self, commit: str, *, floors: bool = False) -> Config:
        """tagline.yaml as a commit has it: what it says of its own pipeline and serving.

        The policy's platform file gives its defaults; with `floors` also its limits, which are the policy's
        matter and not an old commit's.
        """
        text = (self.repo.show(commit, config.FILE) or b"").decode()
        under = self.platform_file if floors else self.defaults()
        where = f"{config.FILE} at {commit[:12]}"
        whole = platform_file.read(text, where, default_name(self.repo.url()), under)
        return whole.of(self.policy.pipeline) if self.policy.pipeline else whole

    def defaults(self) -> "Found | None":
        """The platform file without its floors."""
        return self.platform_file and platform_file.without_floors(self.platform_file)

    @contextmanager
    def work_folder(self) -> Iterator[Path]:
        """A folder for one step, gone after it; in the home, so that a tree in it is on the same disk."""
        from tagline.platforms.local import work

        with work.folder(self.home) as folder:
            yield folder


def default_name(url: str) -> str:
    """A pipeline's name where tagline.yaml gives none: from the repository's own name."""
    base = re.split(r"[/:\\]", url.rstrip("/").removesuffix("/.git").removesuffix(".git"))[-1].lower()
    name = re.sub(r"[^a-z0-9]+", "-", base).strip("-")[:NAME_LIMIT].strip("-")
    return name if name[:1].isalpha() else "pipeline"
