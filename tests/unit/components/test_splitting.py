"""Splitting, for all tables: no row lost or doubled, shares kept, blocks whole, the same for a seed for ever."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tagline_task.components import splitting
from tagline_task.components.splitting import Shares, shares
from tagline_task.errors import ContractError

SHARES = st.tuples(st.integers(0, 60), st.integers(0, 39)).map(
    lambda pair: shares(pair[0] / 100, pair[1] / 100)
)
SEEDS = st.integers(-(2**31), 2**31)
CLASSES = st.lists(st.sampled_from("abcde"), max_size=200)


def exact(wanted: Shares, rows: int) -> list[float]:
    return [quota / wanted.row for quota in wanted.quotas(rows)]


def each_row_once(made: list[list[int]], rows: int) -> bool:
    return sorted(row for part in made for row in part) == list(range(rows))


def in_order(made: list[list[int]]) -> bool:
    return all(part == sorted(part) for part in made)


@given(st.integers(0, 300), SHARES, SEEDS)
def test_at_random_each_row_is_in_one_part_and_each_part_has_its_share(rows, wanted, seed):
    made = splitting.at_random(rows, wanted, seed)
    assert each_row_once(made, rows) and in_order(made)
    for part, share in zip(made, exact(wanted, rows), strict=True):
        assert -2 < len(part) - share < 1


@given(CLASSES, SHARES, SEEDS)
def test_stratified_each_class_is_divided_as_the_whole_is(classes, wanted, seed):
    made = splitting.stratified(classes, wanted, seed)
    assert each_row_once(made, len(classes)) and in_order(made)
    for part, share in zip(made, exact(wanted, len(classes)), strict=True):
        assert -2 < len(part) - share < 1
    for name, members in Counter(classes).items():
        for part, share in zip(made, exact(wanted, members), strict=True):
            assert abs(sum(classes[row] == name for row in part) - share) < 3


@given(CLASSES, SHARES, SEEDS)
def test_a_group_is_in_one_part_and_no_part_has_too_much_by_a_group(groups, wanted, seed):
    made = splitting.by_group(groups, wanted, seed)
    assert each_row_once(made, len(groups)) and in_order(made)
    assert sum(len({groups[row] for row in part}) for part in made) == len(set(groups))
    largest = max(Counter(groups).values(), default=1)
    for part, share in zip(made, exact(wanted, len(groups)), strict=True):
        assert len(part) - share < largest


@given(st.lists(st.integers(0, 50), max_size=200), SHARES)
def test_by_time_nothing_in_a_later_part_is_older_and_a_moment_is_whole(moments, wanted):
    made = splitting.by_time(moments, wanted)
    assert each_row_once(made, len(moments)) and in_order(made)
    spans = [(min(times), max(times)) for part in made if (times := [moments[row] for row in part])]
    assert all(early[1] < late[0] for early, late in pairwise(spans))
    largest = max(Counter(moments).values(), default=0)
    borders = [exact(wanted, len(moments))[0], sum(exact(wanted, len(moments))[:2])]
    found = [len(made[0]), len(made[0]) + len(made[1])]
    for border, cut in zip(borders, found, strict=True):
        assert abs(border - cut) <= largest / 2 + 1e-9


@given(st.integers(2, 300), SEEDS)
def test_the_same_seed_gives_the_same_rows_and_equal_names_are_equal_groups(rows, seed):
    wanted = shares(0.1, 0.2)
    assert splitting.at_random(rows, wanted, seed) == splitting.at_random(rows, wanted, seed)
    groups = [row % 7 for row in range(rows)]
    assert splitting.by_group(groups, wanted, seed) == splitting.by_group(groups, wanted, seed)


def test_other_seeds_give_other_rows():
    tests = {tuple(splitting.at_random(100, shares(0.1, 0.2), seed)[2]) for seed in range(20)}
    assert len(tests) == 20


def test_every_row_is_as_likely_to_be_tested_as_any_other():
    seeds = 2000
    hits = Counter(row for seed in range(seeds) for row in splitting.at_random(10, shares(0, 0.2), seed)[2])
    deviation = (seeds * 0.2 * 0.8) ** 0.5
    assert all(abs(hits[row] - seeds * 0.2) < 5 * deviation for row in range(10))


def test_version_one_splits_as_it_always_has():
    """The promise of v1: who changes these rows makes v2."""
    wanted = shares(0.1, 0.2)
    assert splitting.at_random(20, wanted, 7)[1:] == FIXED["random"]
    classes = ["a", "b", "a", "a"] * 5
    assert splitting.stratified(classes, wanted, 7)[1:] == FIXED["stratified"]
    assert splitting.by_group([row // 2 for row in range(20)], wanted, 7)[1:] == FIXED["group"]
    assert splitting.by_time([row // 2 for row in range(20)], wanted)[1:] == FIXED["time"]


FIXED = {
    "random": [[17, 18], [0, 2, 6, 13]],
    "stratified": [[2, 13], [10, 11, 12, 17]],
    "group": [[4, 5], [0, 1, 12, 13]],
    "time": [[14, 15], [16, 17, 18, 19]],
}


def test_a_tenth_is_a_tenth_and_no_double_near_it():
    assert shares(0.1, 0.2) == Shares((7, 1, 2))
    assert [len(part) for part in splitting.at_random(30, shares(0.1, 0.2), 0)] == [21, 3, 6]


@pytest.mark.parametrize(
    "validation, test, said",
    [
        (0.5, 0.5, "leave nothing to train with"),
        (0.9, 0.2, "leave nothing to train with"),
        (-0.1, 0.2, "validation_share wants a share from 0 to 1, got -0.1"),
        (0.1, 1.5, "test_share wants a share from 0 to 1, got 1.5"),
        (0.1, float("nan"), "test_share wants a share from 0 to 1, got nan"),
    ],
)
def test_shares_that_are_none_are_refused_by_name(validation, test, said):
    with pytest.raises(ContractError, match=said):
        shares(validation, test)
