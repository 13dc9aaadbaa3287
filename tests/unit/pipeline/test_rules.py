"""The rules of check: each finds what it is for, names the place and the mending, and leaves a sound file alone."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tagline.errors import CheckFailed
from tagline.flow.checking.linting import refuse
from tagline.pipeline import compiled
from tagline.pipeline.compiled import Compiled
from tagline.pipeline.lint.finding import Finding, Level, Scope
from tagline.pipeline.lint.registry import compiled_findings
from tagline.pipeline.rules import ARGUMENT_LIMIT, argument_too_long, unsupported

from .conftest import PLAIN_KFP, SOUND

ByKfp = Callable[[str], Compiled]
GROUPS = """
@dsl.component(base_image="python:3.11")
def light(a: int) -> int:
    return a

@dsl.pipeline
def p(n: int = 3):
    last = light(a=1)
    with dsl.ExitHandler(last):
        first = one(n=n)
        with dsl.If(first.outputs["out"] == 3):
            two(data=first.outputs["data"])
        with dsl.Elif(first.outputs["out"] == 4):
            two(data=first.outputs["data"])
        with dsl.Else():
            two(data=first.outputs["data"])
        with dsl.If(n != 7):
            one(n=n)
        with dsl.ParallelFor([1, 2]) as each:
            one(n=each)
        dsl.importer(artifact_uri="/x", artifact_class=dsl.Dataset)
"""


def check(made: Compiled) -> list[Finding]:
    """What `tagline check` finds on the local platform."""
    return compiled_findings(made, Scope.LOCAL)


def only(findings: list[Finding]) -> Finding:
    assert len(findings) == 1, findings
    return findings[0]


@pytest.fixture
def sound(by_kfp: ByKfp) -> Compiled:
    return by_kfp("@dsl.pipeline\ndef p(n: int = 3):\n    two(data=one(n=n).outputs['data'])")


def test_a_sound_pipeline_has_no_finding(sound: Compiled) -> None:
    assert check(sound) == []
    assert unsupported(sound.ir) == []


def test_the_plain_kfp_project_has_no_finding() -> None:
    assert check(compiled.read(PLAIN_KFP / "docker/kubeflow_pipeline/pipeline.yaml")) == []


def test_every_construct_that_is_not_run_locally_is_named(by_kfp: ByKfp) -> None:
    assert sorted(unsupported(by_kfp(GROUPS).ir)) == [
        "a lightweight Python component (light), which needs an image",
        "importer (importer)",
    ]


def test_a_condition_that_no_backend_reads_is_an_error_of_check(by_kfp: ByKfp) -> None:
    text = "@dsl.pipeline\ndef p(word: str = 'a'):\n    with dsl.If(word == \"it's\"):\n        one(n=1)"
    finding = only([each for each in check(by_kfp(text)) if each.rule == "not-run-locally"])
    assert finding.level == Level.ERROR
    assert finding.place.startswith("a condition that no backend reads (condition-1): ")


@pytest.mark.parametrize("place", ["args", "command", "env"])
def test_the_output_file_placeholder_is_an_error(sound: Compiled, place: str) -> None:
    container = sound.containers()["exec-one"]
    word = "--to={{$.outputs.output_file}}"
    container[place] = [{"name": "TO", "value": word}] if place == "env" else [*container[place], word]
    finding = only(check(sound))
    assert (finding.rule, finding.level, finding.place) == ("output-file-placeholder", Level.ERROR, "one")
    assert "PIPELINE_TASK_EXECUTOR_INPUT_PLACEHOLDER" in finding.fix


def test_a_default_over_128_kib_is_an_error_that_names_the_parameter(by_kfp: ByKfp) -> None:
    pipeline = "@dsl.pipeline\ndef p(words: list = ['x' * 65536, 'y' * 65536]):\n"
    made = by_kfp(f"{pipeline}    two(data=one(n=1).outputs['data'])")
    finding = only([each for each in check(made) if each.rule != "parameter-unused"])
    assert (finding.rule, finding.level) == ("argument-too-long", Level.ERROR)
    assert finding.place == "parameter 'words' of the pipeline"


def test_a_default_under_128_kib_is_fine(by_kfp: ByKfp) -> None:
    pipeline = "@dsl.pipeline\ndef p(words: str = 'x' * 131071):\n"
    made = by_kfp(f"{pipeline}    two(data=one(n=1).outputs['data'])")
    assert [each.rule for each in check(made)] == ["parameter-unused"]


def test_a_constant_over_128_kib_is_an_error_that_names_task_and_parameter(by_kfp: ByKfp) -> None:
    made = by_kfp("@dsl.pipeline\ndef p():\n    two(data=one(n=1).outputs['data'], text='ä' * 65536)")
    assert only(check(made)).place == "parameter 'text' of two"


def test_a_task_that_is_told_no_path_for_its_outputs_is_a_warning(sound: Compiled) -> None:
    sound.containers()["exec-two"]["args"] = []
    finding = only([each for each in check(sound) if each.rule != "input-unread"])
    assert (finding.rule, finding.level, finding.place) == ("outputs-out-of-reach", Level.WARNING, "two")
    assert "'model'" in finding.reason


def test_a_pipeline_without_a_model_is_a_warning(by_kfp: ByKfp) -> None:
    finding = only(check(by_kfp("@dsl.pipeline\ndef p():\n    one(n=1)")))
    assert (finding.rule, finding.level) == ("one-model", Level.WARNING)
    assert "no output is a model" in finding.reason


def test_several_models_are_a_warning_that_lists_them(by_kfp: ByKfp) -> None:
    text = "d = one(n=1).outputs['data']\n    two(data=d)\n    two(data=d)"
    assert "two.model, two-2.model" in only(check(by_kfp(f"@dsl.pipeline\ndef p():\n    {text}"))).reason


def test_errors_are_refused_all_at_once_and_warnings_are_not(by_kfp: ByKfp) -> None:
    warned = check(by_kfp("@dsl.pipeline\ndef p():\n    one(n=1)"))
    refuse(warned, "pipeline.yaml")
    with pytest.raises(CheckFailed) as caught:
        refuse(check(by_kfp(GROUPS)), "pipeline.yaml")
    assert caught.value.what.startswith("2 error(s) in the compiled pipeline:")
    assert caught.value.where == "pipeline.yaml"


def test_errors_come_before_warnings(by_kfp: ByKfp) -> None:
    levels = [finding.level for finding in check(by_kfp(GROUPS.replace("two(", "one(n=1) or str(")))]
    assert levels == sorted(levels, key=lambda level: level is Level.WARNING)
    assert set(levels) == {Level.ERROR, Level.WARNING}


@pytest.mark.parametrize(("length", "fits"), [(ARGUMENT_LIMIT - 1, True), (ARGUMENT_LIMIT, False)])
def test_the_limit_of_an_argument_is_the_kernels(length: int, fits: bool) -> None:
    argv = ["true", "x" * length]
    assert (argument_too_long(argv, {}) == "") is fits
    if fits:
        assert subprocess.run(argv, check=False).returncode == 0
    else:
        with pytest.raises(OSError, match="Argument list too long"):
            subprocess.run(argv, check=False)


def test_the_largest_parameter_of_a_long_argument_is_named() -> None:
    given = {"inputs": {"parameterValues": {"n": 3, "words": ["x" * ARGUMENT_LIMIT], "text": "y"}}}
    said = argument_too_long(["python", "x" * (ARGUMENT_LIMIT + 90)], given)
    assert said.startswith(f"parameter 'words' has {ARGUMENT_LIMIT + 4} bytes")


def test_letters_count_as_the_bytes_they_are() -> None:
    assert argument_too_long(["ä" * (ARGUMENT_LIMIT // 2)], {}) != ""


def test_a_sound_pipeline_of_the_suite_is_sound_for_check_too(by_kfp: ByKfp, tmp_path: Path) -> None:
    body = SOUND.rpartition('@dsl.pipeline(name="sound")')[2].replace("def sound", "def p")
    assert check(by_kfp(f"@dsl.pipeline\n{body.lstrip()}")) == []
