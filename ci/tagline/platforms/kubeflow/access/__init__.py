"""Who tagline is at the servers: each module gives the header that says so, and when it runs out."""

import threading
import time
from collections.abc import Callable, Iterator

import msgspec
from tagline_task.masking import Secret, hide

MARGIN = 60.0  # seconds before its end from which a header is not used any more


class Header(msgspec.Struct, frozen=True):
    """What says who we are. `until` is Unix time in seconds; None where nobody knows, or it never ends.

    `who` is whom it names, where that can be read from it; `public` a value that may be seen in logs.
    """

    name: str
    value: Secret
    until: float | None = None
    who: str = ""
    public: bool = False


class Identity(msgspec.Struct, frozen=True):
    """One way to be somebody: `who` in words, `fetch` gives a fresh header; None for nobody at all.

    `fetch` raises `KfpNotLetIn` for what cannot be had, `KfpUnavailable` where a provider does not answer.
    """

    who: str
    fetch: Callable[[], Header] | None = None


NOBODY = Identity("a request without identity")


class Credentials:
    """The header of one identity, fetched when it is first needed, shortly before it ends, and when refused."""

    def __init__(self, identity: Identity, clock: Callable[[], float] = time.time) -> None:
        self.identity, self._clock = identity, clock
        self._lock = threading.Lock()
        self._header: Header | None = None

    @property
    def who(self) -> str:
        """Who we are, in words; as the header says it once it was fetched."""
        return (self._header and self._header.who) or self.identity.who

    def header(self) -> Header | None:
        """What to send now; None for nobody. Raises what the identity's `fetch` raises."""
        if self.identity.fetch is None:
            return None
        with self._lock:
            if self._header is None or self._ends_soon(self._header):
                self._header = _hidden(self.identity.fetch())
            return self._header

    def renewed(self, refused: Header | None) -> bool:
        """Whether there is another header now than the one that was refused."""
        if self.identity.fetch is None or refused is None:
            return False
        with self._lock:
            if self._header is refused:
                self._header = _hidden(self.identity.fetch())
            return self._header is not None and self._header.value != refused.value

    def _ends_soon(self, header: Header) -> bool:
        return header.until is not None and self._clock() > header.until - MARGIN


def _hidden(header: Header) -> Header:
    """The header, from now on masked in all that this process shows."""
    if not header.public:
        hide(_secrets(header.value.open()))
    return header


def _secrets(value: str) -> Iterator[str]:
    yield value
    yield value.partition(" ")[2]  # a token without its scheme
    yield from (part.partition("=")[2].strip() for part in value.split(";"))  # cookies without their names
