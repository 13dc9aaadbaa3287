"""The dead-man switch: finds rollouts that nobody continues, so that their canary takes no more requests."""

import logging
from collections.abc import Callable
from pathlib import Path

import msgspec

from tagline.errors import StateBroken
from tagline.platforms.local import rollouts
from tagline.words import ModelVersion

log = logging.getLogger("supervisor")


class Abandoned(msgspec.Struct, frozen=True):
    """A rollout whose holder did not save in time."""

    env: str
    model: str
    saved: rollouts.Saved
    folder: Path

    @property
    def canary(self) -> ModelVersion:
        return ModelVersion.parse(self.saved.canary)

    def note(self) -> None:
        """Write down that the canary was taken to weight 0."""
        reason = f"nobody continued the rollout of {self.canary}: its watchdog took it to weight 0"
        rollouts.note_fired(self.folder, self.saved, reason)
        log.warning("%s/%s: %s", self.env, self.model, reason)


class Watchdog:
    """Reads the switches of a home; a file that broke counts as it was last read. `told` hears of those."""

    def __init__(self, home: Path, told: Callable[[str], None]) -> None:
        self._home = home
        self._told = told
        self._boot = rollouts.boot_id()
        self._known: dict[Path, tuple[tuple[int, int], rollouts.Saved]] = {}

    def abandoned(self, now: float) -> list[Abandoned]:
        """The rollouts whose switch is due at `now` (monotonic seconds) and has not fired for that save."""
        found = []
        for folder in rollouts.folders(self._home):
            record = self._read(folder)
            if record and record.expired(now, self._boot) and not self._done(folder, record):
                found.append(Abandoned(folder.parent.name, folder.name, record, folder))
        return found

    def _read(self, folder: Path) -> rollouts.Saved | None:
        known = self._known.get(folder)
        try:
            file = (folder / "state.json").stat()
            stamp = (file.st_ino, file.st_mtime_ns)
            if known and known[0] == stamp:
                return known[1]
            record = rollouts.saved(folder)
        except FileNotFoundError:
            return None
        except StateBroken as error:
            self._told(f"{error.what} ({error.where})")
            return known[1] if known else None
        if record:
            self._known[folder] = (stamp, record)
        return record

    def _done(self, folder: Path, record: rollouts.Saved) -> bool:
        try:
            note = rollouts.fired(folder)
        except StateBroken as error:
            self._told(f"{error.what} ({error.where})")
            return False
        return note is not None and note.save == record.save
