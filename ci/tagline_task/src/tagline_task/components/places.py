"""Addresses of files, s3:// and file://: looked at, read and written, each within a time and told in our words."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from tagline_task.components.libraries import needed
from tagline_task.errors import (
    ContractError,
    PlaceNotThere,
    PlaceRefused,
    PlaceTaken,
    PlaceUnavailable,
    TaskError,
)
from tagline_task.files import digest, make_parent
from tagline_task.values import shown

S3, FILE = "s3://", "file://"
CONNECT, READ, TRIES = 10.0, 60.0, 3  # seconds, seconds, tries of one request
_KEYS = {"key": "AWS_ACCESS_KEY_ID", "secret": "AWS_SECRET_ACCESS_KEY", "token": "AWS_SESSION_TOKEN"}
_CHUNK = 1 << 20
_ELSEWHERE = "write to another address, or with overwrite"
_OUTSIDE = {"botocore", "aiobotocore", "aiohttp"}


class Store(NamedTuple):
    """Which S3 store: its address ("" is AWS, or what AWS_ENDPOINT_URL says), and where in Vault its keys lie.

    Without `vault_path` the keys are what the environment gives, as with any program of AWS.
    """

    endpoint: str = ""
    vault_path: str = ""


class Place(NamedTuple):
    """An address, the file system that serves it, and the path there."""

    uri: str
    files: Any
    path: str

    def there(self) -> bool:
        """Whether a file or a folder lies there."""
        with asked(self.uri):
            return bool(self.files.exists(self.path))

    def holds(self, local: str) -> bool:
        """Whether the same bytes as in a local file lie there."""
        with asked(self.uri):
            info = self.files.info(self.path)
            if info["type"] != "file" or info["size"] != os.path.getsize(local):
                return False
            total = hashlib.sha256()
            with self.files.open(self.path, "rb") as stream:
                while chunk := stream.read(_CHUNK):
                    total.update(chunk)
        return total.hexdigest() == digest(local)

    def put(self, local: str, *, overwrite: bool) -> bool:
        """Copy a local file there, whole or not at all; False where the same bytes lie there already.

        Without `overwrite` raises `PlaceTaken` where anything else lies: looked at first, and asked of the store too,
        which may know such a condition, so that of two writers at once one is refused.
        """
        taken = self.there()
        if taken and self.holds(local):
            return False
        if taken and not overwrite:
            raise PlaceTaken(f"something else lies at {self.uri}; {_ELSEWHERE}")
        with asked(self.uri):
            if self.uri.startswith(FILE):
                copy(local, self.path, overwrite=overwrite)
            else:
                self.files.put_file(local, self.path, mode="overwrite" if overwrite else "create")
        return True


def place(uri: str, store: Store = Store()) -> Place:  # noqa: B008  # immutable
    """Where an address leads. Raises `ContractError` for one that is neither s3:// nor file://."""
    bucket, _, key = uri.removeprefix(S3).partition("/")
    if uri.startswith(S3) and bucket and key.strip("/"):
        needed("s3fs")
        return Place(uri, _s3(store), f"{bucket}/{key.rstrip('/')}")
    if uri.startswith(f"{FILE}/"):
        return Place(
            uri, needed("fsspec").filesystem("file", skip_instance_cache=True), uri.removeprefix(FILE)
        )
    raise ContractError(f"argument uri wants s3://BUCKET/KEY or file:///PATH, got {shown(uri)}")


def _s3(store: Store) -> Any:
    if store.endpoint and not store.endpoint.startswith(("http://", "https://")):
        raise ContractError(f"argument endpoint wants https://HOST:PORT, got {shown(store.endpoint)}")
    files = needed("s3fs").S3FileSystem(
        **_credentials(store.vault_path),
        endpoint_url=store.endpoint or None,
        use_listings_cache=False,
        skip_instance_cache=True,
        config_kwargs={
            "connect_timeout": CONNECT,
            "read_timeout": READ,
            "retries": {"max_attempts": TRIES, "mode": "standard"},
            # a store of one's own has its buckets in the path, seldom in the host's name
            "s3": {"addressing_style": "path" if store.endpoint else "auto"},
        },
    )
    files.retries = 2  # its own, where an answer breaks off
    return files


def _credentials(vault_path: str) -> dict[str, str]:
    """The keys of a secret, by the names that AWS gives them; none without a path."""
    if not vault_path:
        return {}
    from tagline_task.connectors import VaultConnector

    with VaultConnector() as vault:
        found = vault.get_secrets(vault_path)
    missing = [name for name in (_KEYS["key"], _KEYS["secret"]) if not found.get(name)]
    if missing:
        raise PlaceRefused(f"the secret {vault_path} has no {' and no '.join(missing)}; it has {found!r}")
    return {ours: str(found[name]) for ours, name in _KEYS.items() if found.get(name)}


def copy(local: str, path: str, *, overwrite: bool) -> None:
    """Copy a file to a path, whole or not at all; without `overwrite` raises `FileExistsError` where one lies."""
    make_parent(path)
    folder, name = os.path.split(path)
    draft = os.path.join(folder, f".{name}.{os.getpid()}.part")
    try:
        shutil.copyfile(local, draft)
        if overwrite:
            os.replace(draft, path)
        else:
            os.link(draft, path)  # unlike a rename it does not take a name that is taken
    finally:
        if os.path.exists(draft):
            os.unlink(draft)


@contextmanager
def asked(uri: str) -> Iterator[None]:
    """What a store says, as one of our errors: refused, not there, taken, unavailable."""
    try:
        yield
    except TaskError:
        raise
    except FileNotFoundError as error:
        raise PlaceNotThere(f"nothing lies at {uri}: {error}") from error
    except FileExistsError as error:
        raise PlaceTaken(f"something else lies at {uri}; {_ELSEWHERE}") from error
    except PermissionError as error:
        raise PlaceRefused(f"{uri} is not ours to use: {error or 'forbidden'}") from error
    except Exception as error:
        if type(error).__name__ in ("NoCredentialsError", "PartialCredentialsError"):
            raise PlaceRefused(
                f"no credentials for {uri}: set AWS_ACCESS_KEY_ID, or name a vault_path"
            ) from error
        if (
            not isinstance(error, OSError | TimeoutError)
            and type(error).__module__.split(".")[0] not in _OUTSIDE
        ):
            raise
        if "PreconditionFailed" in str(error) or "pre-conditions" in str(error):
            raise PlaceTaken(f"something else lies at {uri}; {_ELSEWHERE}") from error
        raise PlaceUnavailable(f"{uri} cannot be reached: {type(error).__name__}: {error}") from error
