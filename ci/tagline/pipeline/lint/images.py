"""Rules for images and for what is installed into them when a task starts."""

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from tagline.pipeline.lint.finding import AS_IT_IS, ON_CLUSTER, Level, Rule, Scope, Spot
from tagline.pipeline.lint.view import View, words

_INSTALL = re.compile(r"\bpip3?\s+install\b(?P<rest>[^\n;&|]*)")
_VALUED = {"-i", "--index-url", "--extra-index-url", "--trusted-host", "-f", "--find-links", "-r", "-c", "-t"}
_VALUED |= {"--target", "--timeout", "--retries", "--requirement", "--constraint", "--prefix", "--cert"}
_PINNED = re.compile(r"===?\s*[^*\s,;]+(?:\s*;.*)?$|@\s*\S+#sha256=|@[0-9a-f]{40}\b")
_ENDED = re.compile(
    r"(?:(?:docker\.io/)?(?:library/)?)(?:"
    r"python:(?:2|3\.(?:[0-9]|10))(?=$|[-.@])|ubuntu:(?:1[0-9]|20)\.|debian:(?:stretch|buster|jessie|9|10)\b"
    r"|centos:)"
)
_PIPED = re.compile(r"\b(?:curl|wget)\b[^\n|;&]*\|\s*(?:sudo\s+)?(?:ba|z)?sh\b")


def _plain_images(view: View) -> Iterator[tuple[str, str]]:
    for name, container in view.containers.items():
        image = str(container.get("image", ""))
        if image and "{{" not in image:
            yield name, image


def tag(image: str) -> str:
    """An image's tag; "" where it has none (a registry's port is none)."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]


def _latest(view: View) -> Iterator[Spot]:
    for name, image in _plain_images(view):
        if tag(image) == "latest" and "@" not in image:
            yield Spot(name, f"{image} is another image tomorrow")


def _untagged(view: View) -> Iterator[Spot]:
    for name, image in _plain_images(view):
        if not tag(image) and "@" not in image:
            yield Spot(name, f"{image} has neither tag nor digest, which means :latest")


def _undigested(view: View) -> Iterator[Spot]:
    for name, image in _plain_images(view):
        if "@sha256:" not in image and not image.startswith("env:sha256:"):
            yield Spot(name, f"{image} of a release can be replaced under its tag")


def _ended(view: View) -> Iterator[Spot]:
    for name, image in _plain_images(view):
        if _ENDED.match(image):
            yield Spot(name, f"{image} gets no security fixes any more")


def installs(container: Mapping[str, Any]) -> list[str]:
    """What pip installs when a container starts: requirements as they are written, kfp's own among them."""
    found: list[str] = []
    for word in words(container):
        if "install" not in word:
            continue
        for match in _INSTALL.finditer(word.replace("\\\n", " ")):
            found += _requirements(match["rest"])
    return found


def _requirements(text: str) -> Iterator[str]:
    try:
        given = shlex.split(text)
    except ValueError:
        given = text.split()
    skip = False
    for word in given:
        if skip or word.startswith("-"):
            skip = word in _VALUED
        elif re.match(r"[A-Za-z0-9]", word) or word.startswith("git+"):
            yield word


def requirement_name(text: str) -> str:
    """The normalised name of a requirement, such as `scikit-learn` of `scikit_learn[x]==1.5`."""
    match = re.match(r"[A-Za-z0-9][-A-Za-z0-9._]*", text)
    return re.sub(r"[-_.]+", "-", match[0]).lower() if match else ""


def _own(container: Mapping[str, Any]) -> list[str]:
    """What a task installs besides kfp itself, which the SDK writes into each lightweight component."""
    return [
        each for each in installs(container) if requirement_name(each) not in ("kfp", "typing-extensions")
    ]


def _pip(view: View) -> Iterator[Spot]:
    for name, container in view.containers.items():
        if found := list(dict.fromkeys(installs(container))):
            shown = ", ".join(found[:4]) + (", …" if len(found) > 4 else "")
            yield Spot(name, f"each run installs {shown} from the network")


def _unpinned(view: View) -> Iterator[Spot]:
    for name, container in view.containers.items():
        loose = [each for each in _own(container) if not _PINNED.search(each)]
        if loose:
            yield Spot(name, f"{', '.join(dict.fromkeys(loose))} can be another version in each run")


def _untrusted(view: View) -> Iterator[Spot]:
    for name, container in view.containers.items():
        text = " ".join(words(container))
        if _INSTALL.search(text) and re.search(r"--trusted-host|--(?:extra-)?index-url[ =]'?http://", text):
            yield Spot(name, "pip installs from an index whose identity is not checked")


def _piped(view: View) -> Iterator[Spot]:
    for name, container in view.containers.items():
        if any(_PIPED.search(word) for word in words(container)):
            yield Spot(name, "it runs what it downloads, unseen")


RULES = (
    Rule(
        "image-latest",
        Level.WARNING,
        "`:latest` moves: a run cannot be repeated, and a rollback does not bring the old image back.",
        "name a version, better a digest",
        _latest,
        AS_IT_IS,
    ),
    Rule(
        "image-untagged",
        Level.WARNING,
        "An image without a tag is `:latest`.",
        "name a version, better a digest",
        _untagged,
        AS_IT_IS,
    ),
    Rule(
        "image-not-by-digest",
        Level.ERROR,
        "A release whose image is named by a tag is not the same release after a push to that tag.",
        "name the image as repository@sha256:…; `tagline build` prints it",
        _undigested,
        frozenset({Scope.RELEASE}),
    ),
    Rule(
        "image-ended",
        Level.WARNING,
        "The image's Python or distribution is past its end of life.",
        "move to a release that is maintained",
        _ended,
        AS_IT_IS,
    ),
    Rule(
        "pip-at-run-time",
        Level.WARNING,
        "What is installed when a task starts needs the network each time and is not part of the release.",
        "put it into the image",
        _pip,
        ON_CLUSTER,
    ),
    Rule(
        "pip-unpinned",
        Level.WARNING,
        "A requirement without a version is another one in each run.",
        "pin it with ==, better build it into the image from a lock",
        _unpinned,
    ),
    Rule(
        "pip-untrusted-index",
        Level.WARNING,
        "Whoever stands between the task and an unchecked index runs code in the task.",
        "an https:// index whose certificate is checked; no --trusted-host",
        _untrusted,
    ),
    Rule(
        "download-and-run",
        Level.WARNING,
        "A script that is piped from the network into a shell is neither pinned nor reviewed.",
        "put it into the image, or check its digest first",
        _piped,
    ),
)
