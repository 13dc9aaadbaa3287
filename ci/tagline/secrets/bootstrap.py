"""A policy, an AppRole and its credentials made in the store, and written as a Kubernetes Secret nobody else reads."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import msgspec
import yaml
from tagline_task.connectors import kv
from tagline_task.masking import hide

from tagline import hosts
from tagline.errors import ConfigError, SecretExposed, SecretNotThere, TargetExists
from tagline.git import process
from tagline.secrets.store import Store, translated

MODE = 0o600


class Wish(msgspec.Struct, frozen=True):
    """What is made: names of the role (and its policy) and of the Secret, and how long secret_id holds.

    `secret_id_ttl` as Vault writes durations, such as `2160h`; `0` never ends. `dotenv` asks for NAME=value
    lines in the place of a Secret's manifest.
    """

    role: str
    secret: str
    namespace: str = ""
    secret_id_ttl: str = "2160h"
    dotenv: bool = False


class Made(msgspec.Struct, frozen=True):
    """What was made; no credential is in it. `until` is empty where the secret_id never ends."""

    file: str
    secret: str
    role: str
    policy: str
    accessor: str
    until: str = ""


def policy_of(at: kv.Place, version: int) -> str:
    """What a task may: read this one secret, and name its keys."""
    paths = [f"{at.mount}/data/{at.path}", f"{at.mount}/subkeys/{at.path}"] if version == 2 else [str(at)]
    return "".join(f'path "{path}" {{\n  capabilities = ["read"]\n}}\n' for path in paths)


def bootstrap(store: Store, at: kv.Place, wish: Wish, file: Path, environ: Mapping[str, str]) -> Made:
    """Make or renew policy and role, make a secret_id, and write all of it to `file` (mode 0600).

    Earlier secret_ids stay valid. Raises `SecretExposed` on a CI and where git could take the file,
    `TargetExists`, and the errors of the store.
    """
    refuse_shared(file, environ)
    with _reserved(file) as stream:
        policy = policy_of(at, store.version(at))
        with translated():
            store.post(f"/v1/sys/policies/acl/{wish.role}", "writing the policy", {"policy": policy})
        role = _role(store, wish)
        with translated():
            made = store.post(f"{role}/secret-id", "making a secret_id", {})
        hide([made["secret_id"]])
        role_id = store.get(f"{role}/role-id", "reading role_id")["role_id"]
        values = _values(store, at, role_id, made["secret_id"])
        stream.write(_dotenv(values, store.settings.ca) if wish.dotenv else _manifest(values, wish))
    ttl = int(made.get("secret_id_ttl") or 0)
    until = f"{datetime.now(UTC) + timedelta(seconds=ttl):%Y-%m-%d}" if ttl else ""
    return Made(str(file), wish.secret, wish.role, policy, made["secret_id_accessor"], until)


def _role(store: Store, wish: Wish) -> str:
    """Make the role and return its path."""
    mount = store.settings.approle
    role = f"/v1/auth/{mount}/role/{wish.role}"
    body = {
        "token_policies": [wish.role],
        "token_ttl": "1h",
        "token_max_ttl": "24h",
        "secret_id_ttl": wish.secret_id_ttl,
    }
    try:
        with translated():
            store.post(role, "making the role", body)
    except SecretNotThere as error:
        raise ConfigError(
            f"AppRole is not enabled at auth/{mount}", fix=f"bao auth enable -path={mount} approle"
        ) from error
    return role


def _values(store: Store, at: kv.Place, role_id: str, secret_id: str) -> dict[str, str]:
    given = store.settings
    values = {
        "VAULT_ADDR": given.address,
        "VAULT_ROLE_ID": role_id,
        "VAULT_SECRET_ID": secret_id,
        "VAULT_MOUNT_POINT": at.mount,
        "VAULT_SECRET_PATH": at.path,
        "VAULT_NAMESPACE": given.namespace,
        "VAULT_CACERT_BYTES": _certificate(given.ca) or given.ca_text,
        "VAULT_APPROLE_MOUNT": given.approle if given.approle != "approle" else "",
    }
    return {name: value for name, value in values.items() if value}


def _manifest(values: Mapping[str, str], wish: Wish) -> str:
    metadata: dict[str, object] = {"name": wish.secret}
    if wish.namespace:
        metadata["namespace"] = wish.namespace
    metadata["labels"] = {"app.kubernetes.io/managed-by": "tagline"}
    kind = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque"}
    return str(yaml.safe_dump({**kind, "stringData": dict(values)}, sort_keys=False))


def _dotenv(values: Mapping[str, str], ca: str) -> str:
    """Lines for `.env`; a certificate, which has several lines, is named by its file."""
    named = {name: value for name, value in values.items() if name != "VAULT_CACERT_BYTES"}
    named |= {"VAULT_CACERT": str(Path(ca).resolve())} if ca else {}
    return "".join(f"{name}={value}\n" for name, value in named.items())


def _certificate(ca: str) -> str:
    return Path(ca).read_text() if ca and Path(ca).is_file() else ""


def refuse_shared(file: Path, environ: Mapping[str, str]) -> None:
    """Raise `SecretExposed` on a CI, whose files and output others see, and where git could take the file."""
    host = hosts.detect(environ)
    if host is not hosts.Host.GIT or environ.get("CI"):
        raise SecretExposed(
            "credentials are not made on a CI: its logs and artefacts are read by many",
            fix="run it on your own machine, and apply the file with kubectl",
        )
    folder = file.absolute().parent
    if not folder.is_dir():
        raise ConfigError(f"the folder {folder} is not there", fix=f"mkdir -p {folder}")
    inside = process.run(["rev-parse", "--is-inside-work-tree"], cwd=folder).out.strip() == b"true"
    name = file.absolute().name
    tracked = process.run(["ls-files", "--error-unmatch", "--", name], cwd=folder).code == 0
    if inside and (tracked or process.run(["check-ignore", "-q", "--", name], cwd=folder).code != 0):
        raise SecretExposed(
            f"{file} is {'tracked' if tracked else 'not ignored'} by git: the credentials would be published",
            where=str(file),
            fix="name a file outside of the repository, such as -o ~/vault-secret.yaml",
        )


@contextmanager
def _reserved(file: Path) -> Iterator[IO[str]]:
    """A new file that only its owner reads, gone again where what fills it fails."""
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, MODE)
    except FileExistsError as error:
        raise TargetExists(f"{file} is there already", fix=f"rm {file}, or name another file") from error
    os.fchmod(handle, MODE)
    try:
        with os.fdopen(handle, "w") as stream:
            yield stream
    except BaseException:
        file.unlink(missing_ok=True)
        raise
