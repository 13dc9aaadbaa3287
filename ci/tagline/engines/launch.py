"""Runs one command of the repository's own code behind shut doors: a script, standard library only.

    python -I -S launch.py LIFE SCRATCH KEPT PATH… OWN PATH… COVERED PATH… TEMPORARY PATH… SHOWN PATH… HIDDEN PATH…
        ARGV…

It lets KEPT folders only be read but for the entries in which the command runs or that hold its OWN paths, puts an
empty place over COVERED and TEMPORARY folders in which only what is SHOWN can be seen, and of which the temporary
ones can be written, hides HIDDEN paths, drops what root could use to look into other processes, and starts ARGV.
Each list is a count and its paths. With a pipe LIFE it stays as the command's keeper: when the pipe closes, or the
command ends, nothing that it started is left, and its exit code (or signal) becomes the keeper's. With LIFE -1 it
becomes the command, which outlives its parent. A guard that this machine forbids is left out; `gaps.gaps()` tries
the doors.
"""

import ctypes
import os
import resource
import select
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from tagline.engines import mounts
else:  # isolated from everything but the standard library, this script finds only what lies beside it
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import mounts

    del sys.path[0]

KILLED = 128 + signal.SIGKILL
CANNOT_START = 127
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
    kept, words = _counted(words)
    owned, words = _counted(words)
    covered, words = _counted(words)
    temporary, words = _counted(words)
    shown, words = _counted(words)
    hidden, argv = _counted(words)
    if mounts.own(scratch):
        own = [os.getcwd(), os.path.realpath(scratch)]
        mounts.keep(kept, [*own, *map(os.path.realpath, owned)])
        mounts.cover(covered, [*own, *shown])
        mounts.own_temporary(temporary, [*own, *shown, *covered], scratch)
        mounts.hide(hidden)
        os.chdir(own[0])  # a folder that was opened before its mount is still the one below it
        if os.getuid() == 0:
            mounts.hide_machine()
    drop_rights()
    if life < 0:
        _become(argv)
    _start(argv, life)


if __name__ == "__main__":
    main(sys.argv[1:])
