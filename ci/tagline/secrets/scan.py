"""Where secrets must not be: bytes that would be published, and names of build arguments."""

import re
from collections.abc import Iterable, Iterator, Mapping

from tagline_task import masking

from tagline.errors import SecretExposed

_SECRET_NAME = re.compile(
    r"(?i)(^|[_-])(pass(word|wd|phrase)?|pwd|secrets?|tokens?|credentials?|apikey|(api|access|private|signing|ssh)"
    r"[_-]?key|role[_-]?id)([_-]|$)"
)
_NOT_A_SECRET = re.compile(r"(?i)[_-](file|path|url|name|ttl)$")
_CHUNK = 1 << 20


class Scanner:
    """Looks for known secret values of 8 characters or more in bytes: plain, base64, URL-encoded.

    `values` are by name, such as the variable that holds them; the name is what a finding says.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._words = {name: masking.in_bytes(masking.words([value])) for name, value in values.items()}
        self._longest = max((len(word) for found in self._words.values() for word in found), default=1)

    def found(self, parts: Iterable[bytes]) -> list[str]:
        """The names of the values that are in the stream, however it is cut into parts."""
        names: set[str] = set()
        held = b""
        for part in _bounded(parts):
            text = held + part
            names |= {name for name, words in self._words.items() if any(word in text for word in words)}
            held = text[-(self._longest - 1) :] if self._longest > 1 else b""
        return sorted(names)

    def refuse(self, parts: Iterable[bytes], what: str) -> None:
        """Raise `SecretExposed` where one of the values is in it; `what` names the bytes, such as a layer."""
        if names := self.found(parts):
            raise SecretExposed(
                f"{what} holds the value of {', '.join(names)}: it is not published",
                fix="take it out (RUN --mount=type=secret gives a build a secret that stays in no layer), "
                "and change the value if it was published before",
            )


def _bounded(parts: Iterable[bytes]) -> Iterator[bytes]:
    for part in parts:
        yield from (part[at : at + _CHUNK] for at in range(0, len(part), _CHUNK))


def looks_secret(name: str) -> bool:
    """Whether a name says that its value is a secret, such as `DB_PASSWORD` or `GITHUB_TOKEN`."""
    spread = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return bool(_SECRET_NAME.search(spread)) and not _NOT_A_SECRET.search(spread)


def refuse_build_args(names: Iterable[str]) -> None:
    """Raise `SecretExposed` for build arguments named like secrets: an image's history shows their values."""
    if found := sorted(name for name in names if looks_secret(name)):
        raise SecretExposed(
            f"build arguments named like secrets: {', '.join(found)}; an image's history shows them",
            fix="RUN --mount=type=secret,id=NAME in the Dockerfile gives the build a secret that stays nowhere",
        )
