"""What the hosts' APIs are asked for: a comment, a run of the default branch, who may push tags, which pull request."""

from typing import Protocol

import msgspec


class Comment(msgspec.Struct, frozen=True):
    """A comment that we wrote earlier."""

    id: int
    body: str


class Woken(msgspec.Struct, frozen=True):
    """A run that was asked for; `url` is where it can be seen, "" where the host does not say."""

    url: str = ""


class TagRule(msgspec.Struct, frozen=True):
    """A rule over tags that a pattern names: who may create them, and whether they may be moved or deleted.

    `creators` are the host's own words for persons and roles; None where the rule leaves creating to
    everybody who may push. `pattern` is as the host shows it, `slashes` says whether `*` stands for `/` too.
    """

    pattern: str
    creators: list[str] | None
    keeps: bool
    slashes: bool = False


class Commenting(Protocol):
    """Comments of one pull request at a time."""

    def ours(self, number: int, marker: str) -> list[Comment]:
        """Our comments that end in the marker, oldest first: nobody else's are touched."""
        ...

    def create(self, number: int, body: str) -> None: ...

    def update(self, number: int, comment: Comment, body: str) -> None: ...

    def delete(self, number: int, comment: Comment) -> None: ...


class Waking(Protocol):
    """Runs of the default branch."""

    def wake(self) -> Woken:
        """Ask for a run; again is harmless: a run looks first. Raises `HostRefused`, `HostUnavailable`."""
        ...


class Guarding(Protocol):
    """Rules over tags."""

    def tag_rules(self) -> list[TagRule]:
        """Every active rule over tags that this token can see; raises `HostRefused`, `HostUnavailable`."""
        ...
