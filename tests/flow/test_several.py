"""Several pipelines in one repository: one call, one push, and each its own releases and models."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.repositories import git
from tests.flow.stage import TINY, Desk, copied, new_desk, predict

PIPELINE = '''"""A pipeline of one task."""

import tagline
from kfp import dsl

train_model = tagline.component("train_model", image="tiny:dev")


@dsl.pipeline(name="{name}")
def pipeline(seconds: float = {seconds}):
    train_model(seconds=seconds)
'''
POLICY = """environments: [staging, prod]
serving: {{runtime: "custom:src/serve.py"}}
rollout: {{steps: [10, 50], step_time: 3s, max_duration: 2m}}
pipelines:
  tiny: {{paths: [src/], gate: {gate}}}
  other: {{file: jobs/other.py, paths: [jobs/], gate: {gate}}}
"""
GATE = (
    "{data: data/holdout.csv, sha256: d71992815d54e461c65355661961be5fc5854dc9db5babc282b96790582618f2, "
    "label: label, metrics: {wrong: {max_drop: 0.10, floor: 0.60}}}"
)


def split(desk: Desk) -> None:
    """Turn the tiny project into one of two pipelines, compiled; nothing is committed yet."""
    work = desk.clone.path
    (work / "docker/kubeflow_pipeline/pipeline.py").unlink()
    (work / "docker/kubeflow_pipeline/pipeline.yaml").unlink()
    desk.clone.write(
        {
            "docker/kubeflow_pipeline/tiny.py": PIPELINE.format(name="tiny", seconds=0.0),
            "jobs/other.py": PIPELINE.format(name="other", seconds=0.1),
            "tagline.yaml": POLICY.format(gate=GATE),
        }
    )
    compiled = desk.tagline("compile")
    assert compiled.code == 0, compiled
    assert compiled.out.count("wrote ") == 2


@pytest.fixture(scope="session")
def two_pipelines_once(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Two pipelines, both released and trained by one call."""
    made = new_desk(tmp_path_factory.mktemp("several") / "desk", TINY)
    split(made)
    made.merge("feat: two pipelines")
    done = made.tagline("ci")
    assert done.code == 0, done
    return made


@pytest.fixture
def both(two_pipelines_once: Desk, tmp_path: Path) -> Iterator[Desk]:
    made = copied(two_pipelines_once, tmp_path / "desk")
    yield made
    made.close()


def tags(desk: Desk) -> list[str]:
    return [name.removeprefix("refs/tags/") for name in desk.refs() if name.startswith("refs/tags/")]


def released(desk: Desk) -> list[str]:
    return [f"{one['pipeline']} {one['version']}" for one in desk.events() if one["event"] == "released"]


def test_one_call_releases_and_trains_every_pipeline_that_the_merge_affects(both: Desk) -> None:
    assert tags(both) == ["other@v0.1.0", "tiny@v0.1.0"]
    assert both.kinds() == ["released", "released", "uploaded", "uploaded", "trained", "trained"]
    assert released(both) == ["other 0.1.0", "tiny 0.1.0"]
    runs = {one["run"] for one in both.events() if one["event"] == "released"}
    assert len(runs) == 1
    verified = both.tagline("verify")
    assert verified.code == 0, verified


def test_a_pipeline_s_own_file_affects_it_whatever_its_paths_say(both: Desk) -> None:
    both.clone.write({"docker/kubeflow_pipeline/tiny.py": PIPELINE.format(name="tiny", seconds=0.2)})
    assert both.tagline("compile").code == 0
    both.merge("feat: slower")
    done = both.tagline("release")
    assert done.code == 0, done
    assert released(both) == ["other 0.1.0", "tiny 0.1.0", "tiny 0.2.0"]


def test_a_diff_from_a_release_s_tag_is_of_that_pipeline_on_both_sides(both: Desk) -> None:
    both.clone.git("fetch", "--quiet", "--tags", "origin")
    told = both.tagline("diff", "tiny@v0.1.0", "HEAD")
    assert told.code == 0, told
    assert "are the same pipeline" in told.out
    refused = both.tagline("diff", "HEAD", "HEAD")
    assert "holds several pipelines" in refused.err


def test_all_claims_of_a_call_reach_the_remote_in_one_push_or_none_does(desk: Desk, tmp_path: Path) -> None:
    split(desk)
    desk.merge("feat: two pipelines")
    log = tmp_path / "pushes"
    hook = desk.bare.path / "hooks/pre-receive"
    hook.write_text(f"#!/bin/sh\ntr '\\n' ';' >> {log}\necho >> {log}\ngrep -q forbidden {log} || exit 0\n")
    hook.chmod(0o755)
    refusing = desk.bare.path / "hooks/update"
    refusing.write_text("#!/bin/sh\ncase $1 in refs/tags/tiny@*) exit 1;; esac\n")
    refusing.chmod(0o755)
    failed = desk.tagline("release")
    assert failed.code == 17, failed
    assert tags(desk) == [] and desk.kinds() == []
    refusing.unlink()
    done = desk.tagline("release")
    assert done.code == 0, done
    claims = [line for line in log.read_text().splitlines() if "refs/tags/" in line]
    assert all("refs/tags/tiny@v0.1.0" in line and "refs/tags/other@v0.1.0" in line for line in claims)


def test_a_merge_that_affects_one_releases_that_one_alone(both: Desk) -> None:
    both.change("jobs/other.py", "0.1", "0.2")
    assert both.tagline("compile").code == 0
    both.merge("feat: slower")
    plan = both.tagline("ci", "--dry-run")
    assert "tiny@" not in plan.out, plan
    done = both.tagline("ci")
    assert done.code == 0, done
    assert released(both)[2:] == ["other 0.2.0"]
    assert tags(both) == ["other@v0.1.0", "other@v0.2.0", "tiny@v0.1.0"]
    again = both.tagline("ci")
    assert again.code == 0
    assert "other: already released as 0.2.0; tiny: no commit since 0.1.0 affects tiny" in again.out


def test_a_tag_promotes_the_model_of_its_own_pipeline(both: Desk) -> None:
    asked = both.tagline("promote", "tiny", "--to", "prod")
    assert asked.code == 0, asked
    assert "promote/prod/tiny/1" in tags(both)
    done = both.tagline("ci", "--event", "tag", "--ref", "promote/prod/tiny/1")
    assert done.code == 0, done
    assert predict(both, 45.0)
    status = both.tagline("status", "--json").json()
    assert [one["pipeline"] for one in status["releases"]] == ["other", "tiny"]
    serves = {(one["env"], one["model"]): one["serves"] for one in status["places"]}
    assert serves["prod", "tiny"] == "0.1.0-r1" and serves["prod", "other"] == ""


def test_a_model_of_no_pipeline_is_an_error_that_names_the_nearest(both: Desk) -> None:
    asked = both.tagline("promote", "tyni", "--to", "prod")
    assert asked.code == 21
    assert "did you mean 'tiny'? known: other, tiny" in asked.err


def test_a_pipeline_that_does_not_train_stops_no_other(both: Desk) -> None:
    both.change("jobs/other.py", "0.1", "-0.1")
    both.change("src/serve.py", "int(", "float(")
    assert both.tagline("compile").code == 0
    both.merge("feat: both")
    broken = both.tagline("ci")
    assert broken.code == 34, broken
    assert released(both)[2:] == [], "smoke training failed: nothing is claimed, not even for the other"


def test_train_and_secrets_ask_which_pipeline_is_meant(both: Desk) -> None:
    asked = both.tagline("train")
    assert asked.code == 24, asked
    assert "--pipeline other" in asked.err
    done = both.tagline("train", "--pipeline", "other", "--release", "0.1.0")
    assert done.code == 0, done
    assert [one["pipeline"] for one in both.events() if one["event"] == "trained"] == [
        "other",
        "tiny",
        "other",
    ]


def test_a_lost_ledger_is_adopted_with_the_releases_of_every_pipeline(both: Desk) -> None:
    git(both.bare.path, "update-ref", "-d", "refs/tagline/ledger")
    adopted = both.tagline("adopt", "--reason", "lost")
    assert adopted.code == 0, adopted
    assert sorted(released(both)) == ["other 0.1.0", "tiny 0.1.0"]
    fresh = both.bare.clone(both.folder / "fresh")
    verified = both.tagline("verify", cwd=fresh.path)
    assert verified.code == 0, verified


def test_a_repository_of_one_pipeline_becomes_one_of_several_and_keeps_its_versions(desk: Desk) -> None:
    assert desk.tagline("ci").code == 0
    split(desk)
    desk.merge("feat: two pipelines")
    done = desk.tagline("ci")
    assert done.code == 0, done
    assert tags(desk) == ["other@v0.1.0", "tiny@v0.2.0", "v0.1.0"]
    verified = desk.tagline("verify")
    assert verified.code == 0, verified


def test_a_saved_plan_of_several_pipelines_goes_from_agent_to_agent(desk: Desk, tmp_path: Path) -> None:
    split(desk)
    desk.merge("feat: two pipelines")
    plan, state = str(tmp_path / "p.json"), str(tmp_path / "state")
    assert desk.tagline("plan", "-o", plan).code == 0
    first = desk.tagline("run", plan, "--state", state, "--have", "docker")
    assert first.code == 111, first
    assert tags(desk) == []
    second = desk.tagline("run", plan, "--state", state)
    assert second.code == 0, second
    assert tags(desk) == ["other@v0.1.0", "tiny@v0.1.0"]
    assert desk.kinds().count("trained") == 2
