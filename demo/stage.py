"""The stage of the demo: prints each command, runs it, and keeps the machine as it was."""

import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tagline.hosts.reading import without_host

BOLD, DIM, RESET = ("\033[1m", "\033[2m", "\033[0m") if sys.stdout.isatty() else ("", "", "")
ROOT = Path(__file__).parent.parent


class StoryBroken(Exception):
    """A command of the story did not end as the story says."""


def free_port() -> int:
    """A port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Stage:
    """A folder for the story, with its own TAGLINE_HOME and port; environments are kept between runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cwd = folder
        self.started = time.monotonic()
        self.heard: list[str] = []
        self.env = {
            **{n: value for n, value in without_host(os.environ).items() if not n.startswith("GIT_")},
            "PATH": f"{ROOT / '.venv/bin'}{os.pathsep}{os.environ['PATH']}",
            "TAGLINE_HOME": str(folder / "home"),
            "TAGLINE_VENVS": os.environ.get("TAGLINE_VENVS") or str(folder / "venvs"),
            "TAGLINE_PORT": str(free_port()),
            "GIT_CONFIG_GLOBAL": str(folder / "gitconfig"),
            "GIT_CEILING_DIRECTORIES": str(folder),
            "GIT_SSL_CAINFO": os.environ.get("GIT_SSL_CAINFO", ""),
        }
        if not self.env["GIT_SSL_CAINFO"]:
            del self.env["GIT_SSL_CAINFO"]

    def clear(self) -> None:
        """Stop what an earlier run left up, and remove its files, but for the environments."""
        if (self.folder / "home").exists():
            subprocess.run(
                ["tagline", "local", "down"], env=self.env, cwd=self.folder, check=False, timeout=120
            )
        for part in ("home", "wine", "remote.git"):
            shutil.rmtree(self.folder / part, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "gitconfig").write_text(
            "[user]\n\tname = Ada\n\temail = ada@example.org\n[advice]\n\tdetachedHead = false\n"
        )

    def say(self, text: str) -> None:
        """A heading, with the time since the story began."""
        print(f"\n{BOLD}# {text}{RESET}  {DIM}[{time.monotonic() - self.started:.0f} s]{RESET}", flush=True)

    def type(self, line: str, *, exits: int = 0, quiet: bool = False) -> str:
        """Print a command as a user would type it, run it, and insist on its exit code."""
        print(f"{BOLD}$ {line}{RESET}", flush=True)
        self.heard.append(f"$ {line}\n")
        ran = subprocess.Popen(
            ["sh", "-c", line],
            cwd=self.cwd,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        assert ran.stdout
        heard = []
        for text in ran.stdout:
            heard.append(text)
            self.heard.append(text)
            if not quiet:
                print(f"  {text}", end="", flush=True)
        if ran.wait() != exits:
            tail = "".join(heard[-20:]) if quiet else ""
            raise StoryBroken(f"`{line}` ended with {ran.returncode}, not {exits}\n{tail}")
        return "".join(heard)

    def edit(self, path: str, old: str, new: str) -> None:
        """Change a file of the project, and show the change as a diff's two signs."""
        file = self.cwd / path
        text = file.read_text()
        if old not in text:
            raise StoryBroken(f"{path} does not hold the lines that the story changes")
        file.write_text(text.replace(old, new, 1))
        print(f"{BOLD}edit {path}{RESET}")
        for sign, lines in (("-", old), ("+", new)):
            for line in lines.strip("\n").splitlines():
                print(f"  {sign} {line}")

    @contextmanager
    def background(self, line: str) -> Iterator[subprocess.Popen[str]]:
        """A command that runs beside the next ones, as in another terminal; ended with Ctrl-C."""
        print(f"{BOLD}$ {line} &{RESET}", flush=True)
        ran = subprocess.Popen(
            shlex.split(line),
            cwd=self.cwd,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield ran
        finally:
            ran.send_signal(2)
            said, _ = ran.communicate(timeout=60)
            self.heard.append(said)
            print("".join(f"  [traffic] {text}\n" for text in said.strip().splitlines()[-3:]), end="")
