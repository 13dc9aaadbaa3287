"""Put on PYTHONPATH of one command: counts its calls to the outside, and kills it (SIGKILL) at the chosen one.

CRASH_LOG names a file that gets a line per call; CRASH_AT is the number (from 1) of the call that is never made.
With CRASH_ONLY, only calls that contain this text are numbered; with CRASH_AFTER the call is made, and the next
one of any kind is not. Calls are: a process started, an HTTP request sent, a file put in place, a database
opened. Only the command itself is counted, not its children.
"""

import os
import signal
import sys

_KINDS = {"subprocess.Popen", "http.client.send", "os.rename", "sqlite3.connect"}
_log = os.environ.pop("CRASH_LOG", "")
_at = int(os.environ.pop("CRASH_AT", "0"))
_only = os.environ.pop("CRASH_ONLY", "")
_after = bool(os.environ.pop("CRASH_AFTER", ""))
_pid = os.getpid()
_seen = 0
_due = False
_busy = False


def _hook(event: str, args: tuple[object, ...]) -> None:
    global _seen, _due, _busy
    if event not in _KINDS or _busy or os.getpid() != _pid:
        return
    _busy = True
    line = f"{event} {_words(args)}"
    if _due:
        os.kill(_pid, signal.SIGKILL)
    if _only in line:
        _seen += 1
        with open(_log, "a") as file:
            file.write(f"{_seen} {line}\n")
        if _seen == _at:
            _due = _after
            if not _after:
                os.kill(_pid, signal.SIGKILL)
    _busy = False


def _words(args: tuple[object, ...]) -> str:
    """The call on one line; of a git command without the settings that every one of them carries."""
    if len(args) > 1 and isinstance(args[1], bytes):
        return args[1].decode("utf-8", "replace").splitlines()[0][:300] if args[1] else ""
    call = args[1] if len(args) > 1 and isinstance(args[1], list | tuple) else args[:2]
    words = [str(word) for word in call]
    plain = [word for before, word in zip(["", *words], words, strict=False) if "-c" not in (before, word)]
    return " ".join(plain)[:300].replace("\n", " ")


if _log and os.path.basename(sys.argv[0] if hasattr(sys, "argv") and sys.argv else "") in {"", "tagline"}:
    sys.addaudithook(_hook)
