"""A plan is carried by several agents: each does what it can, and refuses what is not its own plan."""

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest
from tagline.engines.gaps import gaps
from tagline.flow.agents.kept import Kept
from tagline.flow.report import Outcome, StepReport

from tests.conftest import NOT_HERE
from tests.flow.handover.agents import Agent, agent, last_line
from tests.flow.stage import ROOT, Desk, copied, new_desk

CRASHPOINTS = ROOT / "tests/flow/crashpoints"
EFFECTS = ("push", "update-ref", "commit-tree", "mktag", "hash-object", "os.rename", "sqlite3")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A project whose training asks for a GPU; a plan whose checks and smoke training are done by two agents."""
    desk = new_desk(tmp_path_factory.mktemp("handover") / "desk")
    desk.change("tagline.yaml", "pipeline: tiny\n", "pipeline: tiny\ngpu: 1\n")
    desk.merge("feat: needs a GPU")
    first, second = agent(desk, "first"), agent(desk, "second")
    first.plan("--event", "merge", "--ref", "main")
    begun = first.run("--have", "platform,push")
    assert (begun.code, last_line(begun)) == (111, "needs-agent: gpu"), begun
    assert [path.name for path in first.state.iterdir()] == ["Check.json"]
    second.takes_over_from(first)
    smoked = second.run("--only", "gpu", "--have", "")
    assert (smoked.code, last_line(smoked)) == (111, "needs-agent: platform,push"), smoked
    assert "task train-model" in smoked.out
    assert desk.refs().keys() == {"refs/heads/main"}
    return desk


def again(prepared: Desk, folder: Path) -> Desk:
    made = copied(prepared, folder)
    for name in ("first", "second"):
        clone = made.folder / name / "clone"
        made.clone.git("-C", str(clone), "remote", "set-url", "origin", str(made.bare.path))
    return made


def without_gpu(desk: Desk) -> Agent:
    """The agent without a GPU, to which the state has come back."""
    mine = Agent(desk, desk.folder / "first")
    mine.takes_over_from(Agent(desk, desk.folder / "second"))
    return mine


@pytest.fixture
def desk(prepared: Desk, tmp_path: Path) -> Iterator[Desk]:
    made = again(prepared, tmp_path / "desk")
    yield made
    made.close()


@pytest.fixture
def first(desk: Desk) -> Agent:
    return without_gpu(desk)


def test_the_claim_is_made_by_an_agent_that_ran_none_of_the_repositorys_code(
    desk: Desk, first: Agent
) -> None:
    done = first.run("--have", "platform,push")
    assert (done.code, last_line(done)) == (111, "needs-agent: gpu,platform,push"), done
    assert "task train-model" not in done.out and "environment" not in done.out
    assert desk.kinds() == ["released", "uploaded"]
    run = json.loads(first.plan_file.read_text())["run"]
    assert {event["run"].partition(".")[0] for event in desk.events()} == {run}


def test_the_agent_with_the_gpu_trains_and_then_nothing_is_left_to_do(desk: Desk, first: Agent) -> None:
    assert first.run("--have", "platform,push").code == 111
    second = Agent(desk, desk.folder / "second")
    second.takes_over_from(first)
    trained = second.run("--have", "gpu,platform,push")
    assert trained.code == 0, trained
    assert desk.kinds() == ["released", "uploaded", "trained"]
    first.takes_over_from(second)
    repeated = first.run("--have", "")
    assert repeated.code == 0, repeated
    assert "every step of the plan is done" in repeated.out
    assert desk.kinds() == ["released", "uploaded", "trained"]


def test_a_claim_whose_result_was_lost_counts_as_done_because_it_is_this_runs_own(
    desk: Desk, first: Agent
) -> None:
    assert first.run("--have", "platform,push").code == 111
    (first.state / "MakeRelease__0.1.0.json").unlink()
    repeated = first.run("--have", "platform,push")
    assert (repeated.code, last_line(repeated)) == (111, "needs-agent: gpu,platform,push"), repeated
    assert desk.kinds() == ["released", "uploaded"]


def test_a_claim_by_another_run_makes_the_plan_differ(desk: Desk, first: Agent) -> None:
    desk.clone.git("tag", "v0.5.0")
    desk.clone.push("v0.5.0")
    refused = first.run("--have", "platform,push")
    assert refused.code == 112, refused
    assert "refs/tags/v0.5.0 is new" in refused.err
    assert desk.kinds() == []


def test_another_head_makes_the_plan_differ(desk: Desk, first: Agent) -> None:
    desk.change("tagline.yaml", "gpu: 1", "gpu: 2")
    desk.merge("fix: another policy")
    desk.clone.git("-C", str(first.clone), "fetch", "--quiet")
    desk.clone.git("-C", str(first.clone), "checkout", "--quiet", "--detach", "origin/main")
    refused = first.run("--have", "platform,push")
    assert refused.code == 112, refused
    assert "HEAD is" in refused.err and "the policy has changed" in refused.err


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('"outcome": "done"', '"outcome": "failed"', "digest differs"),
        ("env:sha256:", "env:sha512:", "digest differs"),
        ("\n}", "", "cannot be read"),
    ],
)
def test_a_result_that_was_changed_or_cut_short_on_its_way_is_an_error(
    desk: Desk, first: Agent, old: str, new: str, why: str
) -> None:
    file = first.state / "Smoke__0.1.0.json"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    refused = first.run("--have", "platform,push")
    assert refused.code == 113, refused
    assert why in refused.err
    assert desk.kinds() == []


def test_a_result_of_another_plan_is_an_error(desk: Desk, first: Agent) -> None:
    first.plan("--event", "merge", "--ref", "main")
    refused = first.run("--have", "platform,push")
    assert refused.code == 113, refused
    assert "belongs to another plan" in refused.err


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("train_model/task.py", "other_model/task.py", "is not the one of HEAD"),
        ("env:sha256:", "env:sha512:", "is not the pipeline of HEAD"),
    ],
)
def test_a_build_that_is_not_the_commits_own_is_not_claimed_even_with_a_right_digest(
    desk: Desk, first: Agent, old: str, new: str, why: str
) -> None:
    file = first.state / "Smoke__0.1.0.json"
    kept = msgspec.json.decode(file.read_bytes(), type=Kept)
    assert kept.built and old in kept.built.compiled
    built = msgspec.structs.replace(kept.built, compiled=kept.built.compiled.replace(old, new))
    forged = msgspec.structs.replace(kept, built=built)
    forged = msgspec.structs.replace(forged, sha256=forged.digest())
    file.write_bytes(msgspec.json.encode(forged))
    refused = first.run("--have", "platform,push")
    assert refused.code == 113, refused
    assert why in refused.err
    assert desk.kinds() == []


def test_a_claim_that_the_folder_tells_of_and_the_ledger_does_not_is_forged(desk: Desk, first: Agent) -> None:
    smoke = msgspec.json.decode((first.state / "Smoke__0.1.0.json").read_bytes(), type=Kept)
    said = StepReport("release", Outcome.DONE, "tiny 0.1.0")
    forged = Kept(plan=smoke.plan, step="MakeRelease 0.1.0", report=said)
    forged = msgspec.structs.replace(forged, sha256=forged.digest())
    (first.state / "MakeRelease__0.1.0.json").write_bytes(msgspec.json.encode(forged))
    refused = first.run("--have", "platform,push,gpu")
    assert refused.code == 113, refused
    assert "the ledger knows nothing of it" in refused.err
    assert desk.kinds() == []


def test_a_forged_folder_releases_nothing_where_the_host_gives_tagline_a_key(
    desk: Desk, first: Agent
) -> None:
    """The folder is as tagline's own code writes it for this plan, but by somebody without the key."""
    refused = first.run("--have", "platform,push", TAGLINE_STATE_KEY="k" * 40)
    assert refused.code == 116, refused
    assert "carries no HMAC" in refused.err and "k" * 40 not in refused.out + refused.err
    assert desk.kinds() == []


def test_a_step_that_was_written_into_the_file_is_refused_and_not_run(desk: Desk, first: Agent) -> None:
    saved = json.loads(first.plan_file.read_text())
    saved["steps"].append({"step": "MakeRelease", "subject": "9.0.0", "reason": "", "needs": []})
    first.plan_file.write_text(json.dumps(saved))
    first.state.rename(first.folder / "elsewhere")
    refused = first.run("--have", "platform,push")
    assert refused.code == 112, refused
    assert "MakeRelease 9.0.0" in refused.err
    assert desk.kinds() == []


def test_needs_are_this_agents_own_opinion_and_not_the_files(desk: Desk, first: Agent) -> None:
    saved = json.loads(first.plan_file.read_text())
    for step in saved["steps"]:
        step["needs"] = []
    first.plan_file.write_text(json.dumps(saved))
    done = first.run("--have", "gpu")
    assert (done.code, last_line(done)) == (111, "needs-agent: platform,push"), done


def killed_at(agent: Agent, number: int) -> list[str]:
    """Claim and upload, killed at this call to the outside (0: never); returns the calls that were made."""
    log = agent.folder / "calls"
    hook = {"PYTHONPATH": str(CRASHPOINTS), "CRASH_LOG": str(log), "CRASH_AT": str(number)}
    done = agent.run("--have", "platform,push", **hook)
    assert done.code == (-signal.SIGKILL if number else 111), done
    return log.read_text().splitlines()


def test_an_agent_killed_while_it_claims_is_completed_by_the_same_command(
    prepared: Desk, tmp_path: Path
) -> None:
    calls = killed_at(without_gpu(again(prepared, tmp_path / "whole")), 0)
    points = [number for number, call in enumerate(calls, 1) if any(word in call for word in EFFECTS)]
    pushes = [number for number in points if " push " in calls[number - 1]]
    assert len(pushes) == 2, calls
    for number in sorted(
        {*pushes, *(one + 1 for one in pushes), *points[:: max(1, len(points) // 4)], points[-1]}
    ):
        desk = again(prepared, tmp_path / str(number))
        agent = without_gpu(desk)
        killed_at(agent, number)
        repeated = agent.run("--have", "platform,push")
        assert (repeated.code, last_line(repeated)) == (111, "needs-agent: gpu,platform,push"), repeated
        assert desk.kinds() == ["released", "uploaded"]
        assert [ref for ref in desk.refs() if ref.startswith("refs/tags/")] == ["refs/tags/v0.1.0"]
        desk.close()


def test_the_repositorys_own_code_cannot_forge_a_result(tmp_path: Path) -> None:
    desk = new_desk(tmp_path / "desk")
    mine = agent(desk, "first")
    hostile = f"""
import pathlib
for folder in ({str(mine.state)!r}, {str(mine.folder)!r}):
    try:
        seen = [path.read_text() for path in pathlib.Path(folder).glob("*.json")]
        pathlib.Path({str(mine.state)!r}, "MakeRelease__0.1.0.json").write_text("forged")
        pathlib.Path({str(tmp_path)!r}, "seen").write_text(repr(seen))
    except OSError as error:
        pathlib.Path({str(tmp_path)!r}, "shut").write_text(str(error))
"""
    desk.change("docker/kubeflow_pipeline/pipeline.py", "import tagline\n", f"{hostile}\nimport tagline\n")
    desk.merge("feat: hostile")
    desk.clone.git("-C", str(mine.clone), "fetch", "--quiet")
    desk.clone.git("-C", str(mine.clone), "checkout", "--quiet", "--detach", "origin/main")
    mine.plan("--event", "merge", "--ref", "main")
    if gaps():
        pytest.skip(f"{NOT_HERE}{gaps()}")
    checked = mine.run("--have", "")
    assert checked.code == 111, checked
    assert sorted(path.name for path in mine.state.iterdir()) == ["Check.json", "Smoke__0.1.0.json"]
    desk.close()


def test_agents_with_the_same_key_hand_over_and_the_repositorys_code_never_sees_it(tmp_path: Path) -> None:
    desk, key = new_desk(tmp_path / "desk"), "a-key-of-the-hosts-" * 2
    mine = agent(desk, "first")
    spy = "import os\nassert 'TAGLINE_STATE_KEY' not in os.environ, 'the key is here'\n"
    desk.change("docker/kubeflow_pipeline/pipeline.py", "import tagline\n", f"{spy}\nimport tagline\n")
    desk.merge("feat: look for the key")
    desk.clone.git("-C", str(mine.clone), "fetch", "--quiet")
    desk.clone.git("-C", str(mine.clone), "checkout", "--quiet", "--detach", "origin/main")
    mine.plan("--event", "merge", "--ref", "main")
    checked = mine.run("--have", "", TAGLINE_STATE_KEY=key)
    assert checked.code == 111, checked
    without = mine.run("--have", "platform,push")
    assert (without.code, desk.kinds()) == (116, []), without
    released = mine.run("--have", "platform,push", TAGLINE_STATE_KEY=key)
    assert "released" in desk.kinds(), released
    desk.close()


def test_the_report_of_a_later_agent_tells_its_own_steps_and_names_the_earlier_ones(desk: Desk) -> None:
    mine, folder = without_gpu(desk), desk.folder / "reports"
    done = mine.run("--have", "platform,push", "--report", str(folder))
    assert (done.code, last_line(done)) == (111, "needs-agent: gpu,platform,push"), done
    assert {"junit.xml", "report.html", "comment.md"} <= {path.name for path in folder.iterdir()}
    report = json.loads((folder / "report.json").read_text())
    assert [step["step"] for step in report["steps"]] == ["release"]
    assert [step["step"] for step in report["earlier"]] == ["check", "smoke training"]
    assert (report["exit_code"], report["error"]) == (111, "")
    names = [case.get("name", "") for case in ElementTree.parse(folder / "junit.xml").iter("testcase")]
    assert names[-1] == "release" and all(name.startswith("release") for name in names), names
    told = (folder / "comment.md").read_text()
    assert re.search(r"\| `check` \| ✅ done by an earlier agent", told), told
    assert (folder / "comment.md").read_text().startswith("Released tiny 0.1.0")
