"""The key that CI may give tagline alone: only who has it can write a result that another agent believes."""

import hashlib
import hmac
from collections.abc import MutableMapping

import msgspec
from tagline_task.masking import Secret, hide

from tagline.errors import ConfigError
from tagline.secrets.sources import STATE_KEY as KEY_VARIABLE

SHORTEST_KEY = 32


class Seal(msgspec.Struct, frozen=True):
    """A key, and the commit that is worked on; without a key nothing is sealed."""

    key: Secret
    commit: str

    def hmac(self, content: bytes) -> str:
        """HMAC-SHA256 (hex) over the commit and the content; "" without a key."""
        if not self.key:
            return ""
        message = msgspec.json.encode([self.commit, content.decode()])
        return hmac.digest(self.key.open().encode(), message, hashlib.sha256).hex()

    def broken(self, content: bytes, found: str) -> str:
        """What is wrong with the HMAC `found` of the content, or ""."""
        if not self.key:
            return f"carries an HMAC, and {KEY_VARIABLE} is not set here" if found else ""
        if not found:
            return f"carries no HMAC, and {KEY_VARIABLE} is set here"
        # as bytes: what the file says may be any text
        same = hmac.compare_digest(self.hmac(content).encode(), found.encode("utf-8", "replace"))
        return "" if same else f"carries an HMAC that was not made with this {KEY_VARIABLE} for this commit"


NO_SEAL = Seal(Secret(), "")


def take(environ: MutableMapping[str, str]) -> Secret:
    """The key, taken out of the environment so that no child inherits it; empty where none is set.

    Raises `ConfigError` for one of fewer than 32 characters.
    """
    key = environ.pop(KEY_VARIABLE, "")
    if key and len(key) < SHORTEST_KEY:
        raise ConfigError(
            f"{KEY_VARIABLE} has fewer than {SHORTEST_KEY} characters: it could be guessed",
            fix="openssl rand -hex 32",
        )
    if key:
        hide([key])
    return Secret(key)
