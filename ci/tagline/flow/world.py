"""The world a command acts in: the repository, its policy, the platform, and who acts."""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tagline import config, platform_file
from tagline.config import Config, EngineName
from tagline.errors import BadWord, RemoteUnavailable, RepositoryError
from tagline.flow.report import Said, Told
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

ANSWERS_WITHIN = 5.0  # seconds that a remote has where a person waits for the traffic to move
ACTOR_VARIABLE = "TAGLINE_ACTOR"


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
        """What of the repository is this pipeline's: without paths of its own, all but its siblings' files."""
        from tagline.git.releases import Scope
        from tagline.pipeline.project import places, siblings

        policy = self.policy
        theirs = [] if policy.paths else siblings(policy)
        renewed = [str(Path(place).with_suffix(".yaml")) for place in [*places(policy), *theirs]]
        paths = (*policy.paths, *(f"!{place}" for place in [*theirs, *renewed]))
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


def open_world(
    path: Path,
    told: Told,
    environ: Mapping[str, str] | None = None,
    *,
    may_be_offline: bool = False,
    hide: Sequence[Path] = (),
) -> World:
    """Open the repository at `path`, fetch its remote, read the policy, open the platform that it names.

    `hide` names more files and folders that the repository's own code must not see. Where it `may_be_offline`,
    a remote that does not answer within seconds is taken as it was last seen.
    Raises the errors of the repository (10–19), of the configuration (20–29) and of the home.
    """
    from tagline import __version__
    from tagline.engines import sandbox
    from tagline.flow import platforms
    from tagline.flow.releasing import images
    from tagline.git import facts as git_facts
    from tagline.git.ledger import Author
    from tagline.git.objects import identity
    from tagline.git.repo import Repo
    from tagline.hosts.reading import read_run
    from tagline.platforms.kubeflow import KubeflowPlatform, Place
    from tagline.platforms.kubeflow.marks import owner_of
    from tagline.platforms.local import open_platform
    from tagline.platforms.local.home import tagline_home
    from tagline.secrets.sources import Names

    environ = os.environ if environ is None else environ
    sandbox.protect_parent()
    repo = Repo.open(path)
    facts, offline = _seen(repo, told) if may_be_offline else (git_facts.read(repo), False)
    home = tagline_home(environ)
    place, text = f"{facts.default_branch}:{config.FILE}", facts.policy or ""
    seen = repo.store / "tagline"
    under = platforms.last_seen(text, place, seen) if may_be_offline else None
    under = under or platforms.find(text, place, environ, repo.root, seen)
    platform_file.require_version(text, place, under, __version__)
    policy = platform_file.read(text, place, default_name(repo.url()), under)
    engine = open_engine(home, environ, repo.root, policy, hide)
    names = Names(environ, repo.root, policy)
    makes = images.chosen(policy, names, home, told)
    said = under.file.kubeflow() if under else None
    platform: Platform
    if said:
        platform = KubeflowPlatform(said, environ, Place(owner_of(repo.url()), home / "kubeflow"))
    else:
        platform = open_platform(home, engine, names, containers=makes.engine if makes else None)
    actor = environ.get(ACTOR_VARIABLE) or read_run(environ).actor or identity(repo)[0]
    author = Author(actor, platform.machine)
    return World(
        repo,
        Sight(facts),
        policy,
        platform,
        engine,
        home,
        author,
        told,
        under,
        offline,
        environ,
        names,
        makes,
    )


def _seen(repo: "Repo", told: Told) -> tuple["Facts", bool]:
    """The facts, and whether they are only what was last seen; raises `RemoteUnavailable` where nothing was."""
    from tagline.git import facts as git_facts

    once = msgspec.structs.replace(repo, retries=())
    try:
        return git_facts.read(once, within=ANSWERS_WITHIN), False
    except RemoteUnavailable as error:
        try:
            facts = git_facts.read(repo, fetch=False)
        except RepositoryError:
            raise error from None
        seen = datetime.fromtimestamp(facts.as_of or 0.0, UTC).isoformat(timespec="seconds")
        told(Said(f"{error.what}; going on with what was seen at {seen}"))
        return facts, True


def open_engine(
    home: Path,
    environ: Mapping[str, str],
    root: Path,
    own: Config | None = None,
    hide: Sequence[Path] = (),
) -> "Engine":
    """The engine whose commands see neither git's folders, `.env` nor the gate's data of the work tree `root`, nor a
    remote on this disk, nor what `hide` names, and can change nothing of that tree, and nothing of the home but
    their own run or work folder.
    """
    from tagline.engines.process import ProcessEngine
    from tagline.pipeline.project import git_folders, remote_folders
    from tagline.platforms.local.home import guards, venvs_folder

    data = [root / name for name in own.held_out()] if own else []
    data.append(root / ".env")
    hidden = [*git_folders(root), *remote_folders(root), *data, *hide]
    return ProcessEngine(venvs_folder(home, environ), environ, guards(home, hidden, [root]))


def default_name(url: str) -> str:
    """A pipeline's name where tagline.yaml gives none: from the repository's own name."""
    base = re.split(r"[/:\\]", url.rstrip("/").removesuffix("/.git").removesuffix(".git"))[-1].lower()
    name = re.sub(r"[^a-z0-9]+", "-", base).strip("-")[:NAME_LIMIT].strip("-")
    return name if name[:1].isalpha() else "pipeline"
