"""Whether somebody has asked for something newer: the remote, asked beside a rollout's looks."""

import time
from collections.abc import Callable

import msgspec

from tagline.git import remote, tags
from tagline.git.repo import Repo
from tagline.words import Promotion

NEWER_EVERY = 10.0
ANSWERS_WITHIN = 4.0


def newer_than(
    repo: Repo, promotion: Promotion, ttl: float, every: float = NEWER_EVERY
) -> Callable[[], Promotion | None]:
    """Asks the remote, at most `every` so many seconds and once, for a newer promotion of the same place.

    A remote that hangs holds a look up for less than `ttl`; names that nobody can read are passed over.
    """
    looked, newest = time.monotonic(), promotion
    once = msgspec.structs.replace(repo, retries=())

    def newer() -> Promotion | None:
        nonlocal looked, newest
        if time.monotonic() - looked >= every:
            try:
                names = remote.listing(once, timeout=min(ANSWERS_WITHIN, ttl / 4)).refs
            finally:
                looked = time.monotonic()
            asked = (tags.read(name.removeprefix("refs/tags/")) for name in names)
            here = (one for one in asked if one and (one.env, one.model) == (promotion.env, promotion.model))
            newest = max(here, default=promotion)
        return newest if newest.n > promotion.n else None

    return newer
