"""The links of a chain: tagline in a container, a tree in it, credentials as secrets, one line run, its files taken."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from tagline import __version__
from tagline.engines.dagger.lines import JSON, OUT
from tagline.errors import ConfigError

if TYPE_CHECKING:
    from dagger import Container, Directory, File, Secret, Socket

BASE = "docker.io/library/python:3.12-bookworm"
DOCKER_COMMAND = "docker.io/library/docker:28-cli"
RUN_VARIABLE = "TAGLINE_DAGGER_RUN"
TREE = "/work"
_OPT = "/opt/tagline"
_TEMPLATES = Path(__file__).resolve().parents[4] / "templates"
_INSTALL = f'set -eu; found=$(sh {_OPT}/bootstrap.sh); ln -s -- "$found" /usr/local/bin/tagline'
_HELPER = '!f() { echo username=x-access-token; echo "password=$TAGLINE_PUSH_TOKEN"; }; f'
_PLUGINS = "/usr/local/libexec/docker/cli-plugins"


@dataclass(frozen=True)
class Tool:
    """Where a container gets tagline from: `base` is an image with Python 3.11 to 3.13 and git, or names one.

    `wheelhouse` holds wheels and their lock, as tools/wheelhouse makes it; `index` is the address of the package
    index that serves tagline and the project's packages, secret because it may hold a password. `lock` is for an
    index: tagline and all it needs with their hashes, by default the one of this checkout.
    """

    base: "str | Container" = BASE
    wheelhouse: "Directory | None" = None
    index: "Secret | None" = None
    lock: "File | None" = None


@dataclass(frozen=True)
class Vault:
    """What tasks need to read their secrets: a Vault's address, and the AppRole's two halves."""

    address: str = ""
    role_id: "Secret | None" = None
    secret_id: "Secret | None" = None


def with_tagline(tool: Tool) -> "Container":
    """A container with the exact tagline of this code, installed by the lock with hashes.

    Raises `ConfigError` where neither a wheelhouse nor an index is named: a bare name on a public index may be
    a stranger's.
    """
    from dagger import dag

    base = dag.container().from_(tool.base) if isinstance(tool.base, str) else tool.base
    container = (
        base.with_new_file(f"{_OPT}/bootstrap.sh", _script())
        .with_env_variable("TAGLINE_CACHE", _OPT)
        .with_env_variable("TAGLINE_HOME", "/var/lib/tagline")
        .with_env_variable("TAGLINE_VERSION", __version__)
        .with_env_variable("TAGLINE_ENGINE", "process")
    )
    return _sourced(container, tool).with_exec(["sh", "-c", _INSTALL]).with_exec(["mkdir", "-p", OUT])


def _sourced(container: "Container", tool: Tool) -> "Container":
    if tool.index is not None:
        container = container.with_secret_variable("PIP_INDEX_URL", tool.index)
    if tool.wheelhouse is not None:
        return container.with_directory("/opt/wheelhouse", tool.wheelhouse).with_env_variable(
            "TAGLINE_WHEELHOUSE", "/opt/wheelhouse"
        )
    if tool.index is None:
        raise ConfigError(
            "nothing says where tagline comes from",
            fix="name a wheelhouse, or the address of your package index",
        )
    lock = f"{_OPT}/bootstrap.lock"
    locked = container.with_file(lock, tool.lock) if tool.lock else container.with_new_file(lock, _lock())
    return locked.with_secret_variable("TAGLINE_INDEX", tool.index)


def with_tree(container: "Container", tree: "Directory", token: "Secret | None" = None) -> "Container":
    """The tree as the place where lines run; `token` lets git speak to the tree's remote over https."""
    container = container.with_directory(TREE, tree).with_workdir(TREE)
    if token is None:
        return container
    return container.with_secret_variable("TAGLINE_PUSH_TOKEN", token).with_exec(
        ["git", "config", "credential.helper", _HELPER]
    )


def with_platform_file(container: "Container", text: str) -> "Container":
    """The platform file that rules for the tree, outside of it; none where the text is empty."""
    place = f"{_OPT}/platform.yaml"
    if not text:
        return container
    return container.with_new_file(place, text).with_env_variable("TAGLINE_PLATFORM_FILE", place)


def without_history(tree: "Directory") -> "Directory":
    """The tree as a pure input: what git knows changes with each fetch, and would make the same tree another one."""
    return tree.without_directory(".git")


def with_vault(container: "Container", vault: Vault) -> "Container":
    """What tasks read their secrets with; only where all three are given."""
    if not vault.address or vault.role_id is None or vault.secret_id is None:
        return container
    return (
        container.with_env_variable("VAULT_ADDR", vault.address)
        .with_secret_variable("VAULT_ROLE_ID", vault.role_id)
        .with_secret_variable("VAULT_SECRET_ID", vault.secret_id)
    )


def with_docker(container: "Container", engine: "Socket", command: str = DOCKER_COMMAND) -> "Container":
    """A Docker engine's socket, and the docker command with buildx out of the image `command`."""
    from dagger import dag

    brought = dag.container().from_(command)
    return (
        container.with_file("/usr/local/bin/docker", brought.file("/usr/local/bin/docker"))
        .with_file(f"{_PLUGINS}/docker-buildx", brought.file(f"{_PLUGINS}/docker-buildx"))
        .with_unix_socket("/var/run/docker.sock", engine)
        .with_env_variable("TAGLINE_ENGINE", "docker")
    )


def with_login(container: "Container", login: "Secret") -> "Container":
    """What `docker login` wrote, for the registry and for the docker command."""
    return container.with_mounted_secret("/root/.docker/config.json", login)


def as_actor(container: "Container", actor: str) -> "Container":
    """Whose tags and events come out of the container."""
    return container.with_env_variable("TAGLINE_ACTOR", actor)


def new_run() -> str:
    """A value that no other run has."""
    return uuid.uuid4().hex


def anew(container: "Container", run: str) -> "Container":
    """From here on nothing is taken from the cache: the last link before a line that asks or changes the world."""
    return container.with_env_variable(RUN_VARIABLE, run)


def ran(container: "Container", line: Sequence[str]) -> "Container":
    """The line was run; what it said, as JSON, is the file `JSON`. Another exit code than 0 fails the chain."""
    return container.with_exec(list(line), redirect_stdout=JSON)


def ran_whatever(container: "Container", line: Sequence[str]) -> "Container":
    """The line was run, and its exit code is for whoever asks: the files it left are there either way."""
    from dagger import ReturnType

    return container.with_exec(list(line), redirect_stdout=JSON, expect=ReturnType.ANY)


def _script() -> str:
    """The bootstrap script: beside the package in a wheel, else in the checkout."""
    packed = resources.files("tagline") / "bootstrap.sh"
    return (packed if packed.is_file() else _TEMPLATES / "bootstrap.sh").read_text()


def _lock() -> str:
    """The checkout's lock; no wheel can hold one, for the lock holds the wheel's hash."""
    lock = _TEMPLATES / "bootstrap.lock"
    if not lock.is_file():
        raise ConfigError(
            "an installed tagline has no lock of itself", fix="name a wheelhouse, or the lock in TAGLINE_LOCK"
        )
    return lock.read_text()
