"""Each rule finds what it is for, at its place, and says nothing of a sound pipeline."""

from collections.abc import Callable
from typing import Any

import pytest
from tagline.pipeline.compiled import Compiled
from tagline.pipeline.lint import registry
from tagline.pipeline.lint.finding import Scope
from tagline.pipeline.lint.names import folded, refusal
from tagline.pipeline.lint.source import Source

from .sound import PROGRAM, SOURCE, container, sound, task

Break = Callable[[Compiled], Any]
KEY = "AKIA" + "ABCDEFGHIJKLMNOP"


def asks(**given: Any) -> Break:
    return lambda made: container(made)["resources"].update(given)


def image(name: str) -> Break:
    return lambda made: container(made).update(image=name)


def shell(line: str) -> Break:
    return lambda made: container(made).update(command=["sh", "-c", line])


def constant(value: Any, name: str = "text") -> Break:
    def put(made: Compiled) -> None:
        task(made, "two")["inputs"]["parameters"][name] = {"runtimeValue": {"constant": value}}

    return put


def program(*lines: str, base: str = "", installs: str = "") -> Break:
    def put(made: Compiled) -> None:
        one = container(made, "light")
        one["command"][-1] = PROGRAM.replace(
            "    import json", "\n".join(f"    {each}" for each in lines) + "\n    import json"
        )
        if base:
            one["image"] = base
        if installs:
            one["command"].insert(2, f"python3 -m pip install --quiet {installs}")

    return put


def loop(items: dict[str, Any], **more: Any) -> Break:
    return lambda made: task(made).update(parameterIterator={"itemInput": "n", "items": items}, **more)


def imported(made: Compiled) -> None:
    made.ir["deploymentSpec"]["executors"]["exec-two"] = {"importer": {"artifactUri": {"constant": "/x"}}}


def exit_task(made: Compiled) -> None:
    task(made, "light").update(triggerPolicy={"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"})
    task(made, "light")["inputs"] = {"parameters": {"n": {"runtimeValue": {"constant": 1.0}}}}


def info(**given: Any) -> Break:
    return lambda made: made.ir["pipelineInfo"].update(given)


def variable(name: str, value: str) -> Break:
    return lambda made: container(made).update(env=[{"name": name, "value": value}])


def argument(word: str) -> Break:
    return lambda made: container(made)["args"].append(word)


def deaf(made: Compiled) -> None:
    container(made)["args"] = []


def unread(made: Compiled) -> None:
    container(made)["args"] = ["{{$.outputs.artifacts['data'].path}}"]


BROKEN: list[tuple[str, str, Break]] = [
    ("limits-missing", "one", lambda made: container(made).pop("resources")),
    ("gpu-anywhere", "one", asks(accelerator={"type": "nvidia.com/gpu", "count": "1"})),
    ("gpu-without-type", "one", asks(accelerator={"count": "1"})),
    ("request-over-limit", "one", asks(resourceMemoryRequest="4Gi")),
    ("request-over-limit", "one", asks(resourceCpuRequest="1500m")),
    ("image-latest", "one", image("quay.io/x/y:latest")),
    ("image-untagged", "one", image("localhost:5000/x/y")),
    ("image-ended", "one", image("python:3.8-slim")),
    ("pip-at-run-time", "one", shell("pip install pandas==2.2.0 && python x.py {{$}}")),
    ("pip-unpinned", "one", shell("pip install 'pandas>=2' {{$}}")),
    ("pip-untrusted-index", "one", shell("pip install a==1 --trusted-host pypi.example {{$}}")),
    ("download-and-run", "one", shell("curl -sSf https://x.example/install | sh; echo {{$}}")),
    ("secret-by-value", "parameter 'text' of two", constant(KEY)),
    ("secret-by-value", "parameter 'db_password' of two", constant("s3cr3t!", "db_password")),
    ("secret-by-value", "variable API_KEY of one", variable("API_KEY", "0123456789abcdef")),
    ("secret-by-value", "parameter 'text' of two", constant("postgresql://me:hunter2@db/x")),
    ("secret-by-value", "light", program("connect(password='hunter2')", "def connect(**_): ...")),
    ("name-refused", "the pipeline", info(name="a" * 128)),
    ("name-refused", "the pipeline", lambda made: made.ir["pipelineInfo"].pop("name")),
    ("description-refused", "the pipeline", info(description="\N{WINE GLASS} wine")),
    ("description-missing", "the pipeline", info(description="")),
    (
        "parameter-unused",
        "parameter 'n' of the pipeline",
        lambda made: made.ir["root"]["dag"]["tasks"].clear(),
    ),
    ("input-unread", "one", unread),
    ("loop-unbounded", "one", loop({"inputParameter": "n"})),
    ("wire-broken", "two", lambda made: made.ir["root"]["dag"]["tasks"].pop("one")),
    ("wire-broken", "two", lambda made: made.ir["components"]["comp-one"].pop("outputDefinitions")),
    ("input-unfilled", "two", lambda made: task(made, "two")["inputs"].pop("artifacts")),
    ("exit-task-cached", "light", exit_task),
    ("retries-many", "one", lambda made: task(made).update(retryPolicy={"maxRetryCount": 99})),
    ("output-file-placeholder", "one", argument("--to={{$.outputs.output_file}}")),
    ("argument-too-long", "parameter 'text' of two", constant("x" * 131072)),
    ("argument-too-long", "one", argument("x" * 131072)),
    ("variable-too-long", "variable A of one", variable("A", "x" * 131070)),
    ("outputs-out-of-reach", "one", deaf),
    ("cached-clock", "light", program("from datetime import datetime as d; d.now()")),
    ("cached-chance", "light", program("import random; random.randint(1, 2)")),
    ("cached-network", "light", program("from urllib.request import urlretrieve as u; u('a', 'b')")),
    ("path-of-one-machine", "parameter 'text' of two", constant("/home/ada/data.csv")),
    ("address-of-one-machine", "parameter 'text' of two", constant("http://localhost:9000")),
    ("address-of-one-machine", "light", program("host = '10.1.2.3:5432'")),
    ("root-hard-coded", "the pipeline", lambda made: made.ir.update(defaultPipelineRoot="s3://one")),
    ("component-reads-outside", "light", program("print(CONFIG)")),
    (
        "import-not-installed",
        "light",
        program("import sklearn", base="python:3.12", installs="pandas==2.2.0"),
    ),
    ("one-model", "the pipeline", lambda made: made.ir["components"]["comp-two"].pop("outputDefinitions")),
    ("not-run-locally", "importer (two)", imported),
    ("image-not-by-digest", "one", image("quay.io/x/y:1.2")),
]
FINE: list[tuple[str, Break]] = [
    ("gpu-anywhere", lambda made: (asks(accelerator={"type": "g"})(made), tolerate(made))),
    (
        "request-over-limit",
        asks(resourceMemoryRequest="512Mi", resourceCpuRequest="{{$.inputs.parameters['c']}}"),
    ),
    ("image-latest", image("{{$.inputs.parameters['image']}}")),
    ("image-untagged", image("argostub/createpvc")),
    ("image-ended", image("python:3.11-slim")),
    ("secret-by-value", constant("hf-token", "secret_key")),
    ("secret-by-value", constant("", "password")),
    ("secret-by-value", constant("128", "max_tokens")),
    ("secret-by-value", constant("DB_PASSWORD", "password")),
    ("name-refused", info(name="a" * 127)),
    ("loop-unbounded", loop({"raw": "[1, 2]"})),
    ("loop-unbounded", loop({"inputParameter": "n"}, iteratorPolicy={"parallelismLimit": 3})),
    ("retries-many", lambda made: task(made).update(retryPolicy={"maxRetryCount": 3})),
    ("variable-too-long", variable("A", "x" * 131069)),
    ("cached-chance", program("import random; random.seed(1); random.random()")),
    (
        "cached-clock",
        lambda made: (program("import datetime; datetime.datetime.now()")(made), uncached(made)),
    ),
    ("component-reads-outside", program("x = [y for y in (1,)]; print(x, NamedTuple)")),
    ("import-not-installed", program("import numpy", base="python:3.12", installs="pandas==2.2.0")),
    ("import-not-installed", program("import numpy", base="mine:1", installs="kfp==2.17.0")),
    ("address-of-one-machine", constant("0.0.0.0")),
]


def tolerate(made: Compiled) -> None:
    made.platform.update(
        platforms={"kubernetes": {"deploymentSpec": {"executors": {"exec-one": {"tolerations": [{}]}}}}}
    )


def uncached(made: Compiled) -> None:
    task(made, "light")["cachingOptions"] = {}


def scope_of(rule: str) -> Scope:
    scopes = registry.BY_ID[rule].scopes
    return Scope.FILE if Scope.FILE in scopes else sorted(scopes)[0]


def found(made: Compiled, rule: str) -> list[str]:
    return [each.place for each in registry.compiled_findings(made, scope_of(rule)) if each.rule == rule]


@pytest.mark.parametrize("scope", [Scope.FILE, Scope.RELEASE, Scope.PROJECT, Scope.LOCAL])
def test_a_sound_pipeline_has_no_finding(scope: Scope) -> None:
    made = registry.compiled_findings(sound(), scope)
    assert [each for each in made if each.rule != "not-run-locally"] == []


@pytest.mark.parametrize(
    ("rule", "place", "spoil"), BROKEN, ids=lambda each: each if isinstance(each, str) else ""
)
def test_a_rule_finds_what_it_is_for_and_names_the_place(rule: str, place: str, spoil: Break) -> None:
    made = sound()
    spoil(made)
    assert place in found(made, rule)


@pytest.mark.parametrize(("rule", "change"), FINE, ids=lambda each: each if isinstance(each, str) else "")
def test_a_rule_leaves_alone_what_only_looks_like_it(rule: str, change: Break) -> None:
    made = sound()
    change(made)
    assert found(made, rule) == []


def test_every_rule_over_compiled_files_has_a_case() -> None:
    assert {rule.id for rule in registry.COMPILED} - {"names-collide"} == {rule for rule, _, _ in BROKEN}


SOURCES: list[tuple[str, str, str]] = [
    ("secret-in-source", 'os.environ["PASSWORD"]', '"hunter2"'),
    ("source-reads-outside", "return len(", "return os.getpid() + len("),
    ("kfp-call-gone", "from kfp import compiler, dsl", "from kfp import dsl\ndsl.ContainerOp(name='x')"),
    ("kfp-v2-module", "from kfp import compiler", "from kfp.v2 import compiler"),
]


@pytest.mark.parametrize(("rule", "old", "new"), SOURCES)
def test_a_rule_finds_what_it_is_for_in_a_source_with_its_line(rule: str, old: str, new: str) -> None:
    assert registry.source_findings(Source(SOURCE, "p.py")) == []
    text = SOURCE.replace(old, new)
    (finding,) = registry.source_findings(Source(text, "p.py"))
    assert finding.rule == rule
    assert new.splitlines()[-1] in text.splitlines()[finding.line - 1]


@pytest.mark.parametrize(
    ("module", "locked"), [("sklearn.svm", True), ("yaml", True), ("torch", False), ("tagline_task", True)]
)
def test_an_import_that_the_lock_lacks_is_found(module: str, locked: bool) -> None:
    source = Source(f"import {module}\n", "task.py", frozenset({"scikit-learn", "pyyaml"}))
    assert ([each.rule for each in registry.source_findings(source)] == []) is locked


def test_every_rule_over_sources_has_a_case() -> None:
    by_themselves = {"import-not-locked", "component-not-locked"}
    assert {rule.id for rule in registry.SOURCE} - by_themselves == {rule for rule, _, _ in SOURCES}


@pytest.mark.parametrize(
    ("text", "lacking"),
    [
        ("from tagline.components.v1 import split", "pyarrow"),
        ("from tagline.components import v1\nv1.read_parquet(uri='s3://a/b')", "pyarrow, s3fs"),
        ("import tagline\nsplit = tagline.component('tagline-split-v1')", "pyarrow"),
        ("from tagline_task.components.v1.split import split", "pyarrow"),
        ("from tagline.components.v1 import register", ""),
        ("import tagline\nsplit = tagline.component('tagline-split-v1', image='other:1')", ""),
        ("import tagline\nsplit = tagline.component('tagline-splat-v1')", ""),
        ("import tagline\nsplit = tagline.component('split')", ""),
    ],
)
def test_a_common_component_that_the_lock_does_not_serve_is_found(text: str, lacking: str) -> None:
    found = registry.source_findings(Source(text, "pipeline.py", packages=frozenset({"fsspec"})))
    reasons = [each.reason for each in found if each.rule == "component-not-locked"]
    assert reasons == ([f"it needs {lacking}, which src/requirements.txt does not have"] if lacking else [])
    served = frozenset({"fsspec", "pyarrow", "s3fs"})
    assert registry.source_findings(Source(text, "pipeline.py", packages=served)) == []
    assert registry.source_findings(Source(text, "pipeline.py")) == []


def test_a_call_of_kfp_1_beside_one_of_kfp_2_is_left_alone() -> None:
    text = "import kfp.components as c\nif OLD:\n    c.create_component_from_func(f)\n"
    assert registry.source_findings(Source(text, "p.py")) == []


@pytest.mark.parametrize(
    ("file", "found"), [("v1/p.py", 0), ("train_v1.py", 0), ("v10/p.py", 1), ("p.py", 1)]
)
def test_a_file_whose_path_says_kfp_1_is_left_alone(file: str, found: int) -> None:
    assert len(registry.source_findings(Source("from kfp import dsl\ndsl.VolumeOp()\n", file))) == found


@pytest.mark.parametrize("name", ["", "a" * 128, "a" * 129, "a/b", "wine \N{WINE GLASS}"])
def test_a_name_that_a_real_server_refuses_is_refused(name: str) -> None:
    assert refusal(name)


@pytest.mark.parametrize("pair", [("Name", "name"), ("é", "e"), ("straße", "STRASSE")])
def test_names_are_compared_as_the_server_compares_them(pair: tuple[str, str]) -> None:
    assert folded(pair[0]) == folded(pair[1])


def test_every_rule_says_why_and_how_to_mend_it() -> None:
    for rule in registry.BY_ID.values():
        assert rule.why.endswith(".")
        assert rule.fix


def test_there_are_twenty_rules_and_more() -> None:
    assert len(registry.BY_ID) == len(registry.COMPILED) + len(registry.SOURCE) >= 20
