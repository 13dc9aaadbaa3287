"""One comment under a pull request, the same one every time."""

from tagline.errors import HostRefused, HostUnavailable
from tagline.hosts.api import Commenting

TRIES = 3


def marker(pipeline: str) -> str:
    """The hidden last line by which a comment is found again; `pipeline` tells several in one repository apart."""
    name = "".join(one for one in pipeline if one.isalnum() or one == "-")[:60]
    return f"<!-- tagline: {name.replace('--', '-.-')} -->"  # two hyphens would end the mark


def place(host: Commenting, number: int, body: str, mark: str) -> str:
    """Make the comment, or change it where it stands; says in a word which.

    A second one of ours, left by two runs at once, is taken away. What may have been made all the same is
    looked for before it is made again. Raises `HostRefused`, `HostUnavailable`.
    """
    text = f"{body.rstrip()}\n\n{mark}\n"
    for left in reversed(range(TRIES)):
        try:
            return _place(host, number, text, mark)
        except HostUnavailable as error:
            if not error.maybe_done or not left:
                raise
        except HostRefused as error:
            if error.status != 404 or not left:  # it was deleted between the look and the change
                raise
    raise AssertionError("the last try returns or raises")


def _place(host: Commenting, number: int, text: str, mark: str) -> str:
    ours = host.ours(number, mark)
    for extra in ours[1:]:
        host.delete(number, extra)
    if not ours:
        host.create(number, text)
        return "made"
    if ours[0].body.rstrip() == text.rstrip():
        return "kept"
    host.update(number, ours[0], text)
    return "changed"
