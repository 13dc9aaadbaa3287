"""What the sandbox cannot shut on this machine: found by a child in it that tries to read and to write."""

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tagline import temporary
from tagline.engines import Command, Guards, places, sandbox

_MOST = 2000
_SHARED = ("/tmp", "/var/tmp", "/dev/shm")
_PROFILES = (".bashrc", ".bash_profile", ".profile", ".zshrc", ".config/fish/config.fish")
_CROWDED = ("", ".config", ".cache", ".local/share")
# The child: it says which paths it can read and which it can write; what it makes it removes again.
_TRY_DOORS = """
import json, os, sys
def can_read(path):
    if os.path.isdir(path):
        return bool(os.listdir(path))
    found = os.stat(path)
    if found.st_rdev:
        return False
    if os.path.isfile(path):
        open(path, "rb").close()
    return True
def can_write(path):
    if not os.path.isdir(path):
        open(path, "ab" if os.path.getsize(path) else "rb+").close()
        return not os.stat(path).st_rdev
    made = os.path.join(path, f".tagline-tries-{os.getpid()}")
    os.close(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
    os.unlink(made)
    return True
def tried(door, paths):
    for path in paths:
        try:
            if door(path):
                yield path
        except OSError:
            pass
asked = json.load(open(sys.argv[1]))
print(json.dumps([list(tried(can_read, asked[0])), list(tried(can_write, asked[1]))]))
"""


def gaps(guards: Guards = sandbox.NO_GUARDS) -> list[str]:
    """A sentence for each credential that a child can read and each place of tagline's that it can write.

    `guards` are those of the engine whose commands are meant. Nothing is changed.
    """
    secrets = [str(path) for path in (*_processes(), *places.secrets(os.environ), *guards.hide)]
    personal = list(_personal(os.environ, guards))
    folders = [*places.interpreter(), *places.homes(os.environ), *guards.keep]
    written_to = [*map(str, folders), *_profiles(os.environ)]
    with _probes() as probes:
        read, written = _tried([*secrets, *personal, *probes], written_to, guards)
    found = [_sentence(path) for path in dict.fromkeys(secrets) if path in read]
    found += [f"{probes[path]} is shared with every other program" for path in probes if path in read]
    open_files = [path for path in personal if path in read and path not in secrets]
    if open_files:
        found.append(f"{len(open_files)} files and folders of your home can be read, such as {open_files[0]}")
    return found + [f"{path} can be written" for path in written]


@contextmanager
def _probes() -> Iterator[dict[str, str]]:
    """A file in each temporary folder of the machine that no command is told of, with the folder's name."""
    with ExitStack() as stack:
        made = {}
        for folder in _SHARED:
            if os.path.isdir(folder) and os.access(folder, os.W_OK):
                file = stack.enter_context(tempfile.NamedTemporaryFile(prefix="tagline-probe-", dir=folder))
                made[file.name] = folder
        yield made


def _processes() -> dict[Path, str]:
    whose = {os.getpid(): "tagline", os.getppid(): "the program that started tagline"}
    return {Path(f"/proc/{pid}/environ"): name for pid, name in whose.items()}


def _sentence(path: str) -> str:
    whose = _processes().get(Path(path))
    return f"the environment of {whose} can be read" if whose else f"{path} can be reached"


def _personal(outer: Mapping[str, str], guards: Guards) -> Iterator[str]:
    """What lies in the user's home and is nothing that a child must see; at most a few thousand names."""
    needed = [os.path.realpath(path) for path in (*map(str, places.shown(outer)), *guards.keep)]
    names = [home / part for home in places.homes(outer) for part in _CROWDED]
    crowded = {str(path) for path in names}
    listed = sorted({str(entry) for folder in names if _is_listed(folder) for entry in folder.iterdir()})
    for path in listed[:_MOST]:
        inside = any(path == one or path.startswith(one + os.sep) for one in needed)
        around = any(one.startswith(path + os.sep) for one in needed)
        if not inside and not around and path not in crowded:
            yield path


def _is_listed(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)


def _profiles(outer: Mapping[str, str]) -> list[str]:
    files = [home / name for home in places.homes(outer) for name in _PROFILES]
    return [str(file) for file in files if file.is_file()]


def _tried(read: list[str], write: list[str], guards: Guards) -> tuple[list[str], list[str]]:
    with temporary.folder(temporary.Kind.DOORS) as folder:
        asked, log = folder / "asked", folder / "gaps"
        asked.write_text(json.dumps([read, write]))
        command = Command(
            [sys.executable, "-I", "-S", "-c", _TRY_DOORS, str(asked)], folder, log, timeout=30.0
        )
        code = sandbox.run(command, guards=guards)
        said = log.read_text(errors="replace")
        if code != 0:
            raise RuntimeError(f"the child that tries the sandbox's doors ended with {code}: {said[-500:]}")
        answers: tuple[list[str], list[str]] = tuple(json.loads(said.splitlines()[-1]))
        return answers
