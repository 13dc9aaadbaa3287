"""What the checks of `--engine dagger` send into the container, and how it reads what comes out."""

import json
from pathlib import Path

import dagger
import msgspec
import pytest
from tagline.engines.dagger import chains, client
from tagline.engines.dagger.session import Call, Ended
from tagline.errors import (
    ConfigError,
    EngineError,
    PipelineError,
    SecretExposed,
    TaglineError,
    TaskFailed,
)
from tagline.flow.checking.in_dagger import BASE_VARIABLE, call_of, error_of, report_of
from tagline.flow.platforms import VARIABLE
from tagline.flow.report import Outcome, Report, StepReport, perform
from tagline.render.json import dumps

from tests.modules import chain
from tests.modules.test_modules import executed, parse

ENVIRON = {
    "TAGLINE_INDEX": "https://user:opensesame@packages.example/simple",
    "TAGLINE_PUSH_TOKEN": "token-that-may-push",
    "VAULT_SECRET_ID": "secret-id-of-a-task",
    "TAGLINE_LOCK": "/agent/tagline.lock",
    BASE_VARIABLE: "mirror.example/python:3.12",
}


def test_no_credential_goes_into_the_container() -> None:
    call = call_of(Path("/tree"), ENVIRON)
    said = json.dumps(msgspec.to_builtins(call))
    secret = [ENVIRON[name] for name in ("TAGLINE_INDEX", "TAGLINE_PUSH_TOKEN", "VAULT_SECRET_ID")]
    assert [value for value in secret if value in said] == []
    links = chain.links(client.chain(call))
    held = [(link.args["name"], link.args["secret"]) for link in links if link.name == "withSecretVariable"]
    assert {name for name, _ in held} == {"PIP_INDEX_URL", "TAGLINE_INDEX"}
    assert {chain.links(one)[-1].args["uri"] for _, one in held} == {"env://TAGLINE_INDEX"}


@pytest.mark.parametrize("smoke", [True, False])
@pytest.mark.parametrize("source", ["index", "wheelhouse"])
def test_the_line_of_a_call_is_the_check_of_the_module(source: str, smoke: bool) -> None:
    environ = ENVIRON if source == "index" else {"TAGLINE_WHEELHOUSE": "/agent/wheels"}
    links = chain.links(client.chain(call_of(Path("/tree"), environ, smoke=smoke)))
    (line,) = [line for line in executed(links) if line[0] == "tagline"]
    assert parse(line) == "check"
    made = chain.main_object("check")(wheelhouse=chain.sample(dagger.Directory, "wheelhouse"))
    theirs = chain.links(made.report(chain.sample(dagger.Directory, "source"), smoke=smoke))
    assert line in executed(theirs)


def test_a_second_call_checks_again() -> None:
    runs = [
        [
            link.args["value"]
            for link in chain.links(client.chain(call))
            if link.args.get("name") == chains.RUN_VARIABLE
        ]
        for call in [Call(["tagline", "check"], "/tree", "/wheels")] * 2
    ]
    assert len(runs[0]) == len(runs[1]) == 1
    assert runs[0] != runs[1]


def test_the_report_of_the_container_is_read() -> None:
    steps = [StepReport("lock", Outcome.DONE, "pinned", 0.5), StepReport("tests", Outcome.SKIPPED, "none")]
    assert report_of(Ended(0, dumps(Report("check", "work tree", steps)))).steps == steps


@pytest.mark.parametrize(
    "error",
    [
        TaskFailed("1 failed", where="\na line\nanother", fix="mend it"),
        PipelineError("pipeline.py raised", where="pipeline.py:3"),
        ConfigError("no such key", fix="write another"),
        SecretExposed("a secret"),
    ],
)
def test_the_failure_of_the_container_is_raised_as_the_error_that_it_was(error: TaglineError) -> None:
    def fails() -> StepReport:
        raise error

    inside = perform(Report("check", "work tree"), lambda _: None, [("a check", fails)])
    found = error_of(report_of(Ended(inside.exit_code, dumps(inside))))
    assert (type(found), found.what, found.where, found.fix) == (
        type(error),
        error.what,
        error.where,
        error.fix,
    )


def test_an_error_before_the_first_check_is_the_calls_error() -> None:
    said = json.dumps({"error": {"what": "no such key", "where": "tagline.yaml:3", "fix": "x", "code": 20}})
    found = error_of(report_of(Ended(20, said)))
    assert (type(found), found.what, found.where, found.fix) == (
        ConfigError,
        "no such key",
        "tagline.yaml:3",
        "x",
    )


def test_the_platform_file_goes_in_outside_of_the_tree() -> None:
    links = chain.links(client.chain(call_of(Path("/tree"), ENVIRON, "name: acme\n")))
    (file,) = [link for link in links if link.args.get("contents") == "name: acme\n"]
    (said,) = [link for link in links if link.args.get("name") == VARIABLE]
    assert said.args["value"] == file.args["path"]
    assert not file.args["path"].startswith(chains.TREE)


@pytest.mark.parametrize("said", ["", "Traceback", "{}", "[]"])
def test_a_container_without_a_report_is_an_error(said: str) -> None:
    with pytest.raises(EngineError, match="exit code 137 and no report"):
        report_of(Ended(137, said))
