"""Builds images with BuildKit: through `docker buildx` to an archive, or through `docker build` and the API."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tagline.engines.docker import client
from tagline.errors import BuildFailed, EngineError, EngineMissing
from tagline.images import LABEL, Built, Order
from tagline.images.recipe import EPOCH

BUILD_LIMIT = 3600.0
ASK_LIMIT = 20.0
OLD = "it takes buildx 0.13 or newer, and an engine with the containerd image store"
_TAIL = 15
_PASSED = (
    "PATH",
    "HOME",
    "DOCKER_CONFIG",
    "DOCKER_TLS_VERIFY",
    "DOCKER_CERT_PATH",
    "SSH_AUTH_SOCK",
    "BUILDX_BUILDER",
)
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")


class DockerBuilder:
    """Implements `images.Builder` with the engine that `environ` names."""

    name = "docker"

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        kept = {name: value for name, value in environ.items() if name in _PASSED or name.lower() in _PROXIES}
        self._env = {
            "PATH": os.defpath,
            **kept,
            "DOCKER_HOST": client.host_of(environ),
            "DOCKER_BUILDKIT": "1",
        }

    def build(self, order: Order) -> Built:
        """Build to the layout, bit-identical, where BuildKit can rewrite the times in layers; else to the tar.

        Raises `BuildFailed` with the log's end, `EngineMissing`.
        """
        if not client.answers(self._environ):
            raise client.missing(self._environ)
        if self.exports_archives():
            output = f"type=oci,name={order.name},dest={order.layout},tar=false,rewrite-timestamp=true"
            words = ["buildx", "build", "--provenance=false", "--sbom=false", f"--output={output}"]
            self._run(order, words)
            return Built(order.layout)
        self._run(order, ["build", "--tag", order.name])
        with client.connected(self._environ) as engine, order.tar.open("wb") as file:
            for part in engine.images.get(order.name).save(named=order.name):
                file.write(part)
        return Built(order.tar, OLD)

    def has(self, reference: str) -> bool:
        """Whether the engine holds an image of that name."""
        from docker.errors import ImageNotFound

        with client.connected(self._environ) as engine:
            try:
                engine.images.get(reference)
            except ImageNotFound:
                return False
        return True

    def load(self, tar: Path) -> None:
        """Put a tar's image into the engine; again is a no-op."""
        with client.connected(self._environ) as engine, tar.open("rb") as file:
            engine.images.load(file)

    def buildx_version(self) -> str:
        """The version of `docker buildx`; empty where it is not there. Raises `EngineMissing`: no docker command."""
        found = re.search(r"\bv?(\d+\.\d+\.\d+)", self._ask("buildx", "version"))
        return found[1] if found else ""

    def command_version(self) -> int:
        """The major version of the docker command itself. Raises `EngineMissing`, `EngineError`."""
        found = re.search(r"\b(\d+)\.\d+", self._ask("--version"))
        if not found:
            raise EngineError("the command docker does not say its version", fix="docker --version, by hand")
        return int(found[1])

    def exports_archives(self) -> bool:
        """Whether this builder writes archives with rewritten times: buildx, and no store of Docker's own."""
        version = self.buildx_version()
        if not version or tuple(map(int, version.split(".")[:2])) < (0, 13):
            return False
        if not re.search(r"^Driver:\s+docker$", self._ask("buildx", "inspect"), re.MULTILINE):
            return True
        return "io.containerd.snapshotter" in self._ask("info", "--format", "{{json .DriverStatus}}")

    def _ask(self, *words: str) -> str:
        """What the docker command says; empty where it cannot."""
        try:
            said = subprocess.run(
                ["docker", *words],
                env=self._env,
                capture_output=True,
                text=True,
                timeout=ASK_LIMIT,
                check=False,
            )
        except FileNotFoundError as error:
            raise _no_command() from error
        except subprocess.TimeoutExpired as error:
            raise EngineError(f"docker {words[0]} did not answer within {ASK_LIMIT:g} s") from error
        return said.stdout if said.returncode == 0 else ""

    def _run(self, order: Order, words: list[str]) -> None:
        network = self._environ.get(client.NETWORK_VARIABLE)
        flags = [f"--file={order.dockerfile}", f"--label={LABEL}={order.label}", "--progress=plain"]
        flags += [f"--network={network}"] if network else []
        flags += [f"--build-arg={name}={value}" for name, value in sorted(order.args.items())]
        flags += [f"--build-arg=SOURCE_DATE_EPOCH={EPOCH}"]
        flags += [f"--secret=id={name},src={file}" for name, file in sorted(order.secrets.items())]
        env = {**self._env, "SOURCE_DATE_EPOCH": str(EPOCH)}
        with order.log.open("wb") as log:
            try:
                code = subprocess.run(
                    ["docker", *words, *flags, str(order.context)],
                    env=env,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    timeout=BUILD_LIMIT,
                    check=False,
                ).returncode
            except FileNotFoundError as error:
                raise _no_command() from error
            except subprocess.TimeoutExpired as error:
                raise BuildFailed(
                    f"the build did not end within {BUILD_LIMIT:g} s", where=str(order.log)
                ) from error
        if code != 0:
            tail = order.log.read_text(errors="replace").rstrip().splitlines()[-_TAIL:]
            said = "".join(f"\n    {line}" for line in tail)
            raise BuildFailed(f"docker {words[0]} ended with exit code {code}{said}", where=str(order.log))


def _no_command() -> EngineMissing:
    return EngineMissing("the command docker is not here: BuildKit needs it", fix="apt-get install docker.io")
