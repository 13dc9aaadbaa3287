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


UNPINNED = {
    "a mount in quotes": 'RUN --mount=type=bind,"from=x:1",target=/x y',
    "a mount as CSV": 'RUN --mount=type=bind,\\"from=x:1\\",target=/x y',
    "a mount's key in capitals": "RUN --mount=FROM=x:1,target=/x y",
    "a mount's number is no stage": "RUN --mount=from=0,target=/x y",
    "held back": "ONBUILD COPY --from=x:1 a /b",
    "a flag in quotes": 'COPY "--from=x:1" a /b\nCOPY --"from"=x:1 a /b',
    "a platform's argument": f"FROM ${{TARGETARCH:-debian@{DIGEST}}}",
    "a variable": f"FROM ${{X#y}}@{DIGEST}",
    "a digest that is none": "FROM x@sha256:12",
}


@pytest.mark.parametrize("text", UNPINNED.values(), ids=UNPINNED)
def test_an_unpinned_image_is_found_however_it_is_written(text: str) -> None:
    assert [base for base in dockerfile.bases(f"FROM scratch\n{text}\n", {}) if not base.pinned]


FRONTENDS = {
    "a comment": ("# syntax=x:1", 1),
    "more after it": ("#  SYNTAX = x:1 more", 1),
    "after another directive": ("# escape=\\\n# syntax=x:1", 2),
    "after a shebang": ("#!/usr/bin/env x\n# syntax=x:1", 2),
    "as C writes comments": ("// syntax=x:1", 1),
    "after a shebang, as C does": ("#!x\n//syntax=x:1", 2),
    "a byte order mark": ("\ufeff# syntax=x:1", 1),
    "JSON": ('{"syntax": "x:1"}', 1),
}


@pytest.mark.parametrize(("text", "line"), FRONTENDS.values(), ids=FRONTENDS)
def test_a_frontend_is_found_where_buildkit_finds_it(text: str, line: int) -> None:
    more = "" if text.startswith("{") else "\nFROM scratch\nCOPY a /b\n"
    assert dockerfile.Base("x:1", line) in dockerfile.bases(text + more, {})
    assert dockerfile.copied(text + more, {})[:1] == ["."]


@pytest.mark.parametrize(
    "text", ["# why\n# syntax=x:1", "\n# syntax=x:1", "# syntax x:1", "// why\n// syntax=x:1"]
)
def test_what_is_no_directive_for_buildkit_is_none(text: str) -> None:
    assert dockerfile.bases(f"{text}\nFROM scratch\n", {}) == []


REFUSED = {
    "a flag in capitals": "COPY --FROM=x:1 a /b",
    "a flag of another instruction": "RUN --from=x:1 y",
    "a mount's key": "RUN --mount=type=bind,form=x y",
    "a mount's key after a blank": "RUN --mount='type=bind, from=x:1' y",
    "a mount without a value": "RUN --mount=type=bind,from y",
    "a mount's type": "RUN --mount=type=volume,target=/x y",
    "a flag beyond ASCII": "COPY --chown=\u00e9 a /b",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_buildkit_does_not_know_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(ImageRefused) as caught:
        dockerfile.bases(f"FROM scratch\n{text}\n", {})
        dockerfile.copied(f"FROM scratch\n{text}\n", {})
    assert caught.value.where == "line 2 of the Dockerfile"


@pytest.mark.parametrize("text", ["# escape=x", "# escape=\\\n# escape=`", "# check=skip=all\n# escape=`"])
def test_a_directive_that_buildkit_refuses_or_reads_in_two_ways_is_refused(text: str) -> None:
    with pytest.raises(ImageRefused, match="directive"):
        dockerfile.bases(f"{text}\nFROM scratch\n", {})


@pytest.mark.parametrize("flag", ["--from=a\\b", "--from=a`b"])
def test_an_escape_in_a_flag_is_refused_where_versions_of_buildkit_differ(flag: str) -> None:
    assert len(instructions(f"FROM scratch\nCOPY {flag} a /b\n")) == 2
    with pytest.raises(ImageRefused, match="in two ways"):
        instructions(f"# escape=`\nFROM scratch\nCOPY {flag} a /b\n")


def test_the_escape_directive_decides_what_continues_a_line() -> None:
    text = "# escape=`\nFROM scratch\nRUN echo c:\\\nFROM x:1\nCOPY `\n  a /b\n"
    assert [base.reference for base in dockerfile.bases(text, {})] == ["x:1"]
    assert dockerfile.copied(text, {}) == ["a"]


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
