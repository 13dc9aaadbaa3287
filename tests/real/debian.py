"""Base images from Debian packages alone: made by mmdebstrap once, kept between runs, imported, never pulled."""

import fcntl
import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

from tagline.engines.docker.containers import OWNER_LABEL
from tagline.images import recipe

from tests.real.engine import FOLDER

# libstdc++6 as python:3.11-slim has it: compiled wheels are linked against it
PYTHON = ("python3", "python-is-python3", "python3-venv", "python3-pip", "ca-certificates", "libstdc++6")
RELEASE = "bookworm"
_OCI = "application/vnd.oci.image"


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


def image_tar(rootfs: Path) -> Path:
    """A root file system as an image in a tar in OCI layout, beside it: what an engine without a registry imports."""
    to = rootfs.with_suffix(".oci.tar")
    with to.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not to.exists():
            draft = to.with_name(f".{to.name}")
            _write_layout(rootfs, draft)
            draft.rename(to)
    return to


def _write_layout(rootfs: Path, to: Path) -> None:
    with rootfs.open("rb") as file:
        layer = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    machine = recipe.host_platform().partition("/")[2]
    env = ["PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "PIP_BREAK_SYSTEM_PACKAGES=1"]
    own = {
        "os": "linux",
        "architecture": machine,
        "config": {"Env": env},
        "rootfs": {"type": "layers", "diff_ids": [layer]},
    }
    layers = [{"mediaType": f"{_OCI}.layer.v1.tar", "digest": layer, "size": rootfs.stat().st_size}]
    config = json.dumps(own).encode()
    described = _described(f"{_OCI}.config.v1+json", config)
    manifest = json.dumps({"schemaVersion": 2, "config": described, "layers": layers}).encode()
    listed = {"schemaVersion": 2, "manifests": [_described(f"{_OCI}.manifest.v1+json", manifest)]}
    texts = {
        "oci-layout": b'{"imageLayoutVersion": "1.0.0"}',
        "index.json": json.dumps(listed).encode(),
        _blob(config): config,
        _blob(manifest): manifest,
    }
    with tarfile.open(to, "w") as tar:
        for name, text in texts.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text))
        tar.add(rootfs, f"blobs/{layer.replace(':', '/')}")


def _described(media: str, text: bytes) -> dict[str, str | int]:
    digest = f"sha256:{hashlib.sha256(text).hexdigest()}"
    return {"mediaType": media, "digest": digest, "size": len(text)}


def _blob(text: bytes) -> str:
    return f"blobs/sha256/{hashlib.sha256(text).hexdigest()}"
