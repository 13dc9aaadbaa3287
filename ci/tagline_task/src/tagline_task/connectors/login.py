"""AppRole: from role_id and secret_id to a token, renewed while the task runs."""

import hashlib
import re
import threading
from collections.abc import Callable

from tagline_task.connectors.settings import Settings
from tagline_task.connectors.wire import BadRequest, Wire
from tagline_task.errors import AlreadyUnwrapped, ConnectorError, StoreRefused
from tagline_task.masking import Secret, hide

RENEW_AT = 2 / 3
RETRY, RETRY_AT_MOST = 5.0, 60.0
_unwrapped: dict[str, Secret] = {}
_unwrapping = threading.Lock()


class Session:
    """A token of Vault's and its life; `read` gives the settings anew, for a secret_id that was rotated."""

    def __init__(self, read: Callable[[], Settings]) -> None:
        self._read = read
        self.wire = Wire(read())
        self._stopped = threading.Event()
        self._logging_in = threading.Lock()
        self._thread: threading.Thread | None = None
        self._lease = 0.0

    def open(self) -> None:
        """Log in and keep the token alive; a second call is a no-op. Raises the errors of `log_in`."""
        with self._logging_in:
            if not self._thread and not self.wire.settings.token:
                self._lease = log_in(self.wire)
                self._thread = threading.Thread(target=self._keep, name="tagline-vault", daemon=True)
                self._thread.start()

    def again(self) -> bool:
        """Log in anew where the token is no longer one; False where it still is."""
        if self.wire.settings.token or _is_alive(self.wire):
            return False
        self._log_in_anew()
        return True

    def _log_in_anew(self) -> None:
        with self._logging_in:
            self.wire.settings = self._read()
            self._lease = log_in(self.wire)

    def close(self) -> None:
        """End the renewal and give the token back; nothing is left of it. Vault may be away."""
        self._stopped.set()
        if self._thread and self.wire.hvac.token:
            try:
                self.wire.call("giving the token back", self.wire.hvac.auth.token.revoke_self, once=True)
            except ConnectorError:
                return  # it ends with its lease

    def _keep(self) -> None:
        due, wait = self._lease * RENEW_AT, RETRY
        while due > 0 and not self._stopped.wait(due):
            try:
                self._prolong()
                due, wait = self._lease * RENEW_AT, RETRY
            except ConnectorError:  # the next request of the task says what is wrong
                due, wait = wait, min(2 * wait, RETRY_AT_MOST)

    def _prolong(self) -> None:
        """Renew; where the lease no longer grows back, log in while the token still holds."""
        before, self._lease = self._lease, renew(self.wire)
        if self._lease < before / 2:
            self._log_in_anew()


def log_in(wire: Wire) -> float:
    """Get a token by AppRole into the wire; its lease in seconds (0: it never ends).

    Raises `StoreRefused` for credentials that are wrong, expired or used up, `AlreadyUnwrapped`,
    `StoreUnavailable`.
    """
    given = wire.settings
    secret_id = unwrap(wire) if given.wrapped else given.secret_id
    hide([secret_id.open()])

    def send() -> float:
        login = wire.hvac.auth.approle.login
        answer = login(given.role_id.open(), secret_id.open(), use_token=False, mount_point=given.approle)
        wire.hvac.token = answer["auth"]["client_token"]
        hide([wire.hvac.token])
        return float(answer["auth"]["lease_duration"])

    try:
        return wire.call("logging in", send, once=True)
    except BadRequest as error:
        raise StoreRefused(
            f"Vault at {given.address} refused the AppRole: role_id or secret_id is wrong, expired or used up; "
            "`tagline secrets bootstrap -o FILE` makes a new one"
        ) from error


def renew(wire: Wire) -> float:
    """Renew the token; its new lease in seconds, 0 where it cannot be renewed any more."""
    try:
        answer = wire.call("renewing the token", wire.hvac.auth.token.renew_self)
    except StoreRefused:
        return 0.0
    return float(answer["auth"]["lease_duration"]) if answer["auth"]["renewable"] else 0.0


def _is_alive(wire: Wire) -> bool:
    try:
        wire.call("looking at the token", wire.hvac.auth.token.lookup_self)
    except StoreRefused:
        return False
    return True


def unwrap(wire: Wire) -> Secret:
    """The secret_id in a wrapping token; asked of Vault once in a process, since a token opens only once.

    Raises `AlreadyUnwrapped` where it was opened before, has expired, or was not made for an AppRole.
    """
    token = wire.settings.wrapped.open()
    hide([token])
    name = hashlib.sha256(token.encode()).hexdigest()
    with _unwrapping:
        if name not in _unwrapped:
            _check_origin(wire, token)
            _unwrapped[name] = Secret(_open(wire, token))
        return _unwrapped[name]


def _check_origin(wire: Wire, token: str) -> None:
    """A token that somebody opened and wrapped again was not made by the AppRole's own endpoint."""

    def send() -> str:
        answer = wire.hvac.adapter.post("/v1/sys/wrapping/lookup", json={"token": token})
        return str(answer["data"]["creation_path"])

    made_by = _or_used(lambda: wire.call("looking at the wrapped secret_id", send))
    if not re.fullmatch(rf"auth/{re.escape(wire.settings.approle)}/role/[^/]+/secret-id", made_by):
        raise AlreadyUnwrapped(
            f"the wrapped secret_id was made by {made_by}, not by the AppRole: possible interception; "
            "destroy it, and look at Vault's audit log"
        )


def _open(wire: Wire, token: str) -> str:
    def send() -> str:
        answer = wire.hvac.adapter.post("/v1/sys/wrapping/unwrap", headers={"X-Vault-Token": token})
        return str(answer["data"]["secret_id"])

    return _or_used(lambda: wire.call("unwrapping the secret_id", send, once=True))


def _or_used(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except (BadRequest, StoreRefused) as error:
        raise AlreadyUnwrapped(
            "the wrapped secret_id was already unwrapped (or has expired), possible interception: "
            "if none of your own processes did it, destroy the secret_id and look at Vault's audit log"
        ) from error
