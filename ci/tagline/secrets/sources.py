"""Where a secret's value comes from on one machine: the environment, then `.env`, then Vault."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Protocol

from tagline.config import Config
from tagline.errors import SecretNotThere
from tagline.secrets import dotenv
from tagline.secrets.store import known, open_store, translated

VAULT, OURS = "VAULT_", "TAGLINE_"
STATE_KEY = "TAGLINE_STATE_KEY"  # what seals the results that agents hand over


class Source(Protocol):
    """Looks a value up by the name of the variable that a task gets it in."""

    def get(self, name: str, /) -> str | None: ...


class Names:
    """The names of a repository's secrets: `environ`, `.env` in `root`, and Vault where `own.secrets` says.

    A variable of Vault's own, such as VAULT_ROLE_ID, may be a file that `<NAME>_FILE` names. Vault is asked
    only for a name that nothing else has. While it is `closed` it knows no name.
    """

    def __init__(
        self, environ: Mapping[str, str], root: Path | None = None, own: Config | None = None
    ) -> None:
        self.environ, self._root, self._own = environ, root, own
        self._closed = False

    @contextmanager
    def closed(self) -> Iterator[None]:
        """No secret for what runs in this block: the code of a pull request is anybody's."""
        self._closed = True
        try:
            yield
        finally:
            self._closed = False

    def get(self, name: str, /) -> str | None:
        """The value, or None. Raises `SecretExposed` for a shared `.env`, and the errors of the store."""
        if self._closed or name == STATE_KEY:  # the host's key for tagline itself is no task's
            return None
        if self.environ.get(name):
            return self.environ[name]
        if name.startswith(VAULT):
            return self._vault(name) or None
        return self.all.get(name) or (None if name.startswith(OURS) else self._in_vault.get(name))

    def where(self, name: str) -> str:
        """`environment`, `.env`, or "" where the value would have to come from Vault."""
        if self.environ.get(name):
            return "environment"
        if name.startswith(VAULT) and not self.dotenv.get(name) and self._vault(name):
            return f"{name}_FILE"
        return dotenv.FILE if self.dotenv.get(name) else ""

    @cached_property
    def all(self) -> dict[str, str]:
        """The environment over `.env`."""
        return {**self.dotenv, **self.environ}

    @cached_property
    def dotenv(self) -> dict[str, str]:
        """What `.env` holds; empty where there is none."""
        return dotenv.read(self._root) if self._root else {}

    @cached_property
    def _in_vault(self) -> Mapping[str, str]:
        asked = self._own.secrets if self._own else None
        if self._own is None or asked is None or not asked.path or not self._vault("VAULT_ADDR"):
            return {}
        store = open_store(self.all)
        try:
            return store.values(store.place(asked.mount, asked.path_of(self._own.environments[0])))
        except SecretNotThere:
            return {}  # whoever needs the name says that it is missing

    def _vault(self, name: str) -> str:
        with translated():
            return known(self.all).get(name)
