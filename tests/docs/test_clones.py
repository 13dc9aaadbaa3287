"""Every example for a CI asks for the clone that the pages recommend: one with its whole history."""

from pathlib import Path

import pytest

from tests.docs.test_docs import ROOT

PAGE = ROOT / "docs/explanation/git-and-hosts.md"
ASKS = {
    "templates/tagline/template.yml": ['GIT_DEPTH: "0"'],
    ".github/workflows/tagline.yml": ["fetch-depth: 0"],
    "docs/how-to/github.md": ["fetch-depth: 0"],
    "docs/how-to/any-ci.md": ["fetchDepth: 0", "depth: full"],
}


def test_the_recommendation_is_stated_once() -> None:
    said = [
        page.name
        for page in (ROOT / "docs").rglob("*.md")
        if "**Best is a clone with its" in page.read_text()
    ]
    assert said == [PAGE.name]


@pytest.mark.parametrize("file", ASKS)
def test_what_a_ci_copies_asks_for_the_whole_history(file: str) -> None:
    text = Path(ROOT / file).read_text()
    assert [words for words in ASKS[file] if words not in text] == []
    assert "fetch-depth: 1" not in text
