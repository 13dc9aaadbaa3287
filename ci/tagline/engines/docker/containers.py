"""One task in a container: its image, its limits, its devices, its real exit code, and nothing left of it."""

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagline import foreign
from tagline.engines import Limits, TaskContainer
from tagline.engines.docker import client
from tagline.errors import DeviceMissing, EngineError, ImageMissing, TaskTimedOut
from tagline.images.credentials import login
from tagline.images.reference import Reference

if TYPE_CHECKING:
    import docker
    from docker.models.containers import Container

OWNER_LABEL = "io.tagline.run"
NOBODY_SPECIAL = 1000
PULL_LIMIT = 1800
_PROCESSES = 4096
_COUNT_DEVICES = "ls -d /dev/nvidia[0-9]* 2>/dev/null | wc -l"
# Linux lets process 1 of a container ignore a signal that ends any other; what this shell says of an end is not the
# task's to say.
_CHILD = ["/bin/sh", "-c", 'exec 3>&2 2>/dev/null; (exec "$@" 2>&3 3>&-); exit $?', "sh"]
_NO_DEVICE = ("device driver", "nvidia", "cdi", "gpu")


def run(task: TaskContainer, environ: Mapping[str, str]) -> int:
    """Run to the end and return the task's own exit code; the container is gone then, whatever happened.

    Raises `TaskTimedOut`, `DeviceMissing` (with what this host has), `ImageMissing`, `EngineError` where it
    could not start or ran out of memory.
    """
    with client.connected(environ) as engine:
        _ensure_image(engine, task.image, environ)
        user = _user(task.folder)
        if task.limits.gpus:
            _see_devices(engine, task, environ)
        with _container(engine, task, environ, user=user, command=[*_CHILD, *task.argv]) as container:
            return _follow(container, task)


def sweep(owner: str, environ: Mapping[str, str]) -> int:
    """Remove the containers that a run left because its process was killed; how many there were."""
    with client.connected(environ) as engine:
        left = engine.containers.list(all=True, filters={"label": f"{OWNER_LABEL}={owner}"})
        for container in left:
            container.remove(force=True, v=True)
    return len(left)


def unheld(_limits: Limits) -> str:
    """Docker holds all of them."""
    return ""


def _user(folder: Path) -> str:
    """The caller; where that is root, 1000, whom the run's folder then belongs to."""
    if os.getuid() != 0:
        return f"{os.getuid()}:{os.getgid()}"
    for place, _, names in os.walk(folder):
        for name in [place, *(os.path.join(place, each) for each in names)]:
            os.chown(name, NOBODY_SPECIAL, NOBODY_SPECIAL, follow_symlinks=False)
    return f"{NOBODY_SPECIAL}:{NOBODY_SPECIAL}"


def _ensure_image(engine: "docker.DockerClient", reference: str, environ: Mapping[str, str]) -> None:
    """Have the image in the engine, pulled by digest where it is not; never built."""
    from docker.errors import APIError, ImageNotFound

    try:
        engine.images.get(reference)
        return
    except ImageNotFound:
        pass
    place = Reference.parse(reference)
    known = login(place.host, environ)
    auth = {"username": known.user, "password": known.password} if known else None
    try:
        engine.images.pull(place.written, tag=place.wanted, auth_config=auth)
    except APIError as error:
        raise ImageMissing(
            f"the engine has no image {reference} and cannot pull it: {error.explanation or error}",
            where=client.host_of(environ),
            fix="build it first: tagline build",
        ) from error


@contextlib.contextmanager
def _container(
    engine: "docker.DockerClient",
    task: TaskContainer,
    environ: Mapping[str, str],
    *,
    user: str,
    command: list[str],
) -> Iterator["Container"]:
    from docker.errors import APIError
    from docker.types import DeviceRequest

    gpus = [DeviceRequest(count=task.limits.gpus, capabilities=[["gpu"]])] if task.limits.gpus else None
    container = engine.containers.create(
        task.image,
        command=command[1:],
        entrypoint=command[:1],
        environment={"HOME": "/tmp", "PYTHONUNBUFFERED": "1", **task.env, **task.secrets},
        user=user,
        labels={OWNER_LABEL: task.owner},
        volumes={str(task.folder): {"bind": str(task.folder), "mode": "rw"}},
        network_mode=environ.get(client.NETWORK_VARIABLE) or None,
        nano_cpus=int(task.limits.cpus * 1e9) or None,
        mem_limit=task.limits.memory or None,
        memswap_limit=task.limits.memory or None,
        pids_limit=_PROCESSES,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        device_requests=gpus,
    )
    try:
        try:
            container.start()
        except APIError as error:
            said = str(error.explanation or error)
            if task.limits.gpus and any(word in said.lower() for word in _NO_DEVICE):
                raise _no_devices(task.limits.gpus, said) from error
            raise EngineError(f"the container does not start: {said}", where=task.image) from error
        yield container
    finally:
        container.remove(force=True, v=True)


def _follow(container: "Container", task: TaskContainer) -> int:
    """Copy what the task prints while it runs; its exit code."""
    late = threading.Event()

    def stop() -> None:
        late.set()
        with contextlib.suppress(Exception):  # it has just ended by itself
            container.kill()

    timer = threading.Timer(task.timeout, stop)
    timer.start()
    try:
        with foreign.append(task.log) as log:
            for part in container.logs(stream=True, follow=True):
                log.write(part)
                log.flush()
        code = int(container.wait(timeout=client.TIMEOUT)["StatusCode"])
    finally:
        timer.cancel()
    if late.is_set():
        what = f"the container ran longer than {task.timeout:g} s and was stopped"
        raise TaskTimedOut(what, where=foreign.place(task.log))
    container.reload()
    state: dict[str, Any] = container.attrs["State"]
    if state.get("OOMKilled"):
        with foreign.append(task.log) as log:
            log.write(f"\nkilled: it used more than its {task.limits.memory} bytes of memory\n".encode())
    return code


def _see_devices(engine: "docker.DockerClient", task: TaskContainer, environ: Mapping[str, str]) -> None:
    """Raise `DeviceMissing` unless a container of the task's image and requests sees all the devices."""
    probe = ["/bin/sh", "-c", _COUNT_DEVICES]
    with _container(engine, task, environ, user="0:0", command=probe) as container:
        container.wait(timeout=client.TIMEOUT)
        seen = int(container.logs(stderr=False).strip() or 0)
    if seen < task.limits.gpus:
        raise _no_devices(task.limits.gpus, f"a container of this image sees {seen}")


def _no_devices(wanted: int, said: str) -> DeviceMissing:
    return DeviceMissing(
        f"the task asks for {wanted} GPU(s): {said}",
        where=f"this host has {host_devices()}",
        fix="run it where the NVIDIA container toolkit and the devices are, such as an agent labelled gpu",
    )


def host_devices() -> str:
    """The GPU devices of this host in words."""
    found = sorted(str(path) for path in Path("/dev").glob("nvidia[0-9]*"))
    return ", ".join(found) or "no /dev/nvidia*"
