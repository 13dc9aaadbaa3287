"""The rollout's memory, as the flow asks for it: state, blocks, one holder, a dead-man switch."""

from contextlib import AbstractContextManager
from typing import Protocol

import msgspec

from tagline.words import ModelVersion


class Block(msgspec.Struct, frozen=True):
    """A version that must not be promoted in this environment, who says so and why."""

    version: str
    by: str
    reason: str
    promotion: str = ""


class Rollouts(Protocol):
    """The rollout's memory: state that survives its process, blocks, one holder at a time, a dead-man switch."""

    def lock(self, env: str, model: str) -> AbstractContextManager[None]:
        """Hold this environment and model; raises `Locked` (who holds it) if somebody else does.

        A holder that died (kill -9) holds nothing.
        """
        ...

    def load(self, env: str, model: str) -> bytes | None:
        """The state last saved, or None. Raises `StateBroken` where it cannot be read."""
        ...

    def save(self, env: str, model: str, state: bytes, *, canary: ModelVersion | None, ttl: float) -> None:
        """Keep the state atomically, and arm the dead-man switch: unless saved again within `ttl` seconds,
        the watchdog takes `canary` to weight 0. `canary=None` disarms it."""
        ...

    def blocks(self, env: str, model: str) -> list[Block]:
        """Versions that must not be promoted here."""
        ...

    def block(self, env: str, model: str, block: Block) -> None:
        """Add a block; again is a no-op."""
        ...

    def unblock(self, env: str, model: str, version: ModelVersion) -> None:
        """Lift a block; again is a no-op."""
        ...
