"""How a version is served: its own runtime and time-out, but judged by nothing that it brought itself."""

from pathlib import Path

from tagline import config
from tagline.flow.promoting.resolve import spec_of
from tagline.platforms import ServerSpec
from tagline.words import ModelVersion

from tests.fakes.simulated_platform import MODEL
from tests.unit.flow.world import ONE, POLICY, TWO, stage

SERVING = "serving: {runtime: sklearn}"


def served(folder: Path, *, own: str, policy: str, version: ModelVersion = TWO) -> ServerSpec:
    """The spec of a version (a candidate, unless it is ONE, which was let in) whose release says `own`, where the
    default branch says `policy` now."""
    made = stage(folder, served=1)
    (folder / "source/tagline.yaml").write_text(POLICY.replace(SERVING, own))
    made.world.policy = config.parse(POLICY.replace(SERVING, policy))
    return spec_of(made.world, made.world.state(), MODEL, version)


def test_a_version_cannot_drop_the_bound_that_it_is_judged_by(tmp_path: Path) -> None:
    spec = served(tmp_path, own=SERVING, policy="serving: {runtime: sklearn, slower_than: 200ms}")
    assert spec.slower_than == 0.2


def test_a_version_cannot_bring_a_bound_that_the_policy_lacks(tmp_path: Path) -> None:
    spec = served(tmp_path, own="serving: {runtime: sklearn, slower_than: 9s}", policy=SERVING)
    assert spec.slower_than == 0.0


def test_a_version_may_give_its_answers_less_time(tmp_path: Path) -> None:
    spec = served(tmp_path, own="serving: {runtime: sklearn, timeout: 2s}", policy=SERVING)
    assert spec.timeout == 2.0


def test_a_version_cannot_give_its_answers_more_time_than_the_policy(tmp_path: Path) -> None:
    own = "serving: {runtime: sklearn, timeout: 1h}"
    assert served(tmp_path, own=own, policy=SERVING).timeout == 10.0


def test_a_version_that_was_let_in_keeps_its_time_whatever_the_policy_says_later(tmp_path: Path) -> None:
    policy = "serving: {runtime: sklearn, timeout: 1ms}"
    assert served(tmp_path, own=SERVING, policy=policy, version=ONE).timeout == 10.0


def test_its_runtime_is_the_one_it_was_released_with(tmp_path: Path) -> None:
    spec = served(tmp_path, own="serving: {runtime: xgboost}", policy=SERVING)
    assert spec.predictor == "xgboost"
