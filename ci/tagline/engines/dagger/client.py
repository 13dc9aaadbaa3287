"""A plain client of a Dagger engine, run as a process of its own: the chain of one call, and what it said.

    python -m tagline.engines.dagger.client PARENT < call.json

It writes `connected` as soon as a session is open, and the answer as JSON when the line has ended.
"""

import asyncio
import ctypes
import os
import re
import shlex
import signal
import sys
from typing import TYPE_CHECKING, BinaryIO, assert_never

import msgspec

from tagline.engines.dagger import chains, images, lines, tasks
from tagline.engines.dagger.session import CONNECTED, Asked, Build, Call, Ended, Task
from tagline.errors import TaglineError

if TYPE_CHECKING:
    from dagger import Container

_SET_PDEATHSIG = 1
_TAIL = 15
_ID = re.compile(r"load \w+@[\w+/=-]{40,}: ")  # the whole chain, encoded: thousands of letters for nobody


def base_of(name: str) -> "str | Container":
    """The image of a call: the chains' own, one that a registry has, or the one in a tar of this machine."""
    from dagger import dag

    if not name.startswith("/"):
        return name or chains.BASE
    return dag.container().import_(dag.host().file(name))


def chain(call: Call) -> "Container":
    """The container of a call, in which its line was run; a second call runs it again."""
    from dagger import dag

    tool = chains.Tool(
        base_of(call.base),
        dag.host().directory(call.wheelhouse) if call.wheelhouse else None,
        dag.secret("env://TAGLINE_INDEX") if call.index else None,
        dag.host().file(call.lock) if call.lock else None,
    )
    tree = chains.without_history(dag.host().directory(call.tree))
    ready = chains.with_platform_file(chains.with_tree(chains.with_tagline(tool), tree), call.platform_file)
    return chains.ran_whatever(chains.anew(ready, chains.new_run()), call.line)


async def asked(call: Asked) -> Ended:
    """Ask the engine: a line's or a task's exit code and words, or an image's tar where the call wants it."""
    match call:
        case Call():
            ran = chain(call)
            return Ended(await ran.exit_code(), await ran.file(lines.JSON).contents())
        case Build():
            await images.tarball(call).export(call.to)
            return Ended()
        case Task():
            return await tasks.done(call)
        case _:
            assert_never(call)


async def answer(call: Asked, out: BinaryIO) -> Ended:
    """Connect and run; what the engine cannot do is the answer's `failed`."""
    import dagger

    try:
        async with dagger.connection(dagger.Config(log_output=sys.stderr)):
            out.write(CONNECTED)
            out.flush()
            return await asked(call)
    except dagger.ExecError as error:
        said = f"{error.stdout}\n{error.stderr}"
        return Ended(failed=step_failed(error.command, error.exit_code, said))
    except (dagger.DaggerError, TaglineError) as error:
        return Ended(failed=_ID.sub("", str(error)))


def step_failed(command: list[str], code: int, said: str) -> str:
    """What became of a step that failed: its command, its exit code, the end of what it said."""
    tail = [line for line in said.splitlines() if line.strip()][-_TAIL:]
    return "".join(
        [f"{shlex.join(command)} ended with exit code {code}", *(f"\n    {line}" for line in tail)]
    )


def end_with(parent: int) -> None:
    """Be killed when the parent is; Dagger's own session ends when we do."""
    ctypes.CDLL(None).prctl(_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(f"process {parent} is gone")


def main() -> None:
    """Read the call, write the answer; nothing else reaches stdout. The first argument is the parent's number."""
    end_with(int(sys.argv[1]))
    call = msgspec.json.decode(sys.stdin.buffer.read(), type=Asked)
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)
        out.write(msgspec.json.encode(asyncio.run(answer(call, out))))


if __name__ == "__main__":
    main()
