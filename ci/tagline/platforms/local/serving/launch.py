"""How the platform's own processes are started, and the record of what runs."""

import os
import sys

import msgspec

from tagline.platforms.local.serving import procs
from tagline.platforms.local.serving.files import Record
from tagline.platforms.local.serving.paths import Paths


class Processes(Record, frozen=True, kw_only=True):
    """What runs now, kept so that the next supervisor finds it: servers by their name."""

    port: int = 0
    supervisor: procs.Identity | None = None
    router: procs.Identity | None = None
    servers: dict[str, procs.Identity] = msgspec.field(default_factory=dict)


def own(paths: Paths, part: str, log: str, port: int) -> procs.Launch:
    """How to start a process of ours for this home, by its module's name."""
    return procs.Launch(
        argv=[
            sys.executable,
            "-m",
            f"{procs.PACKAGE}.{part}",
            "--home",
            str(paths.home),
            "--port",
            str(port),
        ],
        cwd=paths.folder,
        env=procs.own_environment(paths.home, os.environ),
        log=paths.log(log),
    )


def start_supervisor(paths: Paths, port: int) -> None:
    """Start the supervisor so that it outlives us; a second one ends at once."""
    procs.start_detached(own(paths, "daemon", "supervisor", port))
