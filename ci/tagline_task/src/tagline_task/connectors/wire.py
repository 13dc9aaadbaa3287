"""One request to Vault: bounded in time, tried again only where that is safe, told in our words."""

import tempfile
import threading
import time
from collections.abc import Callable
from typing import IO, Any, TypeVar

from tagline_task.connectors.settings import Settings
from tagline_task.errors import ConnectorError, SecretNotThere, StoreRefused, StoreUnavailable

T = TypeVar("T")
FIRST_WAIT = 0.2
LONGEST_WAIT = 2.0
_BUSY = (429, 500, 502, 503, 504)
_NOT_TAKEN = (429, 503)


class BadRequest(StoreRefused):
    """Vault took the request for malformed or false; the caller knows what that means."""


class Wire:
    """hvac with our bounds; one request at a time, so that a thread may renew beside the task."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._ca: IO[str] | None = None
        self._lock = threading.RLock()
        self.hvac: Any = self._client()

    def _client(self) -> Any:
        try:
            import hvac
        except ModuleNotFoundError as error:
            if error.name != "hvac":
                raise
            raise ConnectorError(
                "hvac is not installed: add hvac to src/requirements.in and lock it"
            ) from None
        given = self.settings
        return hvac.Client(
            url=given.address,
            token=given.token.open(),
            timeout=given.timeout,
            namespace=given.namespace or None,
            session=_session(self._verify()),  # a standby redirects to the active server
        )

    def _verify(self) -> str | bool:
        if self.settings.ca_text:
            self._ca = tempfile.NamedTemporaryFile("w", suffix=".pem")  # noqa: SIM115  # lives as long as we do
            self._ca.write(self.settings.ca_text)
            self._ca.flush()
            return self._ca.name
        return self.settings.ca or True

    def call(self, what: str, send: Callable[[], T], *, once: bool = False) -> T:
        """The answer to one request, tried again while Vault is away, at most `patience` seconds in all.

        `what` says in a few words what is asked. With `once` a request that Vault may have taken already is
        not sent again. Raises `StoreUnavailable`, `StoreRefused`, `BadRequest`, `SecretNotThere`.
        """
        from hvac.exceptions import VaultError
        from requests.exceptions import ConnectionError as Unreachable
        from requests.exceptions import RequestException, SSLError, Timeout

        end, wait = time.monotonic() + self.settings.patience, FIRST_WAIT
        while True:
            try:
                with self._lock:
                    return send()
            except VaultError as error:
                problem, again = self._said(what, error), _status(error) in (_NOT_TAKEN if once else _BUSY)
            except (Unreachable, Timeout) as error:
                problem = self._lost(what, error)
                again = not isinstance(error, SSLError) and (not once or _never_arrived(error))
            except RequestException as error:
                raise StoreUnavailable(f"{what}: {self._name()} cannot be asked: {error}") from error
            if not again or time.monotonic() + wait > end:
                raise problem
            time.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)

    def _name(self) -> str:
        return f"Vault at {self.settings.address}"

    def _lost(self, what: str, error: Exception) -> ConnectorError:
        from requests.exceptions import ReadTimeout, SSLError

        match error:
            case SSLError() if "CERTIFICATE_VERIFY_FAILED" not in str(error):
                how = "does not speak TLS as this address says: http or https?"
            case SSLError():
                how = "shows a certificate that is not trusted here: set VAULT_CACERT to your own authority's"
            case ReadTimeout():
                how = f"did not answer within {self.settings.timeout:g} s"
            case _:
                how = "cannot be reached"
        problem = StoreUnavailable(f"{what}: {self._name()} {how}")
        problem.__cause__ = error
        return problem

    def _said(self, what: str, error: Any) -> ConnectorError:
        said = ", ".join(str(line).strip() for line in error.errors or []) or type(error).__name__
        kind, words = _meaning(_status(error), said)
        problem = kind(f"{what}: {self._name()} {words}")
        problem.__cause__ = error
        return problem


def _session(verify: str | bool) -> Any:
    """A session that a redirect cannot lead from https to http, where the token would travel in the open."""
    from requests import Session
    from requests.exceptions import InvalidURL

    class Careful(Session):  # type: ignore[misc]  # requests has no types here
        def get_redirect_target(self, resp: Any) -> Any:
            target = super().get_redirect_target(resp)
            if target and resp.url.startswith("https:") and target.startswith("http:"):
                raise InvalidURL(f"it redirects from https to {target}")
            return target

    session = Careful()
    session.verify = verify
    return session


def _meaning(status: int, said: str) -> tuple[type[ConnectorError], str]:
    if "sealed" in said.lower():
        return StoreUnavailable, "is sealed: whoever runs it must unseal it (bao operator unseal)"
    match status:
        case 400:
            return BadRequest, f"refused: {said}"
        case 401 | 403:
            return StoreRefused, f"denied it: {' '.join(said.split())}"
        case 404:
            return SecretNotThere, "has nothing there"
        case _:
            return StoreUnavailable, f"answered {status or 'something unknown'}: {said}"


def _status(error: Any) -> int:
    from hvac import exceptions

    known = {
        exceptions.InvalidRequest: 400,
        exceptions.Unauthorized: 401,
        exceptions.Forbidden: 403,
        exceptions.InvalidPath: 404,
        exceptions.PreconditionFailed: 412,
        exceptions.RateLimitExceeded: 429,
        exceptions.InternalServerError: 500,
        exceptions.VaultNotInitialized: 501,
        exceptions.BadGateway: 502,
        exceptions.VaultDown: 503,
    }
    return known.get(type(error), 0)


def _never_arrived(error: Exception) -> bool:
    """Whether no connection came about, so that Vault cannot have taken the request."""
    from requests.exceptions import ConnectTimeout
    from urllib3.exceptions import NewConnectionError

    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(error, ConnectTimeout) or isinstance(reason, NewConnectionError)
