"""A task that the cluster promised a GPU says what it sees, and does not begin where it sees none."""

import os
from pathlib import Path

import pytest
import tagline_task
from tagline_task import devices
from tagline_task.errors import ContractError, DeviceMissing


def fit(times: int) -> None:
    """A task that would have begun."""
    print("begun", times)


def test_where_nothing_was_promised_nothing_is_looked_for(tmp_path: Path) -> None:
    assert devices.proof({}, tmp_path / "absent") == ""


@pytest.mark.parametrize(
    ("promised", "files"), [("1", ["nvidia0"]), ("2", ["nvidia0"]), ("2", ["nvidia0", "nvidia1"])]
)
def test_what_is_seen_is_said(tmp_path: Path, promised: str, files: list[str]) -> None:
    for name in [*files, "nvidiactl", "nvidia-uvm"]:
        (tmp_path / name).touch()
    assert devices.proof({devices.PROMISED: promised}, tmp_path) == (
        f"GPU: promised {promised}, sees {', '.join(files)}"
    )


def test_the_driver_s_own_files_are_no_device(tmp_path: Path) -> None:
    (tmp_path / "nvidiactl").touch()
    environ = {devices.PROMISED: "1", "NVIDIA_VISIBLE_DEVICES": "void"}
    with pytest.raises(DeviceMissing, match=r"promised 1 GPU and sees none.*'void'"):
        devices.proof(environ, tmp_path)


@pytest.mark.parametrize("promised", ["one", "-1", "1.5", "²"])
def test_a_promise_that_is_no_number_is_refused(tmp_path: Path, promised: str) -> None:
    with pytest.raises(ContractError, match="whole number"):
        devices.proof({devices.PROMISED: promised}, tmp_path)


@pytest.mark.skipif(
    any(Path("/dev").glob("nvidia[0-9]*")), reason="not applicable here: this machine has a GPU"
)
def test_a_task_ends_with_its_own_exit_code_before_it_begins(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setitem(os.environ, devices.PROMISED, "1")
    with pytest.raises(SystemExit) as ended:
        tagline_task.run(fit, ["--times", "1"])
    said = capsys.readouterr()
    assert (ended.value.code, "begun" in said.out) == (24, False)
    assert "error: task fit: the task was promised 1 GPU and sees none" in said.err
