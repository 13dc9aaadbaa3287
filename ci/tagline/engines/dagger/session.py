"""A client of a Dagger engine in a process group of its own, which never outlives the call, whatever hangs."""

import os
import selectors
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from time import monotonic
from typing import IO

import msgspec

from tagline.errors import EngineError, EngineMissing, TaskTimedOut

CONNECT_LIMIT = 30.0
RUN_LIMIT = 12 * 3600.0
CONNECTED = b"connected\n"
_CLIENT = [sys.executable, "-P", "-m", "tagline.engines.dagger.client"]


class Call(msgspec.Struct, frozen=True, tag="line"):
    """One line to run in a container: `tree` is its folder, copied in without what git knows of it.

    `wheelhouse` and `lock` are paths of this machine, `index` says that the variable TAGLINE_INDEX holds an
    address: from one of them the container gets tagline. `base` is its image, the chains' own where empty: a name,
    or the path of a tar that holds it. `platform_file` is the text of the one that rules. No credential goes in.
    """

    line: list[str]
    tree: str
    wheelhouse: str = ""
    index: bool = False
    lock: str = ""
    base: str = ""
    platform_file: str = ""


class Build(msgspec.Struct, frozen=True, tag="image"):
    """One image to build and to write to the tar `to`: `context` is a folder that holds all that may go in.

    `dockerfile` and `ignored` are texts: the recipe, and the context's patterns of what it leaves out. `labels` and
    `args` are names with values, `secrets` files of this machine by the id that build steps mount them by.
    """

    context: str
    dockerfile: str
    platform: str
    to: str
    labels: dict[str, str]
    ignored: str = ""
    args: dict[str, str] = {}
    secrets: dict[str, str] = {}


class Login(msgspec.Struct, frozen=True):
    """Who we are to the registry `host`; it travels on the client's standard input alone."""

    host: str
    user: str
    password: str


class Task(msgspec.Struct, frozen=True, tag="task"):
    """One task to run in its image: a registry's name, or the path of a tar that holds it.

    `folder` goes in at the same path, without the entries of it named in `stays`, and belongs to `user` there; as the
    task left it, it comes out into the empty folder `back`. `env` and `secrets` are its variables. It must see
    `gpus` devices.
    """

    image: str
    argv: list[str]
    folder: str
    back: str
    user: str
    env: dict[str, str]
    secrets: dict[str, str] = {}
    stays: list[str] = []
    gpus: int = 0
    login: Login | None = None


class Ended(msgspec.Struct, frozen=True):
    """What became of a line or a task: its exit code and what it said. `failed` is why there is none.

    `no_image` says why a task's image cannot be had, `no_devices` why it would not see its devices; `folder` whether
    its folder came back.
    """

    code: int = 0
    said: str = ""
    failed: str = ""
    no_image: str = ""
    no_devices: str = ""
    folder: bool = False


Asked = Call | Build | Task


def perform(
    call: Asked,
    environ: Mapping[str, str],
    connect_limit: float = CONNECT_LIMIT,
    log_to: IO[str] | None = None,
    run_limit: float = RUN_LIMIT,
) -> Ended:
    """Run the line or the task, or build the image; the log goes to `log_to`, else to our stderr, past its guards.

    `environ` is what `runner.require` gave. Raises `EngineMissing` where no session opens within `connect_limit`
    seconds, `TaskTimedOut` past `run_limit` seconds, `EngineError` where the engine fails. Nothing of the client is
    left then, nor after an interrupt; the engine ends what a client that is gone had asked for.
    """
    with subprocess.Popen(
        [*_CLIENT, str(os.getpid())],
        env=dict(environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as client:
        log = threading.Thread(target=_tell, args=(client.stderr, log_to or sys.stderr))
        log.start()
        try:
            _send(client, call)
            if not _read(client, connect_limit, len(CONNECTED)) == CONNECTED:
                raise EngineMissing(
                    f"the Dagger engine opens no session within {connect_limit:g} s",
                    fix="see its log; client and engine must be of one version",
                )
            until = monotonic() + run_limit
            answer = _read(client, run_limit)
            if monotonic() >= until:
                raise TaskTimedOut(f"it ran longer than {run_limit:g} s in the Dagger engine and was stopped")
        finally:
            _end(client)
            log.join()
    return _ended(answer)


def _send(client: "subprocess.Popen[bytes]", call: Asked) -> None:
    assert client.stdin
    try:
        client.stdin.write(msgspec.json.encode(call))
        client.stdin.close()
    except BrokenPipeError:
        return  # it ended at once: what it did not say is missed next


def _tell(log: IO[bytes], to: IO[str]) -> None:
    """Print what the engine logs, line by line: what the repository's code says there goes the way of all output."""
    for line in log:
        to.write(line.decode(errors="replace"))
        to.flush()


def _read(client: "subprocess.Popen[bytes]", limit: float, size: int | None = None) -> bytes:
    """What the client says within the limit: `size` bytes, or all until it ends."""
    assert client.stdout
    until, said = monotonic() + limit, b""
    with selectors.DefaultSelector() as selector:
        selector.register(client.stdout, selectors.EVENT_READ)
        while size is None or len(said) < size:
            if not selector.select(max(until - monotonic(), 0)):
                break
            part = os.read(client.stdout.fileno(), 65536 if size is None else size - len(said))
            if not part:
                break
            said += part
    return said


def _end(client: "subprocess.Popen[bytes]") -> None:
    """End the whole group before its leader is waited for: its number is ours until then."""
    try:
        os.killpg(client.pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # nothing of it is left


def _ended(answer: bytes) -> Ended:
    try:
        ended = msgspec.json.decode(answer, type=Ended)
    except msgspec.DecodeError as error:
        raise EngineError("the Dagger client ended without an answer", fix="see the lines above") from error
    if ended.failed:
        raise EngineError(f"the Dagger engine says: {ended.failed}")
    return ended
