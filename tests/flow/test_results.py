"""`--report DIR` and the host's own views, by the command as it is typed."""

from pathlib import Path
from xml.etree import ElementTree

from tests.fakes.hosts.slack import FakeSlack
from tests.flow.stage import TASK, Desk

SUBJECT = "feat: <b>bold</b> `tick` @everyone ::error::x ##[add-mask]y"


def topic(desk: Desk, subject: str) -> None:
    desk.clone.git("switch", "--quiet", "--create", "topic")
    desk.change(TASK, "THRESHOLD = 40", "THRESHOLD = 50")
    desk.clone.commit(subject)
    desk.clone.push()


def test_a_pull_request_leaves_its_report_its_summary_and_no_command_in_the_log(released: Desk) -> None:
    topic(released, SUBJECT)
    folder, summary = released.folder / "reports", released.folder / "summary.md"
    more = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    found = released.tagline("ci", "--event", "pr", "--report", str(folder), **more)
    assert found.code == 0, found
    names = {"report.json", "junit.xml", "report.html", "comment.md", "gl-code-quality.json"}
    assert {one.name for one in folder.iterdir()} == names
    first = (folder / "comment.md").read_text().splitlines()[0]
    assert first.startswith(f"Merging releases tiny 0.2.0 because of ``{SUBJECT}``; trains about ")
    assert summary.read_text() == (folder / "comment.md").read_text()
    assert "##[" not in found.out + found.err
    cases = [case.get("name") for case in ElementTree.parse(folder / "junit.xml").iter("testcase")]
    assert cases[0] == "check: lock"
    assert cases[-1] == "check"


def test_a_merge_reports_the_metrics_of_what_it_trained_beside_what_serves(served: Desk) -> None:
    served.change(TASK, "THRESHOLD = 40", "THRESHOLD = 50")
    served.merge("feat: a better threshold")
    folder = served.folder / "reports"
    found = served.tagline("ci", "--report", str(folder))
    assert found.code == 0, found
    text = (folder / "comment.md").read_text()
    sentence = (
        "Released tiny 0.2.0 because of `feat: a better threshold`; trained 0.2.0-r1; prod keeps 0.1.0-r1."
    )
    assert text.startswith(sentence)
    assert "| metric | `tiny 0.2.0-r1 (new)` | `tiny 0.1.0-r1 (prod)` |" in text
    assert "| `threshold` | 50 | 40 |" in text


def test_a_mistake_in_tagline_yaml_is_annotated_at_its_line(desk: Desk) -> None:
    with (desk.clone.path / "tagline.yaml").open("a") as file:
        file.write("\nservng: x\n")
    desk.merge("feat: a mistake")
    line = (desk.clone.path / "tagline.yaml").read_text().splitlines().index("servng: x") + 1
    folder = desk.folder / "reports"
    found = desk.tagline("ci", "--report", str(folder), GITHUB_ACTIONS="true")
    assert found.code == 20, found
    assert f"::error file=tagline.yaml,line={line},col=1,title=tagline::unknown key 'servng'" in found.err
    assert f'"begin":{line}' in (folder / "gl-code-quality.json").read_text()
    assert "Nothing was begun: `unknown key 'servng'`." in (folder / "comment.md").read_text()


def test_a_folder_that_cannot_be_made_is_said_before_anything_is_done(desk: Desk) -> None:
    found = desk.tagline("ci", "--report", str(Path(desk.folder / "gitconfig") / "reports"))
    assert found.code == 20, found
    assert "the report cannot be written" in found.err
    assert desk.events() == []


def test_a_chat_hears_of_a_promotion_and_its_address_stays_out_of_the_log(released: Desk) -> None:
    with (released.clone.path / "tagline.yaml").open("a") as file:
        file.write("webhook: CHAT\n")
    released.merge("chore: tell the chat")
    slack = FakeSlack()
    with slack.running():
        asked = released.tagline("promote", "tiny", "--to", "prod", "--version", "0.1.0-r1")
        assert asked.code == 0, asked
        done = released.tagline("ci", "--event", "tag", "--ref", "promote/prod/tiny/1", CHAT=slack.hook)
    assert done.code == 0, done
    assert slack.told == ["tiny: promoted: 0.1.0-r1 serves prod/tiny"]
    assert "s3cr3tw0rd" not in done.out + done.err
