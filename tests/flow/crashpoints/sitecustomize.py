"""Put on PYTHONPATH of one command: counts its calls to the outside, and kills it (SIGKILL) at the chosen one.

CRASH_LOG names a file that gets a line per call; CRASH_AT is the number (from 1) of the call that is never made.
Calls are: a process started, a connection opened, a file put in place, a database opened. Only the command
itself is counted, not its children.
"""

import os
import signal
import sys

_log, _at = os.environ.get("CRASH_LOG"), int(os.environ.get("CRASH_AT", "0"))
_KINDS = {"subprocess.Popen", "os.posix_spawn", "socket.connect", "os.rename", "sqlite3.connect"}
_seen = 0
_busy = False


def _hook(event: str, args: tuple[object, ...]) -> None:
    global _seen, _busy
    if event not in _KINDS or _busy or os.getpid() != _pid:
        return
    _busy = True
    _seen += 1
    with open(_log, "a") as file:  # type: ignore[arg-type]
        file.write(f"{_seen} {event} {_words(args)}\n")
    if _seen == _at:
        os.kill(_pid, signal.SIGKILL)
    _busy = False


def _words(args: tuple[object, ...]) -> str:
    """The call on one line; of a git command without the settings that every one of them carries."""
    call = args[1] if len(args) > 1 and isinstance(args[1], list | tuple) else args[:2]
    words = [str(word) for word in call]
    plain = [word for before, word in zip(["", *words], words, strict=False) if "-c" not in (before, word)]
    return " ".join(plain)[:300].replace("\n", " ")


_pid = os.getpid()
if _log and os.path.basename(sys.argv[0] if hasattr(sys, "argv") and sys.argv else "") in {"", "tagline"}:
    for _name in ("CRASH_LOG", "CRASH_AT"):
        os.environ.pop(_name, None)
    sys.addaudithook(_hook)
