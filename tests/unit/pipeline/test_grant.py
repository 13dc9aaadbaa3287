"""One line in tagline.yaml gives every task the Secret with Vault's credentials."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tagline import config
from tagline.errors import ConfigError
from tagline.pipeline import compiled
from tagline.pipeline.compile import compile_file
from tagline.platforms.local import spec

from .conftest import HEAD, SOUND

Write = Callable[[str], Path]
LOOP = f"""{HEAD}
@dsl.pipeline(name="looped")
def looped():
    with dsl.ParallelFor([1, 2]) as n:
        one(n=n)
"""
BY_HAND = f"""{HEAD}
@dsl.pipeline(name="sound")
def sound():
    first = one(n=3)
    kubernetes.use_secret_as_env(first, "my-own", {{"id": "VAULT_ROLE_ID"}})
"""


def asked(pipeline: Write, tmp_path: Path, text: str, line: str) -> dict[str, Any]:
    """What each executor asks of Kubernetes, compiled with that line in tagline.yaml."""
    file = pipeline(text)
    (file.parent / "tagline.yaml").write_text(line)
    made = compiled.read(compile_file(file, tmp_path / "out.yaml"))
    executors: dict[str, Any] = made.platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    return executors


def variables(wish: dict[str, Any]) -> dict[str, str]:
    return {pair["envVar"]: use["secretName"] for use in wish["secretAsEnv"] for pair in use["keyToEnv"]}


def test_every_task_gets_the_secret_as_environment_beside_its_own(pipeline: Write, tmp_path: Path) -> None:
    found = asked(pipeline, tmp_path, SOUND, "secrets: {approle: vault-approle}")
    assert sorted(found) == ["exec-one", "exec-two"]
    assert variables(found["exec-one"])["TOKEN"] == "warehouse"
    for wish in found.values():
        assert variables(wish)["VAULT_SECRET_ID"] == "vault-approle"
    needed, optional = found["exec-two"]["secretAsEnv"]
    assert not needed.get("optional") and optional["optional"] is True
    assert [pair["envVar"] for pair in needed["keyToEnv"]] == [
        "VAULT_ADDR",
        "VAULT_ROLE_ID",
        "VAULT_SECRET_ID",
    ]


def test_the_result_is_what_the_functions_of_kfp_kubernetes_give(
    pipeline: Write, tmp_path: Path, by_kfp: Callable[[str], compiled.Compiled]
) -> None:
    text = (
        '@dsl.pipeline(name="sound")\ndef p():\n    t = one(n=1)\n'
        '    kubernetes.use_secret_as_volume(t, "vault-approle", "/var/run/secrets/tagline/vault")\n'
    )
    plain = f'{HEAD}\n@dsl.pipeline(name="sound")\ndef p():\n    one(n=1)\n'
    found = asked(pipeline, tmp_path, plain, "secrets: {approle: vault-approle, deliver: volume}")
    assert found == by_kfp(text).platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]


def test_a_task_in_a_loop_gets_it_too(pipeline: Write, tmp_path: Path) -> None:
    found = asked(pipeline, tmp_path, LOOP, "secrets: {approle: vault-approle}")
    assert variables(found["exec-one"])["VAULT_ADDR"] == "vault-approle"


def test_a_variable_that_the_pipeline_sets_itself_is_left_to_it(pipeline: Write, tmp_path: Path) -> None:
    found = asked(pipeline, tmp_path, BY_HAND, "secrets: {approle: vault-approle}")
    assert variables(found["exec-one"])["VAULT_ROLE_ID"] == "my-own"
    assert variables(found["exec-one"])["VAULT_ADDR"] == "vault-approle"


def test_without_the_line_the_compiled_file_is_kfp_s_own(pipeline: Write, tmp_path: Path) -> None:
    found = asked(pipeline, tmp_path, SOUND, "pipeline: sound")
    assert list(found) == ["exec-one"]


@pytest.mark.parametrize("deliver", ["env", "volume"])
def test_the_local_platform_asks_for_the_same_names_in_both_forms(
    pipeline: Write, tmp_path: Path, deliver: str
) -> None:
    asked(pipeline, tmp_path, SOUND, f"secrets: {{approle: vault-approle, deliver: {deliver}}}")
    uses = list(spec.secret_uses(spec.read_pipeline(tmp_path / "out.yaml"), {}))
    needed = {use.variable for use in uses if use.task == "two" and not use.optional}
    assert needed == {"VAULT_ADDR", "VAULT_ROLE_ID", "VAULT_SECRET_ID"}
    assert {use.variable for use in uses if use.task == "two" and use.optional} >= {"VAULT_NAMESPACE"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("secrets: {approle: Vault}", "cannot name a Kubernetes Secret"),
        ("secrets: {path: 'wine/{stage}'}", "is no path"),
        ("secrets: {path: ../other}", "is no path"),
        ("secrets: {path: 'wine/*'}", "is no path"),
        ("secrets: {path: 'a\" }', mount: 'b c'}", "is no path"),
        ("secrets: {keys: [A]}", "without secrets.path"),
        ("secrets: {deliver: mail}", "not one of env, volume"),
    ],
)
def test_a_line_that_cannot_be_meant_is_refused(
    pipeline: Write, tmp_path: Path, line: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        asked(pipeline, tmp_path, SOUND, line)


@pytest.mark.parametrize("key", ["path", "mount", "keys"])
def test_the_way_out_names_the_key_at_fault_or_the_one_that_lacks_and_can_be_pasted(key: str) -> None:
    line = "keys: [A]" if key == "keys" else f"{key}: 'x y'"
    with pytest.raises(ConfigError) as caught:
        config.parse(f"secrets:\n  {line}\n", default_name="wine")
    fix = caught.value.fix
    assert fix.startswith(f"{'path' if key == 'keys' else key}: ")
    assert config.parse(f"secrets:\n  {fix}\n", default_name="wine").secrets
    assert config.parse(f"secrets: {{{fix}}}\n", default_name="wine").secrets
