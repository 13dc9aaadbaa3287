"""The chain that runs one task: its image, its folder in, its command, its folder out."""

from typing import TYPE_CHECKING

from tagline.engines.dagger import chains
from tagline.engines.dagger.session import Ended, Task

if TYPE_CHECKING:
    from dagger import Container

_ROOT = "0:0"
_COUNT_DEVICES = ["/bin/sh", "-c", "ls -d /dev/nvidia[0-9]* 2>/dev/null | wc -l"]


def image(task: Task) -> "Container":
    """The container that the task's image makes: out of its tar, else pulled under the task's login."""
    from dagger import dag

    if task.image.startswith("/"):
        return dag.container().import_(dag.host().file(task.image))
    container = dag.container()
    if task.login:
        password = dag.set_secret("tagline-registry", task.login.password)
        container = container.with_registry_auth(task.login.host, task.login.user, password)
    return container.from_(task.image)


def ready(task: Task) -> "Container":
    """The image with the task's folder, user, devices and variables; secrets are secrets of the session alone."""
    from dagger import dag

    folder = dag.host().directory(task.folder, exclude=task.stays)
    container = image(task).with_directory(task.folder, folder, owner=task.user).with_user(task.user)
    if task.gpus:
        container = container.experimental_with_all_gp_us()
    for name, value in sorted(task.env.items()):
        container = container.with_env_variable(name, value)
    for name, value in sorted(task.secrets.items()):
        container = container.with_secret_variable(name, dag.set_secret(f"tagline-task-{name}", value))
    return container


def ran(task: Task) -> "Container":
    """The task was run, never out of the cache, and its exit code is for whoever asks."""
    from dagger import ReturnType

    return chains.anew(ready(task), chains.new_run()).with_exec(task.argv, expect=ReturnType.ANY)


async def done(task: Task) -> Ended:
    """Run the task; what it said, its exit code, and its folder in the place `back`.

    Of a task that a signal ended the engine keeps no folder: `ReturnType.ANY` is any exit code but 128 to 191.
    """
    from dagger import ExecError, QueryError

    try:
        await image(task).sync()
    except QueryError as error:
        return Ended(no_image=str(error))
    if task.gpus and (lack := await _lack(task)):
        return Ended(no_devices=lack)
    container = ran(task)
    try:
        code = await container.exit_code()
    except ExecError as error:
        return Ended(error.exit_code, "\n".join(filter(None, (error.stdout, error.stderr))))
    said = await container.combined_output()
    await container.directory(task.folder).export(task.back)
    return Ended(code, said, folder=True)


async def _lack(task: Task) -> str:
    """Why the task would not see its devices; empty where it would."""
    from dagger import QueryError

    probe = image(task).experimental_with_all_gp_us().with_user(_ROOT)
    try:
        seen = int(
            (await chains.anew(probe, chains.new_run()).with_exec(_COUNT_DEVICES).stdout()).strip() or 0
        )
    except QueryError as error:
        return str(error)
    return "" if seen >= task.gpus else f"a container of this image sees {seen}"
