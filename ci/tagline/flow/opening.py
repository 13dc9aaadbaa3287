"""Opening the world that a command acts in: fetch, read the policy, open its engine and its platform."""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tagline import config, platform_file
from tagline.config import Config
from tagline.errors import RemoteUnavailable, RepositoryError
from tagline.flow.report import Said, Told
from tagline.flow.world import Sight, World, default_name

if TYPE_CHECKING:
    from tagline.engines import Engine
    from tagline.git.facts import Facts
    from tagline.git.repo import Repo
    from tagline.images.making import Maker
    from tagline.kubeflow_keys import Kubeflow
    from tagline.platforms import Platform
    from tagline.secrets.sources import Names

ANSWERS_WITHIN = 5.0  # seconds that a remote has where a person waits for the traffic to move
ACTOR_VARIABLE = "TAGLINE_ACTOR"


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
    kubeflow = under.file.kubeflow() if under else None
    if kubeflow:
        platform = _on_kubeflow(kubeflow, environ, repo.url(), home)
    else:
        platform = _on_this_machine(home, engine, names, makes)
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


def _on_kubeflow(said: "Kubeflow", environ: Mapping[str, str], url: str, home: Path) -> "Platform":
    from tagline.platforms.kubeflow import KubeflowPlatform, Place
    from tagline.platforms.kubeflow.marks import owner_of

    return KubeflowPlatform(said, environ, Place(owner_of(url), home / "kubeflow"))


def _on_this_machine(home: Path, engine: "Engine", names: "Names", makes: "Maker | None") -> "Platform":
    from tagline.platforms.local import open_platform

    return open_platform(home, engine, names, containers=makes.engine if makes else None)


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
