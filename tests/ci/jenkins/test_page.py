"""The page about Jenkins says what the library does: its options, its plugins, its examples."""

import json
import re
from pathlib import Path

import pytest
import yaml

from tests.ci.jenkins.conftest import MAIN, Shop
from tests.ci.jenkins.controller import JENKINSFILE, ROOT, STEPS, Interpreter

PAGE = (ROOT / "docs/how-to/jenkins.md").read_text()
LIBRARY = (ROOT / "templates/jenkins/vars/tagline.groovy").read_text()
EXAMPLES = re.findall(r"^```groovy\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def jcasc() -> dict[str, object]:
    (text,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    found: dict[str, object] = yaml.safe_load(text)
    return found


def test_every_option_of_the_call_is_on_the_page_and_none_besides() -> None:
    (known,) = re.findall(r"options.keySet\(\) - \[(.*?)\]", LIBRARY)
    assert set(re.findall(r"'(\w+)'", known)) == {
        *re.findall(r"^    (\w+): ", EXAMPLES[1], re.MULTILINE),
        "self",
    }
    assert "tagline(self: true)" in PAGE


def test_every_plugin_that_a_used_step_needs_is_on_the_page() -> None:
    used = {name for name in STEPS if re.search(rf"\b{re.escape(name)}\(", LIBRARY)}
    assert {STEPS[name]["plugin"] for name in used} - set(re.findall(r"`([\w-]+)`", PAGE)) == set()


def test_the_first_example_is_the_file_that_init_writes_and_works(shop: Shop) -> None:
    (file,) = (ROOT / "project-template/template").glob("*Jenkinsfile*")
    written = file.read_text().replace("[[ ref ]]", "v1")
    assert EXAMPLES[0] == JENKINSFILE
    assert written.endswith(JENKINSFILE.rstrip("\n")) or written.endswith(JENKINSFILE)
    assert shop.controller.build("tiny/main", shop.jenkinsfile(written), MAIN).result == "SUCCESS"


def test_the_example_with_every_option_works(shop: Shop) -> None:
    shop.scenario(environments=["staging", "prod"], needs=["gpu"])
    shop.controller.agents[0]["labels"] = ["linux"]
    shop.controller.credentials["fraud/line/main"] = {
        "tagline-read": {"username": "reader", "password": "read-secret"},
        "tagline-push": {"username": "bot", "password": "push-secret"},
        "kube-staging": {"secret": "staging-secret"},
        "kube-prod": {"secret": "prod-secret"},
    }
    build = shop.controller.build("fraud/line/main", shop.jenkinsfile(EXAMPLES[1]))
    assert build.result == "SUCCESS", build
    assert [row["begun"] for row in shop.calls()][-2:] == ["ci staging", "ci prod"]


def test_the_job_snippet_is_groovy_and_builds_tags_on_a_schedule(java: Interpreter, tmp_path: Path) -> None:
    jobs = jcasc()["jobs"]
    assert isinstance(jobs, list)
    file = tmp_path / "jobs.groovy"
    file.write_text(jobs[0]["script"])
    names = {call["name"] for call in java.inspect(file)["calls"]}
    assert {"multibranchPipelineJob", "gitTagDiscovery", "buildTags", "cron", "pipelineJob"} <= names


def test_the_library_of_the_snippet_is_where_this_repository_has_it() -> None:
    text = json.dumps(jcasc()["unclassified"])
    (path,) = re.findall(r'"libraryPath": "(.*?)"', text)
    assert (ROOT / path / "vars/tagline.groovy").is_file()


@pytest.mark.parametrize("example", EXAMPLES, ids=["call", "options", "declarative"])
def test_each_example_is_groovy(java: Interpreter, tmp_path: Path, example: str) -> None:
    file = tmp_path / "example.groovy"
    file.write_text(example)
    assert java.inspect(file)["calls"]


def test_what_is_no_groovy_is_found(java: Interpreter, tmp_path: Path) -> None:
    file = tmp_path / "example.groovy"
    file.write_text("tagline(\n")
    with pytest.raises(AssertionError, match="no Groovy"):
        java.inspect(file)
