"""Sabotage: with one guard disabled in a copy of the code, the test that is named for it fails."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

ROOT = Path(__file__).parents[2]
UNIT = "tests/unit"
PLUGIN = """
import tagline

def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line(f"tagline is {tagline.__file__}")
"""


class Guard(msgspec.Struct, frozen=True):
    """Where a guard stands, the text that disables it in place of the text that it is, and its tests."""

    file: str
    guard: str
    disabled: str
    tests: tuple[str, ...]


GUARDS = {
    "what came back from Dagger is put where a task's link points": Guard(
        "tagline/engines/dagger_tasks.py",
        "    if entry.is_dir() and not entry.is_symlink():\n",
        "    if entry.is_dir():\n        entry = entry.resolve()\n",
        (f"{UNIT}/engines/test_dagger_tasks.py::test_a_link_that_came_back_is_never_followed",),
    ),
    "a pull request's job pushes its image": Guard(
        "tagline/flow/releasing/images.py",
        "    if call is not None and call.trigger is Trigger.PULL_REQUEST:\n",
        "    if False:\n",
        ("tests/hosts/test_pushing.py::test_only_a_pull_request_s_job_and_one_without_meaning_may_not_push",),
    ),
    "the gate says pass to everything": Guard(
        "tagline/model/gate.py",
        "    outcome = _outcome(bound, allowed, p_worse)\n",
        "    outcome = Outcome.PASS\n",
        (f"{UNIT}/model/test_gate.py::test_the_verdict_turns_where_the_design_says",),
    ),
    "the gate believes every scorer": Guard(
        "tagline/model/contest.py",
        "        check_scorer(room, frozen, match)\n",
        "",
        (
            "tests/contract/gate/test_gate_sabotage.py::"
            "test_a_first_model_with_a_scorer_that_is_sabotaged_never_passes[errors to one side only]",
        ),
    ),
    "the verdict never takes a canary back": Guard(
        "tagline/rollout/evidence.py",
        "    return e_worse(evidence) >= 1 / rule.alpha\n",
        "    return False\n",
        (
            f"{UNIT}/rollout/test_evidence.py::"
            "test_sabotage_without_the_take_back_test_a_failing_canary_would_go_on",
            f"{UNIT}/rollout/test_run.py::test_a_failing_canary_is_taken_back_blocked_and_removed",
        ),
    ),
    "the verdict lets in without evidence": Guard(
        "tagline/rollout/evidence.py",
        "    if ran and is_not_worse(evidence, rule):\n",
        "    if ran:\n",
        (
            f"{UNIT}/rollout/test_evidence.py::"
            "test_sabotage_without_the_let_in_test_little_traffic_would_be_enough",
            f"{UNIT}/rollout/test_run.py::"
            "test_too_little_traffic_is_inconclusive_says_how_much_is_missing_and_blocks_nothing",
        ),
    ),
    "the watchdog's switch never falls": Guard(
        "tagline/platforms/local/rollouts.py",
        "        return bool(self.canary) and (boot != self.boot or now > self.deadline)\n",
        "        return False\n",
        (
            f"{UNIT}/serving/test_rollouts.py::"
            "test_the_switch_is_due_only_after_its_ttl_and_only_while_armed",
            f"{UNIT}/serving/test_rollouts.py::test_a_reboot_ends_every_holder",
        ),
    ),
    "the supervisor does not ask its watchdog": Guard(
        "tagline/platforms/local/serving/supervisor.py",
        "        for one in self._watchdog.abandoned(time.monotonic()):\n",
        "        for one in []:\n",
        (
            f"{UNIT}/serving/test_supervisor.py::"
            "test_a_rollout_that_nobody_continued_is_at_weight_0_after_the_supervisors_next_tick",
        ),
    ),
    "a platform that starts does not ask its watchdog first": Guard(
        "tagline/platforms/local/serving/supervisor.py",
        "        for one in self._watchdog.abandoned(time.monotonic()) if idle else []:\n",
        "        for one in []:\n",
        (
            f"{UNIT}/serving/test_supervisor.py::"
            "test_a_rollout_that_nobody_continued_is_at_weight_0_before_a_new_router_routes",
        ),
    ),
    "a claim is pushed without a lease": Guard(
        "tagline/git/remote.py",
        '    leases = [f"--force-with-lease={update.ref}:{update.old}" for update in updates]\n',
        '    leases = ["--force"]\n',
        (f"{UNIT}/git/test_git_ledger.py::test_a_lost_race_asks_again_with_what_the_winner_wrote",),
    ),
    "a claim that lost counts as won": Guard(
        "tagline/git/ledger.py",
        " is Pushed.DONE:\n",
        " in Pushed:\n",
        (f"{UNIT}/git/test_git_ledger.py::test_a_lost_race_asks_again_with_what_the_winner_wrote",),
    ),
    "the rollout's lock does not lock": Guard(
        "tagline/platforms/local/rollouts.py",
        "        descriptor = files.hold(path)\n",
        "        descriptor: int | bytes = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)\n",
        (f"{UNIT}/serving/test_rollouts.py::test_a_second_holder_is_refused_and_told_who_holds",),
    ),
    "a rollout runs without the lock": Guard(
        "tagline/rollout/run.py",
        "    with rollouts.lock(env, model):\n",
        "    if True:\n",
        (f"{UNIT}/rollout/test_interrupted.py::test_two_rollouts_of_one_model_at_once_are_refused",),
    ),
    "a result of another agent is believed whatever its digest": Guard(
        "tagline/flow/agents/kept.py",
        "    if kept.sha256 != kept.digest():\n",
        "    if False:\n",
        (f"{UNIT}/flow/test_saved.py::test_no_byte_of_a_result_can_be_changed_or_cut_off_unnoticed",),
    ),
    "a plan file that differs is carried out": Guard(
        "tagline/flow/agents/saved.py",
        "    if said:\n",
        "    if False:\n",
        (
            f"{UNIT}/flow/test_saved.py::"
            "test_plans_are_the_same_only_with_the_same_head_policy_and_refs",
        ),
    ),
    "a step that nobody planned is carried out": Guard(
        "tagline/flow/agents/saved.py",
        "        if isinstance(step, _BOUND) and key(step) not in agreed:\n",
        "        if False:\n",
        (f"{UNIT}/flow/test_saved.py::test_a_step_that_the_file_does_not_plan_is_refused[extra0]",),
    ),
    "a promotion goes to an agent without its credential": Guard(
        "tagline/flow/agents/needs.py",
        "            return writes | runs | {Need(Kind.CREDENTIAL, step.promotion.env)}\n",
        "            return writes | runs\n",
        (
            f"{UNIT}/flow/test_needs.py::"
            "test_only_what_acts_on_an_environment_needs_its_credential",
        ),
    ),
    "one environment's call acts on all": Guard(
        "tagline/flow/plan.py",
        "if _env_of(step) == env]",
        "if _env_of(step)]",
        (f"{UNIT}/flow/test_plan.py::test_one_environments_plan_acts_on_no_other",),
    ),
    "a floor holds nothing": Guard(
        "tagline/floors.py",
        "        if limit is None:\n",
        "        if True:\n",
        (
            f"{UNIT}/config/test_platform_file.py::"
            "test_no_repository_gets_below_a_floor_whatever_it_writes_or_leaves_out",
        ),
    ),
    "any version of tagline acts under any policy": Guard(
        "tagline/platform_file.py",
        "    if wanted != running:\n",
        "    if False:\n",
        (
            f"{UNIT}/config/test_platform_file.py::"
            "test_a_policy_of_a_later_version_is_told_apart_from_a_broken_one",
        ),
    ),
    "an upload is not looked for after a lost answer": Guard(
        "tagline/platforms/kubeflow/server/doubts.py",
        "    return error.maybe_done or (isinstance",
        "    return (isinstance",
        (
            "tests/contract/kfp/test_exact_upload.py::"
            "test_answers_that_are_lost_end_with_one_version_all_the_same[database-2]",
        ),
    ),
    "an upload takes another repository's pipeline": Guard(
        "tagline/platforms/kubeflow/versions/upload.py",
        '    if not is_ours(str(found.get("description", "")), said.owner):\n',
        "    if False:\n",
        (
            "tests/contract/kfp/test_exact_upload.py::"
            "test_a_pipeline_that_another_repository_or_a_person_made_is_left_alone[database]",
        ),
    ),
    "a run is started without a look": Guard(
        "tagline/platforms/kubeflow/runs/starting.py",
        "    if there:\n",
        "    if False:\n",
        (
            "tests/contract/kfp/test_own_runs.py::"
            "test_a_key_has_one_run_however_often_it_is_asked_for[database-utf8mb4]",
        ),
    ),
    "a schedule that saw a tick pass is switched on": Guard(
        "tagline/platforms/kubeflow/schedules/moves.py",
        "    return not one.enabled and bool(between(one, one.created_at, now))\n",
        "    return False\n",
        (f"{UNIT}/kubeflow/test_moves.py::test_ten_thousand_ticks_with_moves_and_kills_have_a_run_each",),
    ),
    "schedules are switched at a tick": Guard(
        "tagline/platforms/kubeflow/schedules/moves.py",
        "QUIET = 60.0 ",
        "QUIET = 0.0 ",
        (f"{UNIT}/kubeflow/test_moves.py::test_nothing_is_switched_within_a_minute_of_a_tick",),
    ),
    "facts name a model anywhere in the store": Guard(
        "tagline/platforms/kubeflow/store/models.py",
        "    if not inside or not sizes:\n",
        "    if False:\n",
        (
            "tests/contract/kfp/test_store.py::test_facts_that_name_another_model_are_refused["
            "s3://models/v2/tagline/wine/0.1.0/full/10/x/y/train/1/model-weights-outside the run's own root]",
        ),
    ),
}  # fmt: skip


def copied(folder: Path) -> Path:
    """A copy of the code, with the plugin that says which code a run of pytest has imported."""
    code = folder / "ci"
    shutil.copytree(ROOT / "ci", code, ignore=shutil.ignore_patterns("__pycache__"))
    (code / "says_which_tagline.py").write_text(PLUGIN)
    return code


def run(code: Path, tests: list[str]) -> tuple[int, str]:
    """Exit code and output of these tests on that code."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    env |= {"PYTHONPATH": f"{code}:{code}/tagline_task/src", "PYTHONDONTWRITEBYTECODE": "1"}
    options = ["-q", "-p", "says_which_tagline", "-p", "no:cacheprovider", "-p", "no:xdist"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, f"--basetemp={code.parent}/tests", *tests],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
    )
    assert f"tagline is {code}/tagline/__init__.py\n" in done.stdout, done.stdout
    return done.returncode, done.stdout


def test_with_every_guard_in_place_each_named_test_passes(tmp_path: Path) -> None:
    tests = sorted({test for guard in GUARDS.values() for test in guard.tests})
    code, said = run(copied(tmp_path), tests)
    assert code == 0, said


@pytest.mark.parametrize("name", GUARDS)
def test_with_a_guard_disabled_its_named_tests_fail(name: str, tmp_path: Path) -> None:
    guard, code = GUARDS[name], copied(tmp_path)
    file = code / guard.file
    text = file.read_text()
    assert text.count(guard.guard) == 1, f"{guard.file} no longer has the guard as it is known here"
    file.write_text(text.replace(guard.guard, guard.disabled))
    exit_code, said = run(code, list(guard.tests))
    if exit_code == 0 and " skipped in " in said and " passed" not in said:
        pytest.skip("what the named tests need is absent here")
    assert exit_code == 1, said
    for test in guard.tests:
        assert f"FAILED {test}" in said, said
