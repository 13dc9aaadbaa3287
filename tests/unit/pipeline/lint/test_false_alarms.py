"""What the rules said wrongly of public pipelines that they had not seen, each in its smallest form."""

from pathlib import Path
from typing import Any

import pytest
from tagline.pipeline.compiled import Compiled
from tagline.pipeline.lint import pins, registry, source
from tagline.pipeline.lint.secrets import masked
from tagline.pipeline.lint.source import Source

from .sound import container, sound, task

CALL = "from kfp import dsl\ndsl.VolumeOp()\n"


def found(made: Compiled, rule: str) -> list[str]:
    return [each.place for each in registry.compiled_findings(made) if each.rule == rule]


def secrets_of(text: str) -> list[str]:
    return [each.place for each in registry.source_findings(Source(text, "p.py"))]


def alone(name: str) -> Compiled:
    """The sound pipeline's task `one` alone, without limits and description, in a file of a name."""
    made = sound()
    made.ir["pipelineInfo"] = {"name": name}
    made.ir["root"]["dag"]["tasks"] = {"one": task(made)}
    container(made).pop("resources")
    return made


@pytest.mark.parametrize("rule", ["description-missing", "limits-missing"])
def test_the_compiled_form_of_one_component_is_no_pipeline(rule: str) -> None:
    assert "one" not in found(alone("one"), rule)
    assert "the pipeline" not in found(alone("one"), rule)
    assert found(alone("wine"), rule)
    of_kfp_1 = alone("one")
    of_kfp_1.ir["sdkVersion"] = "kfp-1.6.5"
    assert found(of_kfp_1, rule)


def test_an_input_that_another_inputs_default_hands_on_is_read() -> None:
    made = sound()
    container(made)["args"] = ["{{$.inputs.parameters['spec']}}", "{{$.outputs.artifacts['data'].path}}"]
    assert found(made, "input-unread") == ["one"]
    spec: dict[str, Any] = {"args": ["--n", "{{$.inputs.parameters['n']}}"]}
    made.ir["components"]["comp-one"]["inputDefinitions"]["parameters"]["spec"] = {"defaultValue": [spec]}
    assert found(made, "input-unread") == []


@pytest.mark.parametrize(
    "value", ["dummy-not-used", "dummy-key-not-used", "fake_key", "placeholder", "unused"]
)
def test_a_value_that_says_that_it_is_none_is_no_secret(value: str) -> None:
    assert secrets_of(f"OPENAI_API_KEY = {value!r}\n") == []


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("aws_access_key_id", False),
        ("minio_access_key", False),
        ("aws_secret_access_key", True),
        ("minio_secret_key", True),
        ("storage_account_access_key", True),
    ],
)
def test_an_access_keys_id_is_a_user_name_and_the_key_a_secret(name: str, secret: bool) -> None:
    assert (secrets_of(f"{name} = 'minio1234'\n") == [name]) is secret


def test_an_access_keys_id_of_the_known_form_is_found_by_any_name() -> None:
    assert secrets_of(f"aws_access_key_id = '{'AKIA' + 'ABCDEFGHIJKLMNOP'}'\n") == ["aws_access_key_id"]


def test_the_name_of_a_secret_that_a_task_is_given_is_no_secret() -> None:
    text = "roboflow_api_key = 'roboflow'\n"
    assert secrets_of(text) == ["roboflow_api_key"]
    assert secrets_of(text + "use_secret_as_env(task, secret_name=roboflow_api_key)\n") == []


@pytest.mark.parametrize(
    ("line", "first"),
    [
        ("kfp==1.8.12", True),
        ("kfp[all]~=1.8", True),
        ("kfp>=1.8,<2", True),
        ("kfp<2.0.0", True),
        ('kfp = "1.8.13"', True),
        ('kfp = "^1.8"', True),
        ('dependencies = ["kfp==1.8.22"]', True),
        ('kfp = {version = "1.8.22", extras = ["all"]}', True),
        ("kfp", False),
        ("kfp==2.0.0b1", False),
        ("kfp>=1.8", False),
        ("kfp>=2.0.0", False),
        ("kfp-server-api==1.8.1", False),
        ("my-kfp==1.0", False),
        ("# kfp==1.8.12", False),
        ("", False),
    ],
)
def test_a_project_that_pins_kfp_1_is_told_apart(line: str, first: bool) -> None:
    assert pins.pins_kfp_1(f"pandas==2.2.0\n{line}\n") is first


@pytest.mark.parametrize(
    "text", [CALL, "from kfp.v2 import compiler\n"], ids=["kfp-call-gone", "kfp-v2-module"]
)
def test_kfp_1s_own_names_are_right_where_the_project_pins_kfp_1(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "src" / "pipelines"
    folder.mkdir(parents=True)
    (file := folder / "p.py").write_text(text)
    (tmp_path / ".git").mkdir()
    assert len(registry.source_findings(source.read(file))) == 1
    (tmp_path / "pyproject.toml").write_text('[tool.poetry.dependencies]\nkfp = "1.8.13"\n')
    assert registry.source_findings(source.read(file)) == []
    (folder / "requirements.txt").write_text("kfp==2.14.0\n")
    assert len(registry.source_findings(source.read(file))) == 1


def test_a_pin_above_the_repository_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("kfp==1.8.12\n")
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    (file := tmp_path / "repo" / "p.py").write_text(CALL)
    assert len(registry.source_findings(source.read(file))) == 1


@pytest.mark.parametrize(
    ("name", "value", "hidden"),
    [("minio_access_key", "minio", True), ("aws_access_key_id", "x9", True), ("user", "minio", False)],
)
def test_a_diff_shows_neither_half_of_an_access_key(name: str, value: str, hidden: bool) -> None:
    assert masked(name, value) is hidden
