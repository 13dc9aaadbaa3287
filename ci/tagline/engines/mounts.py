"""What a command sees of this machine's files: mounts of its own, standard library only, for `launch.py`."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

_NEW_NS, _NEW_USER = 0x00020000, 0x10000000
_RDONLY, _NOSUID, _NODEV, _NOEXEC, _REMOUNT, _BIND, _REC, _PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
_DETACH = 2
_PLAIN = _NOSUID | _NODEV
_PLACE = "mode=0755,size=1m"
_MOST_LINKS = 100
_MEMORY = "/dev/shm"

_libc = ctypes.CDLL(None, use_errno=True)


def _mount(source: str, target: str, kind: str, flags: int, data: str = "") -> bool:
    words = (os.fsencode(source), os.fsencode(target), kind.encode())
    return bool(_libc.mount(*words, ctypes.c_ulong(flags), data.encode() or None) == 0)


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


def own(scratch: str) -> bool:
    """Enter a mount namespace from which nothing spreads to the machine; False where that is forbidden."""
    uid, gid = os.getuid(), os.getgid()
    with open("/proc/self/mountinfo", errors="replace") as machine:
        if _libc.unshare(_NEW_NS) != 0:
            if _libc.unshare(_NEW_USER | _NEW_NS) != 0:
                return False
            _write("/proc/self/setgroups", "deny")
            _write("/proc/self/uid_map", f"{uid} {uid} 1")
            _write("/proc/self/gid_map", f"{gid} {gid} 1")
        if _mount("none", "/", "", _REC | _PRIVATE):
            return True
        # The root of a chroot may be no mount point, so it cannot be made private: does a mount spread?
        # `machine` was opened before and still lists the mounts of the namespace we left.
        if not _mount("tmpfs", scratch, "tmpfs", 0):
            return False
        spread = os.path.basename(scratch) in machine.read()
        _libc.umount2(os.fsencode(scratch), _DETACH)
        return not spread


def hide(paths: list[str]) -> None:
    """Cover each path that exists: a folder by an empty one, a file or socket by /dev/null."""
    for path in dict.fromkeys(os.path.realpath(path) for path in paths):
        if os.path.isdir(path):
            _mount("tmpfs", path, "tmpfs", _RDONLY | _NOSUID | _NODEV | _NOEXEC, "mode=0555,size=4k")
        elif os.path.exists(path):
            _mount("/dev/null", path, "", _BIND)


def keep(folders: list[str], own: list[str]) -> None:
    """Let each folder or file only be read, but for a folder's entries that hold one of the paths `own`.

    One of `own` that is itself among them opens none. Outermost first.
    """
    real = sorted({os.path.realpath(folder) for folder in folders})
    for folder in real:
        if not os.path.exists(folder) or not _mount(folder, folder, "", _BIND | _REC):
            continue
        _remount(folder, _RDONLY)
        for path in set(own).difference(real):
            if path.startswith(folder + os.sep):
                entry = os.path.join(folder, path[len(folder) + 1 :].split(os.sep)[0])
                if _mount(entry, entry, "", _BIND | _REC):
                    _remount(entry, 0)


def places(path: str) -> list[str]:
    """Every link that leads from a path to what it names, then that itself: all as the kernel meets them."""
    met: list[str] = []
    here, left = "/", path.split(os.sep)
    while left:
        step = os.path.normpath(os.path.join(here, left.pop(0)))
        if os.path.islink(step) and len(met) < _MOST_LINKS:
            met.append(step)
            target = os.readlink(step)
            here = "/" if os.path.isabs(target) else here
            left = target.split(os.sep) + left
        else:
            here = step
    return [*met, here]


def cover(folders: list[str], shown: list[str]) -> None:
    """Put an empty place over each folder, in which only what is shown can be seen, with the rights it had."""
    met = _met(shown)
    for folder in sorted({os.path.realpath(folder) for folder in folders}):
        if folder not in met and os.path.isdir(folder):
            with _seen_again(folder, met):
                covered = _mount("tmpfs", folder, "tmpfs", _PLAIN, _PLACE)
            if covered:
                _mount("none", folder, "", _REMOUNT | _BIND | _RDONLY | _PLAIN)


def own_temporary(folders: list[str], shown: list[str], scratch: str) -> None:
    """Put a place of the command's own, on `scratch`'s disk, over each folder, in which it sees what is shown.

    A folder in memory stays one; the folder in which the command runs stays as it is.
    """
    real = sorted({os.path.realpath(folder) for folder in folders if os.path.isdir(folder)})
    met = _met(shown)
    held = [_new_place(os.path.join(scratch, f"temporary-{number}")) for number, _ in enumerate(real)]
    here = os.getcwd()
    for folder, place in zip(real, held, strict=True):
        if not os.path.isdir(folder) or folder == here:
            continue
        with _seen_again(folder, met):
            if folder == _MEMORY:
                _mount("tmpfs", folder, "tmpfs", _PLAIN, f"mode=1777,size={_size(folder)}")
            else:
                _mount(f"/proc/self/fd/{place}", folder, "", _BIND)
    for place in held:
        os.close(place)


def _new_place(path: str) -> int:
    """The descriptor of a new folder in which everybody may write, as in /tmp."""
    os.mkdir(path)
    os.chmod(path, 0o1777)
    return os.open(path, os.O_PATH | os.O_CLOEXEC)


def _size(folder: str) -> int:
    found = os.statvfs(folder)
    return found.f_blocks * found.f_frsize


def _met(shown: list[str]) -> list[str]:
    return sorted({place for path in shown for place in places(path)})


@contextmanager
def _seen_again(folder: str, met: list[str]) -> Iterator[None]:
    """Put what is met on the way to shown paths back into a folder that is covered meanwhile."""
    inside = [path for path in met if path.startswith(folder + os.sep)]
    links = {path: os.readlink(path) for path in inside if os.path.islink(path)}
    held = {path: _held(path) for path in inside if path not in links and os.path.exists(path)}
    yield
    for path, descriptor in held.items():
        if descriptor >= 0 and not os.path.lexists(path):
            _show(path, descriptor)
    for path, target in links.items():
        if not os.path.lexists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            os.symlink(target, path)
    for descriptor in held.values():
        if descriptor >= 0:
            os.close(descriptor)


def _held(path: str) -> int:
    try:
        return os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return -1


def _show(path: str, descriptor: int) -> None:
    """Put what was opened before its folder was covered back at its place."""
    there = f"/proc/self/fd/{descriptor}"
    if os.path.isdir(there):
        os.makedirs(path, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        _write(path, "")
    _mount(there, path, "", _BIND | _REC)


def _remount(path: str, flags: int) -> None:
    """Change whether a mount can be written; what else it forbids, a user must keep."""
    _mount(
        "none", path, "", _REMOUNT | _BIND | flags | os.statvfs(path).f_flag & (_NOSUID | _NODEV | _NOEXEC)
    )


def hide_machine() -> None:
    """Keep root from the kernel's switches and from raw disks, which know no permissions."""
    for path in ("/proc/sys", "/proc/sysrq-trigger"):
        if os.path.exists(path) and _mount(path, path, "", _BIND | _REC):
            _mount("none", path, "", _REMOUNT | _BIND | _RDONLY | _NOSUID | _NODEV | _NOEXEC)
    disks = os.listdir("/sys/class/block") if os.path.isdir("/sys/class/block") else []
    hide([f"/dev/{disk}" for disk in disks])
