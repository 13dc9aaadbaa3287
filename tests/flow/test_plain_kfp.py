"""A project written the plain kfp way works unchanged, with no tagline.yaml, up to the registered model."""

from collections.abc import Iterator

import pytest

from tests.flow.stage import PLAIN, Desk, new_desk

TOKEN = "token-of-the-warehouse"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = new_desk(tmp_path_factory.mktemp("plain") / "desk", PLAIN)
    assert not (made.clone.path / "tagline.yaml").exists()
    yield made
    made.close()


def test_check_passes_and_says_that_its_pytest_tests_were_not_run(plain: Desk) -> None:
    found = plain.tagline("check")
    assert found.code == 0, found
    assert "[..] tests: tests/ holds none that unittest finds" in found.out
    assert "[ok] pipeline.yaml: the committed file is current" in found.out


def test_a_merge_releases_trains_and_registers_it(plain: Desk) -> None:
    refused = plain.tagline("ci")
    assert refused.code == 39, refused
    assert plain.kinds() == []
    done = plain.tagline("ci", WAREHOUSE_TOKEN=TOKEN)
    assert done.code == 0, done
    assert plain.kinds() == ["released", "uploaded", "trained"]
    assert TOKEN not in done.out + done.err
    assert [event["model_version"] for event in plain.events()[2:]] == ["0.1.0-r1"]


def test_a_promotion_is_refused_by_the_keys_it_misses(plain: Desk) -> None:
    found = plain.tagline("promote", "tiny", "--to", "prod")
    assert found.code == 23, found
    assert "lacks serving and gate" in found.err
