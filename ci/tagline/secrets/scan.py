"""Where secrets must not be: bytes that would be published, and names of build arguments."""

import gzip
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import BinaryIO, cast

from tagline_task import masking
from tagline_task.connectors.settings import PLAIN

from tagline.errors import SecretExposed, SecretsError

_SECRET_NAME = re.compile(
    r"(?i)(^|[_-])(pass(word|wd|phrase)?|pwd|secrets?|tokens?|credentials?|apikey|"
    r"(api|access|private|signing|ssh|state)[_-]?key|role[_-]?id)([_-]|$)"
)
_NOT_A_SECRET = re.compile(r"(?i)[_-](file|path|url|name|ttl)$")
_FOLDERS = {"PWD", "OLDPWD"}  # a shell's: masked, no path could be read
_CHUNK = 1 << 20
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


def known_values(environ: Mapping[str, str], dotenv: Mapping[str, str]) -> dict[str, str]:
    """The secret values that this machine knows, by name: all of `.env`, and variables named like secrets."""
    named = {name: value for name, value in environ.items() if looks_secret(name)}
    found = {**{name: value for name, value in dotenv.items() if name not in PLAIN}, **named}
    return {name: value for name, value in found.items() if len(value) >= masking.SHORTEST}


def layer(stream: BinaryIO) -> Iterator[bytes]:
    """An image layer's bytes, unpacked where it is a gzip; `stream` can seek.

    What lies packed inside a file of the layer, such as a wheel, is not unpacked. Raises `SecretsError` for a
    layer that cannot be looked into.
    """
    head = stream.read(4)
    stream.seek(0)
    if head == _ZSTD:
        raise SecretsError("the layer is packed by zstd: it cannot be looked into", fix="pack it by gzip")
    plain = cast(BinaryIO, gzip.GzipFile(fileobj=stream)) if head[:2] == _GZIP else stream
    try:
        while part := plain.read(_CHUNK):
            yield part
    except (OSError, EOFError, zlib.error) as error:
        raise SecretsError(f"the layer cannot be unpacked: {error}") from error


class Scanner:
    """Looks for known secret values of 8 characters or more in bytes: plain, and in the forms that are masked.

    `values` are by name, such as the variable that holds them; the name is what a finding says. Base64 that is
    wrapped over lines is not looked for.
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
    if name in _FOLDERS:
        return False
    return bool(_SECRET_NAME.search(spread)) and not _NOT_A_SECRET.search(spread)


def refuse_build_args(names: Iterable[str]) -> None:
    """Raise `SecretExposed` for build arguments named like secrets: an image's history shows their values."""
    if found := sorted(name for name in names if looks_secret(name)):
        raise SecretExposed(
            f"build arguments named like secrets: {', '.join(found)}; an image's history shows them",
            fix="RUN --mount=type=secret,id=NAME in the Dockerfile gives the build a secret that stays nowhere",
        )
