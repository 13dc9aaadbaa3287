"""Finished trainings and their releases: unclear models, other machines, and names that others have."""

import dataclasses
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.flow.stage import TASK, Desk, finish, new_desk


@pytest.fixture
def unclear(desk: Desk) -> Desk:
    """A release whose training made two models and no facts."""
    desk.change(TASK, "facts: Output[Artifact]", "other: Output[Model]")
    desk.change(
        TASK,
        "    write_facts(facts, model=model, metrics={",
        "    open(other.path, 'w').close()\n    print({",
    )
    assert desk.tagline("compile").code == 0
    desk.merge("feat: two models")
    found = desk.tagline("ci")
    assert found.code == 48, found
    return desk


def test_an_unclear_model_stops_nothing_else_and_is_told_by_status(unclear: Desk) -> None:
    again = unclear.tagline("ci")
    assert again.code == 0, again
    assert "[--] register: run tiny/0.1.0/full/1: " in again.out
    shown = unclear.tagline("status", "--json").json()
    assert "not registered: " in shown["releases"][0]["trainings"][0]
    unclear.change(TASK, "THRESHOLD = 40", "THRESHOLD = 41")
    unclear.merge("feat: better")
    assert unclear.tagline("release").code == 48
    assert [event["version"] for event in unclear.events() if event["event"] == "released"] == [
        "0.1.0",
        "0.2.0",
    ]


def test_models_named_on_the_default_branch_settle_what_was_trained_before(unclear: Desk) -> None:
    unclear.change(
        "tagline.yaml", "pipeline: tiny", "pipeline: tiny\nmodels: {tiny: {output: train-model.model}}"
    )
    unclear.merge("chore: name the model")
    assert unclear.tagline("ci", "--event", "schedule").code == 0
    trained = [event for event in unclear.events() if event["event"] == "trained"]
    assert [event["model_version"] for event in trained] == ["0.1.0-r1"]


def test_a_training_on_another_machine_is_registered_beside_the_first(released: Desk) -> None:
    shutil.rmtree(released.home)
    released.clone.git("fetch", "-q", "origin", "tag", "v0.1.0")
    released.clone.git("checkout", "-q", "v0.1.0")
    assert released.tagline("release").code == 0
    done = released.tagline("train", "--release", "0.1.0")
    assert done.code == 0, done
    assert "model 0.1.0-r2" in done.out
    owners = [event["owner"] for event in released.events() if event["event"] == "trained"]
    assert owners == ["tiny/0.1.0/full/1", "tiny/0.1.0/full/2"]


@pytest.fixture
def stranger(released: Desk, tmp_path: Path) -> Desk:
    """Another repository with a pipeline of the same name, on the same platform."""
    other = new_desk(tmp_path / "stranger")
    shutil.rmtree(other.home, ignore_errors=True)
    other.home.symlink_to(released.home)
    return dataclasses.replace(other, port=released.port)


@pytest.mark.parametrize("change", ["", "THRESHOLD = 41"])
def test_a_name_that_another_repository_has_is_refused_before_anything_is_claimed(
    released: Desk, stranger: Desk, change: str
) -> None:
    if change:
        stranger.change(TASK, "THRESHOLD = 40", change)
        stranger.merge("feat: other")
    before = stranger.refs(), released.kinds()
    for command in (["ci"], ["release"], ["status"], ["promote", "tiny", "--to", "prod"]):
        found = stranger.tagline(*command)
        assert found.code == 85, found
        assert "another repository's" in found.err
    assert (stranger.refs(), released.kinds()) == before
    assert stranger.tagline("verify").code == 0


def test_an_interrupted_training_goes_on_by_the_schedule(desk: Desk) -> None:
    go = desk.clone.path / "go"
    wait = (
        f'import os\n    while seconds and not os.path.exists("{go}"): '
        'open(model.path + ".began", "w"), time.sleep(0.1)'
    )
    desk.change(TASK, "time.sleep(seconds)", wait)
    desk.change(
        "tagline.yaml", "pipeline: tiny", "pipeline: tiny\nsmoke: {seconds: 0.0}\nparameters: {seconds: 1.0}"
    )
    desk.merge("feat: slow")
    child = desk.start("ci")
    until = time.monotonic() + 120
    while not list(desk.home.glob("runs/**/*.began")) and time.monotonic() < until:
        time.sleep(0.1)
    child.send_signal(signal.SIGKILL)
    finish(child, 60)
    assert desk.kinds() == ["released", "uploaded"]
    go.touch()
    done = desk.tagline("ci", "--event", "schedule")
    assert done.code == 0, done
    assert "model 0.1.0-r1" in done.out
    assert desk.kinds() == ["released", "uploaded", "trained"]
