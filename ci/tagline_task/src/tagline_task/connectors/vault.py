"""`VaultConnector`: secrets of HashiCorp Vault or OpenBao inside a task."""

import os
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, TypeVar

from tagline_task.connectors import kv, settings, variables
from tagline_task.connectors.login import Session
from tagline_task.connectors.settings import Settings
from tagline_task.errors import StoreRefused
from tagline_task.masking import hide

T = TypeVar("T")


class Secrets(dict[str, Any]):
    """A secret's values by key; `repr` and `str` show the keys only."""

    def __repr__(self) -> str:
        return f"<secrets: {', '.join(sorted(self)) or 'none'}>"

    __str__ = __repr__


class VaultConnector:
    """Reads secrets by AppRole, and keeps its token alive until `close()` or the end of the process.

    `settings` by default come from the environment, `_FILE` variables or the mounted Secret
    (`connectors.settings.read`). Nothing is asked before the first call. What was read is masked in this
    process's stdout, stderr, logging and outputs from then on.
    """

    def __init__(self, given: Settings | None = None) -> None:
        self._session = Session(lambda: given or settings.read())

    def get_secrets(self, path: str = "", mount_point: str = "") -> Secrets:
        """The newest values of a secret, by key; engine version 1 or 2.

        `path` and `mount_point` by default are the settings'. Raises `StoreUnavailable`, `StoreRefused`,
        `SecretNotThere`, `AlreadyUnwrapped`, `CredentialsMissing`.
        """
        known = self._session.wire.settings
        at = kv.place(mount_point or known.mount_point, path or known.path)
        found = Secrets(self._asked(lambda: self._read(at)))
        hide(leaves(found))
        return found

    def set_secrets_as_envvars(
        self,
        path: str = "",
        mount_point: str = "",
        *,
        prefix: str = "",
        mapping: Mapping[str, str] | None = None,
        overwrite: bool = False,
    ) -> list[str]:
        """Set a secret's values in `os.environ` and return the names that were set, never the values.

        Each key gives the variable `prefix` + key; with `mapping` (key to variable) only its keys are set. A
        variable that is set to something else is left alone, and `VariableTaken` raised before any is set,
        unless `overwrite`. Raises what `get_secrets` raises.
        """
        found = variables.named(self.get_secrets(path, mount_point), prefix, mapping)
        if not overwrite:
            variables.refuse_taken(found, os.environ)
        hide(found.values())
        os.environ.update(found)
        return sorted(found)

    def close(self) -> None:
        """Give the token back and end its renewal."""
        self._session.close()

    def __enter__(self) -> "VaultConnector":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _read(self, at: kv.Place) -> Mapping[str, Any]:
        wire = self._session.wire
        return kv.read(wire, at, kv.version_of(wire, at))

    def _asked(self, ask: Callable[[], T]) -> T:
        """Ask with a token; where it has died in the meantime, with a new one."""
        self._session.open()
        try:
            return ask()
        except StoreRefused:
            if not self._session.again():
                raise
        return ask()


def leaves(value: Any) -> Iterator[str]:
    """Every text in a secret's values, at any depth."""
    match value:
        case str():
            yield value
        case dict():
            for item in value.values():
                yield from leaves(item)
        case list():
            for item in value:
                yield from leaves(item)
        case None | bool():
            return
        case _:
            yield str(value)
