"""The person behind a CI: a clone of their own, and the platform that the CI's jobs and they share."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tagline.platforms.local.serving.ports import free_port

from tests.fakes.repositories import Bare
from tests.flow.stage import GITCONFIG, Desk


@contextmanager
def a_person(folder: Path, bare: Bare, url: str) -> Iterator[Desk]:
    """Their desk, with a clone of `bare` by `url`; at the end its platform is down and nothing of it is left."""
    (folder / "gitconfig").write_text(GITCONFIG)
    clone = bare.clone(folder / "desk")
    clone.git("remote", "set-url", "origin", url)
    desk = Desk(folder, bare, clone, free_port())
    try:
        yield desk
    finally:
        desk.close()


def of_the_platform(desk: Desk) -> dict[str, str]:
    """The variables by which a job reaches the person's platform."""
    names = ("TAGLINE_HOME", "TAGLINE_PORT", "TAGLINE_VENVS")
    return {name: desk.environ()[name] for name in names}
