"""Each guard of the library, taken out: what it protects from comes to pass, so its test would fail."""

import shutil

from tests.ci.jenkins import controller
from tests.ci.jenkins.conftest import MAIN, TAG, WOKEN, Shop, names, secrets_in, wait_for, wait_until
from tests.ci.jenkins.controller import ROOT

SOURCES = ("vars/tagline.groovy", "resources/tagline/run.sh")


def without(shop: Shop, old: str, new: str = "") -> None:
    """The controller's library is one in which this text is another."""
    folder = shop.folder / "templates/jenkins"
    shutil.copytree(ROOT / "templates/jenkins", folder)
    (file,) = [folder / name for name in SOURCES if old in (folder / name).read_text()]
    text = file.read_text()
    assert text.count(old) == 1, old
    file.write_text(text.replace(old, new))
    made = controller.library_repository(shop.folder, folder.parent)
    shop.controller.libraries["tagline"]["remote"] = str(made)


def test_without_the_lock_two_builds_work_on_one_environment(shop: Shop) -> None:
    without(shop, 'lock(resource: "tagline ${run.url} ${place}")', 'stage("unlocked")')
    shop.scenario(environments=["prod"], slow="ci prod")
    both = [shop.controller.start("tiny/main", shop.clone.head(), MAIN).play("start") for _ in range(2)]
    wait_until(lambda: names(shop).count("ci prod") == 2, "both builds in prod")
    assert shop.calls("ended")[-1]["ended"] != "ci prod"
    (shop.folder / "go on").touch()
    assert [one.end().result for one in both] == ["SUCCESS", "SUCCESS"]


def test_without_the_tags_own_way_its_build_runs_the_tagged_commit_with_a_credential(
    shop: Shop, credentials: dict[str, dict[str, str]], all_options: str
) -> None:
    without(shop, "env.TAG_NAME)", "false)")
    shop.controller.credentials["tiny/tag"] = credentials
    build = shop.controller.build("tiny/tag", shop.jenkinsfile(all_options), TAG)
    assert build.result == "SUCCESS", build
    assert {secret for row in shop.calls() for secret in secrets_in(row["env"])} == {"read-secret"}


def test_without_the_forks_exception_its_code_runs_with_a_credential(
    shop: Shop, credentials: dict[str, dict[str, str]], all_options: str
) -> None:
    without(shop, "env.CHANGE_FORK ? null : options.read ?:", "options.read ?:")
    shop.controller.credentials["tiny/PR-7"] = credentials
    fork = {"BRANCH_NAME": "PR-7", "CHANGE_ID": "7", "CHANGE_FORK": "stranger/tiny"}
    shop.controller.build("tiny/PR-7", shop.jenkinsfile(all_options), fork)
    assert secrets_in(shop.calls()[0]["env"]) == {"read-secret"}


def test_without_a_tee_that_outlives_the_signal_tagline_cannot_tidy_up(shop: Shop) -> None:
    without(shop, "trap '' TERM")
    build = cancelled(shop, "run")
    assert build.result == "ABORTED"
    assert not (shop.folder / "stopped").exists(), "it died at its first line of output"


def test_without_exec_the_build_ends_before_tagline_has_tidied_up(shop: Shop) -> None:
    without(shop, 'exec "$TAGLINE_BIN" ci', '"$TAGLINE_BIN" ci')
    build = cancelled(shop, "ci prod")
    assert build.result == "ABORTED"
    assert not (shop.folder / "stopped").exists()
    wait_for(shop.folder / "stopped")


def cancelled(shop: Shop, command: str) -> controller.Build:
    shop.scenario(environments=["prod"], slow=command)
    running = shop.controller.start("tiny/main", shop.clone.head(), MAIN).play("start")
    wait_for(shop.folder / "running")
    running.cancel()
    return running.end()


def test_without_the_checkout_of_its_commit_the_second_agent_works_on_another(shop: Shop) -> None:
    without(shop, 'git checkout --quiet --detach "$GIT_COMMIT"', "true")
    shop.scenario(needs=["gpu"], slow="plan")
    planned = shop.clone.head()
    running = shop.controller.start("fraud/line", planned, pinned=False).play("start")
    wait_for(shop.folder / "running")
    moved = shop.clone.commit("feat: meanwhile", {"file": "new"})
    shop.clone.push()
    (shop.folder / "go on").touch()
    build = running.end()
    assert (build.folder / "agents/fast/workspace/.git/HEAD").read_text().strip() == moved


def test_without_the_forks_second_exception_it_gets_the_gpu(shop: Shop) -> None:
    without(shop, "(need && env.CHANGE_FORK)", "false")
    shop.scenario(needs=["gpu"])
    shop.controller.build(
        "tiny/PR-7",
        shop.clone.head(),
        {"CHANGE_ID": "7", "CHANGE_FORK": "stranger/tiny", "BRANCH_NAME": "PR-7"},
    )
    assert {row["env"]["NODE_NAME"] for row in shop.calls()} == {"plain", "fast"}


def test_without_the_last_line_alone_the_projects_output_chooses_the_agent(shop: Shop) -> None:
    without(shop, "tail -n 1", "cat")
    shop.scenario(needs=["gpu"], says="needs-agent: credential:prod")
    build = shop.controller.build("tiny/PR-7", shop.clone.head(), {"BRANCH_NAME": "PR-7", "CHANGE_ID": "7"})
    assert "credential:prod" in build.said["error"]


def test_without_what_is_left_to_the_stages_a_woken_build_asks_for_an_environments_credential(
    shop: Shop, credentials: dict[str, dict[str, str]], all_options: str
) -> None:
    without(shop, " && !(run.isDefault && need.contains('credential:'))")
    shop.scenario(needs=["platform,push,credential:prod"], environments=["prod"])
    shop.controller.credentials["tiny/main"] = credentials
    build = shop.controller.build("tiny/main", shop.jenkinsfile(all_options), MAIN, causes=[WOKEN])
    assert "asks for an agent with platform,push,credential:prod" in build.said["error"]


def test_without_the_forks_third_exception_its_report_would_be_commented(
    shop: Shop, credentials: dict[str, dict[str, str]], all_options: str
) -> None:
    without(shop, "env.CHANGE_ID && !env.CHANGE_FORK &&", "env.CHANGE_ID &&")
    shop.controller.credentials["tiny/PR-7"] = credentials
    fork = {"CHANGE_ID": "7", "CHANGE_FORK": "stranger/tiny", "BRANCH_NAME": "PR-7"}
    shop.controller.build("tiny/PR-7", shop.jenkinsfile(all_options), fork)
    assert names(shop)[-1] == "comment"


def test_without_the_rights_by_need_the_repositorys_code_runs_where_one_may_push(
    shop: Shop, credentials: dict[str, dict[str, str]], all_options: str
) -> None:
    without(shop, "need.contains('push') ? options.git", "run.pushes ? options.git")
    shop.controller.credentials["tiny/main"] = credentials
    shop.controller.build("tiny/main", shop.jenkinsfile(all_options), MAIN)
    assert secrets_in(shop.calls()[1]["env"]) == {"push-secret"}
