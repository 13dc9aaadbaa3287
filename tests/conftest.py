"""For the whole suite: where nothing may be skipped, a skip is a failure."""

import compileall
import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.servers.openbao import Bao, dev_server

NO_SKIP = "TAGLINE_NO_SKIP"
NOT_HERE = "not applicable here: "
ROOT = Path(__file__).parent.parent
# environments take a minute to make: the whole suite and `make demo` share them
os.environ.setdefault("TAGLINE_VENVS", str(ROOT / ".demo/venvs"))


def pytest_configure(config: pytest.Config) -> None:
    """Compile the code once, for every `tagline` that the tests start: where PYTHONDONTWRITEBYTECODE is set, each
    would compile it again.
    """
    if not hasattr(config, "workerinput"):
        compileall.compile_dir(ROOT / "ci", quiet=1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With TAGLINE_NO_SKIP set (CI), a test whose real component is absent fails.

    A door that this machine's kernel shuts by itself is no absent component: its skip says so and stays one.
    """
    report = yield
    absent = report.skipped and NOT_HERE not in str(report.longrepr)
    if absent and os.environ.get(NO_SKIP) and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    """One real OpenBao for all tests of this process: unsealed, in memory, on loopback; names are each test's own."""
    with dev_server(tmp_path_factory.mktemp("openbao")) as server:
        yield server
