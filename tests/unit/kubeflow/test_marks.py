"""Whose a thing on the server is: marks that read back, and one mark for a repository whatever way leads there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tagline.platforms.kubeflow.marks import Provenance, owner_of

HEX = st.text("0123456789abcdef", min_size=64, max_size=64)
WAYS = [
    "https://git.example.org/ml/wine.git",
    "https://ci:s3cret@git.example.org/ml/wine",
    "https://git.example.org:8443/ml/wine.git/",
    "ssh://git@git.example.org/ml/wine.git",
    "git@git.example.org:ml/wine.git",
    "GIT.EXAMPLE.ORG:ml/wine",
]


@pytest.mark.parametrize("url", WAYS)
def test_every_way_to_a_repository_gives_the_same_mark(url: str) -> None:
    assert owner_of(url) == owner_of(WAYS[0])


def test_other_repositories_have_other_marks() -> None:
    urls = ["https://git.example.org/ml/beer", "https://other.org/ml/wine", "/srv/git/wine.git", "../wine"]
    assert len({owner_of(url) for url in [WAYS[0], *urls]}) == 5


@given(
    HEX,
    HEX,
    st.sampled_from(["", "registry.example.org/ml/wine@sha256:" + "e" * 64, "env:sha256:" + "1" * 64]),
)
def test_what_a_version_says_of_itself_reads_back(commit: str, content: str, image: str) -> None:
    said = Provenance("f" * 32, "wine", "1.4.0", commit, content, image)
    assert Provenance.read(said.description()) == said
    assert all(len(value) <= 63 and "." not in key for key, value in said.tags().items())
    assert len(said.tags()) <= 20


@pytest.mark.parametrize("text", ["", "a pipeline", "tagline wine 1.4.0", "tagline owner " + "f" * 32])
def test_other_descriptions_say_nothing(text: str) -> None:
    assert Provenance.read(text) is None
