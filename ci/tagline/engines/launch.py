"""Runs one command of the repository's own code behind shut doors: a script, standard library only.

    python -I -S launch.py LIFE SCRATCH HIDDEN PATH… KEPT PATH… ARGV…

It hides HIDDEN paths, lets KEPT folders only be read but for the entry in which the command runs, drops what
root could use to look into other processes, and starts ARGV. With a pipe
LIFE it stays as the command's keeper: when the pipe closes, or the command ends, nothing that it started is
left, and its exit code (or signal) becomes the keeper's. With LIFE -1 it becomes the command, which outlives
its parent. A guard that this machine forbids is left out; `sandbox.gaps()` tries the doors.
"""

import ctypes
import os
import resource
import select
import signal
import sys
from typing import NoReturn

KILLED = 128 + signal.SIGKILL
CANNOT_START = 127
_NEW_NS, _NEW_USER = 0x00020000, 0x10000000
_RDONLY, _NOSUID, _NODEV, _NOEXEC, _REMOUNT, _BIND, _REC, _PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
_DETACH = 2
_SET_PDEATHSIG, _SET_DUMPABLE, _CAPBSET_DROP, _SET_SUBREAPER, _SET_NO_NEW_PRIVS, _CAP_AMBIENT = (
    1,
    4,
    24,
    36,
    38,
    47,
)
_AMBIENT_CLEAR = 4
_CAP_VERSION = 0x20080522
# What an install or a task run by root may need: CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID,
# NET_BIND_SERVICE. Not SYS_PTRACE, and neither PERFMON nor SYS_ADMIN: with any of the three, Linux shows root
# the environment of a process that is not dumpable (may_access_mm in kernel/fork.c).
_KEPT = sum(1 << cap for cap in (0, 1, 3, 4, 5, 6, 7, 10))
_LAST_CAP = 63

_libc = ctypes.CDLL(None, use_errno=True)


class _Capabilities(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def _prctl(option: int, value: int) -> bool:
    return bool(_libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) == 0)


def _mount(source: str, target: str, kind: str, flags: int, data: str = "") -> bool:
    words = (os.fsencode(source), os.fsencode(target), kind.encode())
    return bool(_libc.mount(*words, ctypes.c_ulong(flags), data.encode() or None) == 0)


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


def own_mounts(scratch: str) -> bool:
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
    """Let each folder only be read, but for its entries that hold one of the paths `own`; outermost first."""
    for folder in sorted({os.path.realpath(folder) for folder in folders}):
        if not os.path.isdir(folder) or not _mount(folder, folder, "", _BIND | _REC):
            continue
        _remount(folder, _RDONLY)
        for path in own:
            if path.startswith(folder + os.sep):
                entry = os.path.join(folder, path[len(folder) + 1 :].split(os.sep)[0])
                if _mount(entry, entry, "", _BIND | _REC):
                    _remount(entry, 0)
    if folders:
        os.chdir(own[0])  # a folder that was opened before its mount is still the one below it


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


def drop_rights() -> None:
    """Leave only harmless capabilities, for good: nothing executed from here on may gain any (sudo, su)."""
    for cap in range(_LAST_CAP + 1):
        if not _KEPT >> cap & 1:
            _prctl(_CAPBSET_DROP, cap)
    _prctl(_CAP_AMBIENT, _AMBIENT_CLEAR)
    header = (ctypes.c_uint32 * 2)(_CAP_VERSION, 0)
    held = (_Capabilities * 2)()
    _libc.capget(header, held)
    for word, part in enumerate(held):
        kept = _KEPT >> 32 * word & 0xFFFFFFFF
        part.effective, part.permitted, part.inheritable = part.effective & kept, part.permitted & kept, 0
    _libc.capset(header, held)
    _prctl(_SET_NO_NEW_PRIVS, 1)


def _become(argv: list[str]) -> NoReturn:
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(argv[0], argv)
    except OSError as error:
        sys.stderr.write(f"cannot start {argv[0]}: {error.strerror}\n")
        sys.stderr.flush()
        os._exit(CANNOT_START)


def _children() -> list[int]:
    """The keeper's children, among them every orphan of the command: the keeper is their reaper."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                parent = int(file.read().rpartition(b")")[2].split()[1])
        except OSError:
            continue  # it ended meanwhile
        if parent == os.getpid():
            found.append(int(name))
    return found


def _kill_all() -> None:
    while children := _children():
        for child in children:
            os.kill(child, signal.SIGKILL)
        for child in children:
            os.waitpid(child, 0)


def _end_as(status: int) -> NoReturn:
    if os.WIFSIGNALED(status):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        number = os.WTERMSIG(status)
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else KILLED)


def _keep(child: int, life: int, woken: int) -> NoReturn:
    """Wait until the command ends or the parent is gone, and leave nothing behind."""
    while True:
        ready, _, _ = select.select([life, woken], [], [])
        if life in ready:
            _kill_all()
            os._exit(KILLED)
        os.read(woken, 512)
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                os._exit(KILLED)
            if pid == 0:
                break
            if pid == child:
                _kill_all()
                _end_as(status)


def _start(argv: list[str], life: int) -> NoReturn:
    os.set_inheritable(life, False)
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    _prctl(_SET_SUBREAPER, 1)
    _prctl(_SET_DUMPABLE, 0)
    keeper = os.getpid()
    child = os.fork()
    if child:
        _keep(child, life, woken)
    os.setsid()
    _prctl(_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != keeper:
        os._exit(KILLED)
    _become(argv)


def _counted(words: list[str]) -> tuple[list[str], list[str]]:
    """The paths that a count announces, and the words behind them."""
    count = int(words[0])
    return words[1 : 1 + count], words[1 + count :]


def main(words: list[str]) -> NoReturn:
    """Shut the doors, then start the command (see the module's docstring for `words`)."""
    life, scratch, words = int(words[0]), words[1], words[2:]
    hidden, words = _counted(words)
    kept, argv = _counted(words)
    if own_mounts(scratch):
        keep(kept, [os.getcwd(), os.path.realpath(scratch)])
        hide(hidden)
        if os.getuid() == 0:
            hide_machine()
    drop_rights()
    if life < 0:
        _become(argv)
    _start(argv, life)


if __name__ == "__main__":
    main(sys.argv[1:])
