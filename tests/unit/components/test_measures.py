"""The formulas against scikit-learn, for random predictions, and by hand where theirs has no answer."""

import math
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as theirs
from tagline_task.components import measures

CLASSES = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcde")), min_size=1, max_size=80)
NUMBERS = st.floats(-1e6, 1e6).map(lambda each: round(each, 3))
PAIRS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=2, max_size=80)
SCORES = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.7, 0.99, 1.0])), min_size=2, max_size=80
).filter(lambda rows: len({true for true, _ in rows}) == 2)


@settings(max_examples=80, deadline=None)
@given(CLASSES)
def test_classification_agrees_with_scikit_learn(rows) -> None:
    truth, said = map(list, zip(*rows, strict=True))
    found = measures.confusion(truth, said)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        matrix = theirs.confusion_matrix(truth, said, labels=found.classes).tolist()
        mean = {"average": "macro", "zero_division": 0}
        expected = {
            "accuracy": theirs.accuracy_score(truth, said),
            "balanced_accuracy": theirs.balanced_accuracy_score(truth, said),
            "precision_macro": theirs.precision_score(truth, said, **mean),
            "recall_macro": theirs.recall_score(truth, said, **mean),
            "f1_macro": theirs.f1_score(truth, said, **mean),
            "mcc": theirs.matthews_corrcoef(truth, said),
        }
    assert found.matrix == matrix
    assert measures.classification(found) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=80, deadline=None)
@given(SCORES)
def test_scores_agree_with_scikit_learn(rows) -> None:
    positive, scores = map(list, zip(*rows, strict=True))
    assert measures.scored(positive, scores) == pytest.approx(
        {
            "roc_auc": theirs.roc_auc_score(positive, scores),
            "log_loss": theirs.log_loss(positive, scores),
            "brier": theirs.brier_score_loss(positive, scores),
        },
        abs=1e-12,
    )
    fpr, tpr, threshold = theirs.roc_curve(positive, scores, drop_intermediate=False)
    curve = measures.roc(positive, scores)
    assert curve.fpr == pytest.approx(list(fpr)) and curve.tpr == pytest.approx(list(tpr))
    assert curve.threshold == list(threshold)


@settings(max_examples=80, deadline=None)
@given(PAIRS)
def test_regression_agrees_with_scikit_learn(rows) -> None:
    truth, said = map(list, zip(*rows, strict=True))
    assert measures.regression(truth, said) == pytest.approx(
        {
            "mae": theirs.mean_absolute_error(truth, said),
            "rmse": theirs.root_mean_squared_error(truth, said),
            "median_absolute_error": theirs.median_absolute_error(truth, said),
            "max_error": theirs.max_error(truth, said),
            "mean_error": sum(said) / len(said) - sum(truth) / len(truth),
            "r2": theirs.r2_score(truth, said),
        },
        rel=1e-6,
        abs=1e-6,
    )


def test_a_single_row_explains_nothing_and_a_constant_all_or_nothing() -> None:
    assert math.isnan(measures.regression([1.0], [2.0])["r2"])
    assert measures.regression([1.0, 1.0], [1.0, 1.0])["r2"] == 1
    assert measures.regression([1.0, 1.0], [1.0, 2.0])["r2"] == 0


@given(st.integers(2, 400), st.integers(2, 60))
def test_a_thinned_curve_keeps_its_ends_and_is_short_enough(size: int, points: int) -> None:
    line = [each / (size - 1) for each in range(size)]
    kept = measures.thinned(measures.Curve(line, line, line), points)
    assert len(kept.fpr) <= points and {kept.fpr[0], kept.fpr[-1]} == {0.0, 1.0}
    assert kept.fpr == sorted(kept.fpr)


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=80))
def test_a_drawn_matrix_loses_no_row_and_keeps_the_common_classes(rows) -> None:
    found = measures.confusion(*zip(*rows, strict=True))
    names, matrix = measures.drawn(found, 5)
    assert sum(map(sum, matrix)) == len(rows)
    assert len(names) == len(matrix) == min(5, len(found.classes))
    if len(found.classes) > 5:
        assert names[-1] == measures.OTHERS
        most = max(found.true)
        assert any(
            str(each) in names for each, count in zip(found.classes, found.true, strict=True) if count == most
        )
