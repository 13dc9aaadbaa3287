"""What a Dockerfile says: the images it starts from, what it copies, and where a digest is written."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tagline.errors import ConfigError, ImageRefused
from tagline.images import dockerfile
from tagline.images.instructions import instructions
from tagline.images.reference import DOCKER_HUB, Reference

DIGEST = f"sha256:{'a' * 64}"

CASES = {
    "a tag": ("FROM python:3.11-slim", ["python:3.11-slim"]),
    "a digest": (f"FROM python@{DIGEST}", [f"python@{DIGEST}"]),
    "an argument with a default": ("ARG BASE=debian:12\nFROM ${BASE}", ["debian:12"]),
    "an argument without a value": ("ARG BASE\nFROM ${BASE}", ["${BASE}"]),
    "a default in place": ("FROM ${BASE:-debian:12}", ["debian:12"]),
    "a platform": ("FROM --platform=linux/amd64 debian:12 AS one", ["debian:12"]),
    "a stage is no image": ("FROM debian:12 AS one\nFROM one\nCOPY --from=one /a /b", ["debian:12"]),
    "a stage in other letters": ("FROM debian:12 AS One\nFROM one", ["debian:12"]),
    "a stage by number": ("FROM debian:12\nFROM scratch\nCOPY --from=0 /a /b", ["debian:12"]),
    "copied from an image": ("FROM scratch\nCOPY --from=tools:1 /a /b", ["tools:1"]),
    "mounted from an image": ("FROM scratch\nRUN --mount=from=tools:1,target=/t x", ["tools:1"]),
    "the frontend": ("# syntax=docker/dockerfile:1\nFROM scratch", ["docker/dockerfile:1"]),
    "a comment later is no frontend": ("FROM scratch\n# syntax=x:1", []),
    "continued, with a comment inside": ("FROM \\\n# why\n  debian:12", ["debian:12"]),
    "in a heredoc": ("FROM debian:12\nRUN <<EOF\nFROM x:1\nEOF\nCOPY --from=y:1 a b", ["debian:12", "y:1"]),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_every_image_that_a_build_takes_is_found(text: str, expected: list[str]) -> None:
    assert [base.reference for base in dockerfile.bases(text, {})] == expected


def test_a_build_argument_of_tagline_yaml_goes_before_the_default() -> None:
    found = dockerfile.bases("ARG BASE=debian:12\nFROM $BASE", {"BASE": "debian:13"})
    assert [base.reference for base in found] == ["debian:13"]


COPIED = {
    "files and a folder": ("COPY a.txt src/ /app/", ["a.txt", "src/"]),
    "as a list": ('COPY ["a b.txt", "/app/"]', ["a b.txt"]),
    "with flags": ("COPY --chown=1000 --chmod=755 src /app", ["src"]),
    "from another stage": ("COPY --from=one /x /y", []),
    "ADD": ("ADD data.tar /data", ["data.tar"]),
    "a variable of the file": ("ARG PLACE=src\nCOPY ${PLACE}/ /app", ["src/"]),
    "a variable that nobody knows stands for everything": ("COPY ${PLACE} /app", ["."]),
    "a bind mount": ("RUN --mount=type=bind,source=conf,target=/c x", ["conf"]),
    "a bind mount of everything": ("RUN --mount=target=/c x", ["."]),
    "a cache is nothing of ours": ("RUN --mount=type=cache,target=/c x", []),
    "text in place": ("COPY <<EOF /app/file\nCOPY secret /x\nEOF", []),
}


@pytest.mark.parametrize(("text", "expected"), COPIED.values(), ids=COPIED)
def test_every_file_that_may_go_in_is_found(text: str, expected: list[str]) -> None:
    assert dockerfile.copied(f"FROM scratch\n{text}", {}) == expected


def test_a_base_is_pinned_where_it_is_written() -> None:
    text = "ARG BASE=debian:12\nFROM ${BASE} AS one\nFROM debian:12-slim\n"
    for _ in range(2):
        loose = next(base for base in dockerfile.bases(text, {}) if not base.pinned)
        text = dockerfile.pin(text, loose, f"{loose.reference}@{DIGEST}", {})
    assert text == f"ARG BASE=debian:12@{DIGEST}\nFROM ${{BASE}} AS one\nFROM debian:12-slim@{DIGEST}\n"


@given(st.text(max_size=200))
def test_no_text_is_too_strange_to_be_read(text: str) -> None:
    with suppress(ImageRefused):
        for one in instructions(text):
            one.words()
        dockerfile.bases(text, {})
        dockerfile.copied(text, {})


REFERENCES = {
    "python": (DOCKER_HUB, "library/python", "", ""),
    "python:3.11": (DOCKER_HUB, "library/python", "3.11", ""),
    "docker.io/grafana/k6:1": (DOCKER_HUB, "grafana/k6", "1", ""),
    "ghcr.io/kubeflow/x/y:v1": ("ghcr.io", "kubeflow/x/y", "v1", ""),
    "localhost/x": ("localhost", "x", "", ""),
    f"127.0.0.1:5000/x:1@{DIGEST}": ("127.0.0.1:5000", "x", "1", DIGEST),
}


@pytest.mark.parametrize(("text", "expected"), REFERENCES.items(), ids=REFERENCES)
def test_a_reference_is_read_as_docker_reads_it(text: str, expected: tuple[str, ...]) -> None:
    found = Reference.parse(text)
    assert (found.host, found.path, found.tag, found.digest) == expected


@pytest.mark.parametrize(
    "text", ["", "Upper/Case", "host/x:", "x@sha256:12", "a b", "${BASE}", "-x", "host//x"]
)
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="not an image reference"):
        Reference.parse(text)


@given(st.sampled_from(sorted(REFERENCES)))
def test_a_pinned_reference_keeps_what_was_written(text: str) -> None:
    name = text.partition("@")[0]
    assert Reference.parse(Reference.parse(text).pinned(DIGEST)) == Reference.parse(f"{name}@{DIGEST}")
