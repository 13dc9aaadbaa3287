"""Vault or OpenBao as a person or CI uses it: which keys there are, one key written, an AppRole made."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
from tagline_task import errors as task_errors
from tagline_task.connectors import kv, settings, variables
from tagline_task.connectors.login import Session
from tagline_task.connectors.settings import Settings
from tagline_task.connectors.vault import leaves
from tagline_task.connectors.wire import BadRequest
from tagline_task.masking import Secret, hide

from tagline import errors, extras

WRITE_TRIES = 5
_KINDS: dict[type[task_errors.ConnectorError], type[errors.SecretsError]] = {
    task_errors.StoreUnavailable: errors.StoreUnavailable,
    task_errors.StoreRefused: errors.StoreRefused,
    task_errors.AlreadyUnwrapped: errors.StoreRefused,
    task_errors.SecretNotThere: errors.SecretNotThere,
    task_errors.CredentialsMissing: errors.CredentialsMissing,
    task_errors.VariableTaken: errors.SecretsError,
}
_FIXES = {
    errors.CredentialsMissing: "set VAULT_ADDR, and VAULT_TOKEN or VAULT_ROLE_ID with VAULT_SECRET_ID",
    errors.StoreRefused: "look at what the token may do: bao token lookup; bao token capabilities PATH",
    errors.StoreUnavailable: "look at the server: bao status",
}


class Written(msgspec.Struct, frozen=True):
    """What a write did: the secret's newest version, and whether anything changed."""

    version: int
    changed: bool


class Held(msgspec.Struct, frozen=True):
    """What lies at a path: its keys and version; of engine 1 only that it is there (`keys` None)."""

    keys: list[str] | None
    version: int = 0


@contextmanager
def translated() -> Iterator[None]:
    """A connector's errors as tagline's own, the original as cause."""
    try:
        yield
    except task_errors.ConnectorError as error:
        for kind, ours in _KINDS.items():
            if isinstance(error, kind):
                raise ours(str(error), fix=_FIXES.get(ours, "")) from error
        raise errors.MissingTool(str(error), fix=extras.install("vault")) from error


def known(environ: Mapping[str, str]) -> settings.Names:
    """Looks up Vault's own variables; its `get` may raise the connector's `CredentialsMissing`."""
    return settings.Names(environ)


def open_store(environ: Mapping[str, str]) -> "Store":
    """The store that `environ` leads to: by VAULT_TOKEN, its file or ~/.vault-token, else by AppRole.

    Raises `CredentialsMissing`; nothing is asked yet.
    """
    with translated():
        found = known(environ)
        token = found.get("VAULT_TOKEN") or _token_file(environ)
        if token:
            hide([token])
            return Store(replace(settings.unauthenticated(found), token=Secret(token)))
        return Store(settings.read(environ))


def _token_file(environ: Mapping[str, str]) -> str:
    file = Path(environ.get("HOME") or "/nowhere", ".vault-token")
    named = environ.get("VAULT_ROLE_ID") or environ.get("VAULT_ROLE_ID_FILE")
    return "" if named or not file.is_file() else file.read_text().strip()


class Store:
    """An open store. Every call raises `StoreUnavailable`, `StoreRefused`, or what it names."""

    def __init__(self, given: Settings) -> None:
        self.settings = given
        with translated():
            self._session = Session(lambda: given)

    def place(self, mount: str, path: str) -> kv.Place:
        """A path in an engine; raises `SecretNotThere` where it names nothing."""
        with translated():
            return kv.place(mount, path)

    def version(self, at: kv.Place) -> int:
        """Which version of the key-value engine is mounted there: 1 or 2."""
        with translated():
            self._session.open()
            return kv.version_of(self._session.wire, at)

    def values(self, at: kv.Place) -> dict[str, str]:
        """The values of a secret as variables hold them, hidden from now on; raises `SecretNotThere`."""
        version = self.version(at)
        with translated():
            found = kv.read(self._session.wire, at, version)
            hide(leaves(dict(found)))
            return {key: variables.text(value, key) for key, value in found.items()}

    def held(self, at: kv.Place) -> Held:
        """Which keys are there, without reading a value; raises `SecretNotThere`.

        Engine 1 cannot name keys without their values: the path is looked for in its parent's list.
        """
        if self.version(at) == 1:
            return self._listed(at)
        with translated():
            try:
                found = self._get(at.url("subkeys"), f"looking at {at}", depth=1)
            except task_errors.SecretNotThere as error:
                raise kv.gone(error, at) from error
            return Held(sorted(found["subkeys"]), found["metadata"]["version"])

    def _listed(self, at: kv.Place) -> Held:
        parent, _, name = at.path.rpartition("/")
        above = kv.Place(at.mount, parent)
        with translated():
            found = self._get(above.url(), f"listing {above}", list="true")
        if name not in found["keys"]:
            raise errors.SecretNotThere(f"{at} is not there")
        return Held(None)

    def merge(self, at: kv.Place, key: str, value: str) -> Written:
        """Set one key and keep the others; the write holds only if nobody wrote in between.

        Safe to repeat. Raises `StoreRefused` on engine 1, which has no check-and-set; `WriteLost`.
        """
        if self.version(at) == 1:
            raise errors.StoreRefused(
                f"{at.mount} is engine version 1: a write replaces every key, and two writers lose one's work",
                fix=f"bao kv enable-versioning {at.mount}, or write the whole secret with bao kv put",
            )
        with translated():
            for _ in range(WRITE_TRIES):
                values, version = self._current(at)
                if values.get(key) == value:
                    return Written(version, False)
                body = {"data": {**values, key: value}, "options": {"cas": version}}
                try:
                    return Written(self.post(at.url("data"), f"writing {at}", body)["version"], True)
                except BadRequest as error:
                    if "check-and-set" not in str(error):
                        raise
        raise errors.WriteLost(f"{at} was written by somebody else {WRITE_TRIES} times", fix="try again")

    def _current(self, at: kv.Place) -> tuple[dict[str, Any], int]:
        """The newest values and their version; none of a version that was deleted, 0 where none ever was."""
        try:
            found = self._get(at.url("data"), f"reading {at}")
        except task_errors.SecretNotThere as error:
            return {}, int(kv.newest_of(error).get("version", 0))
        hide(leaves(found["data"]))
        return dict(found["data"]), int(found["metadata"]["version"])

    def _get(self, path: str, what: str, **query: Any) -> dict[str, Any]:
        wire = self._session.wire
        answer: Any = wire.call(what, lambda: wire.hvac.adapter.get(path, params=query))
        return dict(answer["data"])

    def get(self, path: str, what: str) -> dict[str, Any]:
        """The data of an answer."""
        with translated():
            self._session.open()
            return self._get(path, what)

    def post(self, path: str, what: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Write, and give the answer's data; raises the connector's own errors."""
        self._session.open()
        wire = self._session.wire
        answer: Any = wire.call(what, lambda: wire.hvac.adapter.post(path, json=dict(body)))
        return dict(answer["data"]) if isinstance(answer, dict) and answer.get("data") else {}
