"""Code of the repository that raises, hangs, writes nothing or spies: the release ends before it begins."""

import signal
import socket
import time
from pathlib import Path

import pytest

from tests.flow.stage import PIPELINE, TASK, Desk, finish
from tests.hosts.cancelling import as_a_shell_says, jenkins

SECRET = "hunter2-of-the-parent"
SPY = """
import os, sys
found = {}

def look(name, read):
    try:
        found[name] = read()
    except Exception as error:
        found[name] = type(error).__name__

def attach():
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(16, os.getppid(), 0, 0) != 0:
        raise PermissionError("ptrace")
    return "SECRET"

def socket_of_the_agent():
    import socket
    with socket.socket(socket.AF_UNIX) as one:
        one.connect("AGENT_SOCKET")
    return "SECRET"

look("environment", lambda: repr(sorted(os.environ.items())))
look("environ", lambda: open(f"/proc/{os.getppid()}/environ", "rb").read().decode(errors="replace"))
look("mem", lambda: open(f"/proc/{os.getppid()}/mem", "rb").read(1))
look("maps", lambda: open(f"/proc/{os.getppid()}/maps").read())
look("ptrace", attach)
look("agent", socket_of_the_agent)
def git_folders():
    here = os.getcwd()
    return repr([at for at in (here, os.path.dirname(here)) if os.path.exists(os.path.join(at, ".git"))])

look("git", git_folders)
raise SystemExit("spied: " + repr(found))
"""


def test_a_pipeline_that_raises_is_named_with_file_line_and_its_own_words(desk: Desk) -> None:
    desk.change(PIPELINE, "train_model = tagline", 'raise ValueError("no such image")\ntrain_model = tagline')
    desk.merge("feat: broken")
    before = desk.refs()
    found = desk.tagline("ci")
    assert found.code == 30
    assert "pipeline.py raised ValueError: no such image" in found.err
    assert f"where: {PIPELINE}:6" in found.err
    assert "tagline/pipeline" not in found.err
    assert desk.refs() == before


def test_a_pipeline_that_defines_nothing_is_told_what_to_define(desk: Desk) -> None:
    (desk.clone.path / PIPELINE).write_text("import kfp\n")
    desk.merge("feat: nothing")
    before = desk.refs()
    found = desk.tagline("release")
    assert found.code == 30
    assert f"{PIPELINE} cannot be compiled" in found.err
    assert "fix:   one @dsl.pipeline function in the file" in found.err
    assert desk.refs() == before


def test_no_pipeline_at_all_is_said_with_the_place_where_it_belongs(desk: Desk) -> None:
    (desk.clone.path / PIPELINE).unlink()
    desk.merge("feat: gone")
    before = desk.refs()
    found = desk.tagline("release")
    assert 30 <= found.code < 40
    assert PIPELINE in found.err
    assert desk.refs() == before


def test_a_pipeline_that_spies_gets_nothing_of_its_parent(desk: Desk, tmp_path: Path) -> None:
    agent = tmp_path / "agent"
    spy = SPY.replace("AGENT_SOCKET", str(agent))
    (desk.clone.path / PIPELINE).write_text(spy)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(agent))
        server.listen()
        found = desk.tagline(
            "compile",
            TOKEN=SECRET,
            VAULT_SECRET_ID=SECRET,
            SSH_AUTH_SOCK=str(agent),
            DOCKER_HOST=f"unix://{agent}",
        )
    said = found.out + found.err
    assert found.code == 30
    assert "spied: " in said
    assert SECRET not in said
    for name in ("environ", "mem", "ptrace"):
        assert f"'{name}': 'PermissionError'" in said or f"'{name}': 'OSError'" in said, said
    assert "'git': '[]'" in said
    assert "SSH_AUTH_SOCK" not in said


def test_a_stale_pipeline_yaml_names_the_command_that_renews_it(desk: Desk) -> None:
    desk.change(PIPELINE, "seconds: float = 0.0", "seconds: float = 0.5")
    desk.merge("feat: slower")
    before = desk.refs()
    found = desk.tagline("ci")
    assert found.code == 31
    assert "fix:   tagline check --fix, then commit it" in found.err
    assert desk.refs() == before
    assert desk.tagline("check", "--fix").code == 0
    assert "pipeline.yaml" in desk.clone.git("status", "--short")


def broken_task(desk: Desk, old: str, new: str) -> None:
    desk.change(TASK, old, new)
    desk.merge("feat: a task")


def test_a_task_that_fails_ends_the_release_before_the_claim(desk: Desk) -> None:
    broken_task(desk, "    time.sleep(seconds)", '    raise SystemExit("no data today")')
    before = desk.refs()
    found = desk.tagline("release")
    assert found.code == 34
    assert "task 'train-model' ended with exit code 1: no data today" in found.err
    assert "where: " in found.err
    assert "train-model.log" in found.err
    assert "fix:   mend it, commit, and run the command again" in found.err
    assert desk.refs() == before


def test_the_same_commit_is_tried_again_after_a_task_failed(desk: Desk) -> None:
    marker = desk.clone.path / "go"
    broken_task(desk, "    time.sleep(seconds)", f'    open("{marker}").close()')
    assert desk.tagline("release").code == 34
    marker.touch()
    assert desk.tagline("release").code == 0
    assert desk.kinds() == ["released", "uploaded", "trained"]


def test_a_task_that_hangs_is_stopped_at_the_smoke_limit(desk: Desk) -> None:
    desk.change("tagline.yaml", "pipeline: tiny", "pipeline: tiny\nsmoke_timeout: 3s")
    broken_task(desk, "    time.sleep(seconds)", "    time.sleep(600)")
    before = desk.refs()
    found = desk.tagline("release")
    assert found.code == 35
    assert "task 'train-model' ran past its limit of" in found.err
    assert "train-model.log" in found.err
    assert "fix:   mend it, commit, and run the command again" in found.err
    assert desk.refs() == before
    assert desk.processes() == []


@pytest.mark.parametrize(
    ("line", "output"), [("    with open(model.path", "model"), ("    write_facts(", "facts")]
)
def test_a_task_that_writes_no_output_is_told_which(desk: Desk, line: str, output: str) -> None:
    begin = (desk.clone.path / TASK).read_text().partition(line)[0]
    end = '    print("done")\n\n\nif __name__ == "__main__":\n    run(train_model)\n'
    (desk.clone.path / TASK).write_text(begin + end)
    desk.merge("feat: forgetful")
    before = desk.refs()
    found = desk.tagline("release")
    assert found.code == 36
    assert "task 'train-model' ended with exit code 4" in found.err
    assert f"declared but not written: {output} (" in found.err
    assert desk.refs() == before


def test_a_task_that_ends_with_4_by_itself_has_failed_and_broken_no_contract(desk: Desk) -> None:
    broken_task(desk, "    time.sleep(seconds)", "    raise SystemExit(4)")
    assert desk.tagline("release").code == 34


def test_a_missing_secret_is_named_with_the_variable_to_set(desk: Desk) -> None:
    desk.change(PIPELINE, "from kfp import dsl", "from kfp import dsl, kubernetes")
    desk.change(
        PIPELINE,
        "    train_model(seconds=seconds)",
        "    task = train_model(seconds=seconds)\n"
        '    kubernetes.use_secret_as_env(task, secret_name="store", secret_key_to_env={"password": "STORE_PASSWORD"})',
    )
    assert desk.tagline("compile").code == 0
    desk.merge("feat: a secret")
    before = desk.refs()
    found = desk.tagline("ci")
    assert found.code == 39
    assert "task 'train-model' needs key 'password' of secret 'store'" in found.err
    assert "fix:   set TAGLINE_SECRET_STORE_PASSWORD (or STORE_PASSWORD)" in found.err
    assert desk.refs() == before
    done = desk.tagline("ci", STORE_PASSWORD=SECRET)
    assert done.code == 0, done
    assert SECRET not in done.out + done.err


def test_ctrl_c_while_a_task_runs_stops_it_and_loses_nothing(desk: Desk) -> None:
    broken_task(desk, "    time.sleep(seconds)", '    open("began", "w").close(); time.sleep(600)')
    before = desk.refs()
    child = desk.start("release")
    until = time.monotonic() + 100
    while not list(desk.home.glob("runs/*/work/*/began")) and time.monotonic() < until:
        time.sleep(0.1)
    child.send_signal(signal.SIGINT)
    found = finish(child, 60)
    assert found.code == 130, found
    assert found.err.endswith("interrupted\n")
    assert desk.refs() == before
    assert desk.processes() == []
    desk.change(TASK, "time.sleep(600)", "time.sleep(0)")
    desk.merge("fix: quicker")
    assert desk.tagline("release").code == 0


def test_cancelled_by_jenkins_while_a_task_runs_the_same_commit_is_released_by_the_next_call(
    desk: Desk,
) -> None:
    once = """    import os
    if len(os.listdir("../../..")) == 1:  # the first of the runs
        open("began", "w").close()
        time.sleep(600)
"""
    broken_task(desk, "    time.sleep(seconds)", once)
    before = desk.refs()
    child = desk.start("ci")
    until = time.monotonic() + 100
    while not list(desk.home.glob("runs/*/work/*/began")) and time.monotonic() < until:
        time.sleep(0.1)
    jenkins(child)
    found = finish(child, 60)
    assert as_a_shell_says(found.code) == 143, found
    assert desk.refs() == before
    assert desk.processes() == []
    assert desk.tagline("ci").code == 0
    assert desk.kinds() == ["released", "uploaded", "trained"]


def test_a_commit_whose_tests_fail_is_not_released_by_the_command_either(desk: Desk) -> None:
    tests = desk.clone.path / "tests/test_red.py"
    tests.parent.mkdir()
    tests.write_text(
        "import unittest\n\nclass Red(unittest.TestCase):\n    def test(self):\n        self.fail('red')\n"
    )
    desk.merge("feat: red")
    before = desk.refs()
    for command in ("release", "ci"):
        found = desk.tagline(command)
        assert found.code == 32, found
    assert desk.refs() == before
