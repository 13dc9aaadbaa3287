"""Changes of what should serve, as pure functions."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tagline.errors import ContentDiffers, PlatformError
from tagline.platforms import ServerSpec
from tagline.platforms.local.serving import files, records
from tagline.platforms.local.serving.records import State
from tagline.platforms.local.serving.table import Row, draw
from tagline.words import ModelVersion, Release

VERSIONS = [ModelVersion(Release(0, n, 0), 1) for n in range(1, 5)]
V1, V2, V3, _ = VERSIONS


def spec(version: ModelVersion, sha256: str = "a" * 64, timeout: float = 10.0) -> ServerSpec:
    return ServerSpec("wine", version, "sklearn", Path("m"), sha256, Path("s"), Path("p"), timeout=timeout)


def deployed(*versions: ModelVersion) -> State:
    state = State()
    for version in versions:
        state = records.deployed(state, "prod", spec(version), port=1, limit=60)
    return state


def weigh(state: State, **weights: int) -> State:
    named = {VERSIONS[int(name[1]) - 1]: weight for name, weight in weights.items()}
    return records.weighted(state, "prod", "wine", named)


def weights(state: State) -> dict[ModelVersion, int]:
    return {arm.spec.version: arm.weight for arm in state.routes[0].arms}


def test_a_new_version_starts_at_weight_0() -> None:
    assert weights(deployed(V1)) == {V1: 0}


def test_deploying_or_weighing_again_is_the_same_state_and_generation() -> None:
    state = weigh(deployed(V1, V2), v1=100)
    assert records.deployed(state, "prod", spec(V1), port=99, limit=60) == state
    assert weigh(state, v1=100) is state


def test_another_digest_under_the_same_version_is_refused() -> None:
    with pytest.raises(ContentDiffers):
        records.deployed(deployed(V1), "prod", spec(V1, "b" * 64), port=1, limit=60)


def test_a_version_brings_a_time_out_to_no_version_but_itself() -> None:
    before = weigh(deployed(V1), v1=100)
    state = records.deployed(before, "prod", spec(V2, timeout=0.001), port=2, limit=60)
    timeouts = {row.version: row.timeout for row in records.table(state).routes[0].rows}
    assert timeouts == {str(V1): 10.0, str(V2): 0.001}


def test_nothing_of_a_candidate_stays_when_it_is_gone() -> None:
    before = weigh(deployed(V1), v1=100)
    state = records.deployed(before, "prod", spec(V2, timeout=0.001), port=2, limit=60)
    after = records.without(state, "prod/wine/v0-2-0-r1")
    assert records.table(after).routes[0].rows == records.table(before).routes[0].rows


def test_the_stable_version_is_the_one_that_last_took_everything() -> None:
    state = weigh(weigh(deployed(V1, V2), v1=100), v1=5, v2=95)
    assert state.routes[0].stable() == V1
    assert weigh(state, v2=100).routes[0].stable() == V2


def test_a_canary_taken_back_leaves_everything_to_the_stable_version() -> None:
    state = weigh(weigh(deployed(V1, V2), v1=100), v1=50, v2=50)
    assert weights(records.taken_back(state, "prod", "wine", V2)) == {V1: 100, V2: 0}


def test_a_canary_that_just_took_everything_gives_it_back_to_the_one_before() -> None:
    state = weigh(weigh(deployed(V1, V2), v1=100), v2=100)
    assert weights(records.taken_back(state, "prod", "wine", V2)) == {V1: 100, V2: 0}


def test_a_canary_with_no_version_beside_it_goes_to_0() -> None:
    state = weigh(deployed(V1), v1=100)
    assert weights(records.taken_back(state, "prod", "wine", V1)) == {V1: 0}


def test_taking_back_what_is_not_there_changes_nothing() -> None:
    state = weigh(deployed(V1), v1=100)
    assert records.taken_back(state, "prod", "wine", V3) is state
    assert records.taken_back(state, "prod", "other", V1) is state


def test_only_what_the_router_sees_makes_a_new_generation() -> None:
    state = weigh(deployed(V1), v1=100)
    loaded = records.changed_arm(state, "prod/wine/v0-1-0-r1", loaded=True)
    assert loaded != state
    assert records.table(loaded) == records.table(state)


def test_a_route_without_versions_is_gone_and_its_generation_never_comes_again() -> None:
    state = records.without(deployed(V1), "prod/wine/v0-1-0-r1")
    assert state.routes == []
    again = records.deployed(state, "prod", spec(V1), port=1, limit=60)
    assert again.routes[0].revision > deployed(V1).routes[0].revision


def test_an_unknown_version_is_refused_by_name() -> None:
    with pytest.raises(PlatformError, match=r"prod/wine has no version 0\.3\.0-r1"):
        weigh(deployed(V1), v3=100)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 100)), max_size=20))
def test_whatever_is_done_the_weights_sum_to_100_or_0_and_the_state_reads_as_written(
    actions: list[tuple[int, int, int]],
) -> None:
    state = deployed(*VERSIONS)
    for first, second, weight in actions:
        given_weights = {VERSIONS[first]: 100} | {VERSIONS[second]: weight, VERSIONS[first]: 100 - weight}
        if first == second:
            given_weights = {VERSIONS[first]: 100}
        state = records.weighted(state, "prod", "wine", given_weights)
        state = records.taken_back(state, "prod", "wine", VERSIONS[second])
        assert sum(weights(state).values()) in (0, 100)
    assert files.decode(files.encode(state), State) == state


@given(st.lists(st.integers(0, 100), min_size=1, max_size=5), st.floats(0, 1, exclude_max=True))
def test_a_draw_never_falls_on_weight_0(given_weights: list[int], point: float) -> None:
    rows = [Row(str(n), n, weight) for n, weight in enumerate(given_weights)]
    drawn = draw(rows, point)
    assert (drawn is None) == (sum(given_weights) == 0)
    assert drawn is None or drawn.weight > 0


@given(st.lists(st.integers(0, 100), min_size=1, max_size=5).filter(any))
def test_each_row_is_drawn_on_its_share_of_the_points(given_weights: list[int]) -> None:
    rows = [Row(str(n), n, weight) for n, weight in enumerate(given_weights)]
    total = sum(given_weights)
    drawn = [draw(rows, (point + 0.5) / total) for point in range(total)]
    assert [drawn.count(row) for row in rows] == given_weights
