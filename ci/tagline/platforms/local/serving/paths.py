"""Where the local platform keeps its files, and how short a socket's path must be."""

import hashlib
import os
import stat
from pathlib import Path

import msgspec

from tagline.errors import PlatformError

SOCKET_LIMIT = 100  # sun_path holds 108 bytes with its closing zero


class Paths(msgspec.Struct, frozen=True):
    """The serving folder of one home."""

    home: Path

    @property
    def folder(self) -> Path:
        return self.home / "serving"

    @property
    def state(self) -> Path:
        """What should serve: survives `down`."""
        return self.folder / "state.json"

    @property
    def table(self) -> Path:
        """The router's table, read when it starts; gone after `down`."""
        return self.folder / "table.json"

    @property
    def processes(self) -> Path:
        """What runs now; gone after `down`."""
        return self.folder / "processes.json"

    @property
    def put_down(self) -> Path:
        """Names the last `down` that a person asked for: who needs the platform all along sees that it changed."""
        return self.home / "put-down"

    @property
    def lock(self) -> Path:
        return self.folder / "supervisor.lock"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def admin(self) -> Path:
        """The supervisor's socket."""
        return self._socket("admin")

    @property
    def control(self) -> Path:
        """The router's socket."""
        return self._socket("router")

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def server_home(self, key: str) -> Path:
        """HOME of a model server: its own, and not in the serving folder, which it must not see."""
        return self.home / "servers" / key.replace("/", ".")

    def not_for_servers(self) -> list[Path]:
        """Folders that the code of a model must not see: what steers the platform and its rollouts.

        Whole folders, for a file or socket that is made anew would be seen again.
        """
        sockets = [] if self.admin.parent == self.folder else [self.admin.parent]
        return [self.folder, self.home / "rollouts", *sockets]

    def _socket(self, name: str) -> Path:
        path = self.folder / f"{name}.sock"
        if len(os.fsencode(path)) <= SOCKET_LIMIT:
            return path
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        return short_folder() / f"{digest}.{name}"

    def make(self) -> None:
        """Make the folders; raises `PlatformError` where they cannot be had safely."""
        for folder in (self.folder, self.logs):
            try:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            except OSError as error:
                raise PlatformError(
                    f"the local platform's folder cannot be made: {error.strerror}",
                    where=str(folder),
                    fix="set TAGLINE_HOME to a folder that you may write",
                ) from error
        if self.admin.parent != self.folder:
            make_private(self.admin.parent)

    def clear(self) -> None:
        """Remove everything that only a running platform needs."""
        for path in (self.admin, self.control, self.processes, self.table, self.lock):
            path.unlink(missing_ok=True)
        if (
            self.admin.parent != self.folder
            and self.admin.parent.is_dir()
            and not any(self.admin.parent.iterdir())
        ):
            self.admin.parent.rmdir()


def short_folder() -> Path:
    """The folder for sockets whose home is too deep: one per user, entered by nobody else."""
    return Path("/tmp") / f"tagline-{os.getuid()}"


def make_private(folder: Path) -> None:
    """Make a folder that its owner alone may enter; raises `PlatformError` where another one lies there."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PlatformError(
            "the folder for sockets is not yours alone",
            where=str(folder),
            fix="remove it, or set TAGLINE_HOME to a shorter path",
        )
