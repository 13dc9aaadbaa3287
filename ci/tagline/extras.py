"""Packages that tagline needs for some work alone, and the command that brings them."""

import shlex
import sys
from importlib import metadata


def install(extra: str) -> str:
    """The shell command that installs an extra's packages (such as `vault`) into the Python that runs tagline.

    They are named one by one, never as `tagline[vault]`: tagline is on no public index.
    """
    wanted = [one.partition(";") for one in metadata.requires("tagline") or []]
    names = [name.strip() for name, _, marker in wanted if f"extra == '{extra}'" in marker]
    return shlex.join([sys.executable, "-m", "pip", "install", *names])
