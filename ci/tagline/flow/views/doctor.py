"""What this machine and this repository lack for what tagline.yaml asks."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import msgspec

from tagline import config, extras, platform_file
from tagline.errors import TaglineError
from tagline.flow import platforms

DISK_NEEDED_GIB = 3


class Finding(msgspec.Struct, frozen=True):
    """`level` is `ok`, `note` (works, and is worth knowing) or `missing` (something will fail)."""

    level: str
    what: str
    fix: str = ""


def examine(folder: Path) -> list[Finding]:
    """Look at the machine, the repository and the local platform.

    Nothing is changed but the fetch refspec; the remote is pushed a probe, which is deleted again, and at the
    registry of images an upload is begun and given up.
    """
    findings: list[Finding] = []
    for look in (_python, _git, _venv, _kfp, _disk, _sandbox, _port, _serving_runtime, _secrets, _images):
        findings += _safely(look, folder)
    for look in (_template, _kubeflow, _remote, _host):
        findings += _safely(look, folder)
    return list(dict.fromkeys(findings))  # two looks may find the same fault


def _safely(look: Callable[[Path], Iterator[Finding]], folder: Path) -> list[Finding]:
    try:
        return list(look(folder))
    except TaglineError as error:
        return [Finding("missing", error.what, error.fix)]


def _python(folder: Path) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    good = (3, 11) <= sys.version_info[:2] <= (3, 13)
    yield Finding(
        "ok" if good else "missing", f"Python {version}", "" if good else "use Python 3.11, 3.12 or 3.13"
    )


def _git(folder: Path) -> Iterator[Finding]:
    if shutil.which("git") is None:
        yield Finding("missing", "git is not installed", "apt-get install git")
        return
    said = subprocess.run(
        ["git", "version"], capture_output=True, text=True, timeout=10, check=False
    ).stdout.strip()
    yield Finding("ok", said)


def _venv(folder: Path) -> Iterator[Finding]:
    if find_spec("ensurepip") is None:
        yield Finding("missing", "this Python cannot make environments", "apt-get install python3-venv")


def _kfp(folder: Path) -> Iterator[Finding]:
    if find_spec("kfp") is None:
        yield Finding("missing", "kfp is not installed: nothing can be compiled", extras.install("kfp"))
    else:
        yield Finding("ok", "kfp is installed")


def _disk(folder: Path) -> Iterator[Finding]:
    from tagline.platforms.local.home import tagline_home

    home = tagline_home(os.environ)
    free = shutil.disk_usage(home).free / 2**30
    level = "ok" if free > DISK_NEEDED_GIB else "missing"
    yield Finding(
        level, f"{free:.0f} GiB free for {home}", "" if level == "ok" else "make room, or set TAGLINE_HOME"
    )


def _sandbox(folder: Path) -> Iterator[Finding]:
    from tagline.engines.gaps import gaps
    from tagline.flow.opening import open_engine
    from tagline.platforms.local import serving
    from tagline.platforms.local.home import tagline_home

    home = tagline_home(os.environ)
    guards = [open_engine(home, os.environ, folder).guards, *serving.guards(home)]
    found = list(dict.fromkeys(gap for one in guards for gap in gaps(one)))
    if not found:
        yield Finding(
            "ok",
            "the repository's own code can neither reach your credentials nor change your files or tagline",
        )
    for gap in found:
        yield Finding("note", gap, "run CI for untrusted code under its own user")


def _port(folder: Path) -> Iterator[Finding]:
    from tagline.platforms.local import serving
    from tagline.platforms.local.home import tagline_home, tagline_port
    from tagline.platforms.local.serving import ports

    status = serving.status(tagline_home(os.environ))
    if status.up:
        yield Finding("ok", f"the local platform is up at {status.url}")
        return
    port = tagline_port(os.environ)
    if ports.is_free(port):
        yield Finding("ok", f"port {port} is free for the local platform")
    else:
        yield Finding("missing", f"port {port} is taken by another program", "set TAGLINE_PORT to a free one")


def _serving_runtime(folder: Path) -> Iterator[Finding]:
    file = folder / config.FILE
    if not file.exists():
        yield Finding(
            "note", "no tagline.yaml here: pipelines run, no model can be promoted", "add serving: and gate:"
        )
        return
    found = platforms.find(file.read_text(), str(file), os.environ, folder)
    if found:
        yield Finding("ok", f"the platform file of {found.file.name!r} is {found.where}")
    own = platform_file.read(file.read_text(), str(file), "pipeline", found)
    yield Finding(
        "ok", f"tagline.yaml is sound: pipeline {own.pipeline}, environments {', '.join(own.environments)}"
    )
    for key in ("serving", "gate"):
        if getattr(own, key) is None:
            yield Finding("note", f"tagline.yaml has no {key}: no model can be promoted", f"add {key}:")


def _secrets(folder: Path) -> Iterator[Finding]:
    from tagline.secrets import dotenv

    if (folder / dotenv.FILE).is_file():
        dotenv.read(folder)
        yield Finding("ok", f"{dotenv.FILE} is ignored by git, and is read")
    file = folder / config.FILE
    own = config.parse(file.read_text(), where=str(file), default_name="pipeline") if file.exists() else None
    if own and own.secrets and find_spec("hvac") is None:
        yield Finding("missing", "hvac is not installed: Vault cannot be asked", extras.install("vault"))


def _images(folder: Path) -> Iterator[Finding]:
    from tagline.flow.views.doctor_images import examine_images

    own = platforms.of_work_tree(folder, os.environ, "pipeline", str(folder / config.FILE))
    for level, what, fix in examine_images(own, os.environ):
        yield Finding(level, what, fix)


def _kubeflow(folder: Path) -> Iterator[Finding]:
    file = folder / config.FILE
    text = file.read_text() if file.exists() else ""
    found = platforms.find(text, str(file), os.environ, folder)
    said = found.file.kubeflow() if found else None
    if said is None:
        return
    from tagline.flow.views.doctor_kubeflow import examine_kubeflow

    if find_spec("kfp_server_api") is None:
        yield Finding("missing", "kfp_server_api is not installed: nothing reaches it", extras.install("kfp"))
        return
    for level, what, fix in examine_kubeflow(said, os.environ):
        yield Finding(level, what, fix)


def _template(folder: Path) -> Iterator[Finding]:
    from tagline.flow.desk import origin, update

    if not (folder / origin.FILE).exists():
        return
    if update.is_later(folder):
        yield Finding("note", "a later project template is there", "tagline init --update")
    else:
        yield Finding("ok", "the project has the newest template that this tagline knows")


def _remote(folder: Path) -> Iterator[Finding]:
    from tagline.flow.views.doctor_remote import examine_remote

    for level, what, fix in examine_remote(folder):
        yield Finding(level, what, fix)


def _host(folder: Path) -> Iterator[Finding]:
    from tagline.flow.views import guards

    yield from guards.look(folder)
