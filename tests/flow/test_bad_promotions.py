"""Promotions that cannot be: each an error with its command, and neither ledger nor what serves has changed."""

from pathlib import Path

import pytest

from tests.flow.stage import PLAIN, TASK, Desk, new_desk, traffic

TAG = "promote/prod/tiny/1"


def act(desk: Desk, tag: str = TAG) -> list[str]:
    return ["ci", "--event", "tag", "--ref", tag]


def settled(desk: Desk) -> tuple[dict[str, str], list[str]]:
    """What must not change: every ref of the remote, and the ledger's events."""
    return desk.refs(), desk.kinds()


def test_a_commit_that_was_never_released_is_told_to_release_first(desk: Desk) -> None:
    found = desk.tagline("promote", "tiny", "--to", "prod")
    assert found.code == 43
    assert "is not released: no release is behind it" in found.err
    assert "fix:   release first: git switch main && git pull && tagline release" in found.err
    assert "promote/" not in str(desk.refs())


def test_a_commit_that_changed_since_its_release_is_told_what_changed(released: Desk) -> None:
    released.change("src/serve.py", "int(", "float(")
    released.merge("feat: floats")
    before = settled(released)
    found = released.tagline("promote", "tiny", "--to", "prod")
    assert found.code == 43
    assert "since 0.1.0 it has changed: feat: floats" in found.err
    assert settled(released) == before


def test_a_release_without_a_model_is_told_to_train(desk: Desk) -> None:
    desk.change("tagline.yaml", "pipeline: tiny", "pipeline: tiny\ntrain: manual")
    desk.merge("feat: by hand")
    assert desk.tagline("ci").code == 0
    before = settled(desk)
    found = desk.tagline("promote", "tiny", "--to", "prod")
    assert found.code == 44
    assert "release 0.1.0 has no trained model" in found.err
    assert "fix:   tagline train --release 0.1.0" in found.err
    assert settled(desk) == before
    assert desk.tagline("train", "--release", "0.1.0").code == 0
    assert desk.tagline("promote", "tiny", "--to", "prod").code == 0


def test_a_version_that_does_not_exist_is_told_what_does(released: Desk) -> None:
    before = settled(released)
    found = released.tagline("promote", "tiny", "--to", "prod", "--version", "0.1.0-r7")
    assert found.code == 44
    assert "there is no model tiny 0.1.0-r7; registered: 0.1.0-r1" in found.err
    assert settled(released) == before


def test_what_serves_already_is_not_asked_again(served: Desk) -> None:
    before = settled(served)
    found = served.tagline("promote", "tiny", "--to", "prod")
    assert found.code == 0
    assert "nothing to do: 0.1.0-r1 serves prod already" in found.out
    assert settled(served) == before


def test_what_is_asked_for_already_is_not_asked_twice(released: Desk) -> None:
    assert released.tagline("promote", "tiny", "--to", "prod").code == 0
    before = settled(released)
    found = released.tagline("promote", "tiny", "--to", "prod")
    assert found.code == 0
    assert f"nothing to do: {TAG} asks for 0.1.0-r1 already" in found.out
    assert settled(released) == before


def test_a_promotion_that_ended_is_acted_on_once(served: Desk) -> None:
    before = settled(served)
    found = served.tagline(*act(served))
    assert found.code == 0
    assert f"tag: nothing to do: {TAG} ended before: promoted" in found.out
    assert settled(served) == before


def test_a_tag_on_a_commit_of_no_line_is_refused(released: Desk) -> None:
    released.clone.git("switch", "--quiet", "--create", "topic")
    released.clone.commit("docs: aside", {"docs/aside.md": "aside\n"})
    released.clone.push("HEAD:refs/heads/topic")
    released.clone.tag(TAG, message="Promote tiny\n")
    before = settled(released)
    found = released.tagline(*act(released))
    assert found.code == 46
    assert "not on main or release/* of the remote" in found.err
    assert "fix:   merge it and push: git push origin HEAD:main" in found.err
    assert settled(released) == before


def test_the_plain_kfp_project_is_told_which_keys_it_misses(tmp_path: Path) -> None:
    desk = new_desk(tmp_path / "desk", PLAIN)
    before = desk.refs()
    found = desk.tagline("promote", "tiny", "--to", "prod")
    assert found.code == 23
    assert "lacks serving and gate" in found.err
    assert "fix:   add serving: and gate:" in found.err
    assert desk.refs() == before
    desk.close()


def test_a_promotion_tag_that_moved_is_found_and_its_old_place_named(served: Desk) -> None:
    old = served.refs()[f"refs/tags/{TAG}"]
    served.clone.commit("docs: more", {"docs/more.md": "more\n"})
    served.clone.push()
    served.clone.git("tag", "--force", "--annotate", "--message=moved", TAG)
    served.clone.git("push", "--quiet", "--force", "origin", f"refs/tags/{TAG}")
    before = settled(served)
    found = served.tagline(*act(served))
    assert found.code == 47
    assert f"{TAG} is " in found.err
    assert f"but {old[:10]} was asked" in found.err
    assert f"fix:   git push --force origin {old}:refs/tags/{TAG}" in found.err
    assert settled(served) == before


def test_a_number_used_by_two_tags_is_refused_until_one_is_gone(released: Desk) -> None:
    released.clone.tag(TAG, message="Promote tiny\n")
    released.clone.tag("tiny#prod#1", message="Promote tiny\n")
    before = settled(released)
    found = released.tagline(*act(released))
    assert found.code == 42
    assert f"number 1 of prod/tiny is used by two tags: {TAG} and tiny#prod#1" in found.err
    assert "git push --delete origin 'tiny#prod#1'" in found.err
    assert settled(released) == before


def test_a_release_tag_that_moved_stops_everything(released: Desk) -> None:
    old = released.clone.head()
    released.clone.commit("docs: more", {"docs/more.md": "more\n"})
    released.clone.push()
    released.clone.git("push", "--quiet", "--force", "origin", "HEAD:refs/tags/v0.1.0")
    before = settled(released)
    found = released.tagline("ci")
    assert found.code == 47
    assert f"the tag v0.1.0 is on {released.clone.head()[:10]}" in found.err
    assert f"fix:   git push --force origin {old}:refs/tags/v0.1.0" in found.err
    assert settled(released) == before
    assert released.tagline("verify").code == 50


def test_a_rollback_with_nothing_before_says_so(served: Desk) -> None:
    before = settled(served)
    found = served.tagline("rollback", "tiny", "--env", "prod")
    assert found.code == 74
    assert "no earlier good version of tiny is known in prod" in found.err
    assert "fix:   tagline rollback tiny --env prod --to VERSION" in found.err
    assert settled(served) == before
    assert served.place()["serves"] == "0.1.0-r1"


def test_a_rollback_where_nothing_ever_served_says_so(released: Desk) -> None:
    before = settled(released)
    found = released.tagline("rollback", "tiny", "--env", "staging")
    assert found.code == 74
    assert settled(released) == before


def test_frozen_data_that_changed_refuses_the_promotion_and_keeps_it_open(released: Desk) -> None:
    assert released.tagline("promote", "tiny", "--to", "prod").code == 0
    released.change("data/holdout.csv", "r0,0,0", "r0,0,1")
    released.merge("test: other labels")
    found = released.tagline(*act(released))
    assert found.code == 63
    assert "data/holdout.csv" in found.err or "frozen" in found.err
    assert released.kinds()[-1] == "asked"
    assert released.place()["asked_open"] is True
    released.change("data/holdout.csv", "r0,0,1", "r0,0,0")
    released.merge("test: the old labels")
    assert released.tagline("promote", "tiny", "--to", "prod", "--version", "0.1.0-r1", "--preview").code == 0


def test_a_model_that_is_worse_is_refused_with_its_numbers_and_not_tried_again(served: Desk) -> None:
    served.change(TASK, "THRESHOLD = 40", "THRESHOLD = -1")
    served.merge("feat: a bad threshold")
    assert served.tagline("ci").code == 0
    assert served.tagline("promote", "tiny", "--to", "prod").code == 0
    found = served.tagline(*act(served, "promote/prod/tiny/2"))
    assert found.code == 61
    assert "refused" in found.err
    assert served.kinds()[-2:] == ["asked", "gated"]
    before = settled(served)
    again = served.tagline("ci", "--event", "schedule")
    assert again.code == 0
    assert "nothing to do" in again.out
    assert settled(served) == before
    assert served.place()["serves"] == "0.1.0-r1"


@pytest.mark.parametrize("name", ["tiny#prod", "tiny#prod!"])
def test_forms_of_gto_that_have_no_order_name_our_command(released: Desk, name: str) -> None:
    released.clone.tag(name, message="assign\n")
    found = released.tagline("ci", "--event", "tag", "--ref", name)
    assert found.code == 24
    assert "fix:   tagline " in found.err
    assert f"git push --delete origin {name!r}" in found.err


def test_a_preview_says_how_long_the_rollout_takes_at_todays_traffic(served: Desk) -> None:
    preview = ["promote", "tiny", "--to", "prod", "--version", "0.1.0-r1", "--preview"]
    down = served.tagline(*preview)
    assert "today's traffic cannot be seen: the platform is down" in down.out, down
    assert served.tagline("local", "up").code == 0
    with traffic(served, rate=20):
        seen = served.tagline(*preview, "--json").json()["outlook"]
    assert seen["requests"] >= 400
    assert 5 < seen["rate"] < 25


def test_a_version_that_nobody_trained_is_no_silent_unblock(released: Desk) -> None:
    before = settled(released)
    found = released.tagline("unblock", "tiny", "9.9.9-r1", "--env", "prod", "--reason", "typo")
    assert found.code == 44, found
    assert "registered: 0.1.0-r1" in found.err
    known = released.tagline("unblock", "tiny", "0.1.0-r1", "--env", "prod", "--reason", "none")
    assert (known.code, known.out) == (0, "nothing to do: 0.1.0-r1 is not blocked in prod\n")
    assert settled(released) == before
