"""The library's sources: few lines, only what Jenkins' sandbox allows, only steps that plugins document."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.ci.jenkins.conftest import Shop
from tests.ci.jenkins.controller import HERE, ROOT, STEPS, Interpreter

LIBRARY = ROOT / "templates/jenkins"
GROOVY = sorted(LIBRARY.rglob("*.groovy"))
ALLOWED = json.loads((HERE / "allowed.json").read_text())
# what a library must never need: each would ask an administrator for an approval, or run outside of the sandbox
FORBIDDEN = {
    "syntax": "switch (1) { case 1: break }",
    "operators": "def a = 1 ** 2",
    "methods": "'ls'.execute()",
    "constructors": "new File('/etc/passwd')",
    "classes": "def j = Jenkins",
    "imports": "import jenkins.model.Jenkins",
}


def beyond(found: dict[str, Any]) -> dict[str, list[str]]:
    """What a source uses that the allow-list does not hold, by kind."""
    kinds = ("syntax", "operators", "methods", "constructors", "imports", "classes")
    more = {kind: sorted(set(found.get(kind, [])) - set(ALLOWED.get(kind, []))) for kind in kinds}
    return {kind: names for kind, names in more.items() if names}


def unknown_calls(found: dict[str, Any]) -> list[str]:
    """Calls that are neither steps with documented parameters nor the file's own methods, with their lines."""
    bad = []
    for call in found["calls"]:
        name = call["name"]
        if name in found["own"] or name in {"body", "tagline"}:
            continue
        row = STEPS.get(name)
        names = set(call["named"]) - set(row["parameters"]) if row else {name}
        bad += [f"line {call['line']}: {name} {one}" for one in sorted(names)]
    return bad


@pytest.mark.parametrize("file", [*GROOVY, ROOT / "Jenkinsfile"], ids=lambda file: file.name)
def test_every_line_keeps_to_what_the_sandbox_allows_and_plugins_document(
    java: Interpreter, file: Path
) -> None:
    found = java.inspect(file)
    found.setdefault("own", [])
    assert beyond(found) == {}
    assert unknown_calls(found) == []


@pytest.mark.parametrize("kind", sorted(FORBIDDEN))
def test_what_the_sandbox_would_stop_is_found(java: Interpreter, tmp_path: Path, kind: str) -> None:
    file = tmp_path / "bad.groovy"
    file.write_text(FORBIDDEN[kind] + "\n")
    assert kind in beyond(java.inspect(file))


def test_an_undocumented_step_or_parameter_is_found_in_lines_that_no_test_runs(
    java: Interpreter, tmp_path: Path
) -> None:
    file = tmp_path / "bad.groovy"
    file.write_text("def never() {\n  node('x') { bat('dir')\n  sh(script: 'a', retries: 2) }\n}\n")
    found = java.inspect(file)
    assert unknown_calls(found) == ["line 2: bat bat", "line 3: sh retries"]


def test_the_library_has_at_most_200_lines_of_groovy() -> None:
    assert GROOVY
    assert sum(len(file.read_text().splitlines()) for file in GROOVY) <= 200


def test_the_library_holds_no_link_for_jenkins_refuses_one_that_does() -> None:
    assert [file for file in LIBRARY.rglob("*") if file.is_symlink()] == []


@pytest.mark.parametrize("name", ["bootstrap.sh", "bootstrap.lock"])
def test_what_the_library_brings_an_agent_is_byte_for_byte_what_the_templates_hold(name: str) -> None:
    copied = (LIBRARY / "resources/tagline" / name).read_bytes()
    assert copied == (ROOT / "templates" / name).read_bytes(), (
        "cp templates/bootstrap.* templates/jenkins/resources/tagline/"
    )


def test_each_step_names_its_plugin_and_where_that_documents_it() -> None:
    for name, row in STEPS.items():
        assert row["plugin"], name
        assert row["address"].startswith(("https://www.jenkins.io/doc/", "https://plugins.jenkins.io/")), name
        assert set(row.get("required", [])) <= set(row["parameters"]), name


def test_a_step_that_is_not_in_the_table_fails_the_build(shop: Shop) -> None:
    build = shop.controller.build("tiny/main", shop.jenkinsfile("node { bat('dir') }\n"))
    assert build.result == "FAILURE"
    assert "No such DSL method 'bat'" in build.said["error"]


def test_a_parameter_that_is_not_in_the_table_fails_the_build(shop: Shop) -> None:
    build = shop.controller.build("tiny/main", shop.jenkinsfile("node { sh(script: 'true', retries: 2) }\n"))
    assert build.said["error"] == "Unknown parameter(s) found for step 'sh': retries"


def test_a_program_that_cannot_be_put_away_fails_as_it_would_at_a_restart(shop: Shop) -> None:
    held = "def lock = new Object()\nnode { echo('a') }\necho(lock.toString())\n"
    with pytest.raises(AssertionError, match=r"NotSerializableException: java\.lang\.Object"):
        shop.controller.build("tiny/main", shop.jenkinsfile(held))


def test_a_library_with_a_link_is_refused(shop: Shop, tmp_path: Path) -> None:
    shop.clone.write({"lib/vars/tagline.groovy": "def call() {}\n"})
    (shop.clone.path / "lib/vars/other.groovy").symlink_to("/etc/passwd")
    own = "library identifier: 'tagline@own', retriever: legacySCM(scm: scm, libraryPath: 'lib/')\n"
    build = shop.controller.build("tiny/main", shop.jenkinsfile(own))
    assert "Rejecting library: symlink found" in build.said["error"]


def test_the_projects_own_jenkinsfile_runs_its_suite_with_the_library_of_the_same_commit(shop: Shop) -> None:
    shop.clone.write(
        {
            "Jenkinsfile": (ROOT / "Jenkinsfile").read_text(),
            ".ci/run": "#!/bin/sh\necho the suite of $(git rev-parse HEAD)\n",
            "templates/jenkins/vars/tagline.groovy": GROOVY[0]
            .read_text()
            .replace("'the suite'", "'of this commit'"),
        }
    )
    (shop.clone.path / ".ci/run").chmod(0o755)
    shop.controller.libraries.clear()
    commit = shop.clone.commit("feat: a library of its own")
    shop.clone.push()
    build = shop.controller.build("tagline/PR-7", commit, {"BRANCH_NAME": "PR-7", "CHANGE_ID": "7"})
    assert build.result == "SUCCESS", build
    assert f"the suite of {commit}" in build.console
    assert [row["given"]["label"] for row in build.steps("sh")] == ["of this commit"]
