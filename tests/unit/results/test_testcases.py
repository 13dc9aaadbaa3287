"""The project's own JUnit file is read as what it is: text by strangers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tagline.flow.checking import testcases
from tagline.flow.results.results import CaseOutcome

PROJECT = """import pytest


def test_good():
    assert True


def test_bad():
    assert 1 == 2


@pytest.fixture
def broken():
    raise ValueError("no")


def test_error(broken):
    pass


@pytest.mark.skip(reason="later")
def test_skipped():
    pass
"""


def test_what_pytest_writes_is_read_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_a.py").write_text(PROJECT)
    options = ["-p", "no:cacheprovider", "-o", "junit_family=xunit1", "--junit-xml=out.xml"]
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *options, "tests"],
        cwd=tmp_path,
        timeout=60,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    found = {case.name: case for case in testcases.read(tmp_path / "out.xml")}
    assert {name: case.outcome for name, case in found.items()} == {
        "test_good": CaseOutcome.PASSED,
        "test_bad": CaseOutcome.FAILED,
        "test_error": CaseOutcome.ERROR,
        "test_skipped": CaseOutcome.SKIPPED,
    }
    assert (found["test_bad"].file, found["test_bad"].line) == ("tests/test_a.py", 8)
    assert "assert 1 == 2" in found["test_bad"].said


def junit(cases: str) -> str:
    return f"<testsuites><testsuite>{cases}</testsuite></testsuites>"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "<testsuites>",
        '<!DOCTYPE x [<!ENTITY a "b">]><testsuites><testcase name="&a;"/></testsuites>',
        " " * (testcases.BYTES_LIMIT + 1),
    ],
    ids=["empty", "cut off", "with entities", "too large"],
)
def test_what_cannot_be_believed_counts_as_missing(tmp_path: Path, content: str) -> None:
    file = tmp_path / "tests.xml"
    file.write_text(content)
    assert testcases.read(file) == []


def test_a_missing_file_a_link_a_folder_and_a_pipe_count_as_missing(tmp_path: Path) -> None:
    real = tmp_path / "real.xml"
    real.write_text(junit('<testcase name="a"/>'))
    (tmp_path / "link.xml").symlink_to(real)
    os.mkfifo(tmp_path / "pipe.xml")
    assert len(testcases.read(real)) == 1
    for name in ("missing.xml", "link.xml", "pipe.xml", "."):
        assert testcases.read(tmp_path / name) == []


def test_foreign_numbers_and_paths_are_not_believed(tmp_path: Path) -> None:
    file = tmp_path / "tests.xml"
    file.write_text(
        junit(
            '<testcase name="a" time="nan" file="/etc/passwd" line="3"/>'
            '<testcase name="b" time="-1" file="../x.py" line="-3"/>'
            '<testcase time="1e300" file="a.py" line="99999999999999"/>'
        )
    )
    found = testcases.read(file)
    assert [(one.seconds, one.file) for one in found] == [(0.0, ""), (0.0, ""), (0.0, "a.py")]
    assert [one.line for one in found] == [4, 0, 0]
    assert found[2].name == "unnamed"


def test_no_more_than_five_thousand_tests_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "tests.xml"
    file.write_text(junit('<testcase name="a"/>' * (testcases.CASES_LIMIT + 5)))
    assert len(testcases.read(file)) == testcases.CASES_LIMIT
