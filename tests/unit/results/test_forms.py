"""Every form of the results says what happened, and no text of the repository means anything in it."""

import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from tagline.errors import ConfigError
from tagline.flow.report import Outcome, StepReport
from tagline.flow.results.results import Place, Results, after
from tagline.render.results import files
from tagline.render.results.annotations import code_quality, workflow_commands
from tagline.render.results.junit import junit
from tagline.render.results.markdown import LIMIT, comment, plain
from tagline.render.results.masked import masked
from tagline.render.results.page import page
from tagline.render.results.text import cell, code, one_line
from tagline_task.masking import Hidden

from tests.unit.results.samples import HOSTILE, results

ANY = st.text(st.characters(codec="utf-8"), max_size=60) | st.text("`|\\<>@#:[]!/ \n~-", max_size=40)
OURS = {"table", "thead", "tbody", "tr", "th", "td", "code", "pre", "p", "ul", "ol", "li", "sub"} | {
    "details",
    "summary",
}


class Elements(HTMLParser):
    """The elements of a document, their attributes, and all its text."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.comments: list[str] = []
        self.feed(document)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def rendered(markdown: str) -> Elements:
    """What a host makes of a comment: HTML let through, as the hosts do."""
    return Elements(MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown))


def test_a_comment_begins_with_its_one_sentence() -> None:
    first = comment(results("feat: x")).splitlines()[0]
    assert first == "Merging would release fraud 1.5.0, but check failed: `feat: x`."


def test_a_comment_holds_the_metrics_the_failed_tests_the_error_and_the_plan() -> None:
    text = comment(results("feat: x"))
    assert "| `auc` | 0.912346 | 0.9 |" in text
    assert "- `feat: x feat: x`" in text
    assert "Exit code 32" in text
    assert "1. `check` `feat: x`: `feat: x`" in text


@pytest.mark.parametrize("trusted", [True, False])
def test_hostile_text_in_a_comment_makes_no_element_and_no_link(trusted: bool) -> None:
    made = rendered(comment(results(HOSTILE), trusted=trusted))
    assert made.names <= OURS
    assert "href" not in made.attributes
    assert made.comments == []
    assert "<script>alert(1)</script>" in made.text


def test_without_its_code_spans_hostile_text_would_make_elements() -> None:
    assert not rendered(HOSTILE).names <= OURS


@given(ANY)
def test_no_text_leaves_its_code_span(text: str) -> None:
    made = rendered(f"before {code(text)} after")
    assert made.names <= {"p", "code"}
    assert " ".join(made.text.split()) == " ".join(f"before {one_line(text)} after".split())


@given(ANY, ANY)
def test_no_text_leaves_its_cell(first: str, second: str) -> None:
    made = rendered(f"| a | b |\n|---|---|\n| {cell(first)} | {cell(second)} |\n")
    assert made.names <= {"table", "thead", "tbody", "tr", "th", "td", "code"}
    row = (
        MarkdownIt("commonmark").enable("table").render(f"|a|b|\n|-|-|\n| {cell(first)} | {cell(second)} |\n")
    )
    assert row.count("<td") == 2
    assert one_line(second.replace("|", "│"), 300) in " ".join(made.text.split()) or not second.strip()


def handed_over() -> Results:
    """A plan so far, whose first step an earlier agent did, and whose second it found nothing to do for."""
    steps = [
        StepReport("check", Outcome.DONE, "all is well", 4.0),
        StepReport("smoke training", Outcome.NOTHING, "smoke_when"),
        StepReport("release", Outcome.DONE, "claimed"),
    ]
    parts = [[StepReport("lock", Outcome.DONE, "")], [], [StepReport("push", Outcome.DONE, "")]]
    return after(msgspec.structs.replace(results("x"), steps=steps, parts=parts, cases=[], error=""), 2)


def test_the_steps_of_an_earlier_agent_are_cases_of_its_own_report_alone() -> None:
    names = [case.get("name") for case in ElementTree.fromstring(junit(handed_over())).iter("testcase")]
    assert names == ["release: push", "release"]


@pytest.mark.parametrize("form", [comment, page])
def test_people_read_which_steps_an_earlier_agent_did(form: Callable[[Results], str]) -> None:
    text = form(handed_over())
    assert text.count("done by an earlier agent") == 1
    assert text.count("nothing to do, said an earlier agent") == 1
    assert text.index("said an earlier agent") < text.index("claimed")


def test_what_a_fork_wrote_has_no_word_outside_of_code() -> None:
    first = comment(results("x"), trusted=False).splitlines()[0]
    assert first == "`Merging would release fraud 1.5.0, but check failed: x`"


def test_a_comment_is_never_longer_than_a_host_takes() -> None:
    long = comment(results("x" * 300_000))
    assert len(long) <= LIMIT + 200
    assert comment(results("y")).count("does not fit") == 0


def test_the_sentence_for_a_chat_is_one_line() -> None:
    assert "\n" not in plain(results(HOSTILE).headline)


def test_the_page_has_no_script_no_link_and_every_text_as_it_is() -> None:
    made = Elements(page(results(HOSTILE)))
    known = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "div", "footer"}
    assert made.names <= known | OURS
    assert made.attributes <= {"lang", "charset", "http-equiv", "content", "name", "class"}
    assert "<img src=x onerror=alert(1)>" in made.text
    assert made.comments == []


def test_the_page_asks_for_nothing_from_anywhere() -> None:
    text = page(results("feat: x"))
    assert "default-src 'none'" in text
    assert "http" not in text.replace("http-equiv", "")


# What Jenkins' xUnit plugin allows: src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd
# of github.com/jenkinsci/xunit-plugin, read on 2026-11-25: element -> needed attributes, others, children.
SCHEMA: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
    ),
    "testcase": (
        {"name"},
        {"time", "classname", "group"},
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    **{name: (set(), {"type", "message"}, set()) for name in ("failure", "error", "skipped")},
    **{name: (set(), set(), set()) for name in ("system-out", "system-err")},
}


def check_schema(element: ElementTree.Element) -> None:
    needed, allowed, children = SCHEMA[element.tag]
    assert needed <= set(element.keys()) <= needed | allowed, element.tag
    for child in element:
        assert child.tag in children, f"{child.tag} in {element.tag}"
        check_schema(child)


@pytest.mark.parametrize("text", ["feat: x", HOSTILE, ""])
def test_the_junit_file_fits_the_schema_that_jenkins_reads(text: str) -> None:
    root = ElementTree.fromstring(junit(results(text)))
    assert root.tag == "testsuites"
    check_schema(root)


@given(ANY)
def test_any_text_makes_wellformed_junit(text: str) -> None:
    check_schema(ElementTree.fromstring(junit(results(text))))


def test_the_junit_file_has_a_case_for_each_step_and_each_test_of_the_project() -> None:
    steps, tests = ElementTree.fromstring(junit(results("x")))
    assert [case.get("name") for case in steps] == ["check: lock", "check: x", "check", "register"]
    assert (steps.get("tests"), steps.get("failures"), steps.get("skipped")) == ("4", "1", "2")
    assert (tests.get("tests"), tests.get("failures"), tests.get("errors")) == ("4", "1", "1")
    assert tests[0].findtext("failure", "").startswith("tests/test_a.py:12\n")


def test_of_several_failed_steps_each_tells_its_own_failure() -> None:
    steps = [StepReport("promotion", Outcome.FAILED, why) for why in ("one", "two")]
    made = msgspec.structs.replace(results("one, in full"), steps=steps, parts=[], cases=[])
    (suite,) = ElementTree.fromstring(junit(made))
    assert [case.findtext("failure") for case in suite] == ["one, in full", "two"]


def test_annotations_name_file_and_line_and_cannot_be_broken_out_of() -> None:
    first, second = workflow_commands(results("a%b\n::error::c"))
    assert first == "::error file=tests/test_a.py,line=12,title=tagline::a%25b ::error::c"
    assert second.startswith("::error file=src/a%2Cb%3Ac.py,line=3,col=5,title=tagline::")
    assert all("\n" not in line for line in workflow_commands(results(HOSTILE)))


def test_a_failure_without_a_place_is_annotated_too() -> None:
    (line,) = workflow_commands(msgspec.structs.replace(results("the tests failed\nmore"), places=[]))
    assert line == "::error title=tagline::the tests failed"


def test_at_most_ten_annotations_are_made() -> None:
    many = [Place("a.py", line, "x") for line in range(1, 40)]
    assert len(workflow_commands(msgspec.structs.replace(results("x"), places=many))) == 10


def test_the_code_quality_report_has_what_gitlab_reads_and_a_fingerprint_that_stays() -> None:
    # https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format, read on 2026-11-25
    one, _ = code_quality(results("x"))
    assert set(one) == {"description", "check_name", "fingerprint", "severity", "location"}
    assert one["location"] == {"path": "tests/test_a.py", "lines": {"begin": 12}}
    moved = msgspec.structs.replace(results("x"), places=[Place("tests/test_a.py", 99, "x")])
    assert code_quality(moved)[0]["fingerprint"] == one["fingerprint"]


def test_a_folder_gets_every_form_and_gives_the_same_results_back(tmp_path: Path) -> None:
    made = results(HOSTILE)
    files.write(made, tmp_path)
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted(files.FORMS)
    assert files.read(tmp_path) == made


def test_a_report_of_another_shape_is_refused(tmp_path: Path) -> None:
    for content in ("", "[]", '{"format": 1}', json.dumps({"number": 7} | {"format": 1})):
        (tmp_path / files.REPORT).write_text(content)
        with pytest.raises(ConfigError, match="no report of ours"):
            files.read(tmp_path)


def test_a_field_that_we_do_not_write_is_refused(tmp_path: Path) -> None:
    files.write(results("x"), tmp_path)
    text = (tmp_path / files.REPORT).read_text()
    (tmp_path / files.REPORT).write_text(text.replace('"format": 1', '"format": 1, "pull_request": 7'))
    with pytest.raises(ConfigError, match="pull_request"):
        files.read(tmp_path)


def test_a_link_in_the_place_of_the_report_is_not_followed(tmp_path: Path) -> None:
    files.write(results("x"), tmp_path)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / files.REPORT).symlink_to(tmp_path / files.REPORT)
    with pytest.raises(ConfigError, match="no report can be read"):
        files.read(tmp_path / "elsewhere")


def test_a_report_that_is_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / files.REPORT).write_bytes(b" " * (files.READ_LIMIT + 1))
    with pytest.raises(ConfigError, match="larger than 8 MiB"):
        files.read(tmp_path)


def test_a_folder_that_takes_no_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        files.make_folder(tmp_path / "file" / "reports")


@given(st.builds(results, ANY))
def test_every_form_can_be_made_of_any_text(made: Results) -> None:
    assert all(form(made) for form in files.FORMS.values())


def test_an_exit_code_without_an_error_is_no_failure_on_the_page() -> None:
    going_on = msgspec.structs.replace(results("x"), error="", exit_code=111)
    assert '<h1 class="good">' in page(going_on)
    assert '<h1 class="bad">' in page(results("x"))


def test_no_form_shows_a_value_that_this_process_must_not_show() -> None:
    hidden = Hidden()
    hidden.add(["s3cr3t-w0rd"])
    made = masked(results("before s3cr3t-w0rd after, s3cr3t-w0rd"), hidden)
    assert not any("s3cr3t-w0rd" in form(made) for form in files.FORMS.values())
    assert "before *** after" in comment(made)
    assert masked(results("x"), hidden) == results("x")
