"""The frozen data's columns, and the wrong answers that a scorer is tried with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tagline.config import Gate
from tagline.model.contest import MOST_ROTATIONS, rotations
from tagline.model.judge_data import label_columns


@pytest.mark.parametrize("label", ["kind,size", "kind, size", "kind size", " kind ,\tsize,"])
def test_labels_are_divided_by_commas_or_spaces(label: str) -> None:
    assert label_columns(Gate("data.csv", "0" * 64, label)) == ["kind", "size"]


@given(st.dictionaries(st.text(max_size=3), st.text(max_size=3)))
def test_every_rotation_gives_every_row_another_rows_label_and_none_comes_twice(
    truth: dict[str, str],
) -> None:
    labels = set(truth.values())
    found = rotations(truth)
    assert len(found) == max(0, min(len(labels) - 1, MOST_ROTATIONS))
    for row, label in truth.items():
        others = [other[row] for other in found]
        assert set(others) <= labels - {label}
        assert len(set(others)) == len(others)


def test_labels_that_are_measurements_are_tried_far_from_themselves() -> None:
    truth = {f"r{number}": str(number) for number in range(600)}
    distances = {
        abs(int(other[row]) - int(label)) for other in rotations(truth) for row, label in truth.items()
    }
    assert min(distances) == 100
