"""The git program as a child process: bounded in time, deaf to the user's settings and hooks, silent about secrets."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from tagline.errors import MissingTool, RepositoryError

LOCAL_TIMEOUT = 120.0
_CANCEL_LAG = 1.0
_REDIRECTS = {
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
    "GIT_EXTERNAL_DIFF",
    "GIT_DIFF_OPTS",
    "GIT_QUARANTINE_PATH",
}
_SETTINGS = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "cat",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_MERGE_AUTOEDIT": "no",
    "LC_ALL": "C",
    "LANGUAGE": "C",
}
_CONFIG = (
    "advice.detachedHead=false",
    "color.ui=false",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.quotePath=false",
    "diff.ignoreSubmodules=none",
    "fetch.pruneTags=false",
    "fetch.recurseSubmodules=false",
    "fetch.writeCommitGraph=false",
    "gc.auto=0",
    "i18n.commitEncoding=UTF-8",
    "i18n.logOutputEncoding=UTF-8",
    "log.mailmap=false",
    "log.showSignature=false",
    "maintenance.auto=false",
    "push.followTags=false",
    "push.gpgSign=false",
    "push.recurseSubmodules=no",
    "push.useForceIfIncludes=false",
)
WORDS = ("--no-pager", *(part for item in _CONFIG for part in ("-c", item)))
_HTTP_CREDENTIAL = re.compile(r"(?i)\b((?:https?|ftps?)://)[^/\s'\"]*@")
_OTHER_PASSWORD = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^/\s:@'\"]*):[^/\s'\"]*@")
_QUERY_TOKEN = re.compile(r"(?i)\b((?:[a-z_-]*token|password|secret|key)=)[^&\s'\"]+")


class Answer(msgspec.Struct, frozen=True):
    """What git said: its exit code (124 where it ran out of time), bytes of stdout, masked text of stderr."""

    code: int
    out: bytes
    err: str


def mask(text: str) -> str:
    """The text without credentials: users and tokens of http URLs, passwords of others, tokens in queries."""
    text = _HTTP_CREDENTIAL.sub(r"\1***@", text)
    text = _OTHER_PASSWORD.sub(r"\1:***@", text)
    return _QUERY_TOKEN.sub(r"\1***", text)


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The caller's environment without what would lead git elsewhere or make it ask, trace or translate."""
    kept = {k: v for k, v in os.environ.items() if k not in _REDIRECTS and not k.startswith("GIT_TRACE")}
    return kept | _SETTINGS | dict(extra)


def verb(args: Sequence[str]) -> str:
    """The git command among the arguments, such as `push` in `-c a.b=c push origin`."""
    words = list(args)
    while len(words) > 2 and words[0] == "-c":
        words = words[2:]
    return words[0]


_RUNNING: set[subprocess.Popen[bytes]] = set()


def end_all() -> None:
    """Kill every git that is still running, in whichever thread: for the end of the process."""
    for child in list(_RUNNING):
        _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        child.wait()


def run(
    args: Sequence[str],
    *,
    cwd: Path,
    stdin: bytes = b"",
    timeout: float = LOCAL_TIMEOUT,
    env: Mapping[str, str] | None = None,
) -> Answer:
    """Run git to its end, in a process group of its own so that nothing of it outlives us or asks a terminal.

    `timeout` is in seconds; past it the whole group is killed and the code is 124. Raises `MissingTool`
    where there is no git.
    """
    argv = ["git", *WORDS, *args]
    pipe = subprocess.PIPE
    try:
        child = subprocess.Popen(
            argv,
            cwd=cwd,
            env=environment(env or {}),
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        if not cwd.is_dir():
            raise RepositoryError(f"the folder {cwd} is gone", where=str(cwd)) from error
        raise MissingTool("git is not installed", fix="apt-get install git") from error
    _RUNNING.add(child)
    try:
        out, err = child.communicate(stdin, timeout)
        if (
            child.returncode == -signal.SIGTERM
        ):  # a host that cancels ends the deepest process first: ours is next
            time.sleep(_CANCEL_LAG)
    except subprocess.TimeoutExpired:
        _end(child)
        return Answer(124, b"", f"git {verb(args)} gave no answer in {timeout:g} s")
    except BaseException:
        _end(child)
        raise
    finally:
        _RUNNING.discard(child)
    return Answer(child.returncode, out, mask(err.decode("utf-8", "replace").strip()))
