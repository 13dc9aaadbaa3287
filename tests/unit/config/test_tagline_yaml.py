"""tagline.yaml is strict: each mistake names its line, its column and the way out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tagline.config import Config, Train, parse
from tagline.errors import BadWord, ConfigError, NotYetSupported, UnknownName

DIGEST = "a1" * 32
EXAMPLE = f"""\
pipeline: wine
environments: [staging, prod]
smoke: {{trees: 5}}
serving: {{runtime: sklearn}}
gate:
  data: data/holdout.csv
  sha256: {DIGEST}
  label: cultivar
  metrics: {{wrong: {{max_drop: 0.10, floor: 0.75}}}}
rollout: {{steps: [10, 50], step_time: 20s, max_duration: 5m}}
"""


def refusal(text: str, kind: type[ConfigError] = ConfigError) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse(text, default_name="wine")
    assert type(caught.value) is kind
    return caught.value


def test_the_example_of_the_documentation_reads_as_it_says() -> None:
    config = parse(EXAMPLE)
    assert config.pipeline == "wine"
    assert config.environments == ["staging", "prod"]
    assert config.gate is not None and config.gate.metrics["wrong"].floor == 0.75
    assert config.rollout.steps == [10, 50] and config.train is Train.ON_RELEASE


@pytest.mark.parametrize("text", ["", "\n", "# nothing yet\n", "---\n", "---\n# nothing\n...\n", "null"])
def test_a_file_that_says_nothing_gives_the_defaults(text: str) -> None:
    assert parse(text, default_name="wine") == Config(pipeline="wine")


@pytest.mark.parametrize(
    ("text", "what", "place", "fix"),
    [
        ("pipelin: wine", "unknown key 'pipelin'", "1:1", "did you mean 'pipeline'?"),
        ("smoke:\n  a: 1\ngate: {sha265: x}", "unknown key 'gate.sha265'", "3:8", "'sha256'"),
        (
            "gate: {metrics: {wrong: {max_dorp: 1}}}",
            "unknown key 'gate.metrics.wrong.max_dorp'",
            "1:26",
            "'max_drop'",
        ),
        ("models: {a: {ouput: t.m}}", "unknown key 'models.a.ouput'", "1:14", "'output'"),
        ("train: on-releas", "'on-releas' is not one of on-release, manual", "1:8", "'on-release'"),
        ("a: [1", "broken YAML", "1:6", ""),
        ("a: 1\n\tb: 2", "broken YAML", "2:1", ""),
        ("smoke: 1\nsmoke: 2", "'smoke' is given twice, first in line 1, column 1", "2:1", "keep one"),
        ("smoke: {a: 1, a: 2}", "'a' is given twice", "1:15", "keep one"),
        ("pipeline: no", "YAML reads no as true or false", "1:11", 'write "no" in quotes'),
        ("models: {on: {}}", "YAML reads on as true or false", "1:10", 'write "on" in quotes'),
        ("rollout: {step_time: 15}", "YAML reads 15 as", "1:22", "write it with its unit: 15s"),
        ("smoke_timeout: 90", "YAML reads 90 as", "1:16", "write it with its unit: 90s"),
        ("pipeline: 1.10", "YAML reads 1.10 as a number", "1:11", '"1.10"'),
        ("environments: [a, 7]", "environments[1] must be text", "1:19", '"7"'),
        (
            "rollout: {step_time: 1:30}",
            "YAML reads 1:30 as a number in a form that misleads",
            "1:22",
            '"1:30"',
        ),
        ("smoke: {a: 010}", "YAML reads 010 as a number in a form that misleads", "1:12", '"010"'),
        ("smoke: {a: 2026-11-23}", "YAML reads 2026-11-23 as a date", "1:12", '"2026-11-23"'),
        ("smoke: {a: .nan}", "YAML reads .nan as", "1:12", '".nan"'),
        ("1: a", "1 is not a name", "1:1", "quotes"),
        ("smoke: &x {a: 1}\nparameters: *x", "aliases are not read", "2:13", ""),
        ("smoke: !!python/name:os.system ''", "is not read here", "1:8", "plain value"),
        ("a: 1\n---\nb: 2", "broken YAML", "2:1", ""),
        ("serving: 3", "serving must be a mapping or empty, and is a whole number", "1:10", ""),
        ("serving: {runtime: sklaern}", "serving.runtime must be sklearn", "1:20", ""),
        ("gate: {data: x}", "gate lacks the key 'sha256'", "1:7", "add sha256"),
        ("rollout: {steps: [10.5]}", "rollout.steps[0] must be a whole number, and is a number", "1:19", ""),
        (
            "rollout: {max_bad_increase: 3}",
            "rollout.max_bad_increase is 3: expected float <= 1.0",
            "1:29",
            "",
        ),
        ("models: {a: {output: t.m}, b: {output: 1}}", "models.b.output must be text", "1:40", '"1"'),
        ("- a", "must be a mapping", "", "pipeline: my-model"),
    ],
)
def test_a_mistake_names_its_place_and_its_mending(text: str, what: str, place: str, fix: str) -> None:
    error = refusal(text)
    assert what in error.what
    assert error.where == (f"tagline.yaml:{place}" if place else "tagline.yaml")
    assert fix in error.fix


@pytest.mark.parametrize("key", ["approvals", "signers", "promotion"])
def test_what_a_later_version_brings_is_refused_by_name(key: str) -> None:
    error = refusal(f"pipeline: wine\n{key}: 2", NotYetSupported)
    assert key in error.what and "later version of tagline" in error.what
    assert error.where == "tagline.yaml:2:1"


def test_a_name_that_breaks_the_grammar_is_refused() -> None:
    assert "'Wine_1' is not a pipeline" in refusal("pipeline: Wine_1", BadWord).what


@pytest.mark.parametrize(
    ("rollout", "what"),
    [
        ("{steps: [20]}", "begin with at most 10"),
        ("{steps: [10, 10]}", "must rise"),
        ("{steps: [10, 99]}", "leave the stable model"),
        ("{steps: [10], step_time: 2h}", "longer than max_duration"),
        ("{ttl: soon}", "not a duration"),
        ("{max_bad_increase: 0.0}", "above 0"),
    ],
)
def test_a_rollout_that_cannot_be_played_is_refused(rollout: str, what: str) -> None:
    assert what in refusal(f"rollout: {rollout}").what


GATE = f"gate: {{data: d.csv, sha256: {DIGEST}, label: y, metrics: {{wrong: {{floor: 0.7}}}}}}"


@pytest.mark.parametrize(
    ("text", "what", "place"),
    [
        ("environments: []", "environments is empty", "1:15"),
        ("environments: [prod, prod]", "environments names prod twice", "1:22"),
        ("environments: [prod, Prod]", "'Prod' is not an environment", "1:22"),
        ("rollout: {max_bad_increase: 1.0}", "rollout.max_bad_increase is 1", "1:29"),
        ("rollout: {step_time: 0s}", "rollout.step_time is 0s: it must be above 0", "1:22"),
        ("rollout: {ttl: 0s}", "rollout.ttl is 0s: it must be above 0", "1:16"),
        ("rollout: {ttl: 9999h}", "rollout.ttl is 9999h: more than 720 h", "1:16"),
        ("rollout: {ttl: soon}", "rollout.ttl: 'soon' is not a duration", "1:16"),
        ("rollout: {steps: [20]}", "begin with at most 10", "1:18"),
        ("smoke_timeout: 0.0m", "smoke_timeout is 0.0m: it must be above 0", "1:16"),
        ("serving: {runtime: sklearn, timeout: 0s}", "serving.timeout is 0s: it must be above 0", "1:38"),
        ("serving: {runtime: sklearn, timeout: 2h}", "serving.timeout is 2h: more than 1 h", "1:38"),
        ("serving: {runtime: sklearn, slower_than: 0ms}", "serving.slower_than is 0ms", "1:42"),
        ("serving: {runtime: sklearn, slower_than: 10s}", "is never reached", "1:42"),
        (GATE.replace("floor: 0.7", "max_drop: 1.0"), "the gate would always pass", ""),
        (GATE.replace("floor: 0.7", "max_drop: 0.0"), "the gate would never pass", ""),
        (GATE.replace("floor: 0.7", "floor: 0.0"), "the gate would always pass", ""),
        (GATE.replace("floor: 0.7", "floor: 1.0"), "the gate would never pass", ""),
        (GATE.replace("label: y", "label: row_id"), "the column that names the rows", ""),
        (GATE.replace("label: y", "label: 'y, row_id'"), "the column that names the rows", ""),
        (GATE.replace("label: y", "label: ''"), "must name each column once", ""),
        (GATE.replace("d.csv", "../d.csv"), "is not a path inside the repository", ""),
    ],
)
def test_a_value_without_sense_is_refused_where_it_stands(text: str, what: str, place: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(f"# a comment\n{text}", default_name="wine")
    assert what in caught.value.what
    line, _, column = place.partition(":")
    assert caught.value.where.startswith(f"tagline.yaml:{int(line or 1) + 1}:{column}")


def test_quotes_make_a_word_of_what_yaml_misreads() -> None:
    assert parse('pipeline: "no"\nenvironments: ["on"]').environments == ["on"]


KEYS = st.sampled_from(
    ["pipeline", "gate", "rollout", "steps", "models", "x", "no", "1", "~", "<<", "tagline", "train"]
)
LEAVES = st.sampled_from(
    ["1", "-1.5", "no", "x", "~", "", "'q'", "1e400", "*a", "&a b", "!!int z", "2020-01-01", "0o7"]
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.lists(st.tuples(KEYS, inner), max_size=3).map(
            lambda items: "{" + ", ".join(f"{key}: {value}" for key, value in items) + "}"
        )
    ),
    max_leaves=8,
)


@given(st.text() | st.text(alphabet="ab:[]{}-, \n\t\"'&*!|>%@`0?#\\xU9"))
def test_no_text_raises_anything_but_a_config_error(text: str) -> None:
    try:
        assert isinstance(parse(text, default_name="wine"), Config)
    except ConfigError as error:
        assert str(error)


@given(st.lists(st.tuples(KEYS, VALUES), max_size=4))
def test_no_document_raises_anything_but_a_config_error(entries: list[tuple[str, str]]) -> None:
    text = "".join(f"{key}: {value}\n" for key, value in entries)
    try:
        assert isinstance(parse(text, default_name="wine"), Config)
    except ConfigError as error:
        assert error.where.startswith("tagline.yaml")


@pytest.mark.parametrize("text", ["[" * 5000, 'a: "\\UFFFFFFFF"', "\x00", "a: " + "9" * 6000, "{a: " * 3000])
def test_hostile_text_is_a_config_error_too(text: str) -> None:
    refusal(text)


SEVERAL = """pipelines:
  fraud: {paths: [fraud/], smoke: {trees: 5}}
  churn: {file: jobs/churn.py, models: {leaver: {}, stayer: {}}, gpu: 1}
smoke_timeout: 2m
"""


def test_each_of_several_pipelines_says_its_own_over_what_stands_for_all() -> None:
    whole = parse(SEVERAL)
    assert [one.pipeline for one in whole.each()] == ["churn", "fraud"]
    fraud, churn = whole.of("fraud"), whole.of("churn")
    assert (fraud.paths, fraud.smoke, fraud.gpu, fraud.smoke_timeout) == (["fraud/"], {"trees": 5}, 0, "2m")
    assert (churn.file, churn.gpu, churn.paths) == ("jobs/churn.py", 1, [])
    assert whole.model_names() == ["fraud", "leaver", "stayer"]
    assert [whole.maker(model) for model in ("stayer", "fraud", "beer")] == ["churn", "fraud", ""]
    assert churn.maker("fraud") == "fraud"


def test_an_unknown_pipeline_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match="pipeline 'frodo'"):
        parse(SEVERAL).of("frodo")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pipeline: wine\npipelines: {fraud: {}}", "a file says one of them"),
        ("models: {a: {}}\npipelines: {fraud: {}}", "models is for each of the pipelines to say"),
        ("pipelines: {fraud: {models: {a: {}}}, churn: {models: {a: {}}}}", "both make a model a"),
        ("pipelines: {fraud: {models: {churn: {}}}, churn: {}}", "both make a model churn"),
        ("pipelines: {fraud: {file: a.py}, churn: {file: a.py}}", "fraud has the same file"),
        ("pipelines: {fraud: {file: ../a.py}}", "not a Python file inside the repository"),
        ("pipelines: {Fraud: {}}", "'Fraud' is not a pipeline"),
        ("pipelines: {fraud: {smoke_timeout: 2x}}", "pipelines.fraud: smoke_timeout"),
        ("pipelines: {fraud: {environments: [prod]}}", "unknown key 'pipelines.fraud.environments'"),
    ],
)
def test_what_several_pipelines_may_not_say(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, default_name="wine")
    assert said in caught.value.what
    assert caught.value.where


def test_the_frozen_data_of_every_gate_is_held_out() -> None:
    gate = "{data: %s.csv, sha256: " + "a" * 64 + ", label: y}"
    text = f"pipelines: {{fraud: {{gate: {gate % 'f'} }}, churn: {{gate: {gate % 'c'} }} }}"
    assert parse(text).held_out() == parse(text).of("fraud").held_out() == ["c.csv", "f.csv"]
