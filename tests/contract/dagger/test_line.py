"""The line that a container runs, run here on the tree that it gets: what it says becomes the call's own report."""

import json

import pytest
from tagline.engines.dagger import lines
from tagline.engines.dagger.session import Ended
from tagline.flow.checking.in_dagger import error_of, report_of
from tagline.flow.report import Outcome

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
        assert error_of(report_of(Ended(ran.code, ran.out))).what == said["error"]["what"]
        return
    report = report_of(Ended(ran.code, ran.out))
    passed = sum(one.outcome is Outcome.DONE for one in report.steps)
    why = error_of(report).what if report.exit_code else f"{passed} checks passed at {said['head'][:12]}"
    assert report.exit_code == called.code
    assert why == said["steps"][-1]["why"]
