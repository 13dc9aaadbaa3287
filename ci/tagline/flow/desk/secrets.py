"""`tagline secrets`: is all there that the pipeline asks for, one value written, credentials made."""

import os
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path

import msgspec
from tagline_task.masking import SHORTEST, hide

from tagline import config
from tagline.config import Config
from tagline.errors import ConfigError, PipelineError, SecretNotThere
from tagline.flow import platforms
from tagline.flow.world import default_name
from tagline.secrets import bootstrap as making
from tagline.secrets.bootstrap import Made, Wish
from tagline.secrets.sources import Names
from tagline.secrets.store import Store, Written, open_store


class State(StrEnum):
    """Whether a secret is there. `UNCHECKED`: what could be asked was asked, and it does not say."""

    THERE = "there"
    MISSING = "missing"
    UNCHECKED = "not checked"


class Found(msgspec.Struct, frozen=True):
    """One wish of the pipeline's: where it was looked for, and whether it is there. Never a value."""

    environment: str
    place: str
    key: str
    state: State
    why: str = ""


class Tree(msgspec.Struct, frozen=True):
    """A repository's work tree: its top folder and its own tagline.yaml."""

    root: Path
    own: Config

    @classmethod
    def at(cls, folder: Path) -> "Tree":
        from tagline.flow.checking.work_tree import root_of

        root = root_of(folder)
        return cls(root, platforms.of_work_tree(root, os.environ, default_name(root.name)))

    def names(self, environ: Mapping[str, str]) -> Names:
        return Names(environ, self.root, self.own)


def check(folder: Path, environ: Mapping[str, str] | None = None) -> list[Found]:
    """What the pipeline asks for, in each environment and on this machine; no value is read from the store.

    Raises the errors of the store, of `.env` and of tagline.yaml.
    """
    tree = Tree.at(folder)
    names = tree.names(os.environ if environ is None else environ)
    found: list[Found] = []
    for own in tree.own.each():
        here: list[Found] = []
        if own.secrets and own.secrets.path:
            store = open_store(names.all)
            for environment in own.environments:
                here += _environment(store, own, environment)
        found += [*here, *_machine(tree, own, names, here)]
    return list(dict.fromkeys(found))


def _environment(store: Store, own: Config, environment: str) -> list[Found]:
    assert own.secrets is not None
    at = store.place(own.secrets.mount, own.secrets.path_of(environment))
    try:
        held = store.held(at)
    except SecretNotThere as error:
        wanted = own.secrets.keys or ["*"]
        return [Found(environment, str(at), key, State.MISSING, error.what) for key in wanted]
    if held.keys is None:
        return [Found(environment, str(at), "*", State.UNCHECKED, "path exists, keys not checked (engine 1)")]
    if not own.secrets.keys:
        return [Found(environment, str(at), "*", State.THERE, f"version {held.version}")]
    return [
        Found(environment, str(at), key, State.THERE if key in held.keys else State.MISSING)
        for key in own.secrets.keys
    ]


def _machine(tree: Tree, own: Config, names: Names, vault: list[Found]) -> Iterator[Found]:
    """What the tasks of the committed pipeline get from Secrets, as this machine would give it."""
    from tagline.pipeline.project import Project
    from tagline.platforms.local import spec
    from tagline.platforms.local.secrets import variable

    try:
        committed = Project.find(tree.root, own).committed
    except PipelineError:
        return
    if not committed.is_file():
        return
    in_vault = {found.key for found in vault if found.environment == own.environments[0]}
    seen: set[tuple[str, str]] = set()
    for use in spec.secret_uses(spec.read_pipeline(committed), own.parameters):
        if (use.secret, use.key) in seen or use.optional:
            continue
        seen.add((use.secret, use.key))
        where = names.where(variable(use.secret, use.key)) or names.where(use.variable)
        if not where and use.variable in in_vault:
            where = vault[0].place
        state = State.THERE if where else State.MISSING
        yield Found("this machine", f"Secret {use.secret}", use.key, state, where or f"set {use.variable}")


def put(folder: Path, path: str, key: str, value: str, mount: str = "") -> tuple[str, Written]:
    """Write one key, keep the others; the place as `mount/path` and what was done.

    `mount` by default is tagline.yaml's. Raises `ConfigError` for an empty value, `StoreRefused` on engine 1,
    and the errors of the store.
    """
    if not value:
        raise ConfigError(
            "the value on standard input is empty", fix="printf %s VALUE | tagline secrets put …"
        )
    hide([value])
    tree = Tree.at(folder)
    store = open_store(tree.names(os.environ).all)
    given = tree.own.secrets or config.Secrets()
    at = store.place(mount or given.mount, path)
    return str(at), store.merge(at, key, value)


def short(value: str) -> bool:
    """Whether a value is too short to be masked in logs."""
    return len(value) < SHORTEST


class Asked(msgspec.Struct, frozen=True):
    """What the command line says of the credentials to make."""

    environment: str = ""
    pipeline: str = ""
    namespace: str = ""
    secret_id_ttl: str = "2160h"
    dotenv: bool = False


def bootstrap(folder: Path, file: Path, asked: Asked) -> Made:
    """Make the AppRole of this pipeline (of one environment, where `path` has `{env}`) and its Secret's manifest.

    Raises `ConfigError` where tagline.yaml does not say where the secrets lie, `UnknownName`, and what
    `tagline.secrets.bootstrap` raises.
    """
    from tagline.words import one_of

    tree = Tree.at(folder)
    if tree.own.several and not asked.pipeline:
        what = f"this repository holds several pipelines: {tree.own.title}"
        raise ConfigError(what, where=config.FILE, fix=f"--pipeline {min(tree.own.pipelines)}")
    own = tree.own.of(asked.pipeline)
    given = own.secrets
    if given is None or not given.path:
        raise ConfigError(
            "tagline.yaml does not say where the secrets lie",
            where=config.FILE,
            fix="secrets: {approle: vault-approle, path: " + own.pipeline + "}",
        )
    if "{env}" in given.path and not asked.environment:
        choices = ", ".join(tree.own.environments)
        raise ConfigError("secrets.path has {env}: for which environment?", fix=f"--env, one of {choices}")
    environment = one_of(asked.environment, tree.own.environments, "environment") if asked.environment else ""
    making.refuse_shared(file, os.environ)
    store = open_store(tree.names(os.environ).all)
    role = "-".join(part for part in ("tagline", own.pipeline, environment) if part)
    wish = Wish(role, given.approle or "vault-approle", asked.namespace, asked.secret_id_ttl, asked.dotenv)
    return making.bootstrap(
        store, store.place(given.mount, given.path_of(environment)), wish, file, os.environ
    )
