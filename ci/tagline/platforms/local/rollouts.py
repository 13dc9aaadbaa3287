"""The rollout's memory on this machine: its state, its holder, its blocks, and the dead-man switch on disk.

One folder for each (environment, model). The holder writes `state.json`, the supervisor's watchdog writes
`watchdog.json`, and neither writes the other's file.
"""

import os
import secrets
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tagline.errors import Locked, PlatformUnavailable
from tagline.platforms import Block
from tagline.platforms.local.serving import files
from tagline.platforms.local.serving.files import Record
from tagline.words import ModelVersion, check_name

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_BLOCKS_WAIT = 5.0


class Saved(Record, frozen=True, kw_only=True):
    """What the holder saved: its state, and the switch, armed while `canary` is not empty.

    `deadline` is on the machine's monotonic clock in seconds, of the boot `boot`. `save` names this save,
    `holder` whoever holds the lock.
    """

    state: bytes = b""
    canary: str = ""
    deadline: float = 0.0
    boot: str = ""
    save: str = ""
    holder: str = ""

    def expired(self, now: float, boot: str) -> bool:
        """Whether the switch is armed and nobody saved in time; a reboot ends every holder."""
        return bool(self.canary) and (boot != self.boot or now > self.deadline)


class Fired(Record, frozen=True, kw_only=True):
    """The watchdog's note: it took this canary to weight 0, because of that save."""

    save: str = ""
    holder: str = ""
    canary: str = ""
    reason: str = ""


class Blocks(Record, frozen=True, kw_only=True):
    """Versions that must not be promoted here."""

    blocks: list[Block] = msgspec.field(default_factory=list)


class Holder(msgspec.Struct, frozen=True):
    """Who holds the lock, for the one who cannot have it."""

    pid: int
    command: str
    since: str


def boot_id() -> str:
    """What tells one boot of this machine from the next."""
    return _BOOT.read_text().strip() if _BOOT.exists() else ""


def folders(home: Path) -> list[Path]:
    """Every folder that holds a rollout's memory; its name ends in `<env>/<model>`."""
    return sorted(path.parent for path in (home / "rollouts").glob("*/*/state.json"))


def saved(folder: Path) -> Saved | None:
    """What the holder last saved in this folder. Raises `StateBroken`."""
    return files.read(folder / "state.json", Saved)


def fired(folder: Path) -> Fired | None:
    """The watchdog's last note in this folder. Raises `StateBroken`."""
    return files.read(folder / "watchdog.json", Fired)


def note_fired(folder: Path, save: Saved, reason: str) -> None:
    """The watchdog's note that this save's canary was taken to weight 0."""
    note = Fired(save=save.save, holder=save.holder, canary=save.canary, reason=reason)
    files.write(folder / "watchdog.json", note)


class LocalRollouts:
    """`Rollouts` in the folder `rollouts` of a home."""

    def __init__(self, home: Path) -> None:
        self._root = home / "rollouts"
        self._holder = secrets.token_hex(8)

    def _folder(self, env: str, model: str) -> Path:
        return self._root / check_name(env, "environment") / check_name(model, "model")

    @contextmanager
    def lock(self, env: str, model: str) -> Iterator[None]:
        """Hold this environment and model; raises `Locked`, which names the holder, if somebody else does.

        The kernel lets go when the holder dies, however it dies. The file is gone after the last release.
        """
        path = self._folder(env, model) / "lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = files.hold(path)
        if isinstance(descriptor, bytes):
            raise _held(descriptor, path, f"{env}/{model}")
        self._holder = secrets.token_hex(8)
        try:
            since = datetime.now(UTC).isoformat(timespec="seconds")
            holder = Holder(os.getpid(), shlex.join(sys.argv)[:200], since)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, files.encode(holder), 0)
            yield
        finally:
            path.unlink(missing_ok=True)
            os.close(descriptor)

    def load(self, env: str, model: str) -> bytes | None:
        """The state last saved, or None. Raises `StateBroken`, and leaves the file as it is."""
        record = saved(self._folder(env, model))
        return record.state if record else None

    def save(self, env: str, model: str, state: bytes, *, canary: ModelVersion | None, ttl: float) -> None:
        """Keep the state and arm or disarm the switch, in one atomic write; `ttl` in seconds."""
        record = Saved(
            state=state,
            canary=str(canary) if canary else "",
            deadline=time.monotonic() + ttl,
            boot=boot_id(),
            save=secrets.token_hex(8),
            holder=self._holder,
        )
        files.write(self._folder(env, model) / "state.json", record)

    def paused(self, env: str, model: str) -> str | None:
        """Why the watchdog paused the rollout that last saved here, or None.

        A new holder's first save ends the pause; the paused holder's own saves do not.
        """
        folder = self._folder(env, model)
        note, record = fired(folder), saved(folder)
        return note.reason if note and record and note.holder == record.holder else None

    def blocks(self, env: str, model: str) -> list[Block]:
        """Versions that must not be promoted here, in the order they were blocked."""
        record = files.read(self._folder(env, model) / "blocks.json", Blocks)
        return record.blocks if record else []

    def block(self, env: str, model: str, block: Block) -> None:
        """Add a block; the first one for a version holds."""
        with self._changing(env, model) as path:
            blocks = self.blocks(env, model)
            if all(one.version != block.version for one in blocks):
                files.write(path, Blocks(blocks=[*blocks, block]))

    def unblock(self, env: str, model: str, version: ModelVersion) -> None:
        """Lift a block; again is a no-op."""
        with self._changing(env, model) as path:
            blocks = self.blocks(env, model)
            kept = [one for one in blocks if one.version != str(version)]
            if kept != blocks:
                files.write(path, Blocks(blocks=kept))

    @contextmanager
    def _changing(self, env: str, model: str) -> Iterator[Path]:
        """Change the blocks alone, also while somebody holds the rollout: a moment's lock on the folder."""
        folder = self._folder(env, model)
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            deadline = time.monotonic() + _BLOCKS_WAIT
            while not files.flock(descriptor):
                if time.monotonic() > deadline:
                    raise PlatformUnavailable("somebody else keeps changing the blocks", where=str(folder))
                time.sleep(0.01)
            yield folder / "blocks.json"
        finally:
            os.close(descriptor)


def _held(text: bytes, path: Path, name: str) -> Locked:
    try:
        holder = files.decode(text, Holder)
        who = f"pid {holder.pid} ({holder.command}) since {holder.since}"
    except msgspec.DecodeError:
        who = "another tagline"
    return Locked(
        f"{name} is held by {who}",
        where=str(path),
        fix="wait until it ends; if it is killed, it holds nothing",
    )
