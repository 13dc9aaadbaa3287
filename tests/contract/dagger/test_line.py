"""The line that a container runs, run here on the tree that it gets: what it says becomes the call's own report."""

import json

import pytest
from tagline.engines.dagger import lines
from tagline.engines.dagger.session import Ended
from tagline.flow.agents.in_dagger import as_step, report_of
from tagline.flow.steps import Plan
from tagline.git.occasion import Event

from tests.contract.dagger.test_real_engine import TINY
from tests.fakes.machine import Machine

HARM = {
    "sound": "true",
    "a stale pipeline.yaml": "echo '# edited' >> docker/kubeflow_pipeline/pipeline.yaml",
    "an unknown key": "echo 'servng: x' >> tagline.yaml",
    "a pipeline that does not compile": "echo 'raise SystemExit(1)' > docker/kubeflow_pipeline/pipeline.py",
}


@pytest.mark.parametrize("harm", HARM)
def test_line_and_call_end_alike(harm: str, machine: Machine) -> None:
    made = machine.shell(
        f"{TINY}\n{HARM[harm]}\ngit commit -q --allow-empty -am 'fix: x' && git push -q origin topic"
    )
    assert made.code == 0, made.out
    called = machine.shell("cd work && tagline ci --json 2>/dev/null")
    line = " ".join(lines.check_line(smoke=False)).replace(lines.OUT, "out")
    ran = machine.shell(
        f"mkdir tree && git -C work archive HEAD | tar x -C tree && cd tree && {line} 2>/dev/null"
    )
    assert ran.code == called.code
    said = json.loads(called.out)
    if "error" in said and isinstance(said["error"], dict):  # it ended while it planned, before any container
        assert report_of(Ended(ran.code, ran.out)).error == said["error"]["what"]
        return
    report = as_step(report_of(Ended(ran.code, ran.out)), Plan(Event.PR, "topic", []), said["head"])
    assert report.exit_code == called.code
    assert [(one.step, one.outcome, one.why) for one in report.steps] == [
        (one["step"], one["outcome"], one["why"]) for one in said["steps"]
    ]
