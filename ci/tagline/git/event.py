"""What every event of the ledger carries, and the two that hold together what a host cannot push as one."""

import msgspec

from tagline.git.texts import Hash


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", forbid_unknown_fields=True):
    """What every event carries. `run` is random and says whose event it is; the ledger fills in all four.

    `machine` is set by the local platform; `at` is informational (ISO 8601, UTC): clocks decide nothing.
    """

    run: str = ""
    actor: str = ""
    machine: str = ""
    at: str = ""

    def sentence(self) -> str:
        raise NotImplementedError


class IntendedTag(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tag to be made: its name, its object's hash and text, so that anybody can make the very same one."""

    name: str
    object: Hash
    commit: Hash
    text: str


class Intent(Event, frozen=True, tag="intent"):
    """Tags that will be pushed one by one, and the events (as the ledger writes them) that belong to them.

    Once all the tags stand the events hold, whoever writes them down; until then nothing does.
    """

    tags: list[IntendedTag]
    events: list[str]

    def sentence(self) -> str:
        return f"began to push {', '.join(tag.name for tag in self.tags)}"


class Done(Event, frozen=True, tag="done"):
    """The end of the intent of the same run: `kept` where its tags stand, else they went to somebody else."""

    kept: bool

    def sentence(self) -> str:
        return "what was begun is done" if self.kept else "what was begun came to nothing"
