"""The shared library under Jenkins' own interpreter, restarted at every step: each event, each end."""

import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.ci.jenkins.conftest import (
    MAIN,
    PULL,
    SECRETS,
    TAG,
    WOKEN,
    Shop,
    names,
    secrets_in,
    wait_for,
    wait_until,
)
from tests.ci.jenkins.controller import JENKINSFILE, ROOT, Build, Running


def leftovers(build: Build) -> list[Path]:
    return [one for one in build.folder.glob("agents/*/workspace@tmp/**/*") if one.is_file()]


def test_the_jenkinsfile_of_three_lines_plans_and_runs(shop: Shop) -> None:
    build = shop.controller.build("tiny/main", shop.clone.head(), MAIN)
    assert build.result == "SUCCESS", build
    assert names(shop) == ["plan", "run", "plan"]
    assert len(JENKINSFILE.splitlines()) <= 3


def test_the_calls_are_the_ones_that_tagline_documents(shop: Shop) -> None:
    shop.scenario(environments=["prod"])
    build = shop.controller.build("tiny/main", shop.clone.head(), MAIN)
    at = str(build.folder / "agents/plain/workspace@tmp/tagline")
    report = ["--report", f"{at}/tagline"]
    assert [row["args"] for row in shop.calls()] == [
        ["plan", "-o", f"{at}/p.json", "--json"],
        ["run", f"{at}/p.json", "--have", "docker", "--state", f"{at}/state", *report],
        ["plan", "--event", "schedule", "--json"],
        ["ci", "--event", "schedule", "--env", "prod", "--report", f"{at}/tagline-prod"],
    ]
    assert {row["cwd"] for row in shop.calls()} == {str(build.folder / "agents/plain/workspace")}


def test_a_pull_request_is_run_with_the_reading_credential_only(
    shop: Shop, credentials: dict[str, dict[str, str]], all_options: str
) -> None:
    shop.scenario(environments=["staging", "prod"])
    shop.controller.credentials["tiny/PR-7"] = credentials
    build = shop.controller.build("tiny/PR-7", shop.jenkinsfile(all_options), PULL)
    assert build.result == "SUCCESS", build
    assert names(shop) == ["plan", "run", "comment"]
    assert [secrets_in(row["env"]) for row in shop.calls()[:2]] == [{"read-secret"}, {"read-secret"}]
    assert shop.calls()[1]["args"][3] == "docker", (
        "a pull request's agent may neither push nor reach a platform"
    )


def test_a_forks_pull_request_is_run_without_any_credential(
    shop: Shop, credentials: dict[str, dict[str, str]], all_options: str
) -> None:
    shop.controller.credentials["tiny/PR-7"] = credentials
    fork = PULL | {"CHANGE_FORK": "stranger/tiny"}
    build = shop.controller.build("tiny/PR-7", shop.jenkinsfile(all_options), fork)
    assert build.result == "SUCCESS", build
    assert [secrets_in(row["env"]) for row in shop.calls()] == [set(), set()]


def test_each_environment_of_the_default_branch_sees_its_own_credential_and_no_other(
    shop: Shop, credentials: dict[str, dict[str, str]], all_options: str
) -> None:
    shop.scenario(environments=["staging", "prod"])
    shop.controller.credentials["tiny/main"] = credentials
    build = shop.controller.build("tiny/main", shop.jenkinsfile(all_options), MAIN)
    assert build.result == "SUCCESS", build
    seen = {row["begun"]: secrets_in(row["env"]) for row in shop.calls()}
    assert seen["run"] == seen["plan"] == {"read-secret"}
    assert seen["ci staging"] == {"push-secret", "staging-secret"}
    assert seen["ci prod"] == {"push-secret"}, "the secret of a file credential is in a file"
    (prod,) = [row["env"] for row in shop.calls() if row["begun"] == "ci prod"]
    assert "KUBE" not in prod
    assert not Path(prod["KUBECONFIG"]).exists(), "a secret file is gone when its block ends"


def test_what_runs_the_repositorys_code_may_not_push_and_what_pushes_comes_later(
    shop: Shop, credentials: dict[str, dict[str, str]], all_options: str
) -> None:
    shop.scenario(needs=["docker", "platform,push"])
    shop.controller.credentials["tiny/main"] = credentials
    build = shop.controller.build("tiny/main", shop.jenkinsfile(all_options), MAIN)
    assert build.result == "SUCCESS", build
    runs = [(row["args"][3], secrets_in(row["env"])) for row in shop.calls() if row["begun"] == "run"]
    assert runs == [("docker", {"read-secret"}), ("platform,push,docker", {"push-secret"})]


def test_the_report_is_commented_by_a_part_that_checks_nothing_out_and_has_its_own_credential_alone(
    shop: Shop, credentials: dict[str, dict[str, str]], all_options: str
) -> None:
    shop.controller.credentials["tiny/PR-7"] = credentials
    build = shop.controller.build("tiny/PR-7", shop.jenkinsfile(all_options), PULL)
    *_, last = shop.calls()
    assert last["args"] == ["comment", "tagline"], build
    assert secrets_in(last["env"]) == {"comment-secret"}
    assert last["env"]["TAGLINE_COMMENT_TOKEN"] == "comment-secret"
    assert not last["cwd"].endswith("/workspace")
    steps = [row["step"] for row in build.steps()]
    opened = [at for at, row in enumerate(build.steps()) if row["step"] == "node" and row["kind"] == "open"]
    assert "checkout" not in steps[opened[-1] :]


def test_a_failed_check_is_commented_too_and_what_hands_over_only_at_its_end(
    shop: Shop, credentials: dict[str, dict[str, str]], all_options: str
) -> None:
    shop.scenario(needs=["gpu"], codes={"run": 31})
    shop.controller.credentials["tiny/PR-7"] = credentials
    build = shop.controller.build("tiny/PR-7", shop.jenkinsfile(all_options), PULL)
    assert build.said["error"] == "tagline run: exit code 31"
    assert names(shop) == ["plan", "run", "comment"]


@pytest.mark.parametrize(
    ("more", "codes"), [({"CHANGE_FORK": "stranger/tiny"}, {}), ({}, {"plan": 12})], ids=["fork", "no plan"]
)
def test_nothing_is_commented_for_a_fork_or_where_nothing_ran(
    shop: Shop,
    credentials: dict[str, dict[str, str]],
    all_options: str,
    more: dict[str, str],
    codes: dict[str, int],
) -> None:
    shop.scenario(codes=codes)
    shop.controller.credentials["tiny/PR-7"] = credentials
    shop.controller.build("tiny/PR-7", shop.jenkinsfile(all_options), PULL | more)
    assert "comment" not in names(shop)


def test_a_comment_that_the_host_refuses_fails_the_build_with_its_code(
    shop: Shop, credentials: dict[str, dict[str, str]], all_options: str
) -> None:
    shop.scenario(codes={"comment": 119})
    shop.controller.credentials["tiny/PR-7"] = credentials
    build = shop.controller.build("tiny/PR-7", shop.jenkinsfile(all_options), PULL)
    assert (build.result, build.said["error"]) == ("FAILURE", "tagline comment: exit code 119")


def test_tagline_is_told_why_the_build_runs(shop: Shop) -> None:
    shop.scenario(environments=["prod"])
    by = "hudson.model.Cause$UserIdCause"
    again = "org.jenkinsci.plugins.workflow.cps.replay.ReplayCause"
    shop.controller.build("tiny/main", shop.clone.head(), MAIN, causes=[by, again])
    assert names(shop) == ["plan", "run", "plan", "ci prod"]
    assert {row["env"]["TAGLINE_BUILD_CAUSES"] for row in shop.calls()} == {f"{by},{again}"}


def test_what_only_an_environments_credential_can_do_is_left_to_its_stage(
    shop: Shop, credentials: dict[str, dict[str, str]], all_options: str
) -> None:
    shop.scenario(needs=["platform,push", "credential:prod,platform,push"], environments=["prod"])
    shop.controller.credentials["tiny/main"] = credentials
    build = shop.controller.build("tiny/main", shop.jenkinsfile(all_options), MAIN, causes=[WOKEN])
    assert build.result == "SUCCESS", build
    assert names(shop) == ["plan", "run", "run", "plan", "ci prod"]
    assert len(build.published("html/tagline")) == 1


def test_a_pull_request_that_asks_to_push_is_refused(
    shop: Shop, credentials: dict[str, dict[str, str]], all_options: str
) -> None:
    shop.scenario(needs=["platform,push"])
    shop.controller.credentials["tiny/PR-7"] = credentials
    build = shop.controller.build("tiny/PR-7", shop.jenkinsfile(all_options), PULL)
    assert build.result == "FAILURE"
    assert "asks for an agent with platform,push, and this build gets no other one" in build.said["error"]
    assert {secret for row in shop.calls() for secret in secrets_in(row["env"])} == {"read-secret"}


def test_a_tags_build_only_wakes_a_run_of_the_default_branch(shop: Shop) -> None:
    build = shop.controller.build("tiny/promote%2Fprod%2Ftiny%2F1", shop.clone.head(), TAG)
    assert build.result == "SUCCESS", build
    assert [row["step"] for row in build.steps()] == ["echo", "build"]
    assert build.said["triggered"] == [{"job": "tiny/main", "wait": False}]
    assert shop.calls() == []


def test_a_shell_of_the_tagged_commit_sees_no_credential(
    shop: Shop, credentials: dict[str, dict[str, str]], all_options: str
) -> None:
    spy = '\nnode { checkout(scm); sh(\'env > "$HOME/seen"; exec "$TAGLINE_BIN" plan --json\') }\n'
    commit = shop.jenkinsfile(all_options + spy)
    shop.controller.credentials["tiny/tag"] = credentials
    build = shop.controller.build("tiny/tag", commit, TAG)
    assert build.result == "SUCCESS", build
    seen = (shop.folder / "seen").read_text()
    assert [secret for secret in SECRETS if secret in seen] == []
    assert secrets_in(shop.calls()[0]["env"]) == set()


def test_a_tagged_commit_that_asks_for_a_credential_of_another_folder_gets_none(shop: Shop) -> None:
    thief = "withCredentials([string(credentialsId: 'kube-prod', variable: 'KUBE')]) { sh('env') }"
    commit = shop.jenkinsfile(f"node {{ {thief} }}\n")
    shop.controller.credentials["fraud/line"] = {"kube-prod": {"secret": "prod-secret"}}
    build = shop.controller.build("fraud/checks/tag", commit, TAG)
    assert (build.result, build.said["error"]) == (
        "FAILURE",
        "Could not find credentials entry with ID 'kube-prod'",
    )


def test_a_release_tag_wakes_nobody_and_says_so(shop: Shop) -> None:
    build = shop.controller.build(
        "tiny/v0.1.0", shop.clone.head(), {"BRANCH_NAME": "v0.1.0", "TAG_NAME": "v0.1.0"}
    )
    assert build.said["triggered"] == []
    assert "nothing to do: v0.1.0 is no promotion" in build.console


def test_a_job_beside_the_branches_acts_on_environments_and_the_others_wake_it(shop: Shop) -> None:
    shop.scenario(environments=["prod"])
    commit = shop.jenkinsfile("@Library('tagline@v1') _\ntagline(job: '/fraud/line')\n")
    branch = shop.controller.build("fraud/checks/main", commit, MAIN)
    assert names(shop) == ["plan", "run"]
    assert branch.said["triggered"] == [{"job": "fraud/line", "wait": False}]
    line = shop.controller.build("fraud/line", commit)
    assert line.said["triggered"] == []
    assert names(shop)[2:] == ["plan", "run", "plan", "ci prod"]


def test_two_builds_never_work_on_one_environment_at_once(shop: Shop) -> None:
    shop.scenario(environments=["prod"], slow="ci prod")
    both = [shop.controller.start("tiny/main", shop.clone.head(), MAIN).play("start") for _ in range(2)]
    for one in both:
        wait_until(lambda one=one: '"step":"lock"' in one.trace(), "a build at the lock")
    wait_for(shop.folder / "running")
    time.sleep(0.5)
    assert names(shop).count("ci prod") == 1
    (shop.folder / "go on").touch()
    assert [one.end().result for one in both] == ["SUCCESS", "SUCCESS"]
    assert names(shop).count("ci prod") == 2


def test_a_failed_environment_does_not_stop_the_next_and_both_codes_are_told(shop: Shop) -> None:
    shop.scenario(environments=["staging", "prod"], codes={"run": 31, "ci staging": 52})
    build = shop.controller.build("tiny/main", shop.clone.head(), MAIN)
    assert names(shop)[-2:] == ["ci staging", "ci prod"]
    assert build.result == "FAILURE"
    assert build.said["error"] == "tagline run: exit code 31; tagline ci --env staging: exit code 52"


def test_what_needs_a_gpu_goes_on_on_an_agent_with_the_label_and_the_results_go_with_it(shop: Shop) -> None:
    shop.scenario(needs=["push", "gpu,platform,push", "push"])
    build = shop.controller.build("tiny/main", shop.clone.head(), MAIN)
    assert build.result == "SUCCESS", build
    runs = [row for row in shop.calls("ended") if row["ended"] == "run"]
    assert [row["env"]["NODE_NAME"] for row in runs] == ["plain", "plain", "fast"]
    assert [row["args"][3] for row in runs] == ["docker", "push,docker", "gpu,platform,push,docker"]
    assert [one["given"]["label"] for one in build.steps("node", "open")] == ["", "", "gpu"]


def test_a_forks_pull_request_gets_no_agent_with_a_gpu(shop: Shop) -> None:
    shop.scenario(needs=["gpu"])
    build = shop.controller.build("tiny/PR-7", shop.clone.head(), PULL | {"CHANGE_FORK": "stranger/tiny"})
    assert build.result == "FAILURE"
    assert build.said["error"] == "tagline run asks for an agent with gpu, and this build gets no other one"
    assert {row["env"]["NODE_NAME"] for row in shop.calls()} == {"plain"}


def test_only_taglines_last_line_says_which_agent_goes_on(shop: Shop) -> None:
    shop.scenario(needs=["gpu"], says="needs-agent: credential:prod")
    build = shop.controller.build("tiny/PR-7", shop.clone.head(), PULL)
    assert build.result == "SUCCESS", build
    assert [one["given"]["label"] for one in build.steps("node", "open")] == ["", "gpu"]


def test_where_some_agents_have_an_engine_by_their_label_the_others_do_not_claim_one(shop: Shop) -> None:
    shop.scenario(needs=["docker"])
    commit = shop.jenkinsfile("@Library('tagline@v1') _\ntagline(agents: [docker: 'gpu-a100'])\n")
    build = shop.controller.build("tiny/PR-7", commit, PULL)
    assert build.result == "SUCCESS", build
    runs = [(row["env"]["NODE_NAME"], row["args"][3]) for row in shop.calls() if row["begun"] == "run"]
    assert runs == [("plain", ""), ("fast", "docker")]


def test_the_label_of_agents_with_a_gpu_can_be_named(
    shop: Shop, credentials: dict[str, dict[str, str]], all_options: str
) -> None:
    shop.scenario(needs=["gpu"])
    shop.controller.credentials["tiny/main"] = credentials
    build = shop.controller.build("tiny/main", shop.jenkinsfile(all_options), MAIN)
    assert build.result == "SUCCESS", build
    assert [one["given"]["label"] for one in build.steps("node", "open")] == ["", "gpu-a100"]


def test_an_agent_that_lacks_what_its_label_promises_ends_the_build(shop: Shop) -> None:
    shop.scenario(needs=["gpu"], has_not=["gpu"])
    build = shop.controller.build("tiny/main", shop.clone.head(), MAIN)
    assert build.result == "FAILURE"
    assert "tagline run asks for an agent with gpu" in build.said["error"]
    assert names(shop).count("run") == 2


def test_the_second_agent_works_on_the_commit_that_was_planned_where_the_branch_has_moved(shop: Shop) -> None:
    shop.scenario(needs=["gpu"], slow="plan")
    planned = shop.clone.head()
    running = shop.controller.start("fraud/line", planned, pinned=False).play("start")
    wait_for(shop.folder / "running")
    shop.clone.commit("feat: meanwhile", {"file": "new"})
    shop.clone.push()
    (shop.folder / "go on").touch()
    build = running.end()
    assert build.result == "SUCCESS", build
    for agent in ("plain", "fast"):
        assert (build.folder / f"agents/{agent}/workspace/.git/HEAD").read_text().strip() == planned


def test_a_failing_check_publishes_its_cases_and_fails_with_its_code(shop: Shop) -> None:
    shop.scenario(codes={"run": 31})
    build = shop.controller.build("tiny/PR-7", shop.clone.head(), PULL)
    assert (build.result, build.said["error"]) == ("FAILURE", "tagline run: exit code 31")
    (cases,) = build.published("junit")
    assert "<failure" in cases.read_text()
    (page,) = build.published("html/tagline")
    assert (page / "report.html").read_text() == "<p>report"
    (files,) = build.published("artifacts")
    assert sorted(one.name for one in files.iterdir()) == [
        "comment.md",
        "junit.xml",
        "report.html",
        "report.json",
    ]


def test_each_agents_cases_are_published_and_one_report_of_all(shop: Shop) -> None:
    shop.scenario(needs=["gpu", "platform,push"])
    build = shop.controller.build("tiny/main", shop.clone.head(), MAIN)
    assert build.result == "SUCCESS", build
    assert len(build.published("junit")) == 3
    assert len(build.published("html/tagline")) == len(build.published("artifacts")) == 1


def test_a_plan_that_fails_runs_nothing_and_fails_with_its_code(shop: Shop) -> None:
    shop.scenario(codes={"plan": 12})
    build = shop.controller.build("tiny/PR-7", shop.clone.head(), PULL)
    assert (build.result, build.said["error"]) == ("FAILURE", "tagline plan: exit code 12")
    assert names(shop) == ["plan"]


@pytest.mark.parametrize("command", ["run", "ci prod"])
def test_a_cancelled_build_lets_tagline_tidy_up_and_is_aborted(shop: Shop, command: str) -> None:
    shop.scenario(environments=["prod", "staging"], slow=command)
    running = shop.controller.start("tiny/main", shop.clone.head(), MAIN).play("start")
    wait_for(shop.folder / "running")
    running.cancel()
    build = running.end()
    assert build.result == "ABORTED", build
    assert (shop.folder / "stopped").read_text() == command
    assert "put down" in build.console, "tagline's last words are in the log"
    assert "script ended: 143" in build.console
    assert names(shop)[-1] == command, "nothing is begun after a cancel"
    assert leftovers(build) == []


def test_a_controller_that_dies_while_tagline_runs_finds_it_again(shop: Shop) -> None:
    shop.scenario(slow="run")
    running = shop.controller.start("tiny/main", shop.clone.head(), MAIN).play("start")
    wait_for(shop.folder / "running")
    running.kill()
    (shop.folder / "go on").touch()
    build = Running(running.folder, running.classpath).play("resume").end()
    assert build.result == "SUCCESS", build
    assert names(shop) == ["plan", "run", "plan"], "nothing ran twice"


def test_the_program_was_put_away_and_read_back_at_every_step(shop: Shop) -> None:
    build = shop.controller.build("tiny/main", shop.clone.head(), MAIN)
    assert build.said["steps"] == len(build.steps()) > 20
    opened = [row["step"] for row in build.steps(kind="open")]
    closed = [row["step"] for row in build.steps(kind="close")]
    assert sorted(opened) == sorted(closed)


def test_nothing_of_a_build_is_left_on_its_agents(shop: Shop) -> None:
    shop.scenario(environments=["prod"], needs=["gpu"])
    build = shop.controller.build("tiny/main", shop.clone.head(), MAIN)
    assert build.result == "SUCCESS", build
    assert leftovers(build) == []


def test_a_misspelt_option_is_named_with_those_there_are(shop: Shop) -> None:
    commit = shop.jenkinsfile("@Library('tagline@v1') _\ntagline(credentails: [:])\n")
    build = shop.controller.build("tiny/main", commit, MAIN)
    assert build.result == "FAILURE"
    assert "tagline() has no option credentails: agent, agents, comment, credentials" in build.said["error"]


def test_the_stages_are_named_for_what_they_act_on(shop: Shop) -> None:
    shop.scenario(environments=["staging", "prod"])
    build = shop.controller.build("tiny/main", shop.clone.head(), MAIN)
    stages = [row["given"]["name"] for row in build.steps("stage", "open")]
    assert stages == ["tagline", "tagline staging", "tagline prod"]
    order = [
        row["step"]
        for row in build.steps(kind="open")
        if row["stage"] == "tagline prod" or "lock" in row["step"]
    ]
    assert all(before != "node" for before, after in pairwise(order) if after == "lock"), (
        "no agent waits for a lock"
    )


def test_an_agent_without_tagline_gets_it_from_the_librarys_bootstrap_and_its_lock(shop: Shop) -> None:
    bin_folder = shop.folder / "bin"
    (bin_folder / "python3").write_text('#!/bin/sh\necho "asked: $0" >&2\nexit 9\n')
    (bin_folder / "python3").chmod(0o755)
    shop.controller.environ |= {
        "PATH": f"{bin_folder}:{shop.controller.environ['PATH']}",
        "TAGLINE_INDEX": "http://127.0.0.1:1/",
    }
    for agent in shop.controller.agents:
        agent["environ"] = {}
    build = shop.controller.build("tiny/main", shop.clone.head(), MAIN)
    written = {row["given"]["file"]: row["given"]["text"] for row in build.steps("writeFile")}
    assert sorted(written) == ["bootstrap.lock", "bootstrap.sh", "run.sh"]
    assert written["bootstrap.lock"] == (ROOT / "templates/bootstrap.lock").read_text()
    assert "asked:" in build.console, "bootstrap.sh came as far as the interpreter that makes the environment"
    assert (build.result, build.said["error"]) == ("FAILURE", "script returned exit code 9")
