"""Objects of an S3-compatible store, read through fsspec: listed, read and digested, each within a time."""

import hashlib
import os
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, TypeVar

import msgspec
from tagline_task import masking

from tagline import extras
from tagline.errors import KfpForbidden, KfpNotThere, KfpUnavailable, MissingTool
from tagline.kubeflow_keys import Store

T = TypeVar("T")
SCHEME = "s3://"
CHUNK = 1 << 20


class Times(msgspec.Struct, frozen=True):
    """Seconds for a connection and for an answer, and how often a request is tried."""

    connect: float = 10.0
    read: float = 60.0
    tries: int = 4


class Objects:
    """The store that a platform file names, as the identity in its variables; nothing is asked before it is needed."""

    def __init__(
        self, said: Store, environ: Mapping[str, str], ca: str = "", times: Times | None = None
    ) -> None:
        self.said, self._environ, self._ca, self._times = said, environ, ca, times or Times()

    @cached_property
    def _files(self) -> Any:
        try:
            import s3fs  # type: ignore[import-not-found,import-untyped,unused-ignore]
        except ImportError as error:
            raise MissingTool("the object store needs the package s3fs", fix=extras.install("s3")) from error
        key, secret = (self._environ.get(name, "") for name in (self.said.access_key, self.said.secret_key))
        masking.hide([value for value in (key, secret) if value])
        return s3fs.S3FileSystem(
            key=key or None,
            secret=secret or None,
            endpoint_url=self.said.endpoint or None,
            use_listings_cache=False,
            skip_instance_cache=True,
            client_kwargs=self._client(),
            config_kwargs={
                "connect_timeout": self._times.connect,
                "read_timeout": self._times.read,
                "retries": {"max_attempts": self._times.tries, "mode": "standard"},
                # a store of one's own has its buckets in the path, seldom in the host's name
                "s3": {"addressing_style": "path" if self.said.endpoint else "auto"},
            },
        )

    def _client(self) -> dict[str, Any]:
        made: dict[str, Any] = {"region_name": self.said.region or "us-east-1"}
        return made | ({"verify": os.path.abspath(self._ca)} if self._ca else {})

    def below(self, uri: str) -> dict[str, int]:
        """The objects below an address, each with its size in bytes; none where nothing is there.

        Raises `KfpUnavailable`, `KfpForbidden`, `KfpNotThere` (no such bucket).
        """
        place = uri.removeprefix(SCHEME).rstrip("/")
        none: dict[str, Any] = {}
        found = self._asked(uri, lambda: self._files.find(place, detail=True, withdirs=False), none)
        return {f"{SCHEME}{name}": int(entry.get("size") or 0) for name, entry in found.items()}

    def read(self, uri: str, largest: int) -> bytes:
        """An object's bytes; raises `KfpNotThere` for one that is not there, or is larger than it may be."""
        data = self._asked(uri, lambda: self._files.cat_file(uri.removeprefix(SCHEME), end=largest + 1))
        if len(data) > largest:
            raise KfpNotThere(f"{uri} is larger than {largest} bytes, so it is no such file", where=uri)
        return bytes(data)

    def digest(self, uri: str) -> str:
        """SHA-256 (hex) of an object; of what lies below an address, that of the list of its objects.

        As `tagline_task.digest` has it of files. Raises `KfpNotThere` where nothing is there.
        """
        found = self.below(uri)
        whole = uri.rstrip("/")
        if set(found) == {whole}:
            return self._of_object(whole)
        if not found:
            raise KfpNotThere(f"there is nothing at {uri}", where=self._where)
        inside = sorted((name[len(whole) + 1 :], name) for name in found)
        total = hashlib.sha256()
        for name, at in sorted(inside, key=lambda one: os.fsencode(one[0])):
            total.update(f"{self._of_object(at)}  ".encode() + os.fsencode(name) + b"\n")
        return total.hexdigest()

    def _of_object(self, uri: str) -> str:
        def read() -> str:
            total = hashlib.sha256()
            with self._files.open(uri.removeprefix(SCHEME), "rb", block_size=8 * CHUNK) as stream:
                while chunk := stream.read(CHUNK):
                    total.update(chunk)
            return total.hexdigest()

        return self._asked(uri, read)

    @property
    def _where(self) -> str:
        return self.said.endpoint or "the store's own address"

    def _asked(self, uri: str, ask: Callable[[], T], nothing: T | None = None) -> T:
        """The answer, or what is wrong in words: botocore's errors by what they are, not by their class."""
        try:
            return ask()
        except FileNotFoundError as error:
            if nothing is not None and "bucket" not in str(error).lower():
                return nothing
            raise KfpNotThere(f"{uri} is not in the object store", where=self._where) from error
        except PermissionError as error:
            raise KfpForbidden(
                f"the object store does not let us read {uri}: {error}",
                where=self._where,
                fix=f"look at {self.said.access_key} and {self.said.secret_key}, and at what they may read",
            ) from error
        except Exception as error:
            if not _is_outside(error):
                raise
            raise KfpUnavailable(
                f"the object store did not answer: {type(error).__name__}: {error}",
                where=self._where,
                fix="look at store: in the platform file; run it again",
            ) from error


def _is_outside(error: Exception) -> bool:
    """Whether an error is of the network or of the store, and no mistake of this program."""
    return isinstance(error, OSError | TimeoutError) or type(error).__module__.split(".")[0] in {
        "botocore",
        "aiobotocore",
        "aiohttp",
    }
