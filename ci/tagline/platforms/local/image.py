"""The base image's Dockerfile, as far as a host process needs it: which paths lie in the tree."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import msgspec

DOCKERFILE = "docker/base_image/Dockerfile"
_LATER = ("PATH",)


class Image(msgspec.Struct, frozen=True):
    """A container's folders that come from the source tree, longest first, and the environment it sets."""

    workdir: str = "/"
    copies: list[tuple[str, str]] = []
    env: dict[str, str] = {}

    def host_path(self, text: str, tree: Path) -> str:
        """An absolute container path that lies in the tree as the host's path; anything else as it is."""
        if not text.startswith("/"):
            return text
        path = PurePosixPath(text)
        for inside, source in self.copies:
            if path.is_relative_to(inside):
                place = tree / source / path.relative_to(inside)
                if place.exists():
                    return str(place)
        if self.workdir != "/" and path.is_relative_to(self.workdir):
            return str(tree / path.relative_to(self.workdir))
        return text

    def host_env(self, tree: Path) -> dict[str, str]:
        """The image's environment with its paths in the tree; PATH is the host's own."""
        return {
            name: ":".join(self.host_path(part, tree) for part in value.split(":"))
            for name, value in self.env.items()
            if name not in _LATER
        }


def read_image(tree: Path) -> Image:
    """What the Dockerfile of a source tree says; an empty image where there is none."""
    file = tree / DOCKERFILE
    if not file.is_file():
        return Image()
    workdir = PurePosixPath("/")
    env: dict[str, str] = {}
    copies: list[tuple[str, str]] = []
    for word, rest in _instructions(file.read_text(errors="replace")):
        if word == "WORKDIR":
            workdir = workdir / _unquoted(rest)
        elif word in {"COPY", "ADD"}:
            copies += _copied(rest, workdir, tree)
        elif word == "ENV":
            env |= _environment(rest)
    copies.sort(key=lambda pair: len(pair[0]), reverse=True)
    return Image(str(workdir), copies, env)


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        word, _, rest = line.strip().partition(" ")
        if word:
            yield word.upper(), rest.strip()


def _copied(rest: str, workdir: PurePosixPath, tree: Path) -> list[tuple[str, str]]:
    """Where each source of a COPY lands; sources of another stage or of the network lie in no tree."""
    words = [str(word) for word in json.loads(rest)] if rest.startswith("[") else shlex.split(rest)
    if any(word.startswith("--from") for word in words):
        return []
    *sources, target = [word for word in words if not word.startswith("--")]
    place = workdir / target
    found = []
    for source in sources:
        one_file = (tree / source).is_file()
        into_folder = target.endswith("/") or target == "." or len(sources) > 1
        inside = place / PurePosixPath(source).name if one_file and into_folder else place
        found.append((str(inside), source.lstrip("/")))
    return found


def _environment(rest: str) -> dict[str, str]:
    words = shlex.split(rest)
    if "=" not in words[0]:
        return {words[0]: " ".join(words[1:])}
    return dict(word.partition("=")[::2] for word in words if "=" in word)


def _unquoted(text: str) -> str:
    return "".join(shlex.split(text)[:1])
