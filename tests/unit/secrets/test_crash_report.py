"""A crash report is a file that people paste: no secret is in it."""

from pathlib import Path

import pytest
from tagline.cli import crash
from tagline_task.masking import Hidden


def test_a_crash_report_holds_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hidden = Hidden()
    hidden.add(["s3cret-value"])
    monkeypatch.setattr(crash, "HIDDEN", hidden)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert crash.report(RuntimeError("with s3cret-value")) == 3
    (file,) = tmp_path.glob("tagline-crash-*.md")
    assert "RuntimeError: with ***" in file.read_text()
    assert "s3cret-value" not in file.read_text() + "".join(capsys.readouterr())
