"""A platform file is strict, its defaults fill what a repository leaves out, its floors cannot be loosened."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tagline import config, platform_file
from tagline.config import Config, seconds
from tagline.errors import BadWord, ConfigError, NotYetSupported, WrongVersion
from tagline.platform_file import Found, read, require_version

WHERE = "/etc/tagline/platform.yaml"
REPOSITORY = f"""\
pipeline: wine
serving: {{runtime: sklearn}}
gate:
  data: data/holdout.csv
  sha256: {"a1" * 32}
  label: cultivar
"""


def platform(text: str) -> Found:
    return platform_file.parse(f"name: acme\n{text}", WHERE)


def under(floors: str, repository: str = REPOSITORY) -> Config:
    return read(repository, "tagline.yaml", "wine", platform(f"floors: {{{floors}}}"))


def refused(floors: str, repository: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        under(floors, repository)
    return caught.value


def test_a_repository_under_no_platform_file_reads_as_before() -> None:
    assert read(REPOSITORY, "x", "wine", None) == config.parse(REPOSITORY)


@pytest.mark.parametrize(
    ("text", "what", "place"),
    [
        ("florrs: {}", "unknown key 'florrs'", "2:1"),
        ("floors: {max_dorp: 0.1}", "unknown key 'floors.max_dorp'", "2:10"),
        ("floors: {max_drop: 2}", "floors.max_drop", "2:20"),
        ("floors: {tagline: new}", "floors.tagline must be one exact version", "2:19"),
        ("defaults: {rolout: {}}", "unknown key 'rolout'", "2:12"),
        ("defaults: {rollout: {stepz: [5]}}", "unknown key 'rollout.stepz'", "2:22"),
        ("defaults: {train: later}", "'later' is not one of", "2:19"),
        ("defaults: {pipeline: wine}", "for each repository to say", "2:12"),
        ("defaults: {gate: {}}", "for each repository to say", "2:12"),
        ("defaults: {rollout: {steps: [10]}}\nfloors: {first_step: 5}", "rollout.steps is [10]", "2:29"),
    ],
)
def test_a_mistake_in_a_platform_file_names_its_place(text: str, what: str, place: str) -> None:
    with pytest.raises(ConfigError) as caught:
        platform(text)
    assert what in caught.value.what
    assert caught.value.where == f"{WHERE}:{place}"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("registries: {}", "registries"),
        ("images: {}", "images"),
        ("floors: {approvals: 2}", "approvals"),
        ("floors: {signers: 1}", "signers"),
        ("floors: {ledger: branch}", "ledger"),
    ],
)
def test_what_a_later_version_serves_is_refused_by_name(text: str, name: str) -> None:
    with pytest.raises(NotYetSupported, match=name):
        platform(text)


def test_a_platform_file_without_a_name_or_with_a_bad_one_is_refused() -> None:
    with pytest.raises(ConfigError, match="name"):
        platform_file.parse("floors: {}", WHERE)
    with pytest.raises(BadWord):
        platform_file.parse("name: ACME", WHERE)


def test_defaults_stand_where_the_repository_says_nothing_key_by_key() -> None:
    found = platform("defaults: {environments: [staging, prod], rollout: {steps: [5, 50], ttl: 20s}}")
    made = read(REPOSITORY + "rollout: {ttl: 40s}\n", "tagline.yaml", "wine", found)
    assert made.environments == ["staging", "prod"]
    assert (made.rollout.steps, made.rollout.ttl) == ([5, 50], "40s")


@pytest.mark.parametrize(
    ("floors", "line", "said", "place"),
    [
        (
            "max_drop: 0.05",
            "  metrics: {wrong: {max_drop: 0.2}}\n",
            "gate.metrics.wrong.max_drop is 0.2, and the platform 'acme' allows at most 0.05 (floors.max_drop)",
            "7:31",
        ),
        (
            "floor: 0.7",
            "  metrics: {wrong: {floor: 0.6}}\n",
            "gate.metrics.wrong.floor is 0.6, and the platform 'acme' allows at least 0.7 (floors.floor)",
            "7:28",
        ),
        (
            "first_step: 5",
            "rollout: {steps: [6, 50]}\n",
            "rollout.steps is [6, 50], and the platform 'acme' allows at most 5 (floors.first_step)",
            "7:18",
        ),
        (
            "step_time: 1m",
            "rollout: {step_time: 59s}\n",
            "rollout.step_time is 59s, and the platform 'acme' allows at least 1m (floors.step_time)",
            "7:22",
        ),
        (
            "max_bad_increase: 0.01",
            "rollout: {max_bad_increase: 0.02}\n",
            "rollout.max_bad_increase is 0.02, and the platform 'acme' allows at most 0.01"
            " (floors.max_bad_increase)",
            "7:29",
        ),
        (
            "ttl: 10s",
            "rollout: {ttl: 11s}\n",
            "rollout.ttl is 11s, and the platform 'acme' allows at most 10s (floors.ttl)",
            "7:16",
        ),
    ],
)
def test_a_value_that_loosens_a_floor_is_refused_by_key_floor_value_and_place(
    floors: str, line: str, said: str, place: str
) -> None:
    error = refused(floors, REPOSITORY + line)
    assert error.what == said
    assert error.where == f"tagline.yaml:{place}"


def test_a_served_model_without_a_gate_is_refused_where_the_platform_wants_one() -> None:
    error = refused("gate: true", "pipeline: wine\nserving: {runtime: sklearn}\n")
    assert "floors.gate" in error.what and error.where == "tagline.yaml:2:1"
    assert under("gate: true", "pipeline: wine\n").gate is None


def test_a_repository_that_says_nothing_gets_the_floor_where_the_default_is_looser() -> None:
    made = under("max_drop: 0.05, floor: 0.7, first_step: 5, step_time: 3m, ttl: 10s, max_bad_increase: 0.01")
    assert made.gate is not None
    assert made.gate.metrics == {"wrong": config.Metric(0.05, 0.7)}
    assert made.rollout == config.Rollout([5, 10, 25, 50], "3m", "30m", 0.01, "10s")


def test_a_default_that_is_stricter_than_the_floor_stays() -> None:
    assert under("max_drop: 0.5, first_step: 10, ttl: 10m").rollout == config.Rollout()


shares = st.integers(1, 99).map(lambda n: n / 100)
floors_said = st.fixed_dictionaries(
    {},
    optional={
        "max_drop": shares,
        "floor": shares,
        "first_step": st.integers(1, 10),
        "step_time": st.integers(1, 300).map(lambda n: f"{n}s"),
        "max_bad_increase": shares,
        "ttl": st.integers(1, 300).map(lambda n: f"{n}s"),
    },
)
rollouts = st.fixed_dictionaries(
    {},
    optional={
        "steps": st.lists(st.integers(1, 10), min_size=1, max_size=1),
        "step_time": st.integers(1, 300).map(lambda n: f"{n}s"),
        "max_bad_increase": shares,
        "ttl": st.integers(1, 300).map(lambda n: f"{n}s"),
    },
)
metrics = st.fixed_dictionaries({}, optional={"max_drop": shares, "floor": shares})


@given(floors_said, rollouts, metrics)
def test_no_repository_gets_below_a_floor_whatever_it_writes_or_leaves_out(
    limits: dict[str, Any], rollout: dict[str, Any], metric: dict[str, Any]
) -> None:
    words = ", ".join(f"{key}: {value}" for key, value in limits.items())
    text = REPOSITORY + f"  metrics: {{wrong: {metric}}}\nrollout: {rollout}\n".replace("'", "")
    written = {**rollout, **metric}
    try:
        made = under(words, text)
    except ConfigError as error:
        assert "floors." in error.what and ("steps" if "first_step" in error.what else "") in str(written)
        return
    assert made.gate is not None
    (judged,) = made.gate.metrics.values()
    assert judged.max_drop <= limits.get("max_drop", 1)
    assert judged.floor >= limits.get("floor", 0)
    assert made.rollout.steps[0] <= limits.get("first_step", 10)
    assert made.rollout.max_bad_increase <= limits.get("max_bad_increase", 1)
    assert seconds(made.rollout.step_time) >= seconds(limits.get("step_time", "0s"))
    assert seconds(made.rollout.ttl) <= seconds(limits.get("ttl", "999h"))


@pytest.mark.parametrize("version", ["1.2.0", "0.9.0rc1"])
def test_another_version_than_the_policys_is_an_error_that_names_the_command(version: str) -> None:
    with pytest.raises(WrongVersion) as caught:
        require_version(f"pipeline: wine\ntagline: {version}\n", "main:tagline.yaml", None, "0.1.0")
    assert f"this is tagline 0.1.0, and the policy is for {version}" in caught.value.what
    assert caught.value.where == "main:tagline.yaml:2:10"
    assert f"'tagline=={version}'" in caught.value.fix and "--index-url" in caught.value.fix


def test_a_policy_of_a_later_version_is_told_apart_from_a_broken_one() -> None:
    with pytest.raises(WrongVersion):
        require_version("tagline: 9.0.0\na_key_of_9: 1\n", "main:tagline.yaml", None, "0.1.0")


@pytest.mark.parametrize("text", ["", "tagline: 0.1.0\n", "pipeline: wine\n"])
def test_the_policys_own_version_may_act(text: str) -> None:
    require_version(text, "main:tagline.yaml", None, "0.1.0")
    require_version(text, "main:tagline.yaml", platform("tagline: 0.1.0"), "0.1.0")


def test_the_platform_may_set_the_version_and_the_repository_another_one() -> None:
    with pytest.raises(WrongVersion):
        require_version("", "main:tagline.yaml", platform("tagline: 2.0.0"), "0.1.0")
    require_version("tagline: 0.1.0\n", "main:tagline.yaml", platform("tagline: 2.0.0"), "0.1.0")


def test_no_version_below_the_floor_may_act() -> None:
    with pytest.raises(WrongVersion, match=r"floors\.tagline"):
        require_version("", "main:tagline.yaml", platform("floors: {tagline: 0.10.0}"), "0.9.0")
    with pytest.raises(ConfigError, match=r"floors\.tagline") as caught:
        require_version("tagline: 0.9.0\n", "f", platform("floors: {tagline: 0.10.0}"), "0.9.0")
    assert caught.value.where == "f:1:10"


@pytest.mark.parametrize("word", ["v1", "'>=1'", "latest", "1"])
def test_a_version_that_is_not_exact_is_refused(word: str) -> None:
    with pytest.raises(ConfigError, match="exact version"):
        config.parse(f"tagline: {word}" if word != "1" else 'tagline: "1"', default_name="wine")
