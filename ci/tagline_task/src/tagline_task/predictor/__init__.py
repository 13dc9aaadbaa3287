"""One predictor class per runtime: what turns a model file into answers, for the gate and for serving."""

import os
import sys
from typing import Any, Protocol

from tagline_task.errors import BadInput, DigestMismatch, ModelDoesNotLoad, PredictionFailed, TaskError
from tagline_task.files import digest
from tagline_task.values import shown

CUSTOM = "custom:"
RUNTIMES = "sklearn, xgboost or custom:PATH"


class Predictor(Protocol):
    """A loaded model. Where `named`, it is asked by the names of its columns, else by their position."""

    named: bool

    def predict(self, instances: list[Any]) -> list[Any]:
        """One prediction for each instance: a mapping by column name, or a list in column order.

        Raises `BadInput` for an instance that is no input at all; what else the model raises passes through.
        """
        ...


def load(kind: str, path: str, sha256: str = "") -> Predictor:
    """The predictor `kind` with the model at `path`, whose digest is checked first where `sha256` is given.

    Code of the repository is imported from the working folder and its `src`. Raises `DigestMismatch`,
    `ModelDoesNotLoad`.
    """
    _check(path, sha256)
    _see_sources()
    try:
        return _loaded(kind, path)
    except TaskError:
        raise
    except (Exception, SystemExit) as error:
        raise ModelDoesNotLoad(f"{kind} could not load {path}: {type(error).__name__}: {error}") from error


def predict(predictor: Predictor, instances: list[Any]) -> list[Any]:
    """Predictions as plain values that JSON holds, one for each instance; none for none.

    Raises `BadInput` (the instance), `PredictionFailed` (the model: it raised, tried to leave the process, or
    gave another number of answers), with the original as cause.
    """
    if not instances:
        return []
    try:
        answers = predictor.predict(instances)
    except BadInput:
        raise
    except (Exception, SystemExit) as error:
        raise PredictionFailed(f"{type(error).__name__}: {error}") from error
    plain = _plain(answers)
    if not isinstance(plain, list) or len(plain) != len(instances):
        raise PredictionFailed(f"wanted a list of {len(instances)} predictions, got {shown(plain)}")
    return plain


def _check(path: str, sha256: str) -> None:
    if not os.path.exists(path):
        raise ModelDoesNotLoad(f"no model at {path}")
    if sha256:
        found = digest(path)
        if found != sha256:
            raise DigestMismatch(f"the model at {path} has the digest {found}, not {sha256}")


def _see_sources() -> None:
    for folder in (os.getcwd(), os.path.join(os.getcwd(), "src")):
        if os.path.isdir(folder) and folder not in sys.path:
            sys.path.append(folder)


def _loaded(kind: str, path: str) -> Predictor:
    if kind == "sklearn":
        from tagline_task.predictor.scikit import Scikit

        return Scikit(path)
    if kind == "xgboost":
        from tagline_task.predictor.boosted import Boosted

        return Boosted(path)
    if kind.startswith(CUSTOM):
        from tagline_task.predictor.custom import Custom

        return Custom(kind[len(CUSTOM) :], path)
    raise ModelDoesNotLoad(f"unknown predictor {kind!r}: it is {RUNTIMES}")


def _plain(value: Any) -> Any:
    """NumPy's arrays and scalars as lists and numbers, at any depth."""
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if value is None or isinstance(value, str | int | float):
        return value
    raise PredictionFailed(f"a prediction is no value that JSON holds: {shown(value)}")
