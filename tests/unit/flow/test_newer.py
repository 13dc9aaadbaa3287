"""The remote is asked for something newer beside the looks: it neither breaks a rollout nor holds it up."""

import time
from pathlib import Path

import pytest
from tagline.errors import RemoteUnavailable
from tagline.flow.promoting.newer import newer_than
from tagline.git.repo import Repo
from tagline.words import Promotion

from tests.fakes.repositories import linear

MINE = Promotion("prod", "wine", 1)


def test_the_newest_readable_promotion_of_the_place_is_found_in_both_forms_of_names(tmp_path: Path) -> None:
    _, clone = linear(tmp_path)
    ask = newer_than(Repo.open(clone.path), MINE, ttl=30, every=0)
    for name in ("promote/prod/wine/test", "promote/prod/wine/07", "wine#prod", "promote/test/wine/9"):
        clone.tag(name)
    assert ask() is None
    clone.tag("promote/prod/wine/2")
    assert ask() == Promotion("prod", "wine", 2)
    clone.tag("wine#prod#3")
    assert ask() == Promotion("prod", "wine", 3)


def test_a_remote_that_hangs_holds_a_look_up_for_less_than_the_ttl(tmp_path: Path) -> None:
    _, clone = linear(tmp_path)
    clone.git("config", "remote.origin.url", "ext::sleep 60")
    clone.git("config", "protocol.ext.allow", "always")
    ask = newer_than(Repo.open(clone.path), MINE, ttl=4, every=0)
    begun = time.monotonic()
    with pytest.raises(RemoteUnavailable):
        ask()
    assert time.monotonic() - begun < 4
