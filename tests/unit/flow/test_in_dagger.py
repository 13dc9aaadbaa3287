"""What `--engine dagger` takes on, what it sends into the container, and how it reads what comes out."""

import json
from pathlib import Path

import dagger
import msgspec
import pytest
from tagline.engines.dagger import chains, client
from tagline.engines.dagger.session import Call, Ended
from tagline.errors import EngineError, NotYetSupported
from tagline.flow.agents.in_dagger import BASE_VARIABLE, as_step, call_of, check_of, report_of
from tagline.flow.report import Outcome, Report, StepReport
from tagline.flow.steps import AnyStep, Check, MakeRelease, Nothing, Plan, Promote, Smoke, Train
from tagline.git.occasion import Event
from tagline.render.json import dumps
from tagline.words import Promotion, Release

from tests.modules import chain
from tests.modules.test_modules import executed, parse

HEAD = "0123456789abcdef0123456789abcdef01234567"
CHECK = Check(reason="a pull request", smoke=True)
ENVIRON = {
    "TAGLINE_INDEX": "https://user:opensesame@packages.example/simple",
    "TAGLINE_PUSH_TOKEN": "token-that-may-push",
    "VAULT_SECRET_ID": "secret-id-of-a-task",
    "TAGLINE_LOCK": "/agent/tagline.lock",
    BASE_VARIABLE: "mirror.example/python:3.12",
}


def plan(*steps: AnyStep, event: Event = Event.PR) -> Plan:
    return Plan(event, "topic", list(steps))


def test_a_plan_of_checks_is_taken_on() -> None:
    assert check_of(plan(CHECK)) == CHECK


def test_a_plan_with_nothing_to_do_needs_no_container() -> None:
    assert check_of(plan(Nothing(reason="no change"))) is None


@pytest.mark.parametrize(
    "steps",
    [
        [Smoke(reason="", release=Release.parse("1.4.0"))],
        [MakeRelease(reason="", release=Release.parse("1.4.0"))],
        [Train(reason="", release=Release.parse("1.4.0"))],
        [Promote(reason="", promotion=Promotion.parse("promote/prod/wine/1"))],
        [CHECK, MakeRelease(reason="", release=Release.parse("1.4.0"))],
    ],
    ids=lambda steps: "+".join(type(step).__name__ for step in steps),
)
def test_a_plan_that_changes_what_lies_on_this_machine_is_refused(steps: list[AnyStep]) -> None:
    with pytest.raises(NotYetSupported, match="lies on this machine"):
        check_of(plan(*steps, event=Event.MERGE))


def test_no_credential_goes_into_the_container() -> None:
    call = call_of(CHECK, Path("/tree"), ENVIRON)
    said = json.dumps(msgspec.to_builtins(call))
    secret = [ENVIRON[name] for name in ("TAGLINE_INDEX", "TAGLINE_PUSH_TOKEN", "VAULT_SECRET_ID")]
    assert [value for value in secret if value in said] == []
    links = chain.links(client.chain(call))
    held = [(link.args["name"], link.args["secret"]) for link in links if link.name == "withSecretVariable"]
    assert {name for name, _ in held} == {"PIP_INDEX_URL", "TAGLINE_INDEX"}
    assert {chain.links(one)[-1].args["uri"] for _, one in held} == {"env://TAGLINE_INDEX"}


@pytest.mark.parametrize("source", ["index", "wheelhouse"])
def test_the_line_of_a_call_is_the_check_of_the_module(source: str) -> None:
    environ = ENVIRON if source == "index" else {"TAGLINE_WHEELHOUSE": "/agent/wheels"}
    links = chain.links(client.chain(call_of(CHECK, Path("/tree"), environ)))
    (line,) = [line for line in executed(links) if line[0] == "tagline"]
    assert parse(line) == "check"
    made = chain.main_object("check")(wheelhouse=chain.sample(dagger.Directory, "wheelhouse"))
    theirs = chain.links(made.report(chain.sample(dagger.Directory, "source"), smoke=True))
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


def test_the_report_of_the_container_becomes_the_step_of_the_call() -> None:
    steps = [StepReport("lock", Outcome.DONE, "pinned", 0.5), StepReport("tests", Outcome.SKIPPED, "none")]
    report = report_of(Ended(0, dumps(Report("check", "work tree", steps))))
    assert report.steps == steps
    step = as_step(report, plan(CHECK), HEAD)
    assert (step.event, step.head, step.exit_code) == ("pr", HEAD, 0)
    assert [(one.step, one.outcome, one.why) for one in step.steps] == [
        ("check", Outcome.DONE, "1 checks passed at 0123456789ab")
    ]


def test_the_exit_code_of_the_container_is_the_calls() -> None:
    failed = Report(
        "check", "work tree", [StepReport("tests", Outcome.FAILED, "1 failed")], 36, "1 failed\n  fix: it"
    )
    step = as_step(report_of(Ended(36, dumps(failed))), plan(CHECK), HEAD)
    assert (step.exit_code, step.error) == (36, "1 failed\n  fix: it")
    assert [(one.outcome, one.why) for one in step.steps] == [(Outcome.FAILED, "1 failed")]


def test_an_error_before_the_first_check_is_the_calls_error() -> None:
    said = json.dumps({"error": {"what": "no such key", "where": "tagline.yaml:3", "fix": "", "code": 20}})
    step = as_step(report_of(Ended(20, said)), plan(CHECK), HEAD)
    assert (step.exit_code, step.error, step.where) == (20, "no such key", "tagline.yaml:3")


@pytest.mark.parametrize("said", ["", "Traceback", "{}", "[]"])
def test_a_container_without_a_report_is_an_error(said: str) -> None:
    with pytest.raises(EngineError, match="exit code 137 and no report"):
        report_of(Ended(137, said))
