"""Base images from Debian packages alone: made by mmdebstrap once, kept between runs, imported, never pulled."""

import fcntl
import hashlib
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tagline.engines.docker.containers import OWNER_LABEL

from tests.real.engine import FOLDER

PYTHON = ("python3", "python-is-python3", "python3-venv", "python3-pip", "ca-certificates")
RELEASE = "bookworm"


def archive(name: str, packages: tuple[str, ...]) -> Path:
    """The root file system of a Debian with `packages`, as a tar; about 20 s when it is made."""
    key = hashlib.sha256(" ".join(packages).encode()).hexdigest()[:8]
    file = FOLDER / f"{name}-{key}.tar"
    with (FOLDER / f"{name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            draft = file.with_name(f".{file.name}")
            subprocess.run(
                [
                    "mmdebstrap",
                    "--quiet",
                    "--variant=essential",
                    f"--include={','.join(packages)}",
                    RELEASE,
                    draft,
                ],
                check=True,
                capture_output=True,
                timeout=300,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "SOURCE_DATE_EPOCH": "315532800"},
            )
            draft.rename(file)
    return file


def imported(tag: str, file: Path, environ: Mapping[str, str]) -> None:
    """Give the engine an image of that name, unless it holds it from an earlier run."""
    known = docker(environ, "image", "inspect", "--format={{.Id}}", tag, check=False)
    if not known:
        docker(environ, "import", "--change=ENV LANG=C.UTF-8 PIP_BREAK_SYSTEM_PACKAGES=1", str(file), tag)


def docker(environ: Mapping[str, str], *words: str, check: bool = True) -> str:
    """What `docker WORDS` prints; with `check`, an error where it fails."""
    said = subprocess.run(["docker", *words], env=dict(environ), capture_output=True, text=True, timeout=300)
    if check and said.returncode:
        raise RuntimeError(f"docker {words[0]}: {said.stderr[-2000:]}")
    return said.stdout.strip() if said.returncode == 0 else ""


def pushed(tag: str, repository: str, environ: Mapping[str, str]) -> str:
    """Push the engine's image to a repository; the reference by digest."""
    docker(environ, "tag", tag, f"{repository}:1")
    docker(environ, "push", "--quiet", f"{repository}:1")
    digests = docker(environ, "image", "inspect", "--format={{json .RepoDigests}}", f"{repository}:1")
    docker(environ, "rmi", f"{repository}:1")
    return next(one for one in json.loads(digests) if one.startswith(f"{repository}@"))


def owned(folder: Path, environ: Mapping[str, str]) -> list[str]:
    """The run folders below `folder` that have a container in the engine."""
    said = docker(environ, "ps", "--all", f'--format={{{{.Label "{OWNER_LABEL}"}}}}')
    return [line for line in said.splitlines() if line.startswith(f"{folder}/")]
