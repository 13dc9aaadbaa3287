"""How good predictions are: formulas of classification and regression over plain lists, each with its source."""

import math
import statistics
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import NamedTuple

POINTS = 200  # of a drawn curve
SHOWN = 50  # classes of a drawn matrix
OTHERS = "(others)"


class Confusion(NamedTuple):
    """How often each true class (row) was predicted as each class (column); `classes` in their order."""

    classes: list[Hashable]
    matrix: list[list[int]]

    @property
    def rows(self) -> int:
        return sum(map(sum, self.matrix))

    @property
    def right(self) -> list[int]:
        return [self.matrix[each][each] for each in range(len(self.classes))]

    @property
    def true(self) -> list[int]:
        return [sum(row) for row in self.matrix]

    @property
    def predicted(self) -> list[int]:
        return [sum(column) for column in zip(*self.matrix, strict=True)]


def confusion(truth: Sequence[Hashable], predicted: Sequence[Hashable]) -> Confusion:
    """The matrix over all classes that are true or predicted somewhere."""
    classes = sorted({*truth, *predicted})  # type: ignore[type-var]  # values of one column's type
    counted = Counter(zip(truth, predicted, strict=True))
    return Confusion(classes, [[counted[true, said] for said in classes] for true in classes])


def classification(found: Confusion) -> dict[str, float]:
    """accuracy, balanced_accuracy, precision_macro, recall_macro, f1_macro, mcc; a share of nothing is 0.

    Macro means are over all classes of the matrix, balanced accuracy over those that are true somewhere (Brodersen et
    al. 2010); F1 is the mean of the classes' own (van Rijsbergen 1979; Opitz & Burst 2019). mcc is the correlation of
    K classes (Gorodkin 2004), 0 where one side holds a single class.
    """
    right, true, predicted = found.right, found.true, found.predicted
    recalls = [_share(*pair) for pair in zip(right, true, strict=True)]
    precisions = [_share(*pair) for pair in zip(right, predicted, strict=True)]
    harmonic = [
        _share(2 * hit, known + said) for hit, known, said in zip(right, true, predicted, strict=True)
    ]
    return {
        "accuracy": sum(right) / found.rows,
        "balanced_accuracy": statistics.fmean(
            recall for recall, known in zip(recalls, true, strict=True) if known
        ),
        "precision_macro": statistics.fmean(precisions),
        "recall_macro": statistics.fmean(recalls),
        "f1_macro": statistics.fmean(harmonic),
        "mcc": _correlation(found.rows, sum(right), true, predicted),
    }


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _correlation(rows: int, right: int, true: list[int], predicted: list[int]) -> float:
    covariance = right * rows - sum(one * other for one, other in zip(true, predicted, strict=True))
    spread = (rows**2 - sum(each**2 for each in true)) * (rows**2 - sum(each**2 for each in predicted))
    return covariance / math.sqrt(spread) if spread else 0.0


class Curve(NamedTuple):
    """A ROC curve: false and true positive rate where all scores from the threshold up are called positive."""

    fpr: list[float]
    tpr: list[float]
    threshold: list[float]


def roc(positive: Sequence[bool], scores: Sequence[float]) -> Curve:
    """The curve's points, one for each different score, from none called positive to all (Fawcett 2006).

    There must be rows of both kinds.
    """
    total = sum(positive)
    curve = Curve([0.0], [0.0], [math.inf])
    ranked = sorted(zip(scores, positive, strict=True), key=lambda pair: -pair[0])
    hits = alarms = 0
    for place, (score, true) in enumerate(ranked):
        hits, alarms = hits + true, alarms + (not true)
        if place + 1 == len(ranked) or ranked[place + 1][0] != score:
            curve.fpr.append(alarms / (len(ranked) - total))
            curve.tpr.append(hits / total)
            curve.threshold.append(score)
    return curve


def thinned(curve: Curve, points: int = POINTS) -> Curve:
    """At most so many of a curve's points, first and last among them, evenly along it."""
    size = len(curve.fpr)
    if size <= points:
        return curve
    kept = sorted({round(each * (size - 1) / (points - 1)) for each in range(points)})
    return Curve(*([part[each] for each in kept] for part in curve))


def scored(positive: Sequence[bool], scores: Sequence[float]) -> dict[str, float]:
    """roc_auc, log_loss, brier of probabilities for the positive class; there must be rows of both kinds.

    The area is by trapezoids (Fawcett 2006), equal to the Mann-Whitney statistic with ties at one half. Log loss clips
    probabilities to 2**-52 from 0 and 1. Brier is the mean squared difference (Brier 1950).
    """
    curve = roc(positive, scores)
    steps = zip(curve.fpr, curve.fpr[1:], curve.tpr, curve.tpr[1:], strict=False)
    area = math.fsum((right - left) * (low + high) / 2 for left, right, low, high in steps)
    clipped = [min(max(score, 2**-52), 1 - 2**-52) for score in scores]
    losses = [-math.log(p if true else 1 - p) for true, p in zip(positive, clipped, strict=True)]
    squares = [(score - true) ** 2 for true, score in zip(positive, scores, strict=True)]
    return {"roc_auc": area, "log_loss": statistics.fmean(losses), "brier": statistics.fmean(squares)}


def regression(truth: Sequence[float], predicted: Sequence[float]) -> dict[str, float]:
    """mae, rmse, median_absolute_error, max_error, mean_error (predicted minus true) and r2.

    r2 is 1 - residual / total sum of squares (Kvålseth 1985, R²₁); for truths that are all the same 1 where nothing
    is wrong, else 0; NaN for a single row.
    """
    errors = [said - true for true, said in zip(truth, predicted, strict=True)]
    sizes = [abs(error) for error in errors]
    residual = math.fsum(error * error for error in errors)
    return {
        "mae": statistics.fmean(sizes),
        "rmse": math.sqrt(residual / len(errors)),
        "median_absolute_error": statistics.median(sizes),
        "max_error": max(sizes),
        "mean_error": statistics.fmean(errors),
        "r2": _explained(truth, residual),
    }


def _explained(truth: Sequence[float], residual: float) -> float:
    if len(truth) < 2:
        return math.nan
    middle = statistics.fmean(truth)
    total = math.fsum((each - middle) ** 2 for each in truth)
    if total == 0:
        return 1.0 if residual == 0 else 0.0
    return 1 - residual / total


def drawn(found: Confusion, shown: int = SHOWN) -> tuple[list[str], list[list[int]]]:
    """Names and matrix as a page can show them: beyond so many classes the rarest are one, `(others)`."""
    names = [str(each) for each in found.classes]
    if len(names) <= shown:
        return names, found.matrix
    common = sorted(range(len(names)), key=lambda each: (-found.true[each], each))[: shown - 1]
    place = {each: number for number, each in enumerate(sorted(common))}
    matrix = [[0] * shown for _ in range(shown)]
    for true, row in enumerate(found.matrix):
        for said, count in enumerate(row):
            matrix[place.get(true, shown - 1)][place.get(said, shown - 1)] += count
    return [*(names[each] for each in sorted(common)), OTHERS], matrix
