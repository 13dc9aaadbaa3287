"""A rollback on a host without atomic push: its tag and its event are one thing there too, whenever it dies."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from tagline.flow.ci import run_plan
from tagline.flow.known import plan_event
from tagline.flow.steps import FinishRollback, Nothing, Plan
from tagline.flow.views.status import status
from tagline.git import remote
from tagline.git.remote import Pushed, RefUpdate
from tagline.git.repo import Repo
from tagline.git.verify import verify
from tagline.render.json import dumps
from tagline.render.terminal import status_text

from tests.fakes.repositories import git
from tests.fakes.simulated_platform import Killed
from tests.unit.flow.world import THREE, TWO, Stage, stage

PUSHES = 4  # one that the host cannot do, the intent, the tag, the end


def piecewise_host(folder: Path) -> Stage:
    on = stage(folder)
    git(on.bare.path, "config", "receive.advertiseAtomic", "false")
    return on


def tags(on: Stage) -> list[str]:
    return [ref for ref in on.bare.refs() if ref.startswith("refs/tags/promote/")]


def test_a_rollback_is_whole_without_atomic_push(tmp_path: Path) -> None:
    on = piecewise_host(tmp_path)
    done = on.rollback()
    assert (done.to, done.exit_code, [f"refs/tags/{done.tag}"]) == (str(TWO), 0, tags(on))
    assert (on.main, on.place.serves, list(on.place.blocks)) == (TWO, TWO, [THREE])
    assert on.kinds()[-3:] == ["Intent", "RolledBack", "Done"]


def killed_at(at: int, on: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rollback whose process ends after this push."""
    push, count = remote.push, [0]

    def deadly(repo: Repo, updates: Sequence[RefUpdate]) -> Pushed:
        count[0] += 1
        try:
            return push(repo, updates)
        finally:
            if count[0] == at:
                raise Killed

    monkeypatch.setattr(remote, "push", deadly)
    with pytest.raises(Killed):
        on.rollback()
    monkeypatch.setattr(remote, "push", push)
    on.world.refresh()


def finish(on: Stage) -> None:
    """What a scheduled call does of it here."""
    plan = plan_event(on.world, "schedule", None)
    assert [step for step in plan.steps if type(step).__name__ == "Promote"] == []
    mine = [step for step in plan.steps if isinstance(step, FinishRollback)]
    report = run_plan(
        on.world, Plan(plan.event, plan.ref, [*mine, Nothing(reason="the release is another's")])
    )
    assert report.exit_code == 0, report.error


@pytest.mark.parametrize("at", [2, 3])
def test_status_shows_what_was_cut_short_and_its_command_completes_it(
    at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on = piecewise_host(tmp_path)
    assert status(on.world).unfinished == ""
    killed_at(at, on, monkeypatch)
    shown = status(on.world)
    assert "began to push promote/" in shown.unfinished and "was cut short" in shown.unfinished
    assert f"unfinished: {shown.unfinished}\n\nnext: {shown.next}" in status_text(shown)
    assert json.loads(dumps(shown))["unfinished"] == shown.unfinished
    assert shown.next == "tagline ci --event schedule"
    finish(on)
    after = status(on.world)
    assert (after.unfinished, on.world.state().pending) == ("", None)
    assert after.next != shown.next


@pytest.mark.parametrize("at", range(1, PUSHES + 1))
def test_killed_at_any_push_the_next_ci_completes_it_and_no_promotion_is_made_of_its_tag(
    at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on = piecewise_host(tmp_path)
    killed_at(at, on, monkeypatch)
    finish(on)
    assert (on.main, on.place.serves, list(on.place.blocks)) == (TWO, TWO, [THREE])
    assert (on.kinds().count("RolledBack"), len(tags(on))) == (1, 1)
    assert on.world.state().pending is None
    assert verify(on.world.repo, on.world.facts) == []
