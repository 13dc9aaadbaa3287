"""For the whole suite: where nothing may be skipped, a skip is a failure."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest

NO_SKIP = "TAGLINE_NO_SKIP"
# environments take a minute to make: the whole suite and `make demo` share them
os.environ.setdefault("TAGLINE_VENVS", str(Path(__file__).parent.parent / ".demo/venvs"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With TAGLINE_NO_SKIP set (CI), a test whose real component is absent fails."""
    report = yield
    if report.skipped and os.environ.get(NO_SKIP) and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be: {report.longrepr}"
    return report
